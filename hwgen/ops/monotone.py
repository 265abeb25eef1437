"""A monotone real function followed by a quantizer, as the integers at which its code changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, trunc
from typing import Protocol

from hwgen.inttype import IntType
from hwgen.ir.meaning import Affine, Clamp, Meaning, pick
from hwgen.ops.ordered import Ordered


@dataclass(frozen=True, slots=True)
class Step:
    """One channel's quantizer: ``code = clip(round(x/step) + zero_point, lo, hi)``."""

    step: Fraction
    zero_point: int
    lo: int
    hi: int
    rounding: str

    def code(self, x: Fraction) -> int:
        value = ROUNDINGS[self.rounding](x / self.step) + self.zero_point
        return min(max(value, self.lo), self.hi)

    def distance(self, x: Fraction) -> Fraction:
        """How far ``x`` is from the nearest boundary between two codes, in steps."""
        code = self.code(x)
        near = [self.boundary(k)[0] for k in (code, code + 1) if self.lo < k <= self.hi]
        return min(abs(x - y) for y in near) / self.step if near else Fraction(1)

    def boundary(self, code: int) -> tuple[Fraction, bool]:
        """``(y, strict)``: the code is at least ``code`` exactly where x > y (``strict``) or x
        ≥ y."""
        m = code - self.zero_point
        offset, strict = BOUNDARIES[self.rounding](m)
        return (m + offset) * self.step, strict


HALF = Fraction(1, 2)


def _toward_zero(m: int) -> tuple[Fraction, bool]:
    return (Fraction(0), False) if m > 0 else (Fraction(-1), True)


def _away_from_zero(m: int) -> tuple[Fraction, bool]:
    return (Fraction(-1), True) if m > 0 else (Fraction(0), False)


ROUNDINGS: dict[str, Callable[[Fraction], int]] = {
    "half_even": round,
    "half_up": lambda v: floor(v + HALF),
    "half_away_from_zero": lambda v: floor(v + HALF) if v > 0 else ceil(v - HALF),
    "half_toward_zero": lambda v: ceil(v - HALF) if v > 0 else floor(v + HALF),
    "floor": floor,
    "ceil": ceil,
    "toward_zero": trunc,
    "away_from_zero": lambda v: ceil(v) if v > 0 else floor(v),
}
# round(v) ≥ m exactly where v ≥ (or >) m + offset; half-even sends the tie m − ½ to the even one
# of m − 1 and m
BOUNDARIES: dict[str, Callable[[int], tuple[Fraction, bool]]] = {
    "half_even": lambda m: (-HALF, m % 2 != 0),
    "half_up": lambda m: (-HALF, False),
    "half_away_from_zero": lambda m: (-HALF, m <= 0),
    "half_toward_zero": lambda m: (-HALF, m > 0),
    "floor": lambda m: (Fraction(0), False),
    "ceil": lambda m: (Fraction(-1), True),
    "toward_zero": _toward_zero,
    "away_from_zero": _away_from_zero,
}


class Rule(Protocol):
    """A non-decreasing quantizer of real numbers."""

    @property
    def step(self) -> Fraction | None:
        """Real width of every code but the outermost; None where widths differ."""
        ...

    def code(self, x: Fraction) -> int:
        """The integer that stands for ``x``."""
        ...

    def boundary(self, code: int) -> tuple[Fraction, bool]:
        """``(y, strict)``: the code is at least ``code`` exactly where x > y (``strict``) or x
        ≥ y."""
        ...


@dataclass(frozen=True, slots=True)
class StepFunction:
    """``base + #{k : n ≥ at[k]}``, or with ``descending`` ``base + #{k : n ≤ at[k]}``; ``at`` by
    rising code.

    Only codes that some n in ``domain`` reaches are kept, so every integer of ``at`` lies in the
    domain.
    ``slope`` is codes per integer between the clamps, where the function is affine.
    """

    base: int
    at: tuple[int, ...]
    descending: bool
    domain: IntType
    slope: Fraction | None = None

    @property
    def levels(self) -> int:
        return len(self.at)

    def __call__(self, n: int) -> int:
        hits = sum(n <= t for t in self.at) if self.descending else sum(n >= t for t in self.at)
        return self.base + hits

    def padded(self, base: int, top: int) -> list[int]:
        """Thresholds from code ``base`` to ``top``, sorted: always true below, never true above."""
        always = self.domain.hi if self.descending else self.domain.lo
        never = self.domain.lo - 1 if self.descending else self.domain.hi + 1
        below, above = self.base - base, top - self.base - self.levels
        return sorted([always] * below + list(self.at) + [never] * above)


def step_function(x: Meaning, channel: int, rule: Rule, domain: IntType) -> StepFunction:
    """The step function of ``rule`` after ``x``'s meaning in ``channel``, over ``domain``.

    Each threshold is proved: the code is evaluated exactly on both sides of it, and the function
    is monotone.
    """
    first, last = rule.code(x.at(domain.lo, channel)), rule.code(x.at(domain.hi, channel))
    descending = last < first
    base, top = min(first, last), max(first, last)
    closed = all(isinstance(f, Affine | Clamp) for f in x.functions)
    at = []
    for code in range(base + 1, top + 1):
        n = (
            _inverted(x, channel, *rule.boundary(code), descending, domain)
            if closed
            else _bisected(x, channel, rule, code, descending, domain)
        )
        outside = n + 1 if descending else n - 1
        inside_code = rule.code(x.at(n, channel))
        if inside_code < code or rule.code(x.at(outside, channel)) >= code:
            raise AssertionError(f"threshold {n} of code {code} is wrong")
        at.append(n)
    linear = all(isinstance(f, Affine | Clamp | Ordered) for f in x.functions)
    slope = _slope(x, channel) / rule.step if linear and rule.step else None
    return StepFunction(base, tuple(at), descending, domain, slope)


def _slope(x: Meaning, channel: int) -> Fraction:
    slope = x.scale_at(channel)
    for function in x.functions:
        if isinstance(function, Affine):
            slope *= pick(function.scale, channel)
        elif isinstance(function, Ordered):
            slope *= function.slope_at(channel)
    return slope


def _inverted(
    x: Meaning, channel: int, y: Fraction, strict: bool, descending: bool, domain: IntType
) -> int:
    """The integer nearest the wrong side for which the affine chain reaches ``y``, in closed form.

    Both ends of the domain are known to lie on different sides, so clamps never decide.
    """
    above = True
    for function in reversed(x.functions):
        if isinstance(function, Affine):
            scale = pick(function.scale, channel)
            y = (y - pick(function.offset, channel)) / scale
            above ^= scale < 0
    scale = x.scale_at(channel)
    y = (y - x.offset_at(channel)) / scale
    above ^= scale < 0
    if above == descending:
        raise AssertionError("a monotone function changed direction")
    if above:
        return floor(y) + 1 if strict else ceil(y)
    return ceil(y) - 1 if strict else floor(y)


def _bisected(
    x: Meaning, channel: int, rule: Rule, code: int, descending: bool, domain: IntType
) -> int:
    lo, hi = domain.lo, domain.hi  # invariant: exactly one end reaches the code
    while hi - lo > 1:
        middle = (lo + hi) // 2
        if (rule.code(x.at(middle, channel)) >= code) == descending:
            lo = middle
        else:
            hi = middle
    return lo if descending else hi
