"""A row that many rows are close to, so that they become it and a few corrections.

For ±1 rows the correction ``row ∓ center`` is twice a sum over the inputs where they differ, and
all rows use an input with the same sign: a {0, 1} matrix, in which equal sub-sums are frequent.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hwgen.cmvm.literals import digits_of

Ints = Any
Matrix = NDArray[np.int64]


@njit(cache=True)
def distances(weights: Ints, center: Ints, signs: Ints) -> int:
    """Total digits of all rows, each by the best of ``row``, ``row - c``, ``row + c``.

    ``signs`` gets the choice, 0, 1 or -1; using the center counts as a digit.
    """
    total = 0
    for r in range(weights.shape[0]):
        plain, minus, plus = 0, 1, 1
        for k in range(weights.shape[1]):
            plain += digits_of(weights[r, k])
            minus += digits_of(weights[r, k] - center[k])
            plus += digits_of(weights[r, k] + center[k])
        signs[r] = 0 if plain <= min(minus, plus) else (1 if minus <= plus else -1)
        total += min(plain, minus, plus)
    return total


@njit(cache=True)
def descend(weights: Ints, center: Ints, order: Ints) -> int:
    """Improve ``center`` one coordinate at a time until none helps; its total digits."""
    rows, columns = weights.shape
    costs = np.zeros((rows, 3), np.int64)
    for r in range(rows):
        costs[r, 1] = costs[r, 2] = 1
        for k in range(columns):
            costs[r, 0] += digits_of(weights[r, k])
            costs[r, 1] += digits_of(weights[r, k] - center[k])
            costs[r, 2] += digits_of(weights[r, k] + center[k])
    total = 0
    for r in range(rows):
        total += min(costs[r, 0], costs[r, 1], costs[r, 2])
    improved = True
    while improved:
        improved = False
        for k in order:
            for value in range(-1, 2):
                old = center[k]
                if value == old:
                    continue
                trial = 0
                for r in range(rows):
                    w = weights[r, k]
                    minus = costs[r, 1] + digits_of(w - value) - digits_of(w - old)
                    plus = costs[r, 2] + digits_of(w + value) - digits_of(w + old)
                    trial += min(costs[r, 0], minus, plus)
                if trial < total:
                    total, improved = trial, True
                    for r in range(rows):
                        w = weights[r, k]
                        costs[r, 1] += digits_of(w - value) - digits_of(w - old)
                        costs[r, 2] += digits_of(w + value) - digits_of(w + old)
                    center[k] = value
    return total


def find_centers(
    weights: Matrix, rng: np.random.Generator, trials: int
) -> list[tuple[Matrix, Matrix]]:
    """``(center, signs)`` from few digits left over to many; none that saves no eighth of them."""
    rows, columns = weights.shape
    signs = np.zeros(rows, np.int64)
    if rows < 4 or np.count_nonzero(weights) < 0.75 * weights.size:
        return []
    plain = distances(weights, np.zeros(columns, np.int64), signs)
    found: dict[bytes, tuple[int, Matrix]] = {}
    for trial in range(trials):
        center = np.sign(weights[rng.integers(rows)])
        if trial % 2:
            center = rng.integers(0, 2, columns) * 2 - 1
        total = descend(weights, center, rng.permutation(columns))
        if total < plain - plain // 8:
            found[center.tobytes()] = (total, center)
    made = []
    for _, center in sorted(found.values(), key=lambda c: c[0]):
        distances(weights, center, signs)
        made.append((center, signs.copy()))
    return made
