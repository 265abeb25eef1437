"""``hwgen build --clock auto``: the fastest clock that the routed design meets."""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hwgen import pipeline
from hwgen.backend import boards, clocking
from hwgen.backend.boards import Board
from hwgen.errors import BuildError
from hwgen.pipeline import Built
from hwgen.request import PlanRequest
from hwgen.verify.route import route

log = logging.getLogger("hwgen")

STEP = 1.5
"""From one pipelining target to the next."""

TARGETS = 6
WORTH = 1.03
"""A target that does not make the design this much faster ends the search."""

SETTLE = 4
"""Clocks that are tried before the search gives up."""


@dataclass(frozen=True)
class Trial:
    """Registers as for ``pipeline_mhz``, and what the design then reaches."""

    pipeline_mhz: float
    clock_mhz: float
    achieved_mhz: float

    def as_dict(self) -> dict[str, float]:
        names = ("pipeline_mhz", "clock_mhz", "achieved_mhz")
        return {name: round(getattr(self, name), 3) for name in names}


def build(
    model: Path,
    out: Path,
    request: PlanRequest,
    *,
    frames: int = 16,
    seed: int = 0,
    data: Path | None = None,
) -> Built:
    """As ``pipeline.build``, at the fastest clock that is met.

    On boards of open tools every candidate is routed, and the last one is left in ``out`` with its
    bitstream. Elsewhere the clock comes from the family's delays alone, and the report says so.

    Raises:
        BuildError: no clock is met, or the design does not fit.
        HwgenError: as ``pipeline.build`` and ``verify.route.route``.
    """
    board = boards.load(request.board).linked(request.link)
    options = {"frames": frames, "seed": seed, "data": data}
    if board.flow != "nextpnr":
        return _estimated(model, out, request, board, options)
    with tempfile.TemporaryDirectory(prefix="hwgen-clock-") as name:
        trials = list(_search(model, Path(name) / "trial", request, board, options))
    best = max(trials, key=lambda trial: trial.achieved_mhz)
    built, last = _settle(model, out, request, board, best, options)
    return _told(built, "routed", [*trials, last])


def _search(
    model: Path, folder: Path, request: PlanRequest, board: Board, options: dict[str, Any]
) -> Iterator[Trial]:
    """Ever more registers, as long as they make the routed design faster."""
    target, best, seen = board.clock_mhz, 0.0, ""
    for _ in range(TARGETS):
        clock = clocking.fastest(board, target)
        wanted = replace(request, clock_mhz=clock, pipeline_mhz=target)
        built = pipeline.build(model, folder, wanted, **options)
        core = (folder / "rtl" / "core.v").read_text("utf-8") + _spatial(folder)
        if core == seen:
            return
        seen = core
        trial = Trial(target, clock, route(folder, board)[0].achieved_mhz)
        log.info("registers as for %.0f MHz: %.1f MHz", target, trial.achieved_mhz)
        yield trial
        if trial.achieved_mhz < WORTH * best or not _pipelined(built):
            return
        best, target = trial.achieved_mhz, target * STEP


def _spatial(folder: Path) -> str:
    files = sorted((folder / "rtl").glob("*_adders*.v"))
    return "".join(path.read_text("utf-8") for path in files)


def _pipelined(built: Built) -> bool:
    """Some layer has registers that depend on the clock."""
    return any(layer.style == "spatial" for layer in built.figures.layers)


def _settle(
    model: Path,
    folder: Path,
    request: PlanRequest,
    board: Board,
    best: Trial,
    options: dict[str, Any],
) -> tuple[Built, Trial]:
    """The project in ``folder`` at a clock that it meets when routed, slower with every attempt."""
    limit = best.achieved_mhz
    for _ in range(SETTLE):
        clock = clocking.fastest(board, limit)
        wanted = replace(request, clock_mhz=clock, pipeline_mhz=best.pipeline_mhz)
        built = pipeline.build(model, folder, wanted, **options)
        found = route(folder, board)[0]
        log.info("a clock of %.1f MHz: %.1f MHz", clock, found.achieved_mhz)
        if found.ok:
            return built, Trial(best.pipeline_mhz, clock, found.achieved_mhz)
        limit = min(found.achieved_mhz, clock - 1e-3)
    raise BuildError(f"no clock is met: the last one was {clock:.1f} MHz")


def _told(built: Built, method: str, trials: list[Trial]) -> Built:
    """The build with the search in its report."""
    last = trials[-1]
    how = "met by the routed design" if method == "routed" else "from the family's delays, unrouted"
    search = {
        "method": method,
        "trials": [trial.as_dict() for trial in trials],
        "text": f"clock {last.clock_mhz:.3f} MHz, {how} ({last.achieved_mhz:.1f} MHz)",
    }
    report = {**built.report, "clock_search": search}
    (built.folder / "report.json").write_text(json.dumps(report, indent=2) + "\n", "utf-8")
    return replace(built, report=report)


def _estimated(
    model: Path, out: Path, request: PlanRequest, board: Board, options: dict[str, Any]
) -> Built:
    """The fastest clock by the estimate, where the board's own tools route."""
    trials: list[Trial] = []
    target = board.clock_mhz
    for _ in range(TARGETS):
        wanted = replace(request, clock_mhz=board.clock_mhz, pipeline_mhz=target)
        figures = pipeline.plan(model, wanted).figures
        if trials and figures.fmax_mhz < WORTH * trials[-1].achieved_mhz:
            break
        clock = clocking.fastest(board, figures.fmax_mhz)
        trials.append(Trial(target, clock, figures.fmax_mhz))
        target *= STEP
    best = trials[-1]
    wanted = replace(request, clock_mhz=best.clock_mhz, pipeline_mhz=best.pipeline_mhz)
    built = pipeline.build(model, out, wanted, **options)
    return _told(built, "estimated", trials)
