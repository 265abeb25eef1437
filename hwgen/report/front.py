"""The Pareto front as a table and as a plot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Any

import jinja2

from hwgen import paths
from hwgen.estimate.explain import NAMES
from hwgen.estimate.figures import as_counts, capacity
from hwgen.estimate.sweep import PURPOSES, Front, Point
from hwgen.passes.knapsack import Objective
from hwgen.passes.schedule import MARGIN
from hwgen.report.table import number, table

WIDTH, HEIGHT, GAP, TOP, BOTTOM = 470, 330, 100, 44, 84
COLORS: dict[Objective, str] = {"lut": "#1f6fb4", "bram36": "#d9730d"}


def front_text(front: Front) -> str:
    """A row per plan, the fastest first, for each resource that is made least."""
    parts = []
    for objective, purpose in PURPOSES.items():
        points = front.of(objective)
        if not points:
            continue
        head = ["frames/s", "cycles", *NAMES.values(), "LUT share", "limited by"]
        rows = [_row(p, capacity(front.board).lut) for p in points]
        parts.append(f"{purpose} at each speed\n\n{table(head, rows, left=0)}")
    where = f"{front.name} on {front.board.name} at {front.clock_mhz:g} MHz, plans with the"
    note = f"Inside {MARGIN:.0%} of the board; FIFOs between layers are not counted."
    return "\n\n".join([where, *parts, note])


def _row(point: Point, has: float) -> list[object]:
    counts = as_counts(point.resources)
    cells = [number(counts[k]) for k in NAMES]
    share = f"{100 * point.resources.lut / has:.1f}%"
    return [f"{point.fps:,.0f}", f"{point.interval:,}", *cells, share, point.bottleneck]


def front_svg(front: Front) -> str:
    """An SVG picture: LUTs, and block RAMs where the board has any, against frames/s."""
    kinds: list[Objective] = ["lut", "bram36"] if front.of("bram36") else ["lut"]
    panels = [_panel(front, kind, k) for k, kind in enumerate(kinds)]
    width = GAP + len(kinds) * (WIDTH + GAP) - GAP // 2
    drawn = [o for o in PURPOSES if front.of(o)]
    legend = [
        {"x": GAP + 190 * k, "color": COLORS[o], "text": PURPOSES[o]} for k, o in enumerate(drawn)
    ]
    loader = jinja2.FileSystemLoader(paths.RTL_TEMPLATES)
    environment = jinja2.Environment(
        loader=loader, undefined=jinja2.StrictUndefined, trim_blocks=True, autoescape=False
    )
    return environment.get_template("report/front.svg").render(
        width=width,
        height=TOP + HEIGHT + BOTTOM,
        title=f"{front.name} on {front.board.name}",
        clock=f"{front.clock_mhz:g}",
        panels=panels,
        legend=legend,
    )


@dataclass(frozen=True)
class _Axis:
    """A scale from values to pixels; ``low`` and ``high`` are its ends."""

    low: float
    high: float
    pixels: int
    logarithmic: bool = False
    down: bool = False

    def at(self, value: float) -> float:
        low, high = self.low, self.high
        if self.logarithmic:
            low, high, value = log10(low), log10(high), log10(value)
        share = (value - low) / (high - low)
        return round(self.pixels * (1 - share if self.down else share), 1)


def _panel(front: Front, kind: Objective, place: int) -> dict[str, Any]:
    rates = [p.fps for p in front.points]
    x = _Axis(min(rates) / 1.15, max(rates) * 1.15, WIDTH, logarithmic=True)
    limit = MARGIN * getattr(capacity(front.board), kind)
    most = max(getattr(p.resources, kind) for p in front.points)
    top = limit if most > limit / 3 else most
    ticks = linear_ticks(max(top, 1.0) * 1.08)
    y = _Axis(0, ticks[-1], HEIGHT, down=True)
    board = f"{MARGIN:.0%} of {front.board.name}"
    shown = {"at": y.at(limit), "text": board} if limit <= y.high else None
    lines = [_line(front.of(o), o, kind, x, y) for o in PURPOSES if front.of(o)]
    return {
        "left": GAP + place * (WIDTH + GAP),
        "top": TOP,
        "width": WIDTH,
        "height": HEIGHT,
        "x_ticks": [{"at": x.at(v), "text": t} for v, t in log_ticks(x.low, x.high)],
        "y_ticks": [{"at": y.at(v), "text": number(v)} for v in ticks],
        "y_title": {"lut": "LUTs", "bram36": "block RAMs of 36 kbit"}[kind],
        "limit": shown,
        "lines": lines,
    }


def _line(
    points: Sequence[Point], objective: Objective, kind: Objective, x: _Axis, y: _Axis
) -> dict[str, Any]:
    marks = [
        {
            "x": x.at(p.fps),
            "y": y.at(getattr(p.resources, kind)),
            "text": f"{p.fps:,.0f} frames/s: {number(ceil(p.resources.lut))} LUT, "
            f"{number(p.resources.bram36)} BRAM36, limited by {p.bottleneck}",
        }
        for p in points
    ]
    return {"color": COLORS[objective], "points": marks}


def linear_ticks(top: float) -> list[float]:
    """Round numbers from 0 to the first that is at least ``top``, about five of them."""
    unit = 10 ** floor(log10(top / 4))
    step = next(unit * m for m in (1, 2, 5, 10) if top / (unit * m) <= 6)
    return [step * k for k in range(ceil(top / step) + 1)]


def log_ticks(low: float, high: float) -> list[tuple[float, str]]:
    """``(value, text)`` of 1, 2 and 5 times powers of ten; others have no text."""
    found = []
    for power in range(floor(log10(low)), ceil(log10(high)) + 1):
        for digit in range(1, 10):
            value = digit * 10.0**power
            if low <= value <= high:
                found.append((value, short(value) if digit in (1, 2, 5) else ""))
    return found


def short(value: float) -> str:
    """A round number with its thousands as k, its millions as M."""
    for factor, letter in ((1e6, "M"), (1e3, "k")):
        if value >= factor:
            return f"{value / factor:g}{letter}"
    return f"{value:g}"
