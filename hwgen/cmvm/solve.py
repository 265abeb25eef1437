"""From a constant matrix to an adder graph."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from hwgen.cmvm.assemble import add_up, digits
from hwgen.cmvm.graph import AdderGraph, Builder, Term
from hwgen.families import get
from hwgen.families.base import Family
from hwgen.inttype import IntType


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

    The result depends on the arguments alone: ``effort`` counts work, not seconds.

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
    builder = Builder(inputs)
    outputs = []
    for row, offset in zip(matrix, offsets, strict=True):
        terms = [
            Term(int(k), shift, negate)
            for k in np.flatnonzero(row)
            for shift, negate in digits(int(row[k]))
        ]
        total = add_up(builder, terms, int(offset), fabric)
        outputs.append(builder.output(total, int(offset)))
    graph = builder.graph(outputs)
    graph.verify(matrix, offsets)
    return graph
