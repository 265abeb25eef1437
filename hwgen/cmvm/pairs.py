"""Sums of two shared words, and of a bit at their carry input, that several rows share again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hwgen.cmvm.center import Matrix
from hwgen.cmvm.graph import Builder, Term
from hwgen.cmvm.links import Item
from hwgen.cmvm.triples import Shared

MOST = 1 << 11
"""Shared words above which pairs of them are not counted."""

ROUNDS = 3
"""How often sums of pairs are paired again."""

Flags = NDArray[np.float32]


class _Rows:
    """Which rows hold which words and bits, as 0 and 1."""

    def __init__(self, rest: Matrix, sums: Sequence[Shared], signs: Matrix) -> None:
        self.rest, self.signs = rest, signs
        self.words = sorted({item.source for s in sums for item in s.items})
        self.most = {item.source: item.most for s in sums for item in s.items}
        self.place = {w: k for k, w in enumerate(self.words)}
        self.held: Flags = np.zeros((len(sums), len(self.words)), np.float32)
        for j, shared in enumerate(sums):
            for item in shared.items:
                self.held[j, self.place[item.source]] = 1
        self.bits: Flags = (rest != 0).astype(np.float32)


def with_pairs(
    builder: Builder, rest: Matrix, sums: Sequence[Shared], factors: Matrix, signs: Matrix
) -> tuple[Matrix, list[Shared]]:
    """The rows with pairs of their shared sums made once where that takes fewer LUTs."""
    left, made = rest, list(sums)
    for _ in range(ROUNDS):
        rows = _Rows(left, made, signs)
        if not 1 < len(rows.words) <= MOST:
            break
        constants = [shared.constant for shared in made]
        taken = _take(builder, rows, constants, factors)
        if not taken:
            break
        items = [[i for i in s.items if rows.held[j, rows.place[i.source]]]
                 for j, s in enumerate(made)]  # fmt: skip
        for source, users in taken:
            for j in users:
                items[j].append(Item(source, int(factors[j]), builder.types[source].hi))
        left = np.where(rows.bits > 0, left, 0)
        made = [Shared(tuple(i), c) for i, c in zip(items, constants, strict=True)]
    return left, made


def _take(
    builder: Builder, rows: _Rows, constants: list[int], factors: Matrix
) -> list[tuple[int, NDArray[np.intp]]]:
    """The shared pairs, the most common first, and the rows of each; ``rows`` lose them."""
    found: list[tuple[int, NDArray[np.intp]]] = []
    common = rows.held.T @ rows.held
    np.fill_diagonal(common, 0)
    while True:
        i, j = divmod(int(common.argmax()), len(common))
        if common[i, j] < 2:
            return found
        users = np.flatnonzero(rows.held[:, i] * rows.held[:, j])
        width = (rows.most[rows.words[i]] + rows.most[rows.words[j]]).bit_length()
        counts = rows.bits[users].sum(axis=0)
        bit = int(counts.argmax())
        with_bit, without = (counts[bit] - 1) * width, (len(users) - 1) * width - len(users)
        if max(with_bit, without) <= 0:
            common[i, j] = common[j, i] = 0
            continue
        terms = [Term(rows.words[i]), Term(rows.words[j])]
        if with_bit >= without:
            users = users[rows.bits[users, bit] > 0]
            terms.append(Term(bit))
            if rows.signs[bit] < 0:
                terms[-1] = Term(builder.add([Term(bit, 0, True)], 1))
                for r in users:
                    constants[r] -= int(factors[r])
            rows.bits[users, bit] = 0
        found.append((builder.add(terms), users))
        for word in (i, j):
            rows.held[users, word] = 0
        for word in (i, j):
            common[word] = common[:, word] = rows.held[:, word] @ rows.held
            common[word, word] = 0
