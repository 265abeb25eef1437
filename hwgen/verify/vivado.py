"""Vivado's run of a built project, where it is installed, in the terms of the open tools' results.

The project's ``build.tcl`` writes ``vivado/output``: a bitstream and two reports, which are read
back as a ``SynthResult`` and a ``RouteResult``.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hwgen import tools
from hwgen.backend.boards import Board
from hwgen.errors import BuildError, UsageError
from hwgen.families.base import Resources
from hwgen.verify import manifest as manifests
from hwgen.verify import verilate, vivado_reports
from hwgen.verify.manifest import Manifest
from hwgen.verify.route import RouteResult, Step
from hwgen.verify.synth import SynthPart, SynthResult
from hwgen.verify.vivado_reports import Instance

SCRIPT = "vivado/build.tcl"
OUTPUT = "vivado/output"


@dataclass(frozen=True, slots=True)
class VivadoResult:
    """What the implemented design takes, and the clock that it reaches."""

    synth: SynthResult
    route: RouteResult


def implement(folder: Path, board: Board, *, timeout: float = 6 * 3600.0) -> VivadoResult:
    """Runs ``build.tcl`` from sources to a bitstream; the log is ``vivado/vivado.log``.

    Raises:
        UsageError: the folder is no project for a board of Vivado's.
        ToolError: vivado is not on PATH.
        BuildError: it failed, or its reports cannot be read.
    """
    folder = folder.resolve()
    manifest = manifests.read(folder)
    if board.flow != "vivado" or not (folder / SCRIPT).is_file():
        raise UsageError(
            f"Vivado needs a project for one of its boards, not {board.name}",
            hint="hwgen build MODEL --board pynq-z2",
        )
    vivado = tools.require("vivado")
    began = time.monotonic()
    jobs = str(os.cpu_count() or 1)
    command = [vivado.command, "-mode", "batch", "-nojournal", "-nolog"]
    command += ["-source", "build.tcl", "-tclargs", jobs]
    work = folder / "vivado"
    verilate.run_logged(command, work / "vivado.log", vivado.environ(), work, timeout)
    return read_back(folder, board, manifest, time.monotonic() - began)


def read_back(folder: Path, board: Board, manifest: Manifest, seconds: float) -> VivadoResult:
    """The reports of a run that has ended.

    Raises:
        BuildError: one of them, or the bitstream, is not there or not as Vivado writes it.
    """
    usage, timing = (_text(folder / OUTPUT / f"{k}.rpt") for k in ("utilization", "timing"))
    rows = vivado_reports.utilization(usage)
    path = vivado_reports.slowest(timing)
    bitstreams = sorted((folder / OUTPUT).glob("*.bit"))
    if not bitstreams:
        raise BuildError(f"Vivado wrote no bitstream to {OUTPUT}")
    used = rows[0].resources
    route = RouteResult(
        seed=1,
        target_mhz=manifest.clock_mhz,
        achieved_mhz=path.achieved_mhz,
        utilisation={
            kind.upper(): (round(getattr(used, kind)), int(getattr(board, kind)))
            for kind in ("lut", "ff", "bram36", "dsp")
            if getattr(used, kind)
        },
        critical=tuple(
            Step(_place(hop.resource, manifest), hop.resource, hop.kind, hop.ns)
            for hop in path.hops
        ),
        bitstream=bitstreams[0],
        seconds=seconds,
    )
    tool = vivado_reports.tool_version(usage)
    return VivadoResult(_synthesis(rows, manifest, board.family, tool, seconds), route)


def _synthesis(
    rows: Sequence[Instance], manifest: Manifest, family: str, tool: str, seconds: float
) -> SynthResult:
    """The accelerator's units in the core, and what is left of it outside them."""
    whole = _row(rows, manifest.top)
    inside = [row for row in rows if row.path[: len(whole.path)] == whole.path]
    core = _row(inside, manifest.core)
    named = {layer.instance: layer.name for layer in manifest.layers}
    parts = tuple(
        _part(named.get(row.path[-1], row.path[-1]), row.path[-1], row)
        for row in rows
        if row.path[:-1] == core.path and row is not core
    )
    rest = whole.resources
    for part in parts:
        rest = _less(rest, part.resources)
    lutram = whole.lutram - sum(part.lutram for part in parts)
    return SynthResult(
        family=family,
        total=_part(manifest.top, "", whole),
        parts=parts,
        rest=SynthPart("rest", "", rest, lutram, {}),
        tool=tool,
        seconds=seconds,
    )


def _row(rows: Sequence[Instance], module: str) -> Instance:
    """The innermost instance of a module; Vivado puts the block design's names before its own."""
    found = [row for row in rows if row.module == module or row.module.endswith(f"_{module}")]
    if not found:
        raise BuildError(
            f"Vivado's utilization report must hold the module {module}",
            hint="the synthesis must keep the hierarchy (-flatten_hierarchy rebuilt or none)",
        )
    return max(found, key=lambda row: len(row.path))


def _part(name: str, instance: str, row: Instance) -> SynthPart:
    cells: Mapping[str, int] = {}
    return SynthPart(name, instance, row.resources, row.lutram, cells)


def _less(a: Resources, b: Resources) -> Resources:
    return Resources(**{k: getattr(a, k) - getattr(b, k) for k in ("lut", "ff", "bram36", "dsp")})


def _place(resource: str, manifest: Manifest) -> str:
    """The layer, unit of the core or part of the shell that a netlist resource lies in."""
    found = re.search(rf"(?:^|/){re.escape(manifest.core)}/([^/]+)/", resource)
    if found is None:
        return "shell" if f"/{manifest.top}/" in f"/{resource}" else "board"
    named = {layer.instance: layer.name for layer in manifest.layers}
    return named.get(found[1], found[1])


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError as error:
        raise BuildError(
            f"Vivado wrote no {path.name}: {error.strerror}", hint="see vivado/vivado.log"
        ) from None
