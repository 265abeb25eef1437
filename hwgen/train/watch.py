"""What goes wrong while a network trains, with the layer's name: divergence, frozen layers,
bit lengths at a bound."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from hwgen.errors import ModelError
from hwgen.train.method import weight_layers


@runtime_checkable
class BoundedBits(Protocol):
    """A quantizer with a bit length that training moves."""

    def bounds(self) -> tuple[float, float, float]:
        """The bit length (least of several), its lower and its upper bound."""
        ...


@dataclass
class Watch:
    """Looks at a model after every epoch; each finding is told once, until it goes away."""

    model: nn.Module
    told: set[str] = field(default_factory=set)
    codes: dict[str, Tensor] = field(default_factory=dict)

    def begin(self) -> None:
        """Remember the codes that the epoch starts from."""
        self.codes = _codes(self.model)

    def end(self) -> list[str]:
        """New findings of the epoch."""
        found = {**self._frozen(), **self._at_bounds()}
        new = [text for key, text in found.items() if key not in self.told]
        self.told = set(found)
        return new

    def _frozen(self) -> dict[str, str]:
        now = _codes(self.model)
        still = [
            name
            for name, codes in now.items()
            if name in self.codes and torch.equal(codes, self.codes[name])
        ]
        return {
            f"frozen {name}": f"{name} is frozen: none of its {self.codes[name].numel()} weights "
            "changed level in this epoch"
            for name in still
        }

    def _at_bounds(self) -> dict[str, str]:
        found = {}
        for name, module in self.model.named_modules():
            if not isinstance(module, BoundedBits):
                continue
            bits, lo, hi = module.bounds()
            if bits <= lo or bits >= hi:
                which = "lower" if bits <= lo else "upper"
                text = f"the bit length of {name} is at its {which} bound of {bits:g}"
                found[f"{which} {name}"] = text
        return found


def check_loss(loss: Tensor, model: nn.Module, x: Tensor, epoch: int) -> None:
    """Refuse a loss that is not finite, and name the first layer that is to blame.

    Raises:
        ModelError: see above.
    """
    value = float(loss.detach())
    if math.isfinite(value):
        return
    raise ModelError(
        f"training diverged: the loss must be finite, not {value}, in epoch {epoch + 1}",
        origin=culprit(model, x),
        hint="lower the learning rate; the last checkpoint is kept",
    )


def culprit(model: nn.Module, x: Tensor) -> str:
    """The first layer with a parameter or an output that is not finite, or ''."""
    for name, parameter in model.named_parameters():
        if not bool(torch.isfinite(parameter.detach()).all()):
            return name
    found: list[str] = []

    def look(name: str) -> Any:
        def hook(module: nn.Module, inputs: object, output: object) -> None:
            if isinstance(output, Tensor) and not bool(torch.isfinite(output).all()):
                found.append(name)

        return hook

    leaves = [(n, m) for n, m in model.named_modules() if n and not list(m.children())]
    hooks = [module.register_forward_hook(look(name)) for name, module in leaves]
    with torch.no_grad():
        model(x)
    for hook in hooks:
        hook.remove()
    return found[0] if found else ""


def _codes(model: nn.Module) -> dict[str, Tensor]:
    return {
        name: layer.codes.clone() for name, layer in weight_layers(model).items() if layer.alphabet
    }
