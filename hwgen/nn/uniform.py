"""Evenly spaced levels: `Int` for weights, `UInt` and `SInt` for activations.

Steps are fixed, learned (LSQ) or learned powers of two. Rounding is half to even.
Source: Esser et al. 2020, "Learned Step Size Quantization" (arXiv 1902.08153).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from hwgen.errors import UsageError
from hwgen.nn.quantizer import (
    ActQuantizer,
    ActSpec,
    FrozenUniform,
    WeightQuantizer,
    WeightSpec,
)
from hwgen.nn.ste import uniform_lsq
from hwgen.nn.step import LEAST_SCALE, Step, StepSpec, channel_shape, check_step, initial_step


@dataclass(frozen=True, slots=True)
class Int(WeightSpec):
    """Signed integer weights of 2 to 12 bits; ``narrow`` leaves out the most negative level.

    ``step`` is a number, ``"learned"`` or ``"power_of_two"``; learned steps start from the weights.
    """

    bits: int
    per_channel: bool = False
    step: StepSpec = "learned"
    narrow: bool = True

    def __post_init__(self) -> None:
        check_bits("Int", self.bits, 2, 12)
        check_step(self.step)

    @property
    def limits(self) -> tuple[int, int]:
        """The least and the greatest level."""
        return signed_limits(self.bits, self.narrow)

    def weight_quantizer(self, weight: Tensor) -> UniformWeight:
        step = Step(self.step, channel_shape(weight, self.per_channel))
        return UniformWeight(self.limits, step)


@dataclass(frozen=True, slots=True)
class UInt(ActSpec):
    """Activations at ``0 … 2**bits - 1`` steps; ``narrow`` leaves out the greatest level.

    With a ``zero_point`` z the values are ``(-z … 2**bits - 1 - z) * step``.
    ``step`` is a number, ``"learned"`` or ``"power_of_two"``; learned steps start from the first
    batch.
    """

    bits: int
    step: StepSpec = "learned"
    narrow: bool = False
    zero_point: int = 0

    def __post_init__(self) -> None:
        check_bits("UInt", self.bits, 2 if self.narrow else 1, 16)
        check_step(self.step)
        check_zero_point("UInt", self.zero_point, *self.limits)

    @property
    def limits(self) -> tuple[int, int]:
        """The least and the greatest code, before the zero point is taken off."""
        return 0, (1 << self.bits) - 1 - self.narrow

    def act_quantizer(self) -> UniformAct:
        return UniformAct(self.limits, self.zero_point, Step(self.step))


@dataclass(frozen=True, slots=True)
class SInt(ActSpec):
    """Activations at ``-2**(bits-1) … 2**(bits-1) - 1`` steps; ``narrow`` leaves out the least.

    With a ``zero_point`` z each value is ``(code - z) * step``.
    """

    bits: int
    step: StepSpec = "learned"
    narrow: bool = False
    zero_point: int = 0

    def __post_init__(self) -> None:
        check_bits("SInt", self.bits, 2, 16)
        check_step(self.step)
        check_zero_point("SInt", self.zero_point, *self.limits)

    @property
    def limits(self) -> tuple[int, int]:
        """The least and the greatest code, before the zero point is taken off."""
        return signed_limits(self.bits, self.narrow)

    def act_quantizer(self) -> UniformAct:
        return UniformAct(self.limits, self.zero_point, Step(self.step))


class UniformWeight(WeightQuantizer):
    """Integers from ``limits[0]`` to ``limits[1]`` times a step, trained by LSQ."""

    def __init__(self, limits: tuple[int, int], step: Step) -> None:
        super().__init__()
        self.lo, self.hi = limits
        self.step = step

    @property
    def alphabet(self) -> tuple[int, ...]:
        return tuple(range(self.lo, self.hi + 1))

    def integers(self, weight: Tensor | None) -> tuple[Tensor, Tensor]:
        step = self._step(require(weight))
        codes = torch.clamp(torch.round(require(weight) / step), self.lo, self.hi)
        return codes.to(torch.int64), step

    def forward(self, weight: Tensor) -> Tensor:
        step = self._step(weight)
        scale = 1 / math.sqrt(max(weight.numel() // step.numel(), 1) * self.hi)
        return uniform_lsq(weight, step, 0, (self.lo, self.hi), scale)

    def _step(self, weight: Tensor) -> Tensor:
        if not self.step.ready:
            over = (0,) if self.step.unit.dim() else ()
            first = initial_step(weight, self.hi, over)
            self.step.set(first.clamp(min=LEAST_SCALE))
        return self.step.forward()


class UniformAct(ActQuantizer):
    """Integers from ``limits[0]`` to ``limits[1]`` less a zero point, times a step, trained by LSQ.

    The gradient scale counts the features of one frame, as the paper's equation does.
    """

    def __init__(self, limits: tuple[int, int], zero_point: int, step: Step) -> None:
        super().__init__()
        self.lo, self.hi = limits
        self.zero_point = zero_point
        self.step = step

    @property
    def alphabet(self) -> tuple[int, ...]:
        return tuple(range(self.lo - self.zero_point, self.hi - self.zero_point + 1))

    def integers(self, x: Tensor) -> tuple[Tensor, Tensor]:
        step = self.step.settled()
        codes = torch.clamp(torch.round(x / step) + self.zero_point, self.lo, self.hi)
        return codes.to(torch.int64) - self.zero_point, step

    def forward(self, x: Tensor) -> Tensor:
        greatest = max(self.hi - self.zero_point, 1)
        if self.training and not self.step.ready:
            self.step.set(initial_step(x, greatest))
        step = self.step.forward() if self.training else self.step.settled()
        features = max(x.numel() // max(x.shape[0], 1), 1) if x.dim() else 1
        scale = 1 / math.sqrt(features * greatest)
        return uniform_lsq(x, step, self.zero_point, (self.lo, self.hi), scale)

    def frozen(self) -> FrozenUniform:
        return FrozenUniform(self.step.settled(), self.zero_point, self.lo, self.hi)

    def extra_repr(self) -> str:
        return f"codes {self.lo}..{self.hi}, zero_point={self.zero_point}"


def signed_limits(bits: int, narrow: bool) -> tuple[int, int]:
    """The least and the greatest ``bits``-bit signed integer."""
    half = 1 << (bits - 1)
    return -half + narrow, half - 1


def check_bits(kind: str, bits: int, least: int, most: int) -> None:
    """Refuse a width out of range.

    Raises:
        UsageError: see above.
    """
    if not isinstance(bits, int) or isinstance(bits, bool) or not least <= bits <= most:
        raise UsageError(f"{kind} must have {least} to {most} bits, not {bits!r}")


def check_zero_point(kind: str, zero_point: int, lo: int, hi: int) -> None:
    """Refuse a zero point that is no code.

    Raises:
        UsageError: see above.
    """
    if not isinstance(zero_point, int) or not lo <= zero_point <= hi:
        raise UsageError(f"zero_point of {kind} must be an integer in {lo}..{hi}, not {zero_point}")


def require(weight: Tensor | None) -> Tensor:
    """The weight of a quantizer that keeps one."""
    assert weight is not None, "a quantizer with keeps_weight is always given the weight"
    return weight
