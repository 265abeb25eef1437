"""The search for a schedule: the fastest that fits, or the cheapest that keeps to what is asked."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Generic, Protocol, TypeVar

from hwgen.errors import BuildError
from hwgen.families.base import Family, Resources
from hwgen.ir.graph import Graph
from hwgen.ops.base import HardwareNode
from hwgen.passes.candidates import candidates
from hwgen.passes.knapsack import Edge, Knapsack, Objective, Solution
from hwgen.passes.schedule import KINDS, MARGIN, Budget, Choice, Request, Schedule, overrun

TRIES = 8
"""Layouts that are made at most until one keeps to what is asked."""


class Outcome(Protocol):
    """What a schedule turned out to be, laid out: all that it takes, and how it keeps time."""

    @property
    def resources(self) -> Resources: ...

    @property
    def initiation_interval(self) -> int: ...

    @property
    def latency_cycles(self) -> int: ...


T = TypeVar("T", bound=Outcome)


@dataclass
class Planner:
    """Schedules of one network against one budget.

    Every schedule is proved to be the cheapest by the nodes' own prices and those of the converters
    between them. Prices that are dear to find are lower bounds until they are chosen.
    """

    graph: Graph
    family: Family
    budget: Budget
    request: Request

    @cached_property
    def table(self) -> list[list[Choice]]:
        return candidates(self.graph, self.family, self.request)

    @cached_property
    def intervals(self) -> list[int]:
        """Cycles per frame that every node can keep to, ascending, none below the floor."""
        slowest = max((min(c.interval for c in row) for row in self.table), default=1)
        least = max(slowest, self.budget.floor)
        return sorted({max(c.interval, least) for row in self.table for c in row} | {least})

    @cached_property
    def problem(self) -> Knapsack:
        return Knapsack(
            self.table,
            _edges(self.graph, self.table),
            self.family,
            self.budget.resources.scaled(MARGIN),
            self.budget.feed,
        )

    def at(
        self,
        interval: int,
        objective: Objective = "cost",
        *,
        reserve: Resources | None = None,
        latency: int | None = None,
    ) -> Schedule | None:
        """The cheapest schedule of at most ``interval`` cycles per frame; see ``Knapsack.solve``.

        Lower bounds among the chosen prices are replaced by exact ones, until there are none: what
        is then the cheapest is cheaper than whatever was not priced.
        """
        while True:
            found = self.problem.solve(interval, objective, reserve=reserve, latency=latency)
            if found is None:
                return None
            guessed = [k for k, c in enumerate(found.choices) if not c.exact]
            if not guessed:
                return self._schedule(found)
            for place in guessed:
                row, choice = self.table[place], found.choices[place]
                row[row.index(choice)] = choice.priced(self.family)

    def fastest(self, reserve: Resources | None = None, floor: int = 0) -> Schedule | None:
        """The cheapest of the fastest schedules that fit, of at least ``floor`` cycles a frame.

        Bisection by lower bounds of prices finds the first interval that may fit; only there are
        choices priced exactly.
        """
        first, near = bisect_left(self.intervals, floor), floor > 0

        def fits(place: int) -> bool:
            found = self.problem.solve(self.intervals[place], reserve=reserve, quick=True)
            return found is not None

        while True:
            first = _first(fits, first, len(self.intervals), near=near)
            if first == len(self.intervals):
                return None
            if found := self.at(self.intervals[first], reserve=reserve):
                return found
            first, near = first + 1, True

    def least_overrun(self, interval: int, reserve: Resources | None = None) -> Schedule:
        """What takes least beyond the budget."""
        found = self.at(interval, "overrun", reserve=reserve)
        assert found is not None, "every interval of the table has choices"
        return found

    def over(self, used: Resources) -> dict[str, float]:
        """What is used beyond the margin."""
        return overrun(used, self.budget.resources)

    def bounded(self) -> int:
        """The most cycles per frame that the request allows.

        Raises:
            BuildError: no configuration is as fast.
        """
        wanted = self.request.max_interval
        if wanted is None:
            return self.intervals[-1]
        if wanted < self.intervals[0]:
            raise BuildError(
                f"no parallelism reaches an initiation interval of {wanted} cycles; "
                f"the least is {self.intervals[0]}",
                hint="ask for fewer frames per second, or raise the clock",
            )
        return wanted

    def _schedule(self, found: Solution) -> Schedule:
        slowest = max((c.interval for c in found.choices), default=1)
        interval = max(slowest, self.budget.floor)
        return Schedule(found.choices, interval, found.resources, found.over)


def _first(holds: Callable[[int], bool], low: int, high: int, *, near: bool) -> int:
    """The first place from ``low`` on that ``holds``, as all behind it do; ``high`` if none does.
    Where it is likely to be ``near`` the first, it is looked for there."""
    step = 1
    while near and low < high:
        at = min(low + step, high) - 1
        if holds(at):
            high = at
            break
        low, step = at + 1, 2 * step
    return bisect_left(range(high), True, lo=low, key=holds)


def _edges(graph: Graph, table: list[list[Choice]]) -> list[Edge]:
    """Streams between nodes that have circuits; nodes that are only wires are looked through."""
    place = {row[0].node.name: k for k, row in enumerate(table)}
    edges = []
    for row in table:
        for port, name in enumerate(row[0].node.inputs):
            source = graph[name]
            while source.inputs and isinstance(source, HardwareNode) and source.wires_only:
                source = graph[source.inputs[0]]
            if source.name in place:
                kind = graph.types[source.name]
                sink = place[row[0].node.name]
                edges.append(Edge(place[source.name], sink, port, kind.element, kind.elements))
    return edges


def search(
    planner: Planner,
    realise: Callable[[Schedule], T],
    max_latency: int | None = None,
    price: Callable[[Schedule], Resources] = lambda schedule: schedule.resources,
) -> tuple[Schedule, T]:
    """The schedule that the request asks for, laid out by ``realise`` as often as it takes.
    ``price`` is what a schedule takes at least, before it is known what queues it needs.

    FIFOs, forks and the shell are priced and timed only when a schedule is laid out: what they
    take is held back from the budget in the next round, and a schedule that turns out slower than
    asked for is planned faster. Without a target it is the fastest that fits, with one the cheapest
    that keeps to it. When nothing fits, it is the one that takes least beyond the budget.

    Raises:
        BuildError: no configuration is fast enough, or none that was tried keeps to what is asked.
    """
    bound = planner.bounded()
    if max_latency is not None:
        return _Latency(planner, realise, bound, max_latency).search()
    held, aim, floor = Resources(), bound, 0
    outcome: T | None = None
    for _ in range(TRIES):
        if planner.request.max_interval is None:
            schedule = planner.fastest(held, floor)
        else:
            schedule = planner.at(aim, reserve=held)
        if schedule is None:
            schedule = planner.least_overrun(aim, held)
            return schedule, realise(schedule)
        floor, least = schedule.interval, price(schedule)
        if over := planner.over(least):
            held = grown(held, least, schedule.resources, over)
            continue
        outcome = realise(schedule)
        late = planner.request.max_interval is not None and outcome.initiation_interval > bound
        over = planner.over(outcome.resources)
        if not over and not late:
            return schedule, outcome
        held = grown(held, outcome.resources, schedule.resources, over)
        if late:
            aim = min(aim * bound // outcome.initiation_interval, aim - 1)
            if aim < planner.intervals[0]:
                break
    last = f"; the last one takes {outcome.initiation_interval}" if outcome else ""
    raise BuildError(
        f"no schedule that was tried keeps to {bound} cycles per frame within the budget{last}",
        hint="ask for fewer frames per second",
    )


@dataclass
class _Latency(Generic[T]):
    """The search for the cheapest schedule whose latency, laid out, keeps to ``limit``.

    The program bounds a sum of layers' cycles that grows with the latency; that bound is moved
    until the measured latency is just within the limit.
    """

    planner: Planner
    realise: Callable[[Schedule], T]
    bound: int
    limit: int
    held: Resources = field(default_factory=Resources)

    def search(self) -> tuple[Schedule, T]:
        low, high = 0, sum(max(c.interval for c in row) for row in self.planner.table) + 1
        aim = high - 1
        best: tuple[Schedule, T] | None = None
        seen: list[int] = []
        while high - low > max(low // 50, 1) and len(seen) < 2 * TRIES:
            found = self._at(aim)
            if found is None:
                low = aim
            else:
                seen.append(found[1].latency_cycles)
                if seen[-1] <= self.limit:
                    best, low = found, aim
                else:
                    high = aim
            first = low == 0 and high > self.limit
            aim = self.limit if first else (low + high) // 2
        if best is not None:
            return best
        least = f"the least is {min(seen):,}" if seen else "none fits the board"
        raise BuildError(
            f"no schedule that was tried and fits has a latency of at most {self.limit:,} cycles; "
            f"{least}",
            hint="raise --max-latency, or try --style spatial",
        )

    def _at(self, aim: int) -> tuple[Schedule, T] | None:
        """The cheapest schedule within the bound ``aim``, laid out inside the budget."""
        for _ in range(TRIES):
            schedule = self.planner.at(self.bound, reserve=self.held, latency=aim)
            if schedule is None:
                return None
            outcome = self.realise(schedule)
            over = self.planner.over(outcome.resources)
            if not over:
                return schedule, outcome
            self.held = grown(self.held, outcome.resources, schedule.resources, over)
        return None


def grown(
    held: Resources, used: Resources, known: Resources, over: Mapping[str, float]
) -> Resources:
    """What to hold back next: what was used beyond the known, and more where that is held back
    already."""
    wanted = {k: max(getattr(held, k), getattr(used, k) - getattr(known, k)) for k in KINDS}
    if all(wanted[k] == getattr(held, k) for k in over):
        wanted = {k: v + over.get(k, 0) for k, v in wanted.items()}
    return Resources(**wanted)
