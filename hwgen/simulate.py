"""``hwgen sim``: a built project's bench, and whole data sets, against the golden model."""

from __future__ import annotations

import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from hwgen import vectors
from hwgen.built import Outcome, read_graph, read_report
from hwgen.ir.graph import Graph
from hwgen.ir.types import Ints
from hwgen.ops.input import Input
from hwgen.ops.output import Output
from hwgen.verify.divergence import Divergence


def _input(graph: Graph) -> Input:
    assert isinstance(graph.input, Input)
    return graph.input


def _output(graph: Graph) -> Output:
    assert isinstance(graph.output, Output)
    return graph.output


def bench(
    folder: Path,
    *,
    simulator: str = "verilator",
    seed: int | None = None,
    cells: bool = False,
    wave: Path | None = None,
) -> Outcome:
    """``hwgen sim DIR``: the cocotb bench on the accelerator, or on its netlist of ``cells``.

    Raises:
        HwgenError: as ``verify.cocotb_run.simulate`` and ``verify.synth.netlist``.
    """
    from hwgen.verify.cocotb_run import simulate

    mapped = _netlist(folder) if cells else None
    found = simulate(folder, simulator=simulator, seed=seed, netlist=mapped, wave=wave)
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
        data["divergence"], text = _divergence(read_graph(folder), found.divergence)
        lines.append(text)
    lines += _waves(wave)
    return Outcome({**data, "as_predicted": exact}, "\n".join(lines), good)


def _netlist(folder: Path) -> Any:
    from hwgen.verify.synth import netlist

    return netlist(folder, read_report(folder)["family"])


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


def _waves(wave: Path | None) -> list[str]:
    if wave is None:
        return []
    return [f"waveforms in {wave}; gtkwave {wave.with_suffix('.gtkw')} opens them"]


def _predicted(found: Any) -> str:
    return f"{found.predicted.latency_cycles} and {found.predicted.initiation_interval}"


def dataset(
    folder: Path,
    data_set: Path,
    *,
    limit: int | None = None,
    simulator: str = "verilator",
    wave: Path | None = None,
    progress: bool = True,
) -> Outcome:
    """``hwgen sim DIR --dataset FILE``: every frame through the compiled core, against golden.

    ``simulator`` is the one that looks for the layer of a wrong integer, or writes ``wave``.

    Raises:
        HwgenError: as ``vectors.read``, ``verify.dataset.simulate_dataset``, and
            ``verify.cocotb_run.trace``.
    """
    from hwgen.verify.dataset import simulate_dataset

    graph = read_graph(folder)
    read = vectors.read(data_set, limit)
    x = _input(graph).encode(read.x)
    found = simulate_dataset(folder, vectors.streamed(x), progress=progress)
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
    if wrong.any() or wave:
        frame = int(np.argwhere(wrong)[0][0]) if wrong.any() else 0
        flat, want = (vectors.streamed(v[frame : frame + 1])[0] for v in (outputs, golden))
        at_output = _at_output(graph, frame, flat, want)
        first, part = _led(x, frame)
        located = _located(folder, graph, part, simulator, wave)
        if at_output is not None:
            seen = replace(located, frame=first + located.frame) if located else at_output
            data["divergence"], text = _divergence(graph, seen)
            lines.append(text)
    lines += _waves(wave)
    return Outcome(data, "\n".join(lines), not wrong.any())


def _at_output(graph: Graph, frame: int, got: Ints, want: Ints) -> Divergence | None:
    """The first output integer of a frame that differs, as the end of the last layer."""
    wrong = np.flatnonzero(got != want)
    if not len(wrong):
        return None
    element = int(wrong[0])
    values = {"expected": int(want[element]), "got": int(got[element])}
    return Divergence(graph.output.inputs[0], frame, element, -1, **values)


def _led(x: Ints, frame: int) -> tuple[int, Ints]:
    """A frame and those just before it, and the number of the first of them."""
    first = max(frame - LEAD, 0)
    return first, x[first : frame + 1]


def _located(
    folder: Path, graph: Graph, x: Ints, simulator: str, wave: Path | None
) -> Divergence | None:
    """The frames ``x`` once more through the bench with taps on every layer.

    None where the fault does not show itself in so few frames.
    """
    from hwgen.verify.cocotb_run import trace
    from hwgen.verify.manifest import read

    manifest = replace(read(folder), frames=len(x))
    found = vectors.golden(graph, {layer.name for layer in manifest.layers}, x)
    with tempfile.TemporaryDirectory(prefix="hwgen-vectors-") as name:
        sim = Path(name)
        (sim / "manifest.json").write_text(manifest.to_json(), "utf-8")
        for place, values in found.items():
            file = sim / "vectors" / f"{place}.npy"
            file.parent.mkdir(parents=True, exist_ok=True)
            np.save(file, values)
        return trace(folder, sim, simulator=simulator, wave=wave)


LEAD = 2
"""Frames before a wrong one that are simulated again with it."""
