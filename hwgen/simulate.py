"""The verbs on a built project: bench, data set, synthesis; each gives data, text and a verdict."""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hwgen import vectors
from hwgen.errors import UsageError
from hwgen.estimate.figures import as_counts
from hwgen.ir.graph import Graph
from hwgen.ir.serialize import from_json
from hwgen.ir.types import Ints
from hwgen.ops.input import Input
from hwgen.ops.output import Output
from hwgen.verify.divergence import Divergence

if TYPE_CHECKING:
    from hwgen.verify.route import RouteResult
    from hwgen.verify.synth import SynthResult


@dataclass(frozen=True)
class Outcome:
    """The result of a verb."""

    data: dict[str, Any]
    text: str
    good: bool = True


def read_graph(folder: Path) -> Graph:
    """The integer graph of a built project.

    Raises:
        UsageError: ``folder`` is not a built project.
        ModelFileError: its graph is damaged.
    """
    import hwgen.ops  # noqa: F401  (fills the registry of nodes)

    try:
        text = (folder / "graph.json").read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise UsageError(
            f"{str(folder)!r} must be a folder that hwgen build wrote, and has no graph.json",
            hint="hwgen build MODEL --board BOARD --out DIR",
        ) from None
    return from_json(text)


def _input(graph: Graph) -> Input:
    assert isinstance(graph.input, Input)
    return graph.input


def _output(graph: Graph) -> Output:
    assert isinstance(graph.output, Output)
    return graph.output


def bench(options: argparse.Namespace) -> Outcome:
    """``hwgen sim DIR``: the cocotb bench on the accelerator."""
    from hwgen.verify.cocotb_run import simulate

    mapped = _netlist(options.dir) if options.cells else None
    found = simulate(
        options.dir,
        simulator=options.simulator,
        seed=options.seed,
        netlist=mapped,
        wave=options.wave,
    )
    data = asdict(found)
    exact = (
        found.latency_cycles == found.predicted.latency_cycles
        and found.initiation_interval == found.predicted.initiation_interval
    )
    good = not found.mismatches and not found.failures and found.divergence is None
    lines = [
        f"{found.frames} frames on {found.simulator}, seed {found.seed}: "
        f"{found.mismatches} mismatches",
        f"latency {found.latency_cycles} cycles, initiation interval "
        f"{found.initiation_interval} cycles"
        + (", as predicted" if exact else f"; predicted {_predicted(found)}"),
        *found.failures,
    ]
    if found.divergence is not None:
        data["divergence"], text = _divergence(read_graph(options.dir), found.divergence)
        lines.append(text)
    lines += _waves(options)
    return Outcome({**data, "as_predicted": exact}, "\n".join(lines), good)


def _netlist(folder: Path) -> Any:
    from hwgen.verify.synth import netlist

    return netlist(folder, _report(folder)["family"])


def _divergence(graph: Graph, found: Divergence) -> tuple[dict[str, Any], str]:
    """A divergence with the pixel and channel that its element is, as data and as a line."""
    data = asdict(found)
    shape = graph.types[found.layer].shape if found.layer in graph.types else (1,)
    pixel, channel = divmod(found.element, shape[0])
    where = [f"channel {channel}"]
    data["channel"] = channel
    if len(shape) > 1:
        data["pixel"] = [int(v) for v in np.unravel_index(pixel, shape[1:])]
        where.insert(0, "pixel " + ", ".join(map(str, data["pixel"])))
    return data, f"first divergence: {found} ({', '.join(where)})"


def _waves(options: argparse.Namespace) -> list[str]:
    if options.wave is None:
        return []
    opened = options.wave.with_suffix(".gtkw")
    return [f"waveforms in {options.wave}; gtkwave {opened} opens them"]


def _predicted(found: Any) -> str:
    return f"{found.predicted.latency_cycles} and {found.predicted.initiation_interval}"


def dataset(options: argparse.Namespace) -> Outcome:
    """``hwgen sim DIR --dataset FILE``: every frame through the compiled core, against golden."""
    from hwgen.verify.dataset import simulate_dataset

    graph = read_graph(options.dir)
    read = vectors.read(options.dataset, options.limit)
    x = _input(graph).encode(read.x)
    found = simulate_dataset(options.dir, vectors.streamed(x), progress=not options.json)
    shape = graph.types[graph.output.name].shape
    golden = graph.evaluate(x)
    outputs = vectors.unstreamed(found.outputs, shape)
    wrong = (outputs != golden).reshape(len(x), -1)
    data: dict[str, Any] = {
        "top": "core",
        "frames": len(x),
        "mismatches": int(wrong.sum()),
        "latency_cycles": found.latency_cycles,
        "initiation_interval": found.initiation_interval,
        "accuracy": None,
        "seconds": round(found.seconds, 3),
        "compile_seconds": round(found.compile_seconds, 3),
        "frames_per_second": round(found.frames_per_second, 1),
    }
    lines = [
        f"{len(x):,} frames: {data['mismatches']} mismatches, {found.frames_per_second:,.0f} "
        f"frames/s simulated ({found.seconds:.1f} s, compiled in {found.compile_seconds:.1f} s)"
    ]
    if read.y is not None:
        predictions = _output(graph).predictions(outputs)
        data["accuracy"] = float(np.mean(predictions == np.asarray(read.y).ravel()))
        lines.append(f"accuracy {100 * data['accuracy']:.2f} %")
    lines.append(
        f"core: latency {found.latency_cycles} cycles, initiation interval "
        f"{found.initiation_interval} cycles"
    )
    if wrong.any() or options.wave:
        frame = int(np.argwhere(wrong)[0][0]) if wrong.any() else 0
        flat, want = (vectors.streamed(v[frame : frame + 1])[0] for v in (outputs, golden))
        at_output = _at_output(graph, frame, flat, want)
        located = _located(options, graph, x, frame)
        if at_output is not None:
            data["divergence"], text = _divergence(graph, located or at_output)
            lines.append(text)
    lines += _waves(options)
    return Outcome(data, "\n".join(lines), not wrong.any())


def _at_output(graph: Graph, frame: int, got: Ints, want: Ints) -> Divergence | None:
    """The first output integer of a frame that differs, as the end of the last layer."""
    wrong = np.flatnonzero(got != want)
    if not len(wrong):
        return None
    element = int(wrong[0])
    values = {"expected": int(want[element]), "got": int(got[element])}
    return Divergence(graph.output.inputs[0], frame, element, -1, **values)


def _located(options: argparse.Namespace, graph: Graph, x: Ints, frame: int) -> Divergence | None:
    """The frames up to ``frame`` once more through the bench with taps on every layer.

    None where the fault does not show itself in so few frames.
    """
    from hwgen.verify.cocotb_run import trace
    from hwgen.verify.manifest import read

    first = max(frame - LEAD, 0)
    part = x[first : frame + 1]
    manifest = replace(read(options.dir), frames=len(part))
    found = vectors.golden(graph, {layer.name for layer in manifest.layers}, part)
    with tempfile.TemporaryDirectory(prefix="hwgen-vectors-") as folder:
        sim = Path(folder)
        (sim / "manifest.json").write_text(manifest.to_json(), "utf-8")
        for name, values in found.items():
            file = sim / "vectors" / f"{name}.npy"
            file.parent.mkdir(parents=True, exist_ok=True)
            np.save(file, values)
        seen = trace(options.dir, sim, simulator=options.simulator, wave=options.wave)
    return replace(seen, frame=first + seen.frame) if seen else None


LEAD = 2
"""Frames before a wrong one that are simulated again with it."""


def synth(options: argparse.Namespace) -> Outcome:
    """``hwgen synth DIR``: yosys for the board's family, beside the estimate, layer by layer."""
    from hwgen.verify.synth import synthesize

    report = _report(options.dir)
    data, text = _counted(synthesize(options.dir, report["family"]), report)
    return Outcome(data, text)


def _counted(found: SynthResult, report: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """What a tool counted beside the estimate, layer by layer."""
    from hwgen.report.table import synth_text

    estimated = {r["name"]: r for r in [*report["layers"], *report["plumbing"]]}
    rows = [_beside(part, estimated.get(part.name)) for part in found.parts]
    shell = [r["resources"] for r in report["plumbing"] if r["name"] in SHELL]
    rest = {k: sum(r[k] for r in shell) for k in ("lut", "ff", "bram36", "dsp")}
    rows.append({**_beside(found.rest, None), "name": "shell", "estimate": rest})
    data = {
        "family": found.family,
        "tool": found.tool,
        "seconds": round(found.seconds, 1),
        **_counts(found.total),
        "estimate": report["resources"],
        "layers": rows,
    }
    return data, synth_text(data)


SHELL = ("axi_in", "axi_out", "registers")


def _counts(part: Any) -> dict[str, Any]:
    return as_counts(part.resources)


def _beside(part: Any, estimate: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "name": part.name,
        **_counts(part),
        "estimate": estimate["resources"] if estimate else None,
    }


def _report(folder: Path) -> dict[str, Any]:
    try:
        data: dict[str, Any] = json.loads((folder / "report.json").read_text("utf-8"))
        return {"family": data["family"], **data}
    except (OSError, ValueError, KeyError):
        raise UsageError(
            f"{str(folder)!r} must be a folder that hwgen build wrote, and has no report.json",
            hint="hwgen build MODEL --board BOARD --out DIR",
        ) from None


def route(options: argparse.Namespace) -> Outcome:
    """``hwgen synth DIR --route``: a bitstream per seed, the clock it reaches, its slowest path.

    For boards of Vivado's, its own run and its reports, where it is installed.
    """
    from hwgen.backend import boards
    from hwgen.verify.route import route as routed
    from hwgen.verify.vivado import implement

    if options.seeds < 1:
        raise UsageError(f"--seeds must be at least 1, not {options.seeds}")
    report = _report(options.dir)
    board = boards.load(report["board"])
    if board.flow == "vivado":
        made = implement(options.dir, board)
        counted, text = _counted(made.synth, report)
        outcome = _routed([made.route], report)
        return Outcome(
            {**outcome.data, "synth": counted}, f"{text}\n\n{outcome.text}", outcome.good
        )
    return _routed(routed(options.dir, board, seeds=range(1, options.seeds + 1)), report)


def _routed(found: list[RouteResult], report: dict[str, Any]) -> Outcome:
    """Routed designs, the fastest first."""
    runs = [
        {
            "seed": r.seed,
            "target_mhz": r.target_mhz,
            "achieved_mhz": r.achieved_mhz,
            "utilisation": {kind: list(pair) for kind, pair in r.utilisation.items()},
            "critical_ns": {layer: round(ns, 3) for layer, ns in r.critical_layers.items()},
            "bitstream": r.bitstream.as_posix(),
            "seconds": round(r.seconds, 1),
        }
        for r in found
    ]
    best = found[0]
    lines = [
        f"seed {r.seed}: {r.achieved_mhz:.1f} MHz (target {r.target_mhz:g}), {r.bitstream}"
        for r in found
    ]
    used = ", ".join(f"{kind} {a:,} of {b:,}" for kind, (a, b) in best.utilisation.items() if a)
    slow = ", ".join(f"{layer} {ns:.1f} ns" for layer, ns in best.critical_layers.items())
    lines += [used, f"slowest path: {slow}"]
    data = {"board": report["board"], "estimate": report["resources"], "runs": runs}
    return Outcome(data, "\n".join(lines), best.ok)
