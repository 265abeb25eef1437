"""Place and route with open tools: from a built project to a bitstream and the clock it reaches."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hwgen import tools
from hwgen.backend.boards import Board
from hwgen.backend.flow import BITSTREAMS, CONSTRAINTS, SYNTHESIS, TOP, gowin_family
from hwgen.errors import BuildError, UsageError
from hwgen.families.synthesis import prepare
from hwgen.verify import manifest as manifests
from hwgen.verify import verilate
from hwgen.verify.manifest import Manifest

WORK = "nextpnr/build"
BOARD = "hwgen_board.v"
NEXTPNR = {"ecp5": "nextpnr-ecp5", "ice40": "nextpnr-ice40", "gowin": "nextpnr-himbaechel"}
PACKERS = {"ecp5": "ecppack", "ice40": "icepack", "gowin": "gowin_pack"}


@dataclass(frozen=True, slots=True)
class Step:
    """One hop of the critical path: where it leads, and the time of its logic or its net."""

    layer: str
    net: str
    kind: str
    ns: float


@dataclass(frozen=True, slots=True)
class RouteResult:
    """One routed design.

    Members:
        achieved_mhz: the clock it reaches by nextpnr's timing model.
        utilisation: cells used and available, by kind.
        critical: the slowest path, hop by hop.
        bitstream: file below the project.
    """

    seed: int
    target_mhz: float
    achieved_mhz: float
    utilisation: Mapping[str, tuple[int, int]]
    critical: tuple[Step, ...]
    bitstream: Path
    seconds: float

    @property
    def ok(self) -> bool:
        """The target clock is reached."""
        return self.achieved_mhz >= self.target_mhz

    @property
    def critical_layers(self) -> dict[str, float]:
        """Nanoseconds of the critical path in each layer, in its order."""
        found: dict[str, float] = {}
        for step in self.critical:
            found[step.layer] = found.get(step.layer, 0.0) + step.ns
        return found


def route(
    folder: Path,
    board: Board,
    *,
    seeds: Sequence[int] = (1,),
    options: Sequence[str] = (),
    timeout: float = 6 * 3600.0,
) -> list[RouteResult]:
    """Routes the project once for every seed; the fastest first, with a bitstream each.

    ``options`` follow those of the board on nextpnr's command line.

    Raises:
        UsageError: the board is not one of open tools, or the project is for another one.
        ToolError: yosys, nextpnr or the packer is missing.
        BuildError: a tool failed, as it does where the design does not fit.
    """
    folder = folder.resolve()
    manifest = manifests.read(folder)
    if board.flow != "nextpnr" or not (folder / "nextpnr" / BOARD).is_file():
        raise UsageError(
            f"place and route needs a project for a board of open tools, not {board.name}",
            hint="hwgen build MODEL --board ulx3s-85f",
        )
    _tool(NEXTPNR[board.family], PACKERS[board.family])
    (folder / WORK).mkdir(parents=True, exist_ok=True)
    _synthesize(folder, board, timeout)
    board = replace(board, nextpnr_options=(*board.nextpnr_options, *options))
    with ThreadPoolExecutor(min(len(seeds), os.cpu_count() or 1)) as pool:
        jobs = [pool.submit(_place, folder, board, manifest, seed, timeout) for seed in seeds]
        found = [job.result() for job in jobs]
    return sorted(found, key=lambda result: -result.achieved_mhz)


def _tool(*names: str) -> None:
    for name in names:
        tools.require(name)


def _synthesize(folder: Path, board: Board, timeout: float) -> None:
    yosys = tools.require("yosys")
    sources = [f"rtl/{path.name}" for path in manifests.sources(folder)]
    sources += sorted(f"nextpnr/{path.name}" for path in (folder / "nextpnr").glob("hwgen_*.v"))
    script = [f'read_verilog "{source}"' for source in sources]
    script += prepare(board.family, TOP)
    script += [f"{SYNTHESIS[board.family]} -top {TOP} -json {WORK}/design.json"]
    (folder / WORK / "design.ys").write_text("\n".join(script) + "\n", "utf-8")
    command = [yosys.command, "-q", "-s", f"{WORK}/design.ys"]
    log = folder / WORK / "yosys.log"
    verilate.run_logged(command, log, yosys.environ(), folder, timeout)


def _place(
    folder: Path, board: Board, manifest: Manifest, seed: int, timeout: float
) -> RouteResult:
    began = time.monotonic()
    stem = f"{WORK}/seed-{seed}"
    report = folder / f"{stem}.report.json"
    report.unlink(missing_ok=True)
    nextpnr = tools.require(NEXTPNR[board.family])
    command = [
        nextpnr.command, *board.nextpnr_options, "--freq", f"{manifest.clock_mhz:g}",
        "--seed", str(seed), "--json", f"{WORK}/design.json", "--report", f"{stem}.report.json",
        "--timing-allow-fail", *_ends(board, stem),
    ]  # fmt: skip
    log = folder / f"{stem}.log"
    verilate.run_logged(command, log, nextpnr.environ(), folder, timeout)
    bitstream = _pack(folder, board, stem, timeout)
    try:
        data = json.loads(report.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BuildError(f"nextpnr wrote no report: {error}\n{verilate.tail(log)}") from None
    layers = {layer.instance: layer.name for layer in manifest.layers}
    return RouteResult(
        seed=seed,
        target_mhz=manifest.clock_mhz,
        achieved_mhz=_achieved(data),
        utilisation={
            kind: (int(cell["used"]), int(cell["available"]))
            for kind, cell in data["utilization"].items()
            if cell["used"]
        },
        critical=_critical(data, layers),
        bitstream=bitstream,
        seconds=time.monotonic() - began,
    )


def _ends(board: Board, stem: str) -> list[str]:
    """nextpnr's arguments for pins and for what the packer reads."""
    pins = f"nextpnr/{CONSTRAINTS[board.family]}"
    if board.family == "ecp5":
        return ["--lpf", pins, "--textcfg", f"{stem}.config"]
    if board.family == "ice40":
        return ["--pcf", pins, "--asc", f"{stem}.asc"]
    return ["--vopt", f"cst={pins}", "--write", f"{stem}.placed.json"]


def _pack(folder: Path, board: Board, stem: str, timeout: float) -> Path:
    target = f"{stem}{BITSTREAMS[board.family]}"
    packer = tools.require(PACKERS[board.family])
    arguments = {
        "ecp5": ["--compress", f"{stem}.config", target],
        "ice40": [f"{stem}.asc", target],
        "gowin": ["-d", gowin_family(board), "-o", target, f"{stem}.placed.json"],
    }[board.family]
    log = folder / f"{stem}.pack.log"
    verilate.run_logged([packer.command, *arguments], log, packer.environ(), folder, timeout)
    return folder / target


def _achieved(report: Mapping[str, Any]) -> float:
    clocks = [float(clock["achieved"]) for clock in report["fmax"].values()]
    if not clocks:
        raise BuildError("nextpnr reports no clock: the design has no register")
    return min(clocks)


def _critical(report: Mapping[str, Any], layers: Mapping[str, str]) -> tuple[Step, ...]:
    """The slowest path that begins and ends at one clock."""
    paths = [
        path["path"]
        for path in report.get("critical_paths", [])
        if path["from"].split()[-1] == path["to"].split()[-1] and "async" not in path["from"]
    ]
    slowest: list[Any] = max(paths, key=lambda path: sum(hop["delay"] for hop in path), default=[])
    return tuple(_step(hop, layers) for hop in slowest)


def _step(hop: Mapping[str, Any], layers: Mapping[str, str]) -> Step:
    """A hop, placed by the name of the cell that it leads to: a layer, a unit of the core, the
    streams between units, an AXI adapter, the link to the host, or the board's top.
    """
    name = hop["to"].get("cell", "")
    found = re.search(r"\bcore\.(\w+)", name) or re.match(r"net\.(\w+)\.", name)
    linked = name.startswith(("link.", "transport."))
    place = found.group(1) if found else "link" if linked else "board"
    if place.startswith("interface__"):
        place = "streams"
    return Step(layers.get(place, place), hop.get("net", ""), str(hop["type"]), hop["delay"])
