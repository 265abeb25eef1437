"""From a constant matrix to an adder graph."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from hwgen.cmvm.assemble import add_up
from hwgen.cmvm.center import Matrix
from hwgen.cmvm.digits import Plan, share_sums
from hwgen.cmvm.graph import AdderGraph, Builder, Term
from hwgen.families import get
from hwgen.families.base import Family
from hwgen.inttype import IntType

BLOCK_INPUTS, BLOCK_OUTPUTS = 256, 128
"""Larger matrices are cut into blocks; sums are shared within a block."""


def solve(
    weights: ArrayLike,
    inputs: Sequence[IntType],
    *,
    bias: ArrayLike | None = None,
    family: Family | str = "xc7",
    max_depth: int | None = None,
    effort: float = 1.0,
    seed: int = 0,
) -> AdderGraph:
    """An adder graph for ``y = W x + bias``, W of shape (outputs, inputs).

    The result depends on the arguments alone: ``effort`` counts work, not seconds; 1 takes about
    as long as synthesis takes to start, 0 shares what is shared most and searches no further.
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
    distinct, origin = distinct_rows(matrix)
    depth = max_depth
    graph = None
    for cap in _caps(max_depth):
        builder = Builder(inputs)
        terms = _blocks(builder, distinct, fabric, effort, seed, cap, depth)
        outputs = [
            builder.output(_with_bias(builder, terms, place, int(b), fabric), int(b))
            for place, b in zip(origin, offsets, strict=True)
        ]
        graph = builder.graph(outputs)
        if max_depth is None or graph.depth <= max_depth:
            break
    assert graph is not None
    graph.verify(matrix, offsets)
    return graph


def _caps(max_depth: int | None) -> list[int]:
    """Depths of shared sums to try, from free to none at all."""
    if max_depth is None:
        return [60]
    return [*range(max(max_depth - 1, 1), 0, -1), 0]


def distinct_rows(matrix: Matrix) -> tuple[Matrix, list[tuple[int, int, bool] | None]]:
    """Rows that are not 0 nor another's ``± 2^s``-fold, and where each output finds its own.

    An output is ``(row, shift, negate)``, None where it is zero.
    """
    known: dict[bytes, tuple[int, bool]] = {}
    rows: list[Matrix] = []
    origin: list[tuple[int, int, bool] | None] = []
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


def _with_bias(
    builder: Builder,
    terms: list[list[Term]],
    place: tuple[int, int, bool] | None,
    bias: int,
    family: Family,
) -> Term | None:
    """The output's own sum: its blocks' terms and its bias."""
    if place is None:
        return None
    row, shift, negate = place
    parts = [Term(t.source, t.shift + shift, t.negate != negate) for t in terms[row]]
    return add_up(builder, parts, bias, family)


def _blocks(
    builder: Builder,
    matrix: Matrix,
    family: Family,
    effort: float,
    seed: int,
    cap: int,
    depth: int | None,
) -> list[list[Term]]:
    """Every row as the terms of its blocks of inputs."""
    terms: list[list[Term]] = [[] for _ in matrix]
    for rows in _cut(len(matrix), BLOCK_OUTPUTS):
        for columns in _cut(matrix.shape[1], BLOCK_INPUTS):
            part = matrix[np.ix_(rows, columns)]
            busy = np.flatnonzero(part.any(axis=0))
            distinct, origin = distinct_rows(part[:, busy])
            if not len(distinct):
                continue
            plan = Plan(_rounds(matrix, effort), cap, seed, center=cap > 3)
            sources = [int(columns[k]) for k in busy]
            made, _ = share_sums(builder, sources, distinct, family, plan, depth)
            for row, place in zip(rows, origin, strict=True):
                base = made[place[0]] if place is not None else None
                if place is not None and base is not None:
                    terms[row].append(
                        Term(base.source, base.shift + place[1], base.negate != place[2])
                    )
    return terms


def _cut(count: int, most: int) -> list[list[int]]:
    """``0 … count-1`` in even pieces of at most ``most``."""
    pieces = -(-count // most)
    return [[int(k) for k in piece] for piece in np.array_split(np.arange(count), max(pieces, 1))]


def _rounds(matrix: Matrix, effort: float) -> int:
    """Rounds of search in one block of ``matrix``, fewer where a round is long.

    A round takes about ``(digits / 1700) ** 1.9`` milliseconds, and all blocks share the work.
    """
    digits = np.count_nonzero(matrix) / (2 if np.all(matrix) else 1) + 100
    blocks = -(-matrix.shape[0] // BLOCK_OUTPUTS) * -(-matrix.shape[1] // BLOCK_INPUTS)
    each = (digits / blocks / 1700) ** 1.9
    room = 600 if blocks == 1 else 2500
    return int(effort * min(500, 10 * len(matrix), 60 + room / each / blocks))
