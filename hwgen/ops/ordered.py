"""Small integer factors under which every two sums of a pair of integers compare as they do under
exact ones."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from hwgen.inttype import IntType
from hwgen.ir.meaning import Floats, channelwise


def ordering(ratio: Fraction, a: int, b: int) -> tuple[int, int]:
    """Factors ``(m, n)`` such that ``m·x − n·y`` has the sign of ``ratio·x − y`` wherever
    ``|x| ≤ a`` and ``|y| ≤ b``: the ratio itself in lowest terms if it is as small as that, else
    the first fraction on its way down the Stern-Brocot tree that is not.

    The sign changes only at fractions y/x. The tree's walk passes every one of them that is next
    to the ratio; the first node beyond lies between the same two neighbours as the ratio does.
    """
    low, high = (0, 1), (1, 0)
    while True:
        m, n = low[0] + high[0], low[1] + high[1]
        middle = m * ratio.denominator - n * ratio.numerator
        if middle == 0 or m > b or n > a:
            return m, n
        if middle < 0:
            low = (m, n)
        else:
            high = (m, n)


@dataclass(frozen=True)
class Pair:
    """Sums of one channel: ``exact[0]·x + exact[1]·y + offset`` is real, ``small[0]·x +
    small[1]·y`` the integer, with x and y in ``ranges``."""

    exact: tuple[Fraction, Fraction]
    small: tuple[int, int]
    offset: Fraction
    ranges: tuple[IntType, IntType]

    @property
    def slope(self) -> Fraction:
        """Reals per integer, on the average of both factors."""
        return (self.exact[0] / self.small[0] + self.exact[1] / self.small[1]) / 2

    @cached_property
    def reached(self) -> npt.NDArray[np.int64]:
        """All integers that some x and y give, ascending."""
        (m, n), (x, y) = self.small, self.ranges
        sums = m * np.arange(x.lo, x.hi + 1)[:, None] + n * np.arange(y.lo, y.hi + 1)
        return np.unique(sums)

    def real(self, total: int) -> Fraction:
        """The real sum behind an integer that is reached."""
        (m, n), (x, y) = self.small, self.ranges
        ys = np.arange(y.lo, y.hi + 1)
        xs, rest = np.divmod(total - n * ys, m)
        found = int(np.flatnonzero((rest == 0) & (xs >= x.lo) & (xs <= x.hi))[0])
        return self.exact[0] * int(xs[found]) + self.exact[1] * int(ys[found]) + self.offset

    def at(self, total: int) -> Fraction:
        """The same, and a monotone function between: a line cut where it would cross what is
        reached."""
        place = int(np.searchsorted(self.reached, total))
        if place < len(self.reached) and self.reached[place] == total:
            return self.real(total)
        line = self.slope * total + self.offset
        if place > 0:
            line = max(line, self.real(int(self.reached[place - 1])))
        if place < len(self.reached):
            line = min(line, self.real(int(self.reached[place])))
        return line


@dataclass(frozen=True)
class Ordered:
    """The real sum behind an integer that is only ordered like it: one pair, or one per channel."""

    pairs: tuple[Pair, ...]
    monotone: ClassVar[bool] = True

    def pair(self, channel: int) -> Pair:
        return self.pairs[channel if len(self.pairs) > 1 else 0]

    def at(self, x: Fraction, channel: int) -> Fraction:
        return self.pair(channel).at(int(x))

    def slope_at(self, channel: int) -> Fraction:
        return self.pair(channel).slope

    def float32(self, x: Floats) -> Floats:
        """To the precision of the factors; no check compares with it."""
        slope = channelwise([p.slope for p in self.pairs], x.ndim)
        return np.asarray(x * slope + channelwise([p.offset for p in self.pairs], x.ndim))
