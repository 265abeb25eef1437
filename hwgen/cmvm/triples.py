"""Sums of three bits that many rows share: one LUT with two outputs makes two bits out of three.

Which rows use a bit is one mask per bit, 32 rows a word; the functions on masks are compiled by
numba.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

from hwgen.cmvm.center import Matrix
from hwgen.cmvm.graph import Builder, Term
from hwgen.cmvm.links import Item

Ints = Any

LEAST = 4
"""Rows that a sum of three bits must serve to be worth its LUT."""

FIRST, SECOND = 6, 12
"""How many bits, and how many pairs of each, a step looks at."""


@njit(cache=True)
def ones(word: int) -> int:
    """Bits that are set in a word of 32."""
    word = word - ((word >> 1) & 0x55555555)
    word = (word & 0x33333333) + ((word >> 2) & 0x33333333)
    return ((((word + (word >> 4)) & 0x0F0F0F0F) * 0x01010101) >> 24) & 0xFF


@njit(cache=True)
def common(masks: Ints, k: int, among: Ints) -> int:
    """Rows of ``among`` that use bit ``k``."""
    total = 0
    for word in range(len(among)):
        total += ones(masks[k, word] & among[word])
    return total


@njit(cache=True)
def greatest(values: Ints, places: Ints) -> int:
    """Fill ``places`` with where the greatest positive values are; how many there are."""
    found = 0
    for k in range(len(values)):
        if values[k] <= 0 or (found == len(places) and values[k] <= values[places[found - 1]]):
            continue
        place = min(found, len(places) - 1)
        found = min(found + 1, len(places))
        while place > 0 and values[places[place - 1]] < values[k]:
            places[place] = places[place - 1]
            place -= 1
        places[place] = k
    return found


@njit(cache=True)
def best_triple(masks: Ints, free: Ints, best: Ints) -> int:
    """Fill ``best`` with three bits that many ``free`` rows use; how many do."""
    bits, words = masks.shape
    counts, most = np.zeros(bits, np.int64), 0
    firsts, seconds = np.zeros(FIRST, np.int64), np.zeros(SECOND, np.int64)
    one, two = np.zeros(words, np.int64), np.zeros(words, np.int64)
    for k in range(bits):
        counts[k] = common(masks, k, free)
    for p in range(greatest(counts, firsts)):
        i = firsts[p]
        one[:] = masks[i] & free
        for k in range(bits):
            counts[k] = common(masks, k, one) if k != i else 0
        for q in range(greatest(counts, seconds)):
            j = seconds[q]
            two[:] = masks[j] & one
            for k in range(bits):
                if k != i and k != j:
                    times = common(masks, k, two)
                    if times > most:
                        most = times
                        best[0], best[1], best[2] = i, j, k
    return most


@njit(cache=True)
def share_triples(masks: Ints, plain: Ints, least: int, triples: Ints, users: Ints) -> int:
    """Take out triples that at least ``least`` rows share until there are none; how many.

    ``triples`` gets their bits and ``users`` their rows; ``masks`` keeps what is left. ``plain``
    counts the bits of each row: a row takes triples while it has as many plain bits as triples,
    because a cell of a row adds two of each.
    """
    words = masks.shape[1]
    free, best = np.zeros(words, np.int64), np.zeros(3, np.int64)
    taken = np.zeros(len(plain), np.int64)
    for r in range(len(plain)):
        free[r >> 5] |= 1 << (r & 31)
    for number in range(len(triples)):
        if best_triple(masks, free, best) < least:
            return number
        triples[number] = best
        users[number] = masks[best[0]] & masks[best[1]] & masks[best[2]] & free
        for q in range(3):
            masks[best[q]] &= ~users[number]
        for r in range(len(plain)):
            if users[number, r >> 5] >> (r & 31) & 1:
                plain[r] -= 3
                taken[r] += 1
                if plain[r] - 3 <= taken[r]:
                    free[r >> 5] &= ~(1 << (r & 31))
    return len(triples)


@dataclass(frozen=True, slots=True)
class Shared:
    """Shared sums that a row adds, and the constant that makes good what they add to stay
    unsigned."""

    items: tuple[Item, ...] = ()
    constant: int = 0


def one_signed(rows: Matrix) -> tuple[Matrix, Matrix] | None:
    """``(factors, signs)`` so that every weight is 0 or its row's factor times its column's sign,
    as corrections to a center are; None where there are none."""
    filled = rows != 0
    sizes = np.abs(rows).max(axis=1, initial=0)
    if not filled.any() or np.any(np.abs(rows)[filled] != np.broadcast_to(
        sizes[:, None], rows.shape)[filled]):  # fmt: skip
        return None
    signs: Matrix = np.zeros(rows.shape[1], np.int64)
    factors: Matrix = np.zeros(len(rows), np.int64)
    for j, row in enumerate(rows):
        known = np.flatnonzero((row != 0) & (signs != 0))
        first = known[0] if len(known) else int(np.argmax(row != 0))
        turn = int(np.sign(row[first])) * (int(signs[first]) or 1)
        factors[j] = turn * sizes[j]
        new = (row != 0) & (signs == 0)
        signs[new] = np.sign(row[new]) * turn
    fits = np.array_equal(rows, filled * factors[:, None] * signs)
    return (factors, signs) if fits else None


def with_triples(
    builder: Builder, rows: Matrix, factors: Matrix, signs: Matrix, *, least: int = LEAST
) -> tuple[Matrix, list[Shared]]:
    """The rows without the bits that came into sums that at least ``least`` rows share, and those
    sums per row."""
    uses = rows != 0
    count, columns = rows.shape
    masks: Matrix = np.zeros((columns, (count + 31) // 32), np.int64)
    for j in range(count):
        masks[uses[j], j >> 5] |= 1 << (j & 31)
    most = int(uses.sum()) // (3 * least) + 1
    triples, users = np.zeros((most, 3), np.int64), np.zeros((most, masks.shape[1]), np.int64)
    number = share_triples(masks, uses.sum(axis=1), least, triples, users)
    left = rows.copy()
    items: list[list[Item]] = [[] for _ in rows]
    constants = [0] * count
    for bits, words in zip(triples[:number], users[:number], strict=True):
        negative = int((signs[bits] < 0).sum())
        source = builder.add([Term(int(k), 0, bool(signs[k] < 0)) for k in bits], negative)
        for j in range(count):
            if words[j >> 5] >> (j & 31) & 1:
                left[j, bits] = 0
                items[j].append(Item(source, int(factors[j]), 3))
                constants[j] -= int(factors[j]) * negative
    return left, [Shared(tuple(i), c) for i, c in zip(items, constants, strict=True)]
