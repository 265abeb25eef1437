"""Quantizers that are no uniform steps: counted thresholds, and the truncation of integers."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from hwgen.errors import UnsupportedError
from hwgen.ir.meaning import HostValue, Meaning, RealValue
from hwgen.ir.real import Lowering, RealNode
from hwgen.ops.monotone import BOUNDARIES, ROUNDINGS, Rule, Step
from hwgen.ops.quantize import quantized


@dataclass(frozen=True, slots=True)
class Counted:
    """``code = #{k : x ≥ thresholds[k]}``, thresholds ascending."""

    thresholds: tuple[Fraction, ...]

    @property
    def step(self) -> None:
        return None

    def code(self, x: Fraction) -> int:
        return bisect_right(self.thresholds, x)

    def boundary(self, code: int) -> tuple[Fraction, bool]:
        return self.thresholds[code - 1], False


@dataclass(frozen=True, slots=True)
class Truncated:
    """``code = clip(round(integer(x) / divisor), lo, hi)``; ``integer`` rounds x/step half to even
    and adds the zero point's share, which the caller has put into ``x``."""

    unit: Fraction
    divisor: int
    rounding: str
    lo: int | None = None
    hi: int | None = None

    @property
    def step(self) -> Fraction:
        return self.unit * self.divisor

    def code(self, x: Fraction) -> int:
        value = ROUNDINGS[self.rounding](Fraction(round(x / self.unit), self.divisor))
        value = value if self.lo is None else max(value, self.lo)
        return value if self.hi is None else min(value, self.hi)

    def boundary(self, code: int) -> tuple[Fraction, bool]:
        offset, strict = BOUNDARIES[self.rounding](code)
        least = (code + offset) * self.divisor
        integer = floor(least) + 1 if strict else ceil(least)
        return Step(self.unit, 0, integer, integer, "half_even").boundary(integer)


@dataclass(frozen=True, kw_only=True)
class RealThresholds(RealNode):
    """``y = scale·#{k : x ≥ thresholds[c][k]} + offset``: QONNX's MultiThreshold.

    ``thresholds`` holds one ascending row, or one per channel.
    """

    thresholds: tuple[tuple[Fraction, ...], ...]
    scale: Fraction = Fraction(1)
    offset: Fraction = Fraction(0)

    @property
    def levels(self) -> int:
        return max(len(row) for row in self.thresholds)

    def lower(self, target: Lowering, *inputs: RealValue) -> RealValue:
        rules = tuple(Counted(row) for row in self.thresholds)
        return _staircase(target, self, inputs[0], rules, self.scale, self.offset)


@dataclass(frozen=True, kw_only=True)
class RealTruncate(RealNode):
    """``y = scale·clip(round(integer / divisor)) + offset`` where ``integer`` is x/unit, rounded
    half to even: QONNX's Trunc. ``lo`` and ``hi`` are None where nothing is clipped."""

    unit: Fraction
    divisor: int
    rounding: str
    scale: Fraction
    offset: Fraction = Fraction(0)
    lo: int | None = None
    hi: int | None = None

    @property
    def levels(self) -> int:
        known = self.lo is not None and self.hi is not None
        return self.hi - self.lo if known else 1 << 8  # type: ignore[operator]

    def lower(self, target: Lowering, *inputs: RealValue) -> RealValue:
        rule = Truncated(self.unit, self.divisor, self.rounding, self.lo, self.hi)
        return _staircase(target, self, inputs[0], (rule,), self.scale, self.offset)


def _staircase(
    target: Lowering,
    node: RealNode,
    x: RealValue,
    rules: tuple[Rule, ...],
    scale: Fraction,
    offset: Fraction,
) -> Meaning:
    if isinstance(x, HostValue):
        raise UnsupportedError(
            "the network's input must be integers here, not real numbers",
            origin=node.origin,
            hint="say what integers the input is: --input-type UINT8, or a FINN annotation",
        )
    made = quantized(target, node, x, x.permuted(rules))
    kind = target.add(made)
    meaning = Meaning(made.name, kind, (scale,), (offset,), order=x.order)
    target.note(made.name, meaning)
    return meaning
