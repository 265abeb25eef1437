"""Literals of the optimiser: ``± (source << shift)`` in one integer, and what adding them costs.

A literal is ``source << 8 | shift << 1 | sign``. All functions are compiled by numba; the arrays
``lo`` and ``hi`` hold the range of every source.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

Ints = Any  # numpy arrays of int64, which numba types by itself


@njit(cache=True)
def digits_of(value: int) -> int:
    """How many canonical signed digits ``value`` has."""
    count = 0
    rest = abs(value)
    while rest:
        if rest & 1:
            count += 1
            rest -= 2 - (rest & 3)
        rest >>= 1
    return count


@njit(cache=True)
def width_of(lo: int, hi: int) -> int:
    """Bits that hold ``lo … hi``, two's complement where ``lo`` is negative."""
    width = 0
    rest = max(hi, -lo - 1)
    while rest > 0:
        width += 1
        rest >>= 1
    return max(width + (1 if lo < 0 else 0), 1)


@njit(cache=True)
def range_of(literal: int, lo: Ints, hi: Ints) -> tuple[int, int]:
    """The least and the greatest value of a literal."""
    source, shift = literal >> 8, (literal >> 1) & 127
    if literal & 1:
        return -(hi[source] << shift), -(lo[source] << shift)
    return lo[source] << shift, hi[source] << shift


@njit(cache=True)
def sum_luts(
    count: int, start: int, long_top: int, short_top: int, short_signed: bool, width: int, slim: int
) -> float:
    """LUTs of one carry chain.

    ``long_top`` and ``short_top`` are the highest bit positions of the widest operand and of the
    next, ``short_signed`` says whether any but the widest extends its sign, ``slim`` whether the
    family leaves out LUTs that only pass a bit on.
    """
    if slim == 0:
        return float((count - 1) * (width - start))
    if count == 2:
        return float((min(width, long_top) if short_signed else min(width, short_top)) - start)
    if short_signed or short_top >= width:
        return float(width - start)
    return float(short_top - start + (1 if long_top > short_top else 0))


@njit(cache=True)
def add_luts(
    lows: Ints, highs: Ints, shifts: Ints, first: int, count: int, slim: int
) -> tuple[float, int, int, int]:
    """``(LUTs, lo, hi, shift)`` of one adder over ``count`` operands from ``first`` on.

    ``lows`` and ``highs`` are the operands' ranges at their shifts.
    """
    low, high, least, second = 0, 0, 1 << 20, 1 << 20
    long_top, short_top = 0, 0
    signed_long, short_signed = False, False
    for k in range(first, first + count):
        low += lows[k]
        high += highs[k]
        if shifts[k] < least:
            least, second = shifts[k], least
        elif shifts[k] < second:
            second = shifts[k]
        top = width_of(lows[k], highs[k])
        signed = lows[k] < 0 and not (count == 2 and highs[k] <= 0)
        if top > long_top:
            short_signed = short_signed or (signed_long and long_top > 0)
            short_top = max(short_top, long_top)
            long_top, signed_long = top, signed
        else:
            short_signed = short_signed or signed
            short_top = max(short_top, top)
    luts = sum_luts(count, second, long_top, short_top, short_signed, width_of(low, high), slim)
    return max(luts, 0.0), low, high, least


@njit(cache=True)
def row_luts(
    literals: Ints, count: int, lo: Ints, hi: Ints, scratch: Ints, operands: int, slim: int
) -> float:
    """LUTs of a tree of adders over ``literals``, narrow operands first.

    ``scratch`` has shape (3, more than ``count``).
    """
    lows, highs, shifts = scratch[0], scratch[1], scratch[2]
    for k in range(count):
        lows[k], highs[k] = range_of(literals[k], lo, hi)
        shifts[k] = (literals[k] >> 1) & 127
    total = 0.0
    left = count
    while left > 1:
        take = 2 if operands == 2 or (left % 2 == 0 and left == count) else 3
        for k in range(take):
            least = k
            for other in range(k + 1, left):
                if highs[other] - lows[other] < highs[least] - lows[least]:
                    least = other
            lows[k], lows[least] = lows[least], lows[k]
            highs[k], highs[least] = highs[least], highs[k]
            shifts[k], shifts[least] = shifts[least], shifts[k]
        luts, low, high, shift = add_luts(lows, highs, shifts, 0, take, slim)
        total += luts
        lows[0], highs[0], shifts[0] = low, high, shift
        for k in range(take, left):
            lows[k - take + 1], highs[k - take + 1] = lows[k], highs[k]
            shifts[k - take + 1] = shifts[k]
        left -= take - 1
    return total


@njit(cache=True)
def pattern_luts(
    pattern: Ints, count: int, lo: Ints, hi: Ints, scratch: Ints, operands: int, slim: int
) -> float:
    """LUTs of a node of two or three literals; three take two adders on two-operand families."""
    return row_luts(pattern, count, lo, hi, scratch, operands, slim)


def literal(source: int, shift: int, negate: bool) -> int:
    return source << 8 | shift << 1 | int(negate)


def empty_rows(rows: int, capacity: int) -> tuple[Ints, Ints]:
    return np.zeros((rows, capacity), np.int64), np.zeros(rows, np.int64)
