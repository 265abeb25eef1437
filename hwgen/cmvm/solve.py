"""From a constant matrix to an adder graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

import numpy as np
from numpy.typing import ArrayLike

from hwgen.cmvm.assemble import add_up
from hwgen.cmvm.bits import solve_bits, suits
from hwgen.cmvm.center import Matrix
from hwgen.cmvm.digits import Plan, share_sums
from hwgen.cmvm.graph import AdderGraph, Builder, Term
from hwgen.cmvm.literals import digits_of
from hwgen.families import get
from hwgen.families.base import Family
from hwgen.inttype import IntType

BLOCK_INPUTS, BLOCK_OUTPUTS = 256, 128
"""Larger matrices are cut into blocks; sums are shared within a block."""

LUTS_PER_WEIGHT = 0.41
"""Of large layers of 1-bit inputs, where all rows share sums."""

FAR = 0.6
"""Share of a clock period that the longest net of a group of rows may take."""

SURE = 1 << 11
"""Weights of a ±1 matrix of 1-bit inputs from which on only shared sums of three are tried: they
are a tenth smaller than anything else there."""


def solve(
    weights: ArrayLike,
    inputs: Sequence[IntType],
    *,
    bias: ArrayLike | None = None,
    signs_only: bool = False,
    family: Family | str = "xc7",
    max_depth: int | None = None,
    effort: float = 1.0,
    seed: int = 0,
) -> AdderGraph:
    """An adder graph for ``y = W x + bias``, W of shape (outputs, inputs).

    The result depends on the arguments alone: ``effort`` counts work, not seconds; 1 takes about
    as long as synthesis takes to start, 0 shares what is shared most and searches no further.
    ``signs_only`` says that the consumer reads no more of an output than whether it is negative.
    ``max_depth`` bounds the cells on a path; where it is less than trees need, trees are built.

    Raises:
        ValueError: shapes that do not fit together.
    """
    matrix = np.asarray(weights, np.int64)
    offsets = np.zeros(len(matrix), np.int64) if bias is None else np.asarray(bias, np.int64)
    if matrix.ndim != 2 or matrix.shape[1] != len(inputs) or offsets.shape != (len(matrix),):
        raise ValueError(
            f"weights must have shape (outputs, {len(inputs)}) and bias (outputs,), "
            f"not {matrix.shape} and {offsets.shape}"
        )
    fabric = get(family) if isinstance(family, str) else family
    task = _Task(*distinct_rows(matrix), tuple(inputs), offsets, fabric, effort, seed)
    found, certain = [], False
    if suits(inputs, task.rows, fabric) and len(task.rows):
        single = all(t == IntType(0, 1) for t in inputs)
        depth = max_depth or task.usual_depth
        certain = single and task.signs_only and matrix.size > SURE
        for share in (False, True) if single and not certain else (single,):
            found.append(task.bits_within(depth, share, strict=max_depth is not None))
        certain = certain and (max_depth is None or found[-1].depth <= max_depth)
    for cap in () if certain else _caps(max_depth, task.usual_depth, task.signs_only):
        found.append(task.by_digits(cap, max_depth or task.usual_depth))
        if max_depth is None or found[-1].depth <= max_depth:
            break
    if max_depth is not None:
        fit = [graph for graph in found if graph.depth <= max_depth]
        found = fit or [min(found, key=lambda graph: graph.depth)]
    graph = min(found, key=lambda graph: graph.cost(fabric))
    graph = replace(graph, signs_only=signs_only)
    graph.verify(matrix, offsets)
    return graph


def _caps(max_depth: int | None, usual: int, signs_only: bool) -> list[int]:
    """Depths of shared sums to try, from the deepest to none at all."""
    if max_depth is None:
        return [usual - 3 if signs_only else max(usual - 1 - usual // 6, 2)]
    return [*range(max(max_depth - 2, 1), 0, -1), 0]


Place = tuple[int, int, bool] | None


def distinct_rows(matrix: Matrix) -> tuple[Matrix, list[Place]]:
    """Rows that are not 0 nor another's ``± 2^s``-fold, and where each output finds its own.

    An output is ``(row, shift, negate)``, None where it is zero.
    """
    known: dict[bytes, tuple[int, bool]] = {}
    rows: list[Matrix] = []
    origin: list[Place] = []
    for row in matrix:
        filled = np.flatnonzero(row)
        if not len(filled):
            origin.append(None)
            continue
        everything = int(np.bitwise_or.reduce(np.abs(row)))
        shift = (everything & -everything).bit_length() - 1
        minus = bool(row[filled[0]] < 0)
        odd = row >> shift
        key = (-odd if minus else odd).tobytes()
        if key not in known:
            known[key] = (len(rows), minus)
            rows.append(odd)
        place, was_minus = known[key]
        origin.append((place, shift, minus != was_minus))
    shape = (len(rows), matrix.shape[1])
    return np.array(rows, np.int64).reshape(shape), origin


@dataclass(frozen=True, slots=True)
class _Task:
    """Distinct rows, where each output finds its own, and everything else that is asked."""

    rows: Matrix
    origin: list[Place]
    inputs: tuple[IntType, ...]
    offsets: Matrix
    family: Family
    effort: float
    seed: int

    @property
    def usual_depth(self) -> int:
        """The depth that a graph may have where none is asked for.

        That of a tree of pairs over a row's digits; sums that all rows of a ±1 matrix are
        differences from need some more.
        """
        most = max((sum(digits_of(int(w)) for w in row) for row in self.rows), default=1)
        tree = max(most - 1, 1).bit_length()
        return min(tree + 5, max(11, tree + 2)) if self.signs_only else tree

    @property
    def signs_only(self) -> bool:
        """Whether all weights are 1 or -1."""
        return bool(np.all(np.abs(self.rows) == 1))

    def bits_within(self, depth: int, share: bool, strict: bool) -> AdderGraph:
        """The graph on single bits, built anew where it came out deeper than ``depth``, as links
        that are not full make it; the deeper one where that is much smaller and not ``strict``."""
        graph = self.by_bits(depth, share)
        if graph.depth <= depth or depth < 3:
            return graph
        flat = self.by_bits(2 * depth - graph.depth, share)
        much = 1.05 * graph.cost(self.family) < flat.cost(self.family)
        return graph if much and not strict else flat

    def by_bits(self, depth: int, share: bool) -> AdderGraph:
        """The graph on single bits, which rows may ``share`` in sums of three."""
        builder = Builder(self.inputs, split=True)
        keys = [(p, int(b) if p else 0) for p, b in zip(self.origin, self.offsets, strict=True)]
        needed = sorted({(p, b) for p, b in keys if p is not None})
        matrix = np.array([(self.rows[p[0]] << p[1]) * (-1 if p[2] else 1) for p, _ in needed])
        biases = [b for _, b in needed]
        made: list[Term | None] = []
        for part in np.array_split(np.arange(len(matrix)), groups_of(matrix, self.family)):
            made += solve_bits(builder, matrix[part], self.inputs, [biases[k] for k in part],
                               self.family, depth, self.seed, share=share)  # fmt: skip
        wanted = dict(zip(needed, made, strict=True))
        outputs = [
            builder.output(None if p is None else wanted[p, b], int(constant))
            for (p, b), constant in zip(keys, self.offsets, strict=True)
        ]
        return builder.graph(outputs)

    def by_digits(self, cap: int, depth: int) -> AdderGraph:
        """The graph of shared sums no deeper than ``cap``, built towards ``depth``."""
        builder = Builder(self.inputs)
        terms: list[list[Term]] = [[] for _ in self.rows]
        for rows in _cut(len(self.rows), BLOCK_OUTPUTS):
            for columns in _cut(len(self.inputs), BLOCK_INPUTS):
                self._block(builder, terms, rows, columns, cap, depth)
        outputs = [
            builder.output(self._total(builder, terms, place, int(bias)), int(bias))
            for place, bias in zip(self.origin, self.offsets, strict=True)
        ]
        return builder.graph(outputs)

    def _block(
        self, builder: Builder, terms: list[list[Term]], rows: list[int], columns: list[int],
        cap: int, depth: int,
    ) -> None:  # fmt: skip
        """Add what a block of inputs gives to ``terms`` of its rows."""
        part = self.rows[np.ix_(rows, columns)]
        busy = np.flatnonzero(part.any(axis=0))
        distinct, origin = distinct_rows(part[:, busy])
        if not len(distinct):
            return
        plan = Plan(_rounds(self.rows, self.effort), cap, self.seed, center=cap > 1,
                    restarts=max(1, min(6, int(self.effort) // 15)))  # fmt: skip
        sources = [int(columns[k]) for k in busy]
        made, _ = share_sums(builder, sources, distinct, self.family, plan, depth)
        for row, place in zip(rows, origin, strict=True):
            base = made[place[0]] if place is not None else None
            if place is not None and base is not None:
                terms[row].append(Term(base.source, base.shift + place[1], base.negate != place[2]))

    def _total(
        self, builder: Builder, terms: list[list[Term]], place: Place, bias: int
    ) -> Term | None:
        """The output's own sum: its blocks' terms and its bias."""
        if place is None:
            return None
        row, shift, negate = place
        parts = [Term(t.source, t.shift + shift, t.negate != negate) for t in terms[row]]
        return add_up(builder, parts, bias, self.family)


def groups_of(matrix: Matrix, family: Family) -> int:
    """Groups of rows that share nothing but the inputs, as few as keep each so small that its nets
    are short for the clock: what all rows share goes to all of a large circuit."""
    whole = family.far_ns(LUTS_PER_WEIGHT * np.count_nonzero(matrix))
    groups = ceil((whole / (FAR * family.period_ns)) ** 2)
    return min(max(groups, 1), len(matrix))


def _cut(count: int, most: int) -> list[list[int]]:
    """``0 … count-1`` in even pieces of at most ``most``."""
    pieces = -(-count // most)
    return [[int(k) for k in piece] for piece in np.array_split(np.arange(count), max(pieces, 1))]


def _rounds(matrix: Matrix, effort: float) -> int:
    """Rounds of search in one block of ``matrix``, fewer where a round is long.

    A round takes about ``(digits / 2400) ** 1.5`` milliseconds, and all blocks share the work.
    """
    values, counts = np.unique(matrix, return_counts=True)
    digits = 100 + sum(digits_of(int(v)) * int(c) for v, c in zip(values, counts, strict=True))
    if np.all(np.abs(matrix) == 1):
        digits //= 2  # the center's share
    blocks = -(-matrix.shape[0] // BLOCK_OUTPUTS) * -(-matrix.shape[1] // BLOCK_INPUTS)
    each = (digits / blocks / 2400) ** 1.5
    return int(effort * min(500, 8 * len(matrix), 16 + 1000 / each / blocks))
