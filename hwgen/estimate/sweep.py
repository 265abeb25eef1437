"""The Pareto front of a network on a board: frames per second against LUTs and block RAMs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hwgen.backend.boards import Board
from hwgen.errors import BuildError
from hwgen.estimate.figures import as_counts, capacity
from hwgen.families.base import Resources
from hwgen.passes.knapsack import Objective
from hwgen.passes.planner import TRIES, Planner, grown
from hwgen.passes.schedule import MARGIN, Schedule

POINTS = 16
"""Intervals at most for which plans are made, as evenly spread in their logarithm as can be."""

PURPOSES: dict[Objective, str] = {"lut": "fewest LUTs", "bram36": "fewest block RAMs"}


@dataclass(frozen=True)
class Point:
    """The plan that takes least of ``objective`` with a frame every ``interval`` cycles."""

    objective: Objective
    interval: int
    fps: float
    resources: Resources
    bottleneck: str

    def as_dict(self) -> dict[str, Any]:
        return {
            "objective": self.objective,
            "initiation_interval": self.interval,
            "fps": round(self.fps, 1),
            "resources": as_counts(self.resources),
            "bottleneck": self.bottleneck,
        }


@dataclass(frozen=True)
class Front:
    """Points from the fastest to the slowest, first those of fewest LUTs, then of fewest block
    RAMs; none of the same objective is faster with no more LUTs and no more block RAMs."""

    name: str
    board: Board
    clock_mhz: float
    points: tuple[Point, ...]

    def of(self, objective: Objective) -> list[Point]:
        return [p for p in self.points if p.objective == objective]

    def as_dict(self) -> dict[str, Any]:
        return {
            "model": self.name,
            "board": self.board.name,
            "clock_mhz": self.clock_mhz,
            "budget": as_counts(capacity(self.board)),
            "margin": MARGIN,
            "points": [p.as_dict() for p in self.points],
        }


Progress = Callable[[Sequence[int]], Iterable[int]]


def front(
    planner: Planner,
    price: Callable[[Schedule], Resources],
    board: Board,
    clock_mhz: float,
    progress: Progress = iter,
) -> Front:
    """The cheapest plans inside the board's budget from the fastest that fits to the slowest.

    ``price`` says what a schedule takes when it is laid out.

    Raises:
        BuildError: nothing fits the board.
    """
    fastest = planner.fastest()
    if fastest is None:
        raise BuildError(
            f"{planner.graph.name} does not fit {board.name} at any speed",
            hint="choose a larger board: hwgen boards",
        )
    intervals = spread([i for i in planner.intervals if i >= fastest.interval], POINTS)
    found: list[Point] = []
    purposes: list[Objective] = ["lut", "bram36"] if board.bram36 else ["lut"]
    for interval in progress(intervals):
        for objective in purposes:
            plan = _cheapest(planner, price, interval, objective)
            if plan is not None:
                schedule, used = plan
                rate = clock_mhz * 1e6 / schedule.interval
                slowest = schedule.slowest
                name = slowest.node.name if slowest else "stream"
                found.append(Point(objective, schedule.interval, rate, used, name))
    points = [p for o in PURPOSES for p in undominated([q for q in found if q.objective == o])]
    return Front(planner.graph.name, board, clock_mhz, tuple(points))


def _cheapest(
    planner: Planner, price: Callable[[Schedule], Resources], interval: int, objective: Objective
) -> tuple[Schedule, Resources] | None:
    """The schedule that takes least of one resource, and all that it takes laid out, inside the
    budget."""
    held = Resources()
    for _ in range(TRIES):
        schedule = planner.at(interval, objective, reserve=held)
        if schedule is None:
            return None
        used = price(schedule)
        over = planner.over(used)
        if not over:
            return schedule, used
        held = grown(held, used, schedule.resources, over)
    return None


def spread(values: Sequence[int], count: int) -> list[int]:
    """At most ``count`` of the ascending ``values``, both ends among them, evenly spread in their
    logarithm."""
    if len(values) <= count:
        return list(values)
    ratio = (values[-1] / values[0]) ** (1 / (count - 1))
    wanted = [values[0] * ratio**k for k in range(count)]
    return sorted({min(values, key=lambda v: abs(v / w - 1)) for w in wanted})


def undominated(points: Sequence[Point]) -> list[Point]:
    """Without those that a faster one is as good as, in LUTs and in block RAMs."""
    kept: list[Point] = []
    for point in sorted(points, key=lambda p: p.interval):
        used = point.resources
        better = [p.resources.lut <= used.lut and p.resources.bram36 <= used.bram36 for p in kept]
        if not any(better):
            kept.append(point)
    return kept
