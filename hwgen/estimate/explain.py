"""Why a plan is as fast as it is, and the least change that would make one fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

from hwgen.backend import boards
from hwgen.backend.boards import Board
from hwgen.estimate.figures import Figures, capacity
from hwgen.families.base import Resources
from hwgen.passes.knapsack import vector
from hwgen.passes.planner import Planner
from hwgen.passes.schedule import MARGIN, Choice, Schedule

NAMES = {"lut": "LUT", "ff": "FF", "bram36": "BRAM36", "dsp": "DSP"}


@dataclass(frozen=True)
class Explanation:
    """What limits a plan.

    Members:
        bottleneck: the layer that takes most cycles per frame, or ``stream``.
        cycles: that it takes.
        limit: why there is no faster plan, as a sentence.
        changes: where the plan does not fit, what would make it fit, the least change first.
    """

    bottleneck: str
    cycles: int
    limit: str
    changes: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """The explanation as sentences, one a line."""
        if self.changes:
            return ["does not fit: " + self.changes[0], *self.changes[1:]]
        what = "the stream" if self.bottleneck == "stream" else self.bottleneck
        found = f"{what} limits it: {self.cycles:,} cycles per frame"
        return [f"{found}; {self.limit}" if self.limit else found]

    def as_dict(self) -> dict[str, Any]:
        return {
            "bottleneck": self.bottleneck,
            "cycles": self.cycles,
            "limit": self.limit,
            "changes": list(self.changes),
        }


def explain(planner: Planner, schedule: Schedule, shown: Figures) -> Explanation:
    """The plan that ``planner`` chose and ``shown`` priced, in words."""
    slowest = schedule.slowest
    stream = slowest is None or slowest.interval < schedule.interval
    name = "stream" if stream or slowest is None else slowest.node.name
    rest = vector(shown.resources) - vector(schedule.resources)
    held = Resources(*(max(float(r), 0.0) for r in rest))
    changes = _changes(planner, schedule, shown, held) if shown.over else ()
    limit = "" if shown.over else _limit(planner, schedule, shown, held)
    return Explanation(name, schedule.interval, limit, tuple(changes))


def every(cycles: int) -> str:
    """``every 5 cycles``."""
    return "every cycle" if cycles == 1 else f"every {cycles:,} cycles"


def amounts(used: Mapping[str, float]) -> str:
    """``1,234 LUT and 2.5 BRAM36``."""
    parts = [
        f"{value if kind == 'bram36' and value % 1 else ceil(value):,} {NAMES[kind]}"
        for kind, value in used.items()
    ]
    return " and ".join(parts)


def _limit(planner: Planner, schedule: Schedule, shown: Figures, held: Resources) -> str:
    faster = [i for i in planner.intervals if i < schedule.interval]
    if not faster:
        return _fastest_of_all(planner, schedule, shown)
    if planner.request.max_interval is not None:
        return f"this is the cheapest plan with a frame {every(planner.bounded())}"
    found = planner.problem.solve(faster[-1], "overrun", reserve=held)
    if found is None or not found.over:
        return ""
    bound = "" if all(c.exact for c in found.choices) else "at least "
    return (
        f"the next faster plan, a frame {every(faster[-1])}, takes {bound}{amounts(found.over)} "
        f"more than {MARGIN:.0%} of {shown.board.name}"
    )


def _fastest_of_all(planner: Planner, schedule: Schedule, shown: Figures) -> str:
    bound = max(planner.table, key=lambda row: min(c.interval for c in row), default=[])
    least = min((c.interval for c in bound), default=0)
    if planner.budget.floor >= least:
        return (
            f"the {shown.board.word_bits}-bit stream takes {planner.budget.floor:,} cycles for a "
            "frame; --stream-bits widens it"
        )
    return f"{bound[0].node.name} takes at least {least:,} cycles, however parallel it is"


def _changes(planner: Planner, schedule: Schedule, shown: Figures, held: Resources) -> list[str]:
    lines = []
    for kind, excess in shown.over.items():
        lines.append(_largest(schedule.choices, kind, excess, shown.board))
    slower = planner.fastest(held, schedule.interval + 1)
    if slower is not None:
        rate = shown.clock_mhz * 1e6 / slower.interval
        lines.append(f"{shown.board.name} holds {rate:,.0f} frames/s (--target-fps {rate:.0f}).")
    if board := _larger(planner, schedule.interval, held, shown.board):
        lines.append(f"{board.name} would hold it (--board {board.name}).")
    asked = planner.request
    forced = {n for n, keys in asked.layers.items() if keys.get("style") == "spatial"}
    spatial = [
        c
        for c in schedule.choices
        if c.config.style == "spatial" and (asked.style == "spatial" or c.node.name in forced)
    ]
    if spatial:
        most = max(spatial, key=lambda c: c.resources.lut)
        option = f"--set {most.node.name}.style=folded"
        lines.append(f"Folding {most.node.name} ({option}) would save most.")
    if len(lines) == len(shown.over):
        lines.append("Fewer weights or activation bits in these layers would help.")
    return lines


def _largest(choices: tuple[Choice, ...], kind: str, excess: float, board: Board) -> str:
    """The fewest layers that would have to go for the rest to fit."""
    order = sorted(choices, key=lambda c: -getattr(c.resources, kind))
    named, found = [], 0.0
    for choice in order[:3]:
        share = getattr(choice.resources, kind)
        if found >= excess or not share:
            break
        named.append(f"{choice.node.name} ({amounts({kind: share})})")
        found += share
    where = f"; the largest: {', '.join(named)}" if named else ""
    has = getattr(capacity(board), kind)
    return f"{amounts({kind: excess})} over {MARGIN:.0%} of {amounts({kind: has})}{where}."


def _larger(planner: Planner, interval: int, held: Resources, board: Board) -> Board | None:
    """The least board of the same family that holds a plan of this interval."""
    others = [boards.load(name) for name in boards.names()]
    larger = [b for b in others if b.family == board.family and b.lut > board.lut]
    for other in sorted(larger, key=lambda b: b.lut):
        problem = replace(planner.problem, budget=capacity(other).scaled(MARGIN))
        if problem.solve(interval, reserve=held) is not None:
            return other
    return None
