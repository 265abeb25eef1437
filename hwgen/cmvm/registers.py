"""The fewest register bits at a given delay, as a linear programme.

Leiserson and Saxe's retiming: a path longer than the budget must cross a register. Over stages as
variables these are difference constraints, whose optimum HiGHS finds in integers by itself.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_matrix

from hwgen.cmvm.cells import cell
from hwgen.cmvm.graph import AdderGraph
from hwgen.cmvm.pipeline import Pipelined
from hwgen.families.base import Family

LARGEST = 40_000
"""Constraints above which the linear programme would take longer than it is worth."""


def fewest_registers(start: Pipelined, family: Family, budget: float) -> Pipelined | None:
    """The stages of ``start`` moved for the fewest register bits, None where it is too large.

    No path within a stage is longer than ``budget``, except cells that alone are.
    """
    graph = start.graph
    n = len(graph.sources)
    apart = _far_apart(graph, family, budget)
    if apart is None or not graph.nodes:
        return None
    near = [(t.source, k) for k, node in enumerate(graph.nodes, n) for t in node.terms]
    count = n + len(graph.nodes)
    rows: list[tuple[int, int, int]] = [(v, u, 1) for v, u in apart]
    rows += [(v, u, 0) for v, u in near if v >= n]
    # Variables: the stage of every source and node, then the life of its value.
    data: list[float] = []
    place: list[int] = []
    columns: list[int] = []
    bound: list[float] = []

    def add(terms: list[tuple[int, float]], limit: float) -> None:
        for column, factor in terms:
            data.append(factor)
            place.append(len(bound))
            columns.append(column)
        bound.append(limit)

    for v, u, gap in rows:
        add([(v, 1.0), (u, -1.0)], -float(gap))
    for v, u in near:
        add([(u, 1.0), (v, -1.0), (count + v, -1.0)], 0.0)
    for out in graph.outputs:
        if out.source is not None:
            add([(out.source, -1.0), (count + out.source, -1.0)], -float(start.stages))
    widths = [float(graph.type_of(s).width) for s in range(count)]
    limits: list[tuple[float, float | None]] = [(0.0, 0.0)] * n
    limits += [(0.0, start.stages - 1.0)] * len(graph.nodes) + [(0.0, None)] * count
    matrix = coo_matrix((data, (place, columns)), shape=(len(bound), 2 * count)).tocsr()
    solved = linprog([0.0] * count + widths, matrix, bound, bounds=limits, method="highs-ds")
    if solved.status != 0:
        return None
    stage = np.rint(solved.x[n:count]).astype(int)
    made = Pipelined(graph, tuple(int(s) for s in stage), start.stages)
    made.check()
    return made


def _far_apart(graph: AdderGraph, family: Family, budget: float) -> list[tuple[int, int]] | None:
    """Pairs of nodes between which a register must be: the first too far behind each node."""
    n = len(graph.sources)
    delay = [0.0] * n + [cell(graph.operands(k), k.bias, k.type, family).ns for k in graph.nodes]
    users: list[list[int]] = [[] for _ in delay]
    for k, node in enumerate(graph.nodes, n):
        for source in {t.source for t in node.terms}:
            users[source].append(k)
    found: list[tuple[int, int]] = []
    for first in range(n, len(delay)):
        reach = {first: delay[first]}
        waiting = [first]
        while waiting:
            k = min(waiting)
            waiting.remove(k)
            for user in users[k]:
                length = reach[k] + delay[user]
                if length > budget + 1e-9:
                    found.append((first, user))
                elif length > reach.get(user, 0.0):
                    if user not in reach:
                        waiting.append(user)
                    reach[user] = length
        if len(found) > LARGEST:
            return None
    return sorted(set(found))
