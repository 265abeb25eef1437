"""Runs ``sim/bench.py`` of a built project on Verilator or Icarus and reads what it found."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import cocotb_tools.config
from cocotb_tools.check_results import get_results

from hwgen import tools
from hwgen.errors import BuildError, UsageError
from hwgen.verify import manifest as manifests
from hwgen.verify import verilate, waves
from hwgen.verify.divergence import Divergence
from hwgen.verify.manifest import Manifest, Predicted
from hwgen.verify.synth import Netlist

SIMULATORS = ("verilator", "icarus")
PHASES = ("free_running", "random_stalls", "reset_in_mid_frame", "packets", "registers", "loads")
BUILD = "sim/build"
SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class SimResult:
    """What the bench found.

    Members:
        frames: output frames that were compared, over all phases.
        mismatches: output integers that differ.
        latency_cycles, initiation_interval: measured at the AXI4-Stream words; None where the bench
            could not measure them.
        predicted: what the manifest says of both.
        divergence: the first difference, None where there is none.
        failures: one line for every phase that failed.
    """

    simulator: str
    seed: int
    frames: int
    mismatches: int
    latency_cycles: int | None
    initiation_interval: int | None
    predicted: Predicted
    divergence: Divergence | None
    failures: tuple[str, ...]
    seconds: float

    @property
    def ok(self) -> bool:
        """Every integer equal, every phase passed, and the cycles those predicted."""
        return not self.failures and not self.mismatches and self.as_predicted

    @property
    def as_predicted(self) -> bool:
        """Measured cycles equal the predicted ones."""
        interval = self.initiation_interval
        return self.latency_cycles == self.predicted.latency_cycles and interval in (
            None,
            self.predicted.initiation_interval,
        )


@dataclass(frozen=True, slots=True)
class _Bench:
    """One project, and how to run the bench on it."""

    folder: Path
    manifest: Manifest
    simulator: str
    seed: int
    sources: tuple[Path, ...]
    sim: Path
    includes: tuple[Path, ...] = ()
    defines: tuple[str, ...] = ()
    wave: Path | None = None


def simulate(
    folder: Path,
    *,
    simulator: str = "verilator",
    seed: int | None = None,
    taps: bool = True,
    cells: bool = False,
    netlist: Netlist | None = None,
    wave: Path | None = None,
) -> SimResult:
    """Runs every phase of the bench; after a mismatch once more with taps between the layers.

    ``wave`` is a file for waveforms (.fst, with Verilator also .vcd) of the phase that failed, or
    of the free-running one; what opens it at the divergence is written beside (``waves.py``).

    With ``cells`` the family's own cells are simulated, bit by bit, in place of the behavioural
    modules that stand for them: many times slower, and the last word on the mapping. With a
    ``netlist`` that is simulated in place of the project's Verilog; it has no taps.

    Raises:
        UsageError: ``folder`` is not a built project, an unknown simulator, or a form of waveforms
            that it does not write.
        ToolError: the simulator is missing, or what it writes waveforms with.
        BuildError: the bench did not run to its end.
    """
    if simulator not in SIMULATORS:
        raise UsageError(f"simulator must be one of {', '.join(SIMULATORS)}, not {simulator!r}")
    if wave is not None:
        waves.check(wave, simulator)
    folder = folder.resolve()
    manifest = manifests.read(folder)
    seed = manifest.seed if seed is None else seed
    began = time.monotonic()
    sources = tuple(manifests.simulated(folder, cells=cells))
    bench = _Bench(folder, manifest, simulator, seed, sources, folder / "sim")
    if netlist is not None:
        sources = (netlist.file, *netlist.models)
        bench = replace(bench, sources=sources, includes=netlist.includes, defines=netlist.defines)
        taps = False
    found, failed = _run(bench, None)
    divergence = _at_output(manifest, found["first"])
    taps = taps and bool(manifest.layers)
    if wave is not None or (taps and (found["first"] or failed)):
        divergence = _again(bench, _failed_phase(found, failed), taps, wave) or divergence
    return SimResult(
        simulator=simulator,
        seed=seed,
        frames=found["frames"],
        mismatches=found["mismatches"],
        latency_cycles=found["latency_cycles"],
        initiation_interval=found["initiation_interval"],
        predicted=manifest.predicted,
        divergence=divergence,
        failures=failed,
        seconds=time.monotonic() - began,
    )


def _at_output(manifest: Manifest, first: dict[str, Any] | None) -> Divergence | None:
    if first is None:
        return None
    layer = manifest.layers[-1].name if manifest.layers else manifest.top
    what = {key: first[key] for key in ("frame", "element", "expected", "got")}
    return Divergence(layer=layer, cycle=-1, **what)


def _failed_phase(found: dict[str, Any], failed: tuple[str, ...]) -> str:
    """The first phase that went wrong, the first of all where none did."""
    if found["first"]:
        return str(found["first"]["phase"])
    return failed[0].split(":")[0] if failed else PHASES[0]


def _again(bench: _Bench, phase: str, taps: bool, wave: Path | None) -> Divergence | None:
    """One phase once more, with taps and waveforms: the first divergence that the taps saw."""
    with tempfile.TemporaryDirectory(prefix="hwgen-wave-") as folder:
        part = Path(folder) / wave.name if wave else None
        found, _ = _run(replace(bench, wave=part), phase, taps)
        divergence = Divergence(**found["divergence"]) if found["divergence"] else None
        if wave is not None and part is not None:
            waves.keep(part, wave, bench.manifest, divergence)
    return divergence


def trace(
    folder: Path, sim: Path, *, simulator: str = "verilator", wave: Path | None = None
) -> Divergence | None:
    """The free-running phase on the vectors in ``sim``, tapped: the first divergence.

    ``sim`` holds ``manifest.json`` and ``vectors/`` like the project's own. Raises as ``simulate``.
    """
    if wave is not None:
        waves.check(wave, simulator)
    manifest = manifests.read(folder)
    sources = tuple(manifests.simulated(folder))
    bench = _Bench(folder.resolve(), manifest, simulator, manifest.seed, sources, sim)
    return _again(bench, PHASES[0], bool(manifest.layers), wave)


def _run(
    bench: _Bench, phase: str | None, taps: bool = False
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """One run of all phases or of one: its result file, and a line for every failed phase."""
    build = bench.folder / BUILD
    build.mkdir(parents=True, exist_ok=True)
    run = Path(tempfile.mkdtemp(prefix=".run-", dir=build))
    try:
        result, results = run / "result.json", run / "results.xml"
        job = {
            "simulator": bench.simulator,
            "top": bench.manifest.top,
            "sources": [str(source) for source in bench.sources],
            "includes": [str(include) for include in bench.includes],
            "defines": dict.fromkeys(bench.defines, 1),
            "build": str(_model(bench, taps, run)),
            "run": str(run),
            "testcase": phase,
            "wave": str(bench.wave) if bench.wave else None,
        }
        env = _environment(bench, result, taps)
        log = run / "cocotb.log"
        child = str(Path(__file__).with_name("cocotb_child.py"))
        _call([sys.executable, child, json.dumps(job)], log, env, run)
        _check_count(results, log, 1 if phase else len(PHASES))
        if not result.is_file():
            raise BuildError(f"the bench wrote no result:\n{verilate.tail(log)}")
        return json.loads(result.read_text("utf-8")), _failures(results)
    finally:
        shutil.rmtree(run, ignore_errors=True)


def _call(command: list[str], log: Path, env: dict[str, str], cwd: Path) -> None:
    """Runs the child; its exit code tells nothing that the results file does not tell better."""
    try:
        verilate.run_logged(command, log, env, cwd, SECONDS)
    except BuildError:
        if not (cwd / "results.xml").is_file():
            raise


def _check_count(results: Path, log: Path, wanted: int) -> None:
    try:
        count, _ = get_results(results)
    except (RuntimeError, ElementTree.ParseError):
        raise BuildError(f"the simulator ended abnormally:\n{verilate.tail(log)}") from None
    if count != wanted:
        raise BuildError(f"{wanted} phases of the bench must run, not {count}")


def _failures(results: Path) -> tuple[str, ...]:
    """The first line of every failure in cocotb's results file."""
    lines = []
    for case in ElementTree.parse(results).getroot().iter("testcase"):
        for kind in (*case.findall("failure"), *case.findall("error")):
            text = kind.get("error_msg") or kind.get("message") or kind.text or "failed"
            lines.append(f"{case.get('name')}: {text.strip().splitlines()[0]}")
    return tuple(lines)


def _model(bench: _Bench, taps: bool, run: Path) -> Path:
    """The folder in which cocotb's runner finds the compiled model."""
    manifest = bench.manifest
    if bench.simulator == "icarus":
        tools.require("iverilog")
        tools.require("vvp")
        return run
    share, libs = cocotb_tools.config.share_dir, cocotb_tools.config.libs_dir
    control = run / "public.vlt"
    control.write_text(_public(manifest, taps), "utf-8")
    program = verilate.Program(
        top=manifest.top,
        prefix="top",
        sources=(control, *bench.sources),
        main=share / "lib" / "verilator" / "verilator.cpp",
        args=(
            *(f"-I{include}" for include in bench.includes),
            *(f"-D{name}" for name in bench.defines),
            *waves.verilator_args(bench.wave),
            "--vpi", "--timescale", "1ns/1ps", "--x-assign", "fast", "--x-initial", "fast",
            "--output-split", "20000",
            "-LDFLAGS", f"-Wl,-rpath,{libs} -L{libs} -lcocotbvpi_verilator",
        ),
        optimise=("OPT_FAST=-O1", "OPT_SLOW=-O0", "OPT_GLOBAL=-O1"),
    )  # fmt: skip
    model = verilate.compiled(program, bench.folder / BUILD)
    link = run / manifest.top  # the runner looks for a program of the top module's name
    link.symlink_to(model)
    return run


def _public(manifest: Manifest, taps: bool) -> str:
    """Verilator's control file: the top's ports, and with taps every unit's output stream."""
    lines = ["`verilator_config", f'public_flat_rw -module "{manifest.top}" -var "*axi*"']
    lines += [f'public_flat_rw -module "{manifest.top}" -var "a*"']
    if taps:
        for name in ("payload", "valid", "ready"):
            lines.append(f'public_flat_rd -module "*" -var "o__{name}"')
    return "\n".join(lines) + "\n"


def _environment(bench: _Bench, result: Path, taps: bool) -> dict[str, str]:
    env = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    inherited = [path for path in sys.path if path]
    env["PYTHONPATH"] = os.pathsep.join([str(bench.folder / "sim"), *inherited])
    env["PYTHONDONTWRITEBYTECODE"] = "1"
    env["COCOTB_ANSI_OUTPUT"] = "0"
    env["HWGEN_SIM"] = str(bench.sim)
    env["HWGEN_RESULT"] = str(result)
    env["HWGEN_SEED"] = str(bench.seed)
    env["HWGEN_TAPS"] = str(int(taps))
    return env
