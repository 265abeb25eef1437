"""The fewest register bits at a given delay, as a minimum cut.

Leiserson and Saxe's retiming: a path longer than the budget must cross a register. With one truth
value per node and stage boundary (is the node behind it?) and one per value (is it still needed
behind it?), the register bits are what a cut through a network of implications costs.
"""

from __future__ import annotations

from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import breadth_first_order, maximum_flow

from hwgen.cmvm.graph import AdderGraph
from hwgen.cmvm.pipeline import Pipelined, delays_ns, gaps_behind
from hwgen.families.base import Family

NEVER = 1 << 28
BEHIND, BEFORE = 0, 1
"""The terminals of the flow network: what is true of every stage, and of none."""

Pairs = list[tuple[int, int]]
Gaps = list[tuple[int, int, int]]


def fewest_registers(start: Pipelined, family: Family, budget: float) -> Pipelined:
    """The stages of ``start`` moved for the fewest register bits.

    No path within a stage is longer than ``budget``, except cells that alone are.
    """
    graph = start.graph
    if not graph.nodes or start.stages < 2:
        return start
    apart = [(v, u, 1) for v, u in _far_apart(graph, family, budget)]
    gaps = gaps_behind(graph, start.hops)
    n = len(graph.sources)
    apart += [
        (source, k, gaps[source])
        for k, node in enumerate(graph.nodes, n)
        for source in sorted({t.source for t in node.terms})
        if gaps[source]
    ]
    network = _Network(graph, apart, start.stages)
    made = Pipelined(graph, network.stages(), start.stages, start.hops)
    made.check()
    return made


class _Network:
    """Implications between truth values; vertices are made for those that are not known."""

    def __init__(self, graph: AdderGraph, apart: Gaps, stages: int) -> None:
        self.graph, self.boundaries = graph, range(1, stages)
        self.n = len(graph.sources)
        self.count = self.n + len(graph.nodes)
        self.apart = apart
        self.near = [
            (t.source, k) for k, node in enumerate(graph.nodes, self.n) for t in node.terms
        ]
        self.early, self.late = self._bounds(stages - 1)
        self.edges: dict[tuple[int, int], int] = {}
        self.places: dict[tuple[int, int], int] = {}
        self.vertices = 2

    def _bounds(self, last: int) -> tuple[list[int], list[int]]:
        """The first and the last stage that each source and node can be in."""
        early, late = [0] * self.count, [0] * self.n + [last] * (self.count - self.n)
        pairs = [(v, u, 0) for v, u in self.near] + self.apart
        for v, u, gap in sorted(pairs, key=lambda p: p[1]):
            early[u] = max(early[u], early[v] + gap)
        for v, u, gap in sorted(pairs, reverse=True):
            if v >= self.n:
                late[v] = min(late[v], late[u] - gap)
        return early, late

    def _behind(self, k: int, boundary: int) -> int:
        """The vertex that says that node ``k`` is behind a boundary."""
        if self.early[k] >= boundary:
            return BEHIND
        if self.late[k] < boundary:
            return BEFORE
        return self._place(k, boundary)

    def _place(self, k: int, boundary: int) -> int:
        found = self.places.get((k, boundary))
        if found is None:
            found = self.places[k, boundary] = self.vertices
            self.vertices += 1
        return found

    def _edge(self, one: int, other: int, capacity: int) -> None:
        """``capacity`` is paid where ``one`` is true and ``other`` is not."""
        if capacity and one != other and one != BEFORE and other != BEHIND:
            total = self.edges.get((one, other), 0) + capacity
            self.edges[one, other] = min(total, NEVER)

    def stages(self) -> tuple[int, ...]:
        """The stage of every node at the least total of register bits."""
        users: list[list[int]] = [[] for _ in range(self.count)]
        for v, u in self.near:
            users[v].append(u)
        final = {o.source for o in self.graph.outputs}
        for v, u, gap in self.apart:
            for s in self.boundaries[: len(self.boundaries) - gap] if v >= self.n else ():
                self._edge(self._behind(v, s), self._behind(u, s + gap), NEVER)
        for v in range(self.count):
            for s in self.boundaries:
                if s > 1:
                    self._edge(self._behind(v, s), self._behind(v, s - 1), NEVER)
                self._life(v, s, users[v], v in final)
        behind = self._cut()
        return tuple(
            sum(int(behind[self._behind(k, s)]) for s in self.boundaries)
            for k in range(self.n, self.count)
        )

    def _life(self, v: int, s: int, users: list[int], final: bool) -> None:
        """A register of value ``v`` at boundary ``s`` if it is made before and needed behind."""
        made, width = self._behind(v, s), self.graph.type_of(v).width
        readers = {self._behind(u, s) for u in users}
        for reader in readers:  # nothing runs before what it reads
            self._edge(made, reader, NEVER)
        if final:
            sign = 1 if self.graph.signs_only else width
            self._edge(BEHIND, made, sign)
            width -= sign
        if BEHIND in readers:
            self._edge(BEHIND, made, width)
            return
        readers.discard(BEFORE)
        if len(readers) == 1:
            self._edge(readers.pop(), made, width)
        elif readers:
            needed = self._place(-1 - v, s)
            for reader in readers:
                self._edge(reader, needed, NEVER)
            self._edge(needed, made, width)

    def _cut(self) -> NDArray[np.bool_]:
        """Of every vertex, whether it is true in a cheapest assignment."""
        ends = np.array(list(self.edges), np.int32).reshape(-1, 2)
        capacity = np.array(list(self.edges.values()), np.int32)
        shape = (self.vertices, self.vertices)
        network = coo_matrix((capacity, (ends[:, 0], ends[:, 1])), shape=shape).tocsr()
        rest: csr_matrix = network - maximum_flow(network, BEHIND, BEFORE).flow
        rest.eliminate_zeros()
        reached = breadth_first_order(rest, BEHIND, return_predecessors=False)
        found = np.zeros(self.vertices, np.bool_)
        found[reached] = True
        return found


def _far_apart(graph: AdderGraph, family: Family, budget: float) -> Pairs:
    """Pairs of nodes between which a register must be: the first too far behind each node."""
    n = len(graph.sources)
    delay = [0.0] * n + delays_ns(graph, family)
    users: list[list[int]] = [[] for _ in delay]
    for k, node in enumerate(graph.nodes, n):
        for source in {t.source for t in node.terms}:
            users[source].append(k)
    found: Pairs = []
    for first in range(n, len(delay)):
        reach = {first: delay[first]}
        waiting = [first]
        while waiting:
            k = heappop(waiting)
            for user in users[k]:
                length = reach[k] + delay[user]
                if length > budget + 1e-9:
                    found.append((first, user))
                elif length > reach.get(user, 0.0):
                    if user not in reach:
                        heappush(waiting, user)
                    reach[user] = length
    return sorted(set(found))
