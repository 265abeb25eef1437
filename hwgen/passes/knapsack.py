"""One configuration per node inside a budget at the least cost: a multiple-choice knapsack.

A binary variable stands for each configuration of each node; for every edge between two nodes, a
flow from the producer's numbers of lanes to the consumer's stands for the converter between them.
SciPy's HiGHS proves the optimum.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_matrix

from hwgen.families.base import Family, Resources
from hwgen.inttype import IntType
from hwgen.passes.schedule import KINDS, Choice
from hwgen.rtl.gearbox import gearbox_price

Vector = NDArray[np.float64]
Objective = Literal["cost", "overrun", "lut", "bram36"]

FF_SHARE = 0.5
"""A flip-flop's share of the budget counts half: every LUT has two beside it."""

GAP = 1e-6
"""Relative gap to the bound below which a solution counts as optimal."""


@dataclass(frozen=True)
class Edge:
    """A stream of ``elements`` a frame between two nodes, by their places, to input ``port``."""

    source: int
    sink: int
    port: int
    dtype: IntType
    elements: int


@dataclass(frozen=True)
class Solution:
    """The choices of least cost, what they and the converters between them take, and by how much
    that is beyond the budget."""

    choices: tuple[Choice, ...]
    resources: Resources
    over: dict[str, float]


def vector(used: Resources) -> Vector:
    return np.array([getattr(used, kind) for kind in KINDS], dtype=np.float64)


@dataclass
class Knapsack:
    """Nodes' configurations, the edges between nodes, and the budget.

    ``feed``: cycles per frame in which the input comes to the first node.
    """

    table: list[list[Choice]]
    edges: Sequence[Edge]
    family: Family
    budget: Resources
    feed: int = 1

    def solve(
        self,
        interval: int,
        objective: Objective = "cost",
        *,
        reserve: Resources | None = None,
        latency: int | None = None,
        quick: bool = False,
    ) -> Solution | None:
        """The cheapest choices of which none takes more than ``interval`` cycles per frame.

        ``budget`` less ``reserve`` holds them, or ``objective`` is ``overrun``: then what they
        take beyond it is least. ``latency`` bounds the cycles of all vector layers, one after the
        other, and the slowest of those that work pixel by pixel. ``quick``: not the cheapest, but
        the first that is found. None: nothing does.
        """
        rows = [[c for c in row if c.interval <= interval] for row in self.table]
        if not all(rows):
            return None
        room = np.maximum(vector(self.budget) - vector(reserve or Resources()), 0.0)
        if objective != "overrun":
            rows = [[c for c in row if (vector(c.resources) <= room).all()] for row in rows]
            if not all(rows):
                return None
        rows = _Pruned(rows, self, interval, timed=latency is not None).rows
        return _Program(rows, self, interval, room).solve(objective, latency, quick=quick)

    def price(self, edge: Edge, lanes: tuple[int, int]) -> Vector:
        """What converts a stream from some lanes to others."""
        key = (edge.dtype, *lanes, edge.elements)
        if key not in self._prices:
            self._prices[key] = vector(gearbox_price(*key, self.family))
        return self._prices[key]

    @cached_property
    def _prices(self) -> dict[tuple[IntType, int, int, int], Vector]:
        return {}

    def limits(self, rows: Sequence[Sequence[Choice]], interval: int, edge: Edge) -> list[int]:
        """Per choice of the edge's sink, the most cycles per frame that its source may take.

        Where no source is fast enough for any of them, the fastest has to do.
        """
        least = min(c.interval for c in rows[edge.source])
        limits = [c.limit(interval) for c in rows[edge.sink]]
        return limits if max(limits) >= least else [least] * len(limits)


class _Pruned:
    """``rows`` without choices that others are as good as, whatever the rest is.

    ``timed``: their cycles are worth something below the interval too.
    """

    def __init__(
        self, rows: list[list[Choice]], problem: Knapsack, interval: int, *, timed: bool
    ) -> None:
        self.problem, self.interval, self.timed = problem, interval, timed
        self.rows = rows
        self.rows = [self._fed(k, row) for k, row in enumerate(rows)]
        self.rows = [self._undominated(k, row) for k, row in enumerate(self.rows)]

    def _fed(self, place: int, row: list[Choice]) -> list[Choice]:
        """Of a node that reads the network's input, those that wait for nothing, if there are."""
        if any(e.sink == place for e in self.problem.edges):
            return row
        fast = [c for c in row if c.limit(self.interval) >= self.problem.feed]
        return fast or row

    def _undominated(self, place: int, row: list[Choice]) -> list[Choice]:
        """Without choices that another beats in price, dearest converters included, and in both
        what it waits for and what it keeps waiting."""
        price = np.array([vector(c.resources) for c in row])
        worst = price + self._converters(place, row)
        cycles = np.maximum([c.interval for c in row], self._awaited(place))
        limit = np.array([min(c.limit(self.interval), self.interval) for c in row])
        lanes = np.array([c.lanes for c in row])
        kept: list[int] = []
        exact = np.array([c.exact for c in row])
        order = sorted(range(len(row)), key=lambda k: (not exact[k], *price[k].tolist(), cycles[k]))
        for k in order:
            others = np.array([j for j in kept if exact[j]], dtype=int)
            same = (lanes[others] == lanes[k]).all(axis=1)
            bound = np.where(same[:, None], price[others], worst[others])
            beaten = (bound <= price[k]).all(axis=1)
            beaten &= (cycles[others] <= cycles[k]) & (limit[others] >= limit[k])
            if not beaten.any():
                kept.append(k)
        return [row[k] for k in sorted(kept)]

    def _awaited(self, place: int) -> int:
        """The fewest cycles per frame in which anything needs this node's output."""
        if self.timed:
            return 0
        edges = [e for e in self.problem.edges if e.source == place]
        limits = (self.problem.limits(self.rows, self.interval, e) for e in edges)
        return min((min(each) for each in limits), default=self.interval)

    def _converters(self, place: int, row: list[Choice]) -> Vector:
        """Per choice, the most that the converters beside it can take."""
        worst = np.zeros((len(row), len(KINDS)))
        for edge in self.problem.edges:
            if place not in (edge.source, edge.sink):
                continue
            inward = edge.sink == place
            other = self.rows[edge.source if inward else edge.sink]
            ends = (-1, edge.port) if inward else (edge.port, -1)
            far = sorted({c.lanes[ends[0]] for c in other})
            for k, choice in enumerate(row):
                near = choice.lanes[ends[1]]
                pairs = [(n, near) if inward else (near, n) for n in far]
                worst[k] += np.max([self.problem.price(edge, p) for p in pairs], axis=0)
        return worst


@dataclass
class _Rows:
    """Linear constraints ``low ≤ A·x ≤ high`` under construction."""

    at: list[tuple[int, int, float]] = field(default_factory=list)
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)

    def add(self, terms: Sequence[tuple[int, float]], low: float, high: float) -> None:
        row = len(self.low)
        self.at += [(row, column, factor) for column, factor in terms if factor]
        self.low.append(low)
        self.high.append(high)

    def constraint(self, columns: int) -> LinearConstraint:
        where, column, factor = zip(*self.at, strict=True)
        shape = (len(self.low), columns)
        return LinearConstraint(csr_matrix((factor, (where, column)), shape), self.low, self.high)


class _Program:
    """The mixed-integer program of one interval."""

    def __init__(
        self, rows: list[list[Choice]], problem: Knapsack, interval: int, room: Vector
    ) -> None:
        self.rows, self.problem, self.interval, self.room = rows, problem, interval, room
        self.prices: list[Vector] = []
        self.whole: list[int] = []
        self.lines = _Rows()
        self.place = [[self._variable(vector(c.resources), 1) for c in row] for row in rows]
        for row in self.place:
            self.lines.add([(v, 1.0) for v in row], 1, 1)
        for edge in problem.edges:
            self._convert(edge)
            self._feed(edge)

    def solve(self, objective: Objective, latency: int | None, *, quick: bool) -> Solution | None:
        over = [self._variable(np.zeros(len(KINDS)), 0) for _ in KINDS]
        prices = np.array(self.prices)
        for kind, slack in enumerate(over):
            used = [(v, float(p)) for v, p in enumerate(prices[:, kind])]
            self.lines.add([*used, (slack, -1.0)], -np.inf, self.room[kind])
        if latency is not None:
            self._latency(latency)
        prices = np.array(self.prices)
        limit = np.full(len(prices), np.inf)
        limit[: len(self.whole)] = np.where(self.whole, 1, np.inf)[: len(prices)]
        if objective != "overrun":
            limit[over] = 0.0
        result: Any = milp(
            c=self._costs(objective, prices, over),
            integrality=np.array(self.whole),
            bounds=Bounds(0, limit),
            constraints=self.lines.constraint(len(prices)),
            options={"mip_rel_gap": np.inf if quick else GAP},
        )
        if result.x is None:
            return None
        return self._solution(result.x)

    def _solution(self, x: Vector) -> Solution:
        chosen = tuple(
            row[int(np.argmax(x[variables]))]
            for row, variables in zip(self.rows, self.place, strict=True)
        )
        used = sum((vector(c.resources) for c in chosen), np.zeros(len(KINDS)))
        for edge in self.problem.edges:
            lanes = chosen[edge.source].lanes[-1], chosen[edge.sink].lanes[edge.port]
            used = used + self.problem.price(edge, lanes)
        excess = used - self.room
        over = {k: float(e) for k, e in zip(KINDS, excess, strict=True) if e > 1e-6}
        return Solution(chosen, Resources(*(float(u) for u in used)), over)

    def _variable(self, price: Vector, whole: int) -> int:
        self.prices.append(price)
        self.whole.append(whole)
        return len(self.prices) - 1

    def _costs(self, objective: Objective, prices: Vector, over: list[int]) -> Vector:
        """Shares of the budget in parts per ten thousand; DSPs and the like that the part does
        not have cost nothing, the budget forbids them."""
        has = vector(self.problem.budget)
        shares = np.where(has > 0, 1e4 / np.maximum(has, 1e-9), 0.0)
        shares[KINDS.index("ff")] *= FF_SHARE
        cost = prices @ shares
        if objective in ("lut", "bram36"):
            kind = KINDS.index(objective)
            cost = cost * 1e-3 + prices[:, kind] * shares[kind]
        if objective == "overrun":
            cost *= 1e-3
            cost[over] = np.where(has > 0, 1e4 / np.maximum(has, 1e-9), 1e4)
        return np.asarray(cost)

    def _convert(self, edge: Edge) -> None:
        """Flows from the source's lanes to the sink's, each at its converter's price."""
        sides = [self._by(edge.source, lambda c: c.lanes[-1])]
        sides.append(self._by(edge.sink, lambda c: c.lanes[edge.port]))
        flows = {
            (a, b): self._variable(self.problem.price(edge, (a, b)), 0)
            for a in sides[0]
            for b in sides[1]
        }
        for side, lanes in enumerate(sides):
            for n, variables in lanes.items():
                here = [(v, 1.0) for pair, v in flows.items() if pair[side] == n]
                self.lines.add([*here, *((v, -1.0) for v in variables)], 0, 0)

    def _by(self, place: int, key: Callable[[Choice], int]) -> dict[int, list[int]]:
        """Variables of a node, by what ``key`` says of their choices."""
        found: dict[int, list[int]] = defaultdict(list)
        for choice, variable in zip(self.rows[place], self.place[place], strict=True):
            found[key(choice)].append(variable)
        return dict(sorted(found.items()))

    def _feed(self, edge: Edge) -> None:
        """No choice stands behind a source that is slower than it can wait for."""
        limits = self.problem.limits(self.rows, self.interval, edge)
        sources = list(zip(self.rows[edge.source], self.place[edge.source], strict=True))
        sinks = list(zip(limits, self.place[edge.sink], strict=True))
        for limit in sorted(set(limits)):
            slow = [v for c, v in sources if c.interval > limit]
            if slow:
                hasty = [v for n, v in sinks if n <= limit]
                self.lines.add([(v, 1.0) for v in (*slow, *hasty)], -np.inf, 1)

    def _latency(self, bound: int) -> None:
        """Vector layers follow one another; those that work pixel by pixel overlap."""
        longest = self._variable(np.zeros(len(KINDS)), 0)
        terms = [(longest, 1.0)]
        for row, variables in zip(self.rows, self.place, strict=True):
            cycles = [(v, float(c.interval)) for c, v in zip(row, variables, strict=True)]
            if row[0].inputs[0].pixels > 1:
                self.lines.add([*cycles, (longest, -1.0)], -np.inf, 0)
            else:
                terms += cycles
        self.lines.add(terms, -np.inf, bound)
