"""The straight line, read top to bottom: a model file to a plan, a plan to a built project."""

from __future__ import annotations

import logging
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import hwgen
from hwgen import families, vectors
from hwgen.backend import boards, project, verilog
from hwgen.backend import core as backend_core
from hwgen.backend.boards import Board
from hwgen.design.accelerator import Accelerator
from hwgen.design.queues import accelerate
from hwgen.errors import BuildError, UsageError
from hwgen.estimate.explain import Explanation, explain
from hwgen.estimate.figures import Figures, capacity, figures
from hwgen.families.base import Resources
from hwgen.frontend.models import read_model
from hwgen.ir.graph import Graph
from hwgen.ir.text import dump
from hwgen.ir.verify import verify
from hwgen.passes.absorb import absorb
from hwgen.passes.integerize import integerize
from hwgen.passes.planner import Planner, search
from hwgen.passes.schedule import Budget, Request, Schedule
from hwgen.passes.signs import compare_with_zero
from hwgen.passes.tabulate import tabulate
from hwgen.store import store
from hwgen.verify.float_check import FloatCheck, float_check

log = logging.getLogger("hwgen")

NUMBERS = ("pe", "simd", "bits")
"""What ``--set`` takes whole numbers for."""


@dataclass(frozen=True)
class PlanRequest:
    """What a user may say about a plan; ``sets`` are ``layer.key=value``, ``config`` a TOML
    file."""

    board: str = "pynq-z2"
    clock_mhz: float | None = None
    pipeline_mhz: float | None = None
    style: str = "auto"
    target_fps: float | None = None
    max_latency: str | None = None
    sets: tuple[str, ...] = ()
    config: Path | None = None
    stream_bits: str | None = None
    dump_ir: Path | None = None
    input_type: str | None = None


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
    request = _with_config(request)
    board = boards.load(request.board)
    clock = request.clock_mhz or board.clock_mhz
    family = replace(families.get(board.family), period_ns=1000 / (request.pipeline_mhz or clock))
    source = read_model(model, request.input_type)
    lowered = integerize(source)
    graph = verify(lowered.graph)
    check = float_check(lowered, source.examples)
    _dump(request.dump_ir, "1-integers", graph)
    graph = verify(compare_with_zero(tabulate(absorb(graph))))
    _dump(request.dump_ir, "2-merged", graph)
    word_bits = _word_bits(request, board, graph)
    feed, drain = Accelerator.words(graph, word_bits)
    budget = Budget(capacity(board), max(feed, drain), feed)
    wanted = Request(request.style, _max_interval(request, clock), _layers(request))
    planner = Planner(graph, family, budget, wanted)

    def realise(schedule: Schedule) -> _Laid:
        accelerator = accelerate(graph, schedule.configs, family, word_bits)
        return _Laid(accelerator, figures(accelerator, board, clock))

    schedule, laid = search(planner, realise, _cycles(request.max_latency, clock))
    explanation = explain(planner, schedule, laid.figures)
    planned = Planned(graph, laid.accelerator, laid.figures, explanation, check)
    _refuse_hang(planned)
    return planned


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
        vectors=vectors.golden(planned.graph, planned.accelerator.layout.taps, stimulus),
        report=report,
    )
    project.write(project.render(contents), out)
    store().trim()
    return Built(out, report, shown, planned.explanation)


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


def _with_config(request: PlanRequest) -> PlanRequest:
    """The request with what its TOML file says; the command line wins."""
    if request.config is None:
        return request
    try:
        data = tomllib.loads(request.config.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{request.config} must be a TOML file: {error}") from None
    known = {"board", "clock_mhz", "style", "target_fps", "max_latency", "stream_bits"}
    known |= {"input_type", "layers"}
    if unknown := sorted(set(data) - known):
        raise UsageError(
            f"{request.config}: {unknown[0]!r} is not one of {', '.join(sorted(known))}"
        )
    layers = data.pop("layers", {})
    sets = tuple(f"{n}.{k}={v}" for n, keys in layers.items() for k, v in keys.items())
    defaults = PlanRequest()
    given = {k: v for k, v in data.items() if getattr(request, k) == getattr(defaults, k)}
    if "stream_bits" in given:
        given["stream_bits"] = str(given["stream_bits"])
    if "max_latency" in given:
        given["max_latency"] = str(given["max_latency"])
    return replace(request, sets=(*sets, *request.sets), **given)


def _layers(request: PlanRequest) -> Mapping[str, Mapping[str, Any]]:
    layers: dict[str, dict[str, Any]] = {}
    for text in request.sets:
        found = re.fullmatch(r"(.+)\.(style|pe|simd|memory|multiplier|bits)=(\w[\w-]*)", text)
        if not found:
            raise UsageError(
                f"--set must be LAYER.KEY=VALUE with KEY style, pe, simd, memory, "
                f"multiplier or bits, not {text!r}"
            )
        name, key, value = found.groups()
        if key in NUMBERS and not value.isdigit():
            raise UsageError(f"{key} must be a whole number, not {value!r}", origin=text)
        layers.setdefault(name, {})[key] = int(value) if key in NUMBERS else value
    return layers


def _max_interval(request: PlanRequest, clock_mhz: float) -> int | None:
    if request.target_fps is None:
        return None
    if not request.target_fps > 0:
        raise UsageError(f"--target-fps must be positive, not {request.target_fps}")
    cycles = int(clock_mhz * 1e6 / request.target_fps)
    if cycles < 1:
        raise UsageError(
            f"{request.target_fps:g} frames/s need more than one frame per cycle at "
            f"{clock_mhz:g} MHz"
        )
    return cycles


def _cycles(text: str | None, clock_mhz: float) -> int | None:
    """A latency such as ``120`` (cycles), ``5us``, ``1.5ms`` or ``200ns`` in cycles."""
    if text is None:
        return None
    found = re.fullmatch(r"([0-9.]+)\s*(ns|us|µs|ms)?", text.strip())
    try:
        value = float(found.group(1)) if found else 0.0
    except ValueError:
        value = 0.0
    if not found or value <= 0:
        raise UsageError(f"--max-latency must be cycles or a time like 5us, not {text!r}")
    factor = {None: 1.0, "ns": 1e-3, "us": 1.0, "µs": 1.0, "ms": 1e3}[found.group(2)]
    return int(value if found.group(2) is None else value * factor * clock_mhz)


def _word_bits(request: PlanRequest, board: Board, graph: Graph) -> int:
    if request.stream_bits is None:
        return board.word_bits
    if request.stream_bits == "native":
        return Accelerator.native_word_bits(graph)
    text = request.stream_bits
    if not text.isdigit() or int(text) < 8 or int(text) & (int(text) - 1):
        raise UsageError(f"--stream-bits must be a power of two from 8, or native, not {text!r}")
    return int(text)


def _dump(folder: Path | None, step: str, graph: Graph) -> None:
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{step}.txt").write_text(dump(graph))
