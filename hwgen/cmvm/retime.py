"""Local retiming: nodes move between stages where that leaves fewer register bits."""

from __future__ import annotations

from hwgen.cmvm.cells import cell
from hwgen.cmvm.pipeline import Pipelined
from hwgen.families.base import Family


class Retimer:
    """Moves nodes of a legal pipeline one stage at a time; every accepted move saves bits.

    A node moves later only if its consumers stay legal, earlier only if its sources do, and never
    so that a path within a stage grows beyond ``budget``.
    """

    def __init__(self, start: Pipelined, family: Family, budget: float) -> None:
        self.start = start
        graph = start.graph
        self.n = len(graph.sources)
        self.stages = start.stages
        self.stage = [0] * self.n + list(start.stage)
        self.width = [graph.type_of(s).width for s in range(self.n + len(graph.nodes))]
        self.delay = [0.0] * self.n + [
            cell(graph.operands(k), k.bias, k.type, family).ns for k in graph.nodes
        ]
        self.sources = [()] * self.n + [tuple({t.source for t in k.terms}) for k in graph.nodes]
        self.users: list[list[int]] = [[] for _ in self.stage]
        for k in range(self.n, len(self.stage)):
            for s in self.sources[k]:
                self.users[s].append(k)
        self.final = {o.source for o in graph.outputs if o.source is not None}
        self.budget = budget
        self.head = [0.0] * len(self.stage)
        self.tail = [0.0] * len(self.stage)
        for k in range(self.n, len(self.stage)):
            self._refresh_head(k)
        for k in range(len(self.stage) - 1, self.n - 1, -1):
            self._refresh_tail(k)

    def run(self, sweeps: int = 12) -> Pipelined:
        order = range(self.n, len(self.stage))
        for sweep in range(sweeps):
            later = sweep % 2 == 0
            nodes = reversed(order) if later else iter(order)
            moved = sum(self._try(k, 1 if later else -1) for k in nodes)
            if not moved and sweep:
                break
        result = Pipelined(self.start.graph, tuple(self.stage[self.n :]), self.stages)
        result.check()
        return result

    def _life(self, s: int) -> int:
        last = max((self.stage[u] for u in self.users[s]), default=self.stage[s])
        if s in self.final:
            last = self.stages
        return last - self.stage[s]

    def _bits(self, k: int) -> int:
        return sum(self._life(s) * self.width[s] for s in (k, *self.sources[k]))

    def _try(self, k: int, step: int) -> bool:
        """Move node ``k`` by ``step`` stages if that is legal and saves register bits."""
        to = self.stage[k] + step
        if not 0 <= to < self.stages:
            return False
        if step > 0 and any(self.stage[u] < to for u in self.users[k]):
            return False
        if step < 0 and any(self.stage[s] > to for s in self.sources[k]):
            return False
        head = max((self.head[s] for s in self.sources[k] if self._same(s, to)), default=0.0)
        tail = max((self.tail[u] for u in self.users[k] if self.stage[u] == to), default=0.0)
        if head + self.delay[k] + tail > self.budget:
            return False
        before = self._bits(k)
        self.stage[k] = to
        if self._bits(k) >= before:
            self.stage[k] = to - step
            return False
        self._spread(k)
        return True

    def _same(self, s: int, at: int) -> bool:
        return s >= self.n and self.stage[s] == at

    def _refresh_head(self, k: int) -> bool:
        at = self.stage[k]
        start = max((self.head[s] for s in self.sources[k] if self._same(s, at)), default=0.0)
        old, self.head[k] = self.head[k], start + self.delay[k]
        return old != self.head[k]

    def _refresh_tail(self, k: int) -> bool:
        at = self.stage[k]
        rest = max((self.tail[u] for u in self.users[k] if self.stage[u] == at), default=0.0)
        old, self.tail[k] = self.tail[k], rest + self.delay[k]
        return old != self.tail[k]

    def _spread(self, k: int) -> None:
        """Bring path lengths up to date around a node that moved."""
        self._refresh_head(k)
        self._refresh_tail(k)
        stack = list(self.users[k])
        while stack:
            u = stack.pop()
            if self._refresh_head(u):
                stack.extend(self.users[u])
        stack = [s for s in self.sources[k] if s >= self.n]
        while stack:
            s = stack.pop()
            if self._refresh_tail(s):
                stack.extend(q for q in self.sources[s] if q >= self.n)
