"""What each quantizer of a model handles in one frame: multiplications and stored values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from hwgen.nn.activations import QuantAct
from hwgen.nn.layers import QuantizedWeight
from hwgen.train.method import weight_count


@dataclass
class Handled:
    """Of one layer: ``operations`` are multiplications, ``values`` weights or activations.

    The operations of an activation are those that read it, and ``readers`` the weight layers that
    do. ``source`` of a weight layer is the activation that it reads, of an activation the weight
    layer that it follows; '' where none came before.
    """

    operations: int = 0
    values: int = 0
    readers: list[str] = field(default_factory=list)
    source: str = ""


def measure(model: nn.Module, x: Tensor) -> dict[str, Handled]:
    """All weight and activation layers in the order in which they run on ``x``, by path.

    An activation is taken to be read by the weight layers that run after it and before the next
    activation, which holds for networks without branches.
    """
    found: dict[str, Handled] = {}
    last = {"activation": "", "weight": ""}

    def weights(name: str, layer: nn.Module) -> Callable[..., None]:
        def hook(module: nn.Module, inputs: object, output: Tensor) -> None:
            pixels = output[0, 0].numel() if output.dim() > 1 else 1
            count = weight_count(layer)
            source = last["activation"]
            found[name] = Handled(count * pixels, count, source=source)
            last["weight"] = name
            if source:
                found[source].operations += count * pixels
                found[source].readers.append(name)

        return hook

    def activation(name: str) -> Callable[..., None]:
        def hook(module: nn.Module, inputs: object, output: Tensor) -> None:
            found[name] = Handled(0, output[0].numel(), source=last["weight"])
            last["activation"] = name

        return hook

    hooks = []
    for name, module in model.named_modules():
        if isinstance(module, QuantizedWeight):
            hooks.append(module.register_forward_hook(weights(name, module)))
        elif isinstance(module, QuantAct):
            hooks.append(module.register_forward_hook(activation(name)))
    training = model.training
    model.train()
    state = {key: value.clone() for key, value in model.state_dict().items()}
    with torch.no_grad():
        model(x)
    model.load_state_dict(state)
    model.train(training)
    for hook in hooks:
        hook.remove()
    return found
