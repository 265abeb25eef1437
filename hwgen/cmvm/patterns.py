"""Pairs and triples of literals that several sums share: counted, priced, and taken out.

All functions are compiled by numba. ``rows[r, :used[r]]`` are the literals of sum ``r``, whose
own value is source ``inputs + r``. A pattern is the same in two sums if it agrees up to a common
shift and sign. Pair counts live in an open-addressed hash table (``keys``, ``counts``).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from hwgen.cmvm.literals import pattern_luts, range_of, width_of

Ints = Any
EMPTY = -1
OFFSET = 64
BIT_OF = np.zeros(37, np.int64)  # of a power of two modulo 37, its exponent
BIT_OF[[pow(2, k, 37) for k in range(36)]] = np.arange(36)


@njit(cache=True)
def pair_key(a: int, b: int) -> int:
    """What two literals have in common wherever the same pair occurs: sources, shift, sign."""
    source_a, source_b = a >> 8, b >> 8
    shift_a, shift_b = (a >> 1) & 127, (b >> 1) & 127
    if source_a > source_b or (source_a == source_b and shift_a > shift_b):
        source_a, source_b, shift_a, shift_b = source_b, source_a, shift_b, shift_a
    relation = (shift_b - shift_a + OFFSET) << 1 | ((a ^ b) & 1)
    return ((source_a << 20) | source_b) << 8 | relation


@njit(cache=True)
def pair_of(key: int, pattern: Ints) -> None:
    """The pattern of a key, its lower shift 0 and its first sign plus."""
    shift = ((key >> 1) & 127) - OFFSET
    pattern[0] = (key >> 28) << 8 | max(-shift, 0) << 1
    pattern[1] = ((key >> 8) & 0xFFFFF) << 8 | max(shift, 0) << 1 | (key & 1)


@njit(cache=True)
def slot_of(key: int, keys: Ints) -> int:
    """Where the table holds ``key``, or the empty slot that it goes into."""
    mask = len(keys) - 1
    slot = ((key * -7046029254386353131) >> 20) & mask
    while keys[slot] != EMPTY and keys[slot] != key:
        slot = (slot + 1) & mask
    return int(slot)


@njit(cache=True)
def count_pairs(row: Ints, length: int, keys: Ints, counts: Ints) -> None:
    """Add every pair of a row to the table."""
    for a in range(length):
        for b in range(a):
            key = pair_key(row[a], row[b])
            slot = slot_of(key, keys)
            keys[slot] = key
            counts[slot] += 1


@njit(cache=True)
def frequent_slots(counts: Ints, listed: Ints, slots: Ints) -> int:
    """List the slots of all pairs counted more than once; how many there are."""
    found = 0
    for slot in range(len(counts)):
        listed[slot] = counts[slot] > 1
        if listed[slot]:
            slots[found] = slot
            found += 1
    return found


@njit(cache=True)
def count_beside(
    literal: int, row: Ints, length: int, keys: Ints, counts: Ints, step: int, listed: Ints,
    slots: Ints, found: int,
) -> int:  # fmt: skip
    """Add ``step`` to the pairs of ``literal`` with a row; the number of ``slots`` listed."""
    for k in range(length):
        key = pair_key(literal, row[k])
        slot = slot_of(key, keys)
        keys[slot] = key
        counts[slot] += step
        if counts[slot] > 1 and not listed[slot]:
            listed[slot] = True
            slots[found] = slot
            found += 1
    return found


@njit(cache=True)
def find(row: Ints, length: int, taken: Ints, pattern: Ints, size: int, places: Ints) -> int:
    """Where ``pattern`` next occurs in a row: ``shift << 1 | sign`` of it, or -1.

    ``places`` gets the positions; positions marked in ``taken`` do not count.
    """
    for k in range(length):
        shift = ((row[k] >> 1) & 127) - ((pattern[0] >> 1) & 127)
        if taken[k] or row[k] >> 8 != pattern[0] >> 8 or shift < 0:
            continue
        sign = (row[k] ^ pattern[0]) & 1
        places[0] = k
        found = 1
        for q in range(1, size):
            want = (pattern[q] + (shift << 1)) ^ sign
            for other in range(length):
                if row[other] == want and not taken[other] and other != k:
                    if q == 2 and other == places[1]:
                        continue
                    places[q] = other
                    found += 1
                    break
            if found <= q:
                break
        if found == size:
            return int(shift << 1 | sign)
    return -1


@njit(cache=True)
def saving(length: int, removed: int, value: float, exact: float, operands: int) -> float:
    """LUTs saved when a row of ``length`` loses ``removed`` literals, ``value`` LUTs an adder.

    Where adders take three operands, a row of even length wastes half of one; ``exact`` weighs
    that against the even share of half an adder per literal.
    """
    if operands == 2:
        return removed * value
    left = length - removed
    before = (length - 1) // 2 + (0.8 if length % 2 == 0 else 0.0)
    after = (left - 1) // 2 + (0.8 if left % 2 == 0 else 0.0)
    return (exact * (before - after) + (1 - exact) * removed * 0.5) * value


@njit(cache=True)
def most_frequent(
    counts: Ints, listed: Ints, slots: Ints, number: int, best: Ints
) -> tuple[int, int]:
    """Fill ``best`` with the listed slots of the highest counts; ``(how many, slots listed)``.

    Slots counted no more than once leave the list.
    """
    room, found, k = len(best), 0, 0
    while k < number:
        slot = slots[k]
        count = counts[slot]
        if count < 2:
            listed[slot] = False
            number -= 1
            slots[k] = slots[number]
            continue
        k += 1
        if found < room:
            place = found
            found += 1
        elif count > counts[best[room - 1]]:
            place = room - 1
        else:
            continue
        while place > 0 and counts[best[place - 1]] < count:
            best[place] = best[place - 1]
            place -= 1
        best[place] = slot
    return found, number


@njit(cache=True)
def note_thirds(
    row: Ints, length: int, places: Ints, base: int, third: Ints, seen: Ints, found: int
) -> int:
    """Count, in ``third``, every literal of a row relative to the pair that occurs in it."""
    for k in range(length):
        if k == places[0] or k == places[1] or found >= len(seen):
            continue
        shift = ((row[k] >> 1) & 127) - (base >> 1) + 16
        if shift < 0 or shift >= 32:
            continue
        index = (row[k] >> 8) << 6 | shift << 1 | ((row[k] ^ base) & 1)
        if third[index] == 0:
            seen[found] = index
            found += 1
        third[index] += 1
    return found


@njit(cache=True)
def holders(rows: Ints, used: Ints, active: Ints, number: int, sources: int) -> Ints:
    """Of every source, one bit per ``active`` row: whether the row uses it; 32 bits a word."""
    bits = np.zeros((sources, (number + 31) // 32), np.int64)
    for i in range(number):
        for k in range(used[active[i]]):
            bits[rows[active[i], k] >> 8, i >> 5] |= 1 << (i & 31)
    return bits


@njit(cache=True)
def gather(
    rows: Ints, used: Ints, active: Ints, bits: Ints, pattern: Ints, size: int, values: Ints,
    exact: float, operands: int, taken: Ints, places: Ints, third: Ints, seen: Ints, limits: Ints,
    level: int,
) -> tuple[float, int, int]:  # fmt: skip
    """``(saving, occurrences, thirds seen)`` of a pattern over the ``active`` rows.

    Rows whose own level (``limits``, 0 where it is free) is not above ``level`` do not count.
    """
    total, occurrences, found = 0.0, 0, 0
    for word in range(bits.shape[1]):
        both = bits[pattern[0] >> 8, word]
        for q in range(1, size):
            both &= bits[pattern[q] >> 8, word]
        while both:
            r = active[(word << 5) + BIT_OF[(both & -both) % 37]]
            both &= both - 1
            length, times = used[r], 0
            if length < size or 0 < limits[r] <= level:
                continue
            base = find(rows[r], length, taken, pattern, size, places)
            if base < 0:
                continue
            while base >= 0:
                times += 1
                for q in range(size):
                    taken[places[q]] = True
                if size == 2 and operands == 3:
                    found = note_thirds(rows[r], length, places, base, third, seen, found)
                base = find(rows[r], length, taken, pattern, size, places)
            for k in range(length):
                taken[k] = False
            occurrences += times
            total += saving(length, times * (size - 1), values[r], exact, operands)
    return total, occurrences, found


@njit(cache=True)
def add_third(pattern: Ints, third: Ints, seen: Ints, found: int) -> bool:
    """Extend a pair by the literal most often seen beside it, if any was seen twice."""
    most, best = 1, -1
    for k in range(found):
        if third[seen[k]] > most:
            most, best = third[seen[k]], seen[k]
        third[seen[k]] = 0
    if best < 0:
        return False
    shift = ((best >> 1) & 31) - 16
    up = max(-shift, 0)
    pattern[0] += up << 1
    pattern[1] += up << 1
    pattern[2] = (best >> 6) << 8 | (shift + up) << 1 | (best & 1)
    return True


@njit(cache=True)
def value_of_row(low: int, high: int, slim: int) -> float:
    """LUTs of a typical adder of a sum with that range."""
    return width_of(low, high) - (1.0 if slim else 0.0)


@njit(cache=True)
def level_of(pattern: Ints, size: int, levels: Ints) -> int:
    level = 0
    for q in range(size):
        level = max(level, levels[pattern[q] >> 8])
    return level + 1


@njit(cache=True)
def extract(
    rows: Ints, used: Ints, lo: Ints, hi: Ints, levels: Ints, inputs: int, number: int,
    spare: Ints, spares: int, keys: Ints, counts: Ints, top: int, power: float, noise: float,
    exact: float, least: int, cap: int, operands: int, slim: int,
) -> int:  # fmt: skip
    """Take out the best pattern until none saves anything; the number of rows after it.

    Rows of fewer than ``least`` literals stay as they are. New rows come from ``spare`` first.
    Patterns are ranked by LUTs saved over literals consumed to the ``power``, times a random
    factor of up to ``1 + noise``; none may be deeper than ``cap``.
    """
    room = rows.shape[0]
    taken = np.zeros(rows.shape[1], np.bool_)
    places, pattern, best = np.zeros(4, np.int64), np.zeros(4, np.int64), np.zeros(4, np.int64)
    slots, seen = np.zeros(top, np.int64), np.zeros(1 << 15, np.int64)
    third = np.zeros((inputs + room) << 6, np.int32)
    scratch = np.zeros((3, 8), np.int64)
    active, values = np.zeros(room, np.int64), np.zeros(room)
    busy = 0
    for r in range(number):
        values[r] = value_of_row(lo[inputs + r], hi[inputs + r], slim)
        if used[r] >= least:
            active[busy] = r
            busy += 1
    bits = holders(rows, used, active, busy, inputs + room)
    listed, often = np.zeros(len(keys), np.bool_), np.zeros(len(keys) // 2, np.int64)
    listing = frequent_slots(counts, listed, often)
    while True:
        size, score = 0, 0.0
        tried, listing = most_frequent(counts, listed, often, listing, slots)
        for k in range(tried):
            pair_of(keys[slots[k]], pattern)
            level = level_of(pattern, 2, levels)
            gain, times, found = gather(
                rows, used, active, bits, pattern, 2, values, exact, operands, taken, places,
                third, seen, levels[inputs:], level,
            )  # fmt: skip
            fits = level <= cap
            gain -= pattern_luts(pattern, 2, lo, hi, scratch, operands, slim)
            rank = gain / (2 * times) ** power * (1 + noise * np.random.random()) if times else 0.0
            if times > 1 and fits and gain > 0 and rank > score:
                size, score = 2, rank
                best[:] = pattern
            if not add_third(pattern, third, seen, found):
                continue
            level = level_of(pattern, 3, levels)
            if level > cap:
                continue
            gain, times, found = gather(
                rows, used, active, bits, pattern, 3, values, exact, operands, taken, places,
                third, seen, levels[inputs:], level,
            )  # fmt: skip
            gain -= pattern_luts(pattern, 3, lo, hi, scratch, operands, slim)
            rank = gain / (3 * times) ** power * (1 + noise * np.random.random()) if times else 0.0
            if times > 1 and gain > 0 and rank > score:
                size, score = 3, rank
                best[:] = pattern
        if size == 0 or (spares == 0 and number == room):
            return number
        if spares:
            spares -= 1
            new = spare[spares]
        else:
            new = number
            number += 1
        _install(rows, used, lo, hi, levels, inputs, new, best, size)
        values[new] = value_of_row(lo[inputs + new], hi[inputs + new], slim)
        for word in range(bits.shape[1]):
            both = bits[best[0] >> 8, word]
            for q in range(1, size):
                both &= bits[best[q] >> 8, word]
            while both:
                i = (word << 5) + BIT_OF[(both & -both) % 37]
                both &= both - 1
                limit = levels[inputs + active[i]]
                if limit == 0 or limit > levels[inputs + new]:
                    listing = _substitute(
                        rows, used, active[i], i, inputs + new, best, size, keys, counts, listed,
                        often, listing, bits, taken, places,
                    )  # fmt: skip


@njit(cache=True)
def _install(
    rows: Ints, used: Ints, lo: Ints, hi: Ints, levels: Ints, inputs: int, new: int, pattern: Ints,
    size: int,
) -> None:  # fmt: skip
    """Make ``pattern`` the row ``new``."""
    low, high = 0, 0
    for q in range(size):
        a, b = range_of(pattern[q], lo, hi)
        low += a
        high += b
        rows[new, q] = pattern[q]
    used[new] = size
    lo[inputs + new], hi[inputs + new] = low, high
    levels[inputs + new] = level_of(pattern, size, levels)


@njit(cache=True)
def _substitute(
    rows: Ints, used: Ints, r: int, index: int, source: int, pattern: Ints, size: int, keys: Ints,
    counts: Ints, listed: Ints, often: Ints, listing: int, bits: Ints, taken: Ints, places: Ints,
) -> int:  # fmt: skip
    """Replace every occurrence of ``pattern`` in row ``r`` by ``source``; the slots listed."""
    row, length = rows[r], used[r]
    base = find(row, length, taken, pattern, size, places)
    if base < 0:
        return listing
    while base >= 0:
        for _ in range(size):
            last = 0
            for q in range(size):
                if places[q] > places[last]:
                    last = q
            gone = row[places[last]]
            length -= 1
            row[places[last]] = row[length]
            places[last] = -1
            listing = count_beside(gone, row, length, keys, counts, -1, listed, often, listing)
        literal = source << 8 | base
        listing = count_beside(literal, row, length, keys, counts, 1, listed, often, listing)
        row[length] = literal
        length += 1
        base = find(row, length, taken, pattern, size, places)
    used[r] = length
    for q in range(size):
        bits[pattern[q] >> 8, index >> 5] &= ~(1 << (index & 31))
    for k in range(length):
        bits[row[k] >> 8, index >> 5] |= 1 << (index & 31)
    return listing
