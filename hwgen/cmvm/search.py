"""Neighbourhood search over shared sums: dissolve some nodes, share anew, keep what is better.

All functions are compiled by numba. The work is counted in rounds, never in seconds, so that the
same arguments give the same graph on every machine.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from hwgen.cmvm.literals import row_luts
from hwgen.cmvm.patterns import EMPTY, count_pairs, extract

Ints = Any
REVISION = 6
"""To be raised with every change of ``literals.py`` and ``patterns.py``: numba keeps compiled
functions for as long as the file that they are in stays the same, and looks at no other."""


@njit(cache=True)
def total_luts(
    rows: Ints, used: Ints, number: int, lo: Ints, hi: Ints, scratch: Ints, operands: int, slim: int
) -> float:
    total = 0.0
    for r in range(number):
        if used[r] > 1:
            total += row_luts(rows[r], used[r], lo, hi, scratch, operands, slim)
    return total


@njit(cache=True)
def dissolve(rows: Ints, used: Ints, number: int, r: int, source: int) -> bool:
    """Write row ``r`` out in every row that uses it; False where one has no room for that."""
    for user in range(number):
        k = 0
        while k < used[user] and user != r:
            literal = rows[user, k]
            if literal >> 8 != source:
                k += 1
                continue
            if used[user] + used[r] > rows.shape[1]:
                return False
            used[user] -= 1
            rows[user, k] = rows[user, used[user]]
            for q in range(used[r]):
                put(rows, used, user, (rows[r, q] + (((literal >> 1) & 127) << 1)) ^ (literal & 1))
            k = 0
    used[r] = 0
    return True


@njit(cache=True)
def put(rows: Ints, used: Ints, r: int, literal: int) -> None:
    """Add a literal to a row; it cancels its opposite."""
    for k in range(used[r]):
        if rows[r, k] == literal ^ 1:
            used[r] -= 1
            rows[r, k] = rows[r, used[r]]
            return
    rows[r, used[r]] = literal
    used[r] += 1


@njit(cache=True)
def count_users(rows: Ints, used: Ints, number: int, inputs: int, users: Ints) -> None:
    users[:number] = 0
    for r in range(number):
        for k in range(used[r]):
            if rows[r, k] >> 8 >= inputs:
                users[(rows[r, k] >> 8) - inputs] += 1


@njit(cache=True)
def disturb(
    rows: Ints, used: Ints, number: int, inputs: int, targets: int, users: Ints, share: float
) -> bool:
    """Dissolve nodes: those used once, and a random ``share`` of the others or of some rows'."""
    count_users(rows, used, number, inputs, users)
    chance = share * np.random.random()
    mode = np.random.randint(0, 3)
    if mode == 2:
        chance = 0.0
        for _ in range(3):
            r = np.random.randint(0, targets)
            for k in range(used[r]):
                node = (rows[r, k] >> 8) - inputs
                if node >= targets and np.random.random() < 0.7:
                    users[node] = -1
    for r in range(targets, number):
        if used[r] == 0:
            continue
        odds = chance * 3.0 / max(users[r], 1) if mode == 1 else chance
        chosen = users[r] <= 1 or np.random.random() < odds
        if chosen and not dissolve(rows, used, number, r, inputs + r):
            return False
    return True


@njit(cache=True)
def table_size(used: Ints, number: int, least: int) -> int:
    pairs = 0
    for r in range(number):
        if used[r] >= least:
            pairs += used[r] * used[r] // 2
    size = 1 << 10
    while size < 4 * pairs + 1000 and size < 1 << 24:
        size *= 2
    return size


@njit(cache=True)
def share(
    rows: Ints, used: Ints, lo: Ints, hi: Ints, levels: Ints, inputs: int, targets: int,
    number: int, keys: Ints, counts: Ints, spare: Ints, settings: Ints, noise: float, least: int,
    operands: int, slim: int,
) -> int:  # fmt: skip
    """Count pairs afresh and extract; ``settings`` is (top, power, exact, cap)."""
    spares = 0
    for r in range(number - 1, targets - 1, -1):
        if used[r] == 0:
            spare[spares] = r
            spares += 1
    size = table_size(used, number, least)
    while size > len(keys):
        size //= 2
    keys, counts = keys[:size], counts[:size]
    keys[:] = EMPTY
    counts[:] = 0
    for r in range(number):
        if used[r] >= least:
            count_pairs(rows[r], used[r], keys, counts)
    return extract(
        rows, used, lo, hi, levels, inputs, number, spare, spares, keys, counts,
        int(settings[0]), settings[1], noise, settings[2], least, int(settings[3]), operands, slim,
    )  # fmt: skip


@njit(cache=True)
def optimise(
    rows: Ints, used: Ints, lo: Ints, hi: Ints, levels: Ints, inputs: int, targets: int,
    settings: Ints, rounds: int, portion: float, noise: float, heat: float, seed: int,
    operands: int, slim: int, trace: Ints,
) -> int:  # fmt: skip
    """Share sums among the first ``targets`` rows, then improve for ``rounds`` rounds.

    Gives the number of rows; ``trace[0]`` and ``trace[1]`` get the LUTs before and after the
    rounds. A round is accepted if it costs less, or little more while ``heat`` (in LUTs) lasts.
    """
    np.random.seed(seed)
    scratch = np.zeros((3, rows.shape[1] + 4), np.int64)
    size = table_size(used, targets, 2)
    keys, counts = np.zeros(size, np.int64), np.zeros(size, np.int32)
    spare, users = np.zeros(rows.shape[0], np.int64), np.zeros(rows.shape[0], np.int64)
    number = share(rows, used, lo, hi, levels, inputs, targets, targets, keys, counts, spare,
                   settings, 0.0, 2, operands, slim)  # fmt: skip
    now = total_luts(rows, used, number, lo, hi, scratch, operands, slim)
    trace[:] = now
    best, best_number = now, number
    best_rows, best_used, best_lo, best_hi = rows.copy(), used.copy(), lo.copy(), hi.copy()
    old_rows, old_used, old_lo, old_hi = rows.copy(), used.copy(), lo.copy(), hi.copy()
    old_number, old_levels, best_levels = number, levels.copy(), levels.copy()
    vary = settings.copy()
    for turn in range(rounds):
        cost = np.inf
        vary[1] = 1.4 * settings[1] * np.random.random()
        if disturb(rows, used, number, inputs, targets, users, portion):
            number = share(rows, used, lo, hi, levels, inputs, targets, number, keys, counts,
                           spare, vary, noise, 4, operands, slim)  # fmt: skip
            cost = total_luts(rows, used, number, lo, hi, scratch, operands, slim)
        warmth = heat * (1 - turn / rounds) + 1e-9
        if cost <= now or np.random.random() < np.exp((now - cost) / warmth):
            now, old_number = cost, number
            old_rows[:number], old_used[:], old_lo[:], old_hi[:] = rows[:number], used, lo, hi
            old_levels[:] = levels
            if now < best:
                best, best_number = now, number
                best_rows[:number], best_used[:] = rows[:number], used
                best_lo[:], best_hi[:], best_levels[:] = lo, hi, levels
        else:
            number = old_number
            rows[:number], used[:], lo[:], hi[:] = old_rows[:number], old_used, old_lo, old_hi
            levels[:] = old_levels
    rows[:best_number], used[:], lo[:], hi[:] = best_rows[:best_number], best_used, best_lo, best_hi
    levels[:] = best_levels
    trace[1] = best
    return best_number
