"""From a float module and a calibration batch to a quantized module, layer by layer.

Layers are visited in the order in which they run. A weight layer gets codes by rounding at the
scale of least error, or by path following; a ReLU gets a quantizer whose step is calibrated on what
the network quantized so far gives; everything else stays as it is. Biases and batch-norms stay
real: the integer graph takes them exactly.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hwgen import nn as q
from hwgen.errors import UsageError
from hwgen.nn.quantizer import FrozenWeight, IntegerView
from hwgen.ptq.alphabets import levels
from hwgen.ptq.calibrate import Calibration
from hwgen.ptq.gpfq import gpfq
from hwgen.ptq.scale import Codes, least_error, two_tensors

Method = Literal["gpfq", "mmse"]
SAMPLES = 2048
_PASSING = (nn.Flatten, nn.Dropout, nn.Identity, nn.MaxPool1d, nn.MaxPool2d, nn.Unflatten)


@dataclass(frozen=True, slots=True)
class WeightPlan:
    """How weights are quantized: the alphabet's name, see `hwgen.ptq.alphabets`, and the method.

    Where ``second_above`` is given and a layer's squared error, relative to the weights' power,
    exceeds it, the layer becomes the sum of two tensors of the alphabet.
    """

    alphabet: str = "int4"
    method: Method = "gpfq"
    per_channel: bool = True
    second_above: float | None = None

    def __post_init__(self) -> None:
        levels(self.alphabet)
        if self.method not in ("gpfq", "mmse"):
            raise UsageError(f"method must be gpfq or mmse, not {self.method!r}")


@dataclass(frozen=True, slots=True)
class Layer:
    """What became of one layer: ``error`` is of its output on the batch, relative in power."""

    name: str
    alphabet: tuple[int, ...]
    error: float
    two: bool = False


@dataclass(frozen=True)
class Quantized:
    """The module, ready for `hwgen.save`, and what became of each weight layer."""

    model: nn.Sequential
    layers: tuple[Layer, ...]


@torch.no_grad()
def quantize(
    model: nn.Module,
    batch: Tensor,
    *,
    weight: WeightPlan = WeightPlan(),
    activation: Calibration = Calibration(),  # noqa: B008 (frozen)
    input: q.ActSpec | Calibration = Calibration(bits=8, rule="max"),  # noqa: B008 (frozen)
) -> Quantized:
    """A quantized copy of ``model`` in eval mode; ``input`` quantizes what goes into it.

    Raises:
        UsageError: if a layer's input is not quantized (put a ReLU before it), a module runs more
            than once, or the batch gives values that are not finite.
    """
    plain = copy.deepcopy(model).eval()
    work = copy.deepcopy(model).eval()
    encoder = q.QuantIdentity(_input_spec(input, batch)).eval()
    encoded = encoder(batch)
    layers: list[Layer] = []
    ready = True
    for name, module in _running(plain, batch):
        if isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d):
            if not ready:
                raise UsageError(
                    "the input of a weight layer must be quantized, and no ReLU comes before it",
                    origin=name,
                    hint="put a ReLU, or a batch-norm and a ReLU, in front of the layer",
                )
            x, y = _inputs(plain, name, batch), _inputs(work, name, encoded)
            made, layer = _weights(name, module, x, y, weight)
            layers.append(layer)
            ready = False
        elif isinstance(module, nn.ReLU):
            values = F.relu(_inputs(work, name, encoded))
            step = activation.step(values, signed=False)
            made = q.QuantReLU(q.UInt(activation.bits, step=step))
            ready = True
        else:
            ready = ready and isinstance(module, _PASSING)
            continue
        work = _replaced(work, name, made.eval())
    if not layers:
        raise UsageError("the model must hold a linear or convolution layer")
    return Quantized(nn.Sequential(encoder, work).eval(), tuple(layers))


def _input_spec(input: q.ActSpec | Calibration, batch: Tensor) -> q.ActSpec:
    if isinstance(input, q.ActSpec):
        return input
    signed = bool(batch.min() < 0)
    step = input.step(batch, signed=signed)
    return q.SInt(input.bits, step=step) if signed else q.UInt(input.bits, step=step)


def _running(model: nn.Module, batch: Tensor) -> list[tuple[str, nn.Module]]:
    """Leaf modules in the order in which they run; the model itself when it is a leaf."""
    seen: list[tuple[str, nn.Module]] = []

    def look(name: str) -> Callable[..., None]:
        def hook(module: nn.Module, inputs: object, output: object) -> None:
            if any(own == name for own, _ in seen):
                raise UsageError("a module must run once in a forward pass", origin=name)
            seen.append((name, module))

        return hook

    leaves = [(n, m) for n, m in model.named_modules() if not list(m.children())]
    hooks = [module.register_forward_hook(look(name)) for name, module in leaves]
    try:
        model(batch[:2])
    finally:
        for hook in hooks:
            hook.remove()
    return seen


def _inputs(model: nn.Module, name: str, batch: Tensor) -> Tensor:
    """What goes into a submodule."""
    found: list[Tensor] = []

    def hook(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        found.append(inputs[0])

    handle = model.get_submodule(name).register_forward_pre_hook(hook)
    model(batch)
    handle.remove()
    return found[0]


def _replaced(model: nn.Module, name: str, made: nn.Module) -> nn.Module:
    if not name:
        return made
    parent, _, child = name.rpartition(".")
    setattr(model.get_submodule(parent), child, made)
    return model


def _weights(
    name: str, module: nn.Linear | nn.Conv1d | nn.Conv2d, x: Tensor, y: Tensor, plan: WeightPlan
) -> tuple[nn.Module, Layer]:
    rows = module.weight.reshape(len(module.weight), -1)
    alphabet = levels(plan.alphabet)
    groups = getattr(module, "groups", 1)
    if groups > 1:
        plan = replace(plan, per_channel=True)
    parts = zip(rows.chunk(groups), _patches(module, x), _patches(module, y), strict=True)
    codes = _joined([_codes(w, a, b, alphabet, plan) for w, a, b in parts], alphabet)
    two = plan.second_above is not None and codes.error(rows) > plan.second_above
    if two:
        codes = two_tensors(rows, alphabet)
    shape = module.weight.shape
    made = _quant_layer(module)
    scale = codes.scale.reshape(-1, *[1] * (len(shape) - 1))
    if not plan.per_channel and not two:
        scale = scale.flatten()[0]
    made.weight_quantizer = FrozenWeight(
        IntegerView(codes.values.reshape(shape), scale, codes.alphabet)
    )
    made.register_parameter("weight", None)
    made._spec = plan  # type: ignore[assignment]
    target, got = module(x), made(y)
    power = float(target.square().sum())
    error = float((target - got).square().sum()) / power if power else 0.0
    return made, Layer(name, codes.alphabet, error, two)


def _codes(
    rows: Tensor, x: Tensor, y: Tensor, alphabet: tuple[int, ...], plan: WeightPlan
) -> Codes:
    if plan.method == "mmse":
        return least_error(rows, alphabet, per_channel=plan.per_channel)
    return gpfq(rows, x, y, alphabet, per_channel=plan.per_channel)


def _joined(parts: list[Codes], alphabet: tuple[int, ...]) -> Codes:
    values = torch.cat([part.values for part in parts])
    return Codes(values, torch.cat([part.scale for part in parts]), alphabet)


def _patches(module: nn.Linear | nn.Conv1d | nn.Conv2d, x: Tensor) -> list[Tensor]:
    """The inputs of each group's neurons, (samples, inputs), at most `SAMPLES` evenly taken."""
    if isinstance(module, nn.Linear):
        rows = x.reshape(-1, x.shape[-1])
        return [rows[:: -(-len(rows) // SAMPLES)]]
    if module.padding_mode != "zeros" or isinstance(module.padding, str):
        raise UsageError("a convolution must have a number as padding, of zeros")
    flat = isinstance(module, nn.Conv1d)
    images = x[:, :, None] if flat else x
    first = (1,) if flat else ()
    none = (0,) if flat else ()
    found = []
    for part in images.chunk(module.groups, dim=1):
        columns = F.unfold(
            part,
            first + tuple(module.kernel_size),
            dilation=first + tuple(module.dilation),
            padding=none + tuple(module.padding),
            stride=first + tuple(module.stride),
        )
        rows = columns.transpose(1, 2).reshape(-1, columns.shape[1])
        found.append(rows[:: -(-len(rows) // SAMPLES)])
    return found


def _quant_layer(module: nn.Linear | nn.Conv1d | nn.Conv2d) -> q.QuantizedWeight:
    made: q.QuantizedWeight
    bias = module.bias is not None
    if isinstance(module, nn.Linear):
        made = q.QuantLinear(module.in_features, module.out_features, bias, weight=q.Sign())
    else:
        kind = q.QuantConv1d if isinstance(module, nn.Conv1d) else q.QuantConv2d
        made = kind(
            module.in_channels, module.out_channels, module.kernel_size,
            module.stride, module.padding, module.dilation, module.groups, bias,
            weight=q.Sign(),
        )  # fmt: skip
    if bias:
        made.bias.copy_(module.bias)  # type: ignore[union-attr, arg-type]
    return made
