"""Multiply-and-shift: a quantizer of many levels after an affine function."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import ClassVar

import numpy as np

from hwgen.families.base import Family
from hwgen.inttype import IntType
from hwgen.ir.meaning import collapse
from hwgen.ir.types import IntArray, Ints, TensorType
from hwgen.ops.base import Config
from hwgen.ops.elementwise import LaneNode, spread
from hwgen.ops.monotone import StepFunction
from hwgen.rtl.requantize import RequantizeUnit

MAX_SHIFT = 40


@dataclass(frozen=True, kw_only=True)
class Requantize(LaneNode):
    """``y = clip((x·multiplier + bias) >> shift, lo, hi)``; constants (1,) or (channels,).

    ``even``: where the shift drops only zeros, an odd result becomes the even one below it, which
    makes half-up rounding half-even.
    """

    multiplier: IntArray
    bias: IntArray
    shift: int
    lo: int
    hi: int
    even: bool = False

    op: ClassVar[str] = "requantize"

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        per_channel = self.multiplier.values.size > 1 or self.bias.values.size > 1
        ranges = []
        for channel, kind in enumerate(x.per_channel() if per_channel else x.ranges):
            m = int(self.multiplier.values[channel if self.multiplier.values.size > 1 else 0])
            b = int(self.bias.values[channel if self.bias.values.size > 1 else 0])
            ends = self._codes(np.array([kind.lo, kind.hi]) * m + b)
            ranges.append(IntType(int(ends.min()), int(ends.max())))
        return TensorType.of(x.shape, ranges)

    def evaluate(self, *inputs: Ints) -> Ints:
        (x,) = inputs
        product = x * spread(self.multiplier, x.ndim) + spread(self.bias, x.ndim)
        return self._codes(product)

    def _codes(self, total: Ints) -> Ints:
        codes = total >> self.shift
        if self.even:
            codes = codes - ((codes & 1) & (codes << self.shift == total))
        return np.asarray(np.clip(codes, self.lo, self.hi))

    def affine(self, kind: TensorType) -> tuple[IntArray, IntArray] | None:
        wide = replace(self, lo=-(1 << 62), hi=1 << 62)
        if self.shift or self.even or wide.infer(kind) != self.infer(kind):
            return None
        return self.multiplier, self.bias

    def circuit(
        self, config: Config, inputs: tuple[TensorType, ...], family: Family
    ) -> RequantizeUnit:
        (x,) = inputs
        return RequantizeUnit(
            self.multiplier.values,
            self.bias.values,
            self.shift,
            IntType(self.lo, self.hi),
            x.element,
            lanes=config.lanes,
            output=self.infer(x).element,
            even=self.even,
        )


def find_multiplier(
    functions: Sequence[StepFunction], domains: Sequence[IntType]
) -> dict[str, object] | None:
    """The constants of the ``Requantize`` of least shift that equals every function on its domain.

    Proof: two monotone step functions are equal where their thresholds are; for each candidate
    multiplier the bias
    is taken from the interval that all thresholds allow (``k·2^s − m·t_k ≤ b < k·2^s − m·(t_k −
    1)``), so a
    non-empty interval *is* the proof; an odd code's is one integer further where ties go to even.
    Returns None when no shift up to 40 and 62-bit arithmetic does.
    """
    return _least_shift(functions, domains, even=False) or _least_shift(
        functions, domains, even=True
    )


def _least_shift(
    functions: Sequence[StepFunction], domains: Sequence[IntType], *, even: bool
) -> dict[str, object] | None:
    lo = min(f.base for f in functions)
    hi = max(f.base + f.levels for f in functions)
    for shift in range(int(even), MAX_SHIFT + 1):
        found = [_fit(f, d, shift, lo, hi, even) for f, d in zip(functions, domains, strict=True)]
        if all(found):
            pairs = _with_constants(functions, domains, [p for p in found if p], 1 << shift)
            return {
                "multiplier": IntArray(collapse([m for m, _ in pairs])),
                "bias": IntArray(collapse([b for _, b in pairs])),
                "shift": shift,
                "lo": lo,
                "hi": hi,
                "even": even,
            }
    return None


def _with_constants(
    functions: Sequence[StepFunction],
    domains: Sequence[IntType],
    pairs: list[tuple[int, int]],
    one: int,
) -> list[tuple[int, int]]:
    """Channels that are always clipped get the multiplier that all others share, if they do."""
    shared = {m for m, _ in pairs if m}
    lo = min(f.base for f in functions)
    hi = max(f.base + f.levels for f in functions)
    clipped = all(m or f.base in (lo, hi) for f, (m, _) in zip(functions, pairs, strict=True))
    if len(shared) != 1 or not clipped:
        return pairs
    (factor,) = shared
    ends = [sorted((factor * d.lo, factor * d.hi)) for d in domains]
    return [
        (m, b) if m else (factor, lo * one - top if f.base == lo else (hi + 1) * one - bottom)
        for f, (m, b), (bottom, top) in zip(functions, pairs, ends, strict=True)
    ]


def _fit(
    function: StepFunction, domain: IntType, shift: int, lo: int, hi: int, even: bool
) -> tuple[int, int] | None:
    """``(multiplier, bias)`` of one channel at this shift, or None."""
    one = 1 << shift
    if not function.at:
        bias = function.base * one + (even & function.base)
        return (0, bias) if bias.bit_length() <= 61 else None
    sign = -1 if function.descending else 1
    points = [sign * t for t in function.at]  # ascending: x' = sign·x reaches code k at points[k]
    for magnitude in _candidates(function, points, one):
        bounds = _bias_bounds(function, domain, points, magnitude, sign, one, (lo, hi), even)
        if bounds is not None:
            limit = magnitude * max(abs(domain.lo), abs(domain.hi)) + abs(bounds)
            return (sign * magnitude, bounds) if limit < 1 << 62 else None
    return None


def _candidates(function: StepFunction, points: list[int], one: int) -> list[int]:
    """Multipliers next to the exact slope, or to the mean slope of a function that is not
    affine."""
    if function.slope is not None:
        centre = round(abs(function.slope) * one)
    else:
        centre = round(Fraction((len(points) - 1) * one, max(points[-1] - points[0], 1)))
    return [m for m in (centre, centre - 1, centre + 1) if m > 0]


def _bias_bounds(
    function: StepFunction,
    domain: IntType,
    points: list[int],
    m: int,
    sign: int,
    one: int,
    clip: tuple[int, int],
    even: bool,
) -> int | None:
    """The bias nearest the middle of the interval that all thresholds allow, or None."""
    codes = range(function.base + 1, function.base + function.levels + 1)
    least = [k * one + (even & k) for k in codes]  # the first total whose code is k
    low = max(n - m * t for n, t in zip(least, points, strict=True))
    high = min(n - m * (t - 1) for n, t in zip(least, points, strict=True)) - 1
    start, stop = (domain.lo, domain.hi) if sign > 0 else (-domain.hi, -domain.lo)
    if function.base > clip[0]:  # the clip does not hold the first code for us
        low = max(low, function.base * one + (even & function.base) - m * start)
    top = function.base + function.levels + 1
    if top <= clip[1]:
        high = min(high, top * one + (even & top) - m * stop - 1)
    return (low + high) // 2 if low <= high else None
