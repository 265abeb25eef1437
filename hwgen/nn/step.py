"""The step (or scale) of a quantizer: fixed, learned, or learned as a power of two."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn

from hwgen.errors import ModelError, UsageError
from hwgen.nn.ste import clamp_ste, power_of_two_ste, relative_ste

StepSpec = float | Literal["learned", "power_of_two"]
LEAST_SCALE = 2.0**-40
"""No step or scale is less: a channel of zeros has one too."""


class Step(nn.Module):
    """A positive float32 step of shape ``shape``, all dimensions of which broadcast to the tensor.

    A learned step is ``unit * raw``: ``unit`` is where it started and ``raw`` the parameter, which
    starts at 1. So Adam, whose updates do not depend on the gradient's size, changes it by the
    learning rate in relation to itself; the gradient is scaled such that SGD moves the step as LSQ
    prescribes. State: ``unit``, ``raw`` if learned, and ``initialized``.

    Raises:
        UsageError: if the spec is neither a positive finite number nor one of the two words.
    """

    unit: Tensor
    initialized: Tensor

    def __init__(self, spec: StepSpec, shape: tuple[int, ...] = ()) -> None:
        super().__init__()
        check_step(spec)
        self.learned = isinstance(spec, str)
        self.power_of_two = spec == "power_of_two"
        first = 1.0 if isinstance(spec, str) else float(spec)
        self.register_buffer("unit", torch.full(shape, first))
        self.raw = nn.Parameter(torch.ones(shape)) if self.learned else None
        self.register_buffer("initialized", torch.tensor(not self.learned))

    @property
    def ready(self) -> bool:
        """Whether the step has a value: given, loaded, or set from data."""
        return bool(self.initialized)

    def set(self, value: Tensor) -> None:
        """Start from ``value``, unless some of it is not positive and finite."""
        if bool(torch.all(torch.isfinite(value) & (value > 0))):
            with torch.no_grad():
                self.unit.copy_(value.detach().expand(self.unit.shape))
                self.initialized.fill_(True)

    def forward(self) -> Tensor:
        """The step in use, differentiable when it is learned."""
        if self.raw is None:
            return self.unit
        positive = clamp_ste(relative_ste(self.raw, self.unit), LEAST_SCALE)
        return power_of_two_ste(positive) if self.power_of_two else positive

    def settled(self) -> Tensor:
        """The step in use, detached.

        Raises:
            ModelError: if it is learned and has never seen data.
        """
        if not self.ready:
            raise ModelError(
                "a learned step must be initialized before the model is evaluated or saved",
                hint="run one batch through the model in train() mode, or give step=<number>",
            )
        return self.forward().detach()


def check_step(spec: StepSpec) -> None:
    """Refuse a step that is not positive and finite.

    Raises:
        UsageError: see above.
    """
    if isinstance(spec, str):
        if spec not in ("learned", "power_of_two"):
            raise UsageError(
                f'step must be a number, "learned" or "power_of_two", not {spec!r}',
                hint='use step="learned" to train it, step="power_of_two" to make it a shift',
            )
    elif not (math.isfinite(spec) and float(torch.tensor(float(spec))) > 0):
        raise UsageError(f"step must be positive and finite, not {spec}")


def initial_step(x: Tensor, greatest_level: int, over: tuple[int, ...] = ()) -> Tensor:
    """LSQ's first step, ``2 * mean|x| / sqrt(greatest_level)``, over all axes but ``over``.

    Source: Esser et al. 2020, "Learned Step Size Quantization", section 2.1.
    """
    axes = [axis for axis in range(x.dim()) if axis not in over]
    mean = x.detach().abs().mean(dim=axes, keepdim=bool(over)) if axes else x.detach().abs()
    return 2 * mean / math.sqrt(greatest_level)


def channel_shape(weight: Tensor, per_channel: bool) -> tuple[int, ...]:
    """The shape of a scale: one value, or one per output channel, broadcasting to ``weight``."""
    return (weight.shape[0],) + (1,) * (weight.dim() - 1) if per_channel else ()
