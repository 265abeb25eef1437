"""An adder graph and its registers for a clock: graphs are chosen by what their registers cost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from hwgen.cmvm.pipeline import Pipelined, pipeline
from hwgen.cmvm.solve import solve
from hwgen.families.base import Family
from hwgen.inttype import IntType

REGISTER = 0.5
"""What a register bit counts beside a LUT: slices have two flip-flops for each."""

LARGEST = 1 << 14
"""Weights above which only one graph is made."""


def solve_for_clock(
    weights: ArrayLike,
    inputs: Sequence[IntType],
    *,
    target_ns: float,
    family: Family,
    bias: ArrayLike | None = None,
    signs_only: bool = False,
    effort: float = 1.0,
    seed: int = 0,
) -> Pipelined:
    """The graph of ``solve``, pipelined to ``target_ns``, or one a level shallower that needs less
    in LUTs and registers together.

    Raises:
        ValueError: shapes that do not fit together.
    """

    def made(depth: int | None) -> Pipelined:
        graph = solve(weights, inputs, bias=bias, signs_only=signs_only, family=family,
                      max_depth=depth, effort=effort, seed=seed)  # fmt: skip
        return pipeline(graph, family, target_ns=target_ns)

    first = made(None)
    depth = first.graph.depth
    if first.stages < 2 or depth < 3 or np.size(weights) > LARGEST:
        return first
    return min(first, made(depth - 1), key=lambda p: price(p, family))


def price(design: Pipelined, family: Family) -> float:
    """LUTs and registers as one number."""
    return design.graph.cost(family) + REGISTER * design.register_bits
