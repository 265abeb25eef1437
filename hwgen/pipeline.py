"""The straight line, read top to bottom: a model file to a plan, a plan to a built project."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import hwgen
from hwgen import families, vectors
from hwgen.backend import boards, project, verilog
from hwgen.backend import core as backend_core
from hwgen.backend.boards import Board
from hwgen.constants import rolled, writes
from hwgen.design.accelerator import Accelerator, WordBits
from hwgen.design.joiner import Joiner
from hwgen.design.queues import accelerate
from hwgen.errors import BuildError, UsageError
from hwgen.estimate.explain import Explanation, explain
from hwgen.estimate.figures import Figures, capacity, figures
from hwgen.estimate.sweep import Front, Progress, front
from hwgen.families.base import Resources
from hwgen.frontend.models import read_model
from hwgen.ir.graph import Graph
from hwgen.ir.text import dump
from hwgen.ir.types import Ints
from hwgen.ir.verify import verify
from hwgen.passes.absorb import absorb
from hwgen.passes.integerize import integerize
from hwgen.passes.planner import Planner, search
from hwgen.passes.schedule import Budget, Request, Schedule
from hwgen.passes.signs import compare_with_zero
from hwgen.passes.tabulate import tabulate
from hwgen.passes.writable import writable
from hwgen.request import PlanRequest, cycles, layer_settings, max_interval, with_config
from hwgen.store import store
from hwgen.verify.float_check import FloatCheck, float_check

log = logging.getLogger("hwgen")


@dataclass(frozen=True)
class Planned:
    """A network with every decision taken, priced and timed; nothing is generated yet."""

    graph: Graph
    accelerator: Accelerator
    figures: Figures
    explanation: Explanation
    check: FloatCheck | None = None

    def report(self) -> dict[str, Any]:
        """What ``report.json`` and ``--json`` hold."""
        data = self.figures.as_dict()
        data["model"] = self.graph.name
        data["hwgen"] = hwgen.__version__
        if self.check is not None:
            data["float_check"] = {**self.check.as_dict(), "text": self.check.text()}
        data["plan"] = self.explanation.as_dict()
        return data


@dataclass(frozen=True)
class _Laid:
    """A schedule laid out, as the planner sees it."""

    accelerator: Accelerator
    figures: Figures

    @property
    def resources(self) -> Resources:
        return self.figures.resources

    @property
    def initiation_interval(self) -> int:
        return self.figures.initiation_interval

    @property
    def latency_cycles(self) -> int:
        return self.figures.latency_cycles


@dataclass(frozen=True)
class Built:
    """A project on disk."""

    folder: Path
    report: dict[str, Any]
    figures: Figures
    explanation: Explanation


def plan(model: Path, request: PlanRequest) -> Planned:
    """From a model file to a priced plan for a board.

    Raises:
        HwgenError: a model, board or request that cannot be planned.
    """
    wanted = _wanted(model, request)
    board, clock, planner = wanted.board, wanted.clock_mhz, wanted.planner

    def realise(schedule: Schedule) -> _Laid:
        accelerator = accelerate(wanted.graph, schedule.configs, planner.family, wanted.word_bits)
        return _Laid(accelerator, figures(accelerator, board, clock))

    schedule, laid = search(planner, realise, wanted.max_latency, wanted.price)
    explanation = explain(planner, schedule, laid.figures)
    planned = Planned(wanted.graph, laid.accelerator, laid.figures, explanation, wanted.check)
    _refuse_hang(planned)
    return planned


def sweep(model: Path, request: PlanRequest, progress: Progress = iter) -> Front:
    """The Pareto front of plans for a board; nothing is asked of their speed.

    Raises:
        HwgenError: a model, board or request that cannot be planned, or nothing fits.
    """
    wanted = _wanted(model, request)
    if wanted.planner.request.max_interval is not None or wanted.max_latency is not None:
        raise UsageError("--sweep plans for every speed; leave --target-fps and --max-latency out")
    return front(wanted.planner, wanted.price, wanted.board, wanted.clock_mhz, progress)


@dataclass(frozen=True)
class _Wanted:
    """A network in integers, and what is asked of its accelerator."""

    graph: Graph
    check: FloatCheck | None
    board: Board
    clock_mhz: float
    word_bits: WordBits
    max_latency: int | None
    planner: Planner

    def price(self, schedule: Schedule) -> Resources:
        """What a schedule takes without any queue."""
        family = self.planner.family
        joined = Joiner(self.graph, schedule.configs, family).layout({})
        return Accelerator(joined, self.word_bits).resources(family)


def _wanted(model: Path, request: PlanRequest) -> _Wanted:
    request = with_config(request)
    board = boards.load(request.board).linked(request.link)
    clock = request.clock_mhz or board.clock_mhz
    family = replace(families.get(board.family), period_ns=1000 / (request.pipeline_mhz or clock))
    source = read_model(model, request.input_type)
    lowered = integerize(source)
    graph = verify(lowered.graph)
    check = float_check(lowered, source.examples)
    _dump(request.dump_ir, "1-integers", graph)
    graph = merged(graph, request.writable)
    _dump(request.dump_ir, "2-merged", graph)
    word_bits = _word_bits(request, board, graph)
    feed, drain = Accelerator.words(graph, word_bits)
    budget = Budget(capacity(board), max(feed, drain), feed)
    wanted = Request(request.style, max_interval(request, clock), layer_settings(request))
    planner = Planner(graph, family, budget, wanted)
    limit = cycles(request.max_latency, clock)
    return _Wanted(graph, check, board, clock, word_bits, limit, planner)


def merged(graph: Graph, names: Sequence[str]) -> Graph:
    """The graph that is built: nodes merged where that is exact, and those of ``names`` writable.

    Raises:
        UsageError, UnsupportedError: see ``passes.writable``.
    """
    return verify(compare_with_zero(tabulate(writable(absorb(graph), names))))


def build(
    model: Path,
    out: Path,
    request: PlanRequest,
    *,
    frames: int = 16,
    seed: int = 0,
    data: Path | None = None,
) -> Built:
    """From a model file to a project in ``out``, written at once at the end.

    Raises:
        BuildError: the network does not fit and no style was asked for, or generation failed.
        HwgenError: as ``plan``.
    """
    planned = plan(model, request)
    shown = planned.figures
    if shown.over and request.style == "auto" and not request.sets:
        raise BuildError(
            f"{model.name} does not fit {shown.board.name}: "
            + ", ".join(f"{v:,.0f} {k} over" for k, v in shown.over.items()),
            hint=" ".join(planned.explanation.changes),
        )
    if shown.over:
        log.warning("warning: the design does not fit %s, it is built as asked", shown.board.name)
    core = core_verilog(planned)
    identity = project.build_id([*core.values(), planned.figures.board.name])
    rtl = {**core, "accelerator.v": shell_verilog(planned, identity)}
    stimulus = vectors.make(planned.graph, frames, seed, data)
    report = {**planned.report(), "build": f"{identity:#010x}", "seed": seed}
    contents = project.Contents(
        board=shown.board,
        manifest=vectors.manifest(planned.accelerator, shown.clock_mhz, identity, seed, frames),
        graph=planned.graph,
        rtl=rtl,
        vectors={
            **vectors.golden(planned.graph, planned.accelerator.layout.taps, stimulus),
            **_loads(planned, stimulus),
        },
        report=report,
    )
    project.write(project.render(contents), out)
    store().trim()
    return Built(out, report, shown, planned.explanation)


def _loads(planned: Planned, x: Ints) -> Mapping[str, Ints]:
    """For the bench: the writable constants, others of the same shape, and what those give."""
    layout = planned.accelerator.layout
    if not layout.writable:
        return {}
    items, other = tuple(vectors.writables(layout)), rolled(planned.graph)
    return {
        "loads/own": writes(planned.graph, items, layout.family),
        "loads/other": writes(other, items, layout.family),
        "loads/output": vectors.golden(other, (), x)["output"],
    }


def core_verilog(planned: Planned) -> dict[str, str]:
    """Verilog by file name: the core, and what its spatial layers bring."""
    layout = planned.accelerator.layout
    core = verilog.unremarked(backend_core.core_verilog(layout))
    return {"core.v": core} | layout.verilog_files()


def shell_verilog(planned: Planned, identity: int) -> str:
    """The module ``accelerator`` whose BUILD register is ``identity``."""
    shell = planned.accelerator.shell(identity)
    return verilog.unremarked(verilog.convert(shell, "accelerator", shell.ports()))


def _refuse_hang(planned: Planned) -> None:
    if planned.accelerator.measure().deadlock:
        raise AssertionError("the token model says that the planned streams deadlock")


def _word_bits(request: PlanRequest, board: Board, graph: Graph) -> WordBits:
    if request.stream_bits is None:
        return board.word_bits, board.word_bits
    if request.stream_bits == "native":
        return Accelerator.native_word_bits(graph)
    text = request.stream_bits
    if not text.isdigit() or int(text) < 8 or int(text) & (int(text) - 1):
        raise UsageError(f"--stream-bits must be a power of two from 8, or native, not {text!r}")
    return int(text), int(text)


def _dump(folder: Path | None, step: str, graph: Graph) -> None:
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{step}.txt").write_text(dump(graph))
