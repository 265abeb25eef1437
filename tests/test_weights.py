"""Writable layers: another network of the same shape in an accelerator that is at work."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import hwgen
from hwgen import nn as q
from hwgen import pipeline, vectors, weights
from hwgen.board_run import load_driver
from hwgen.built import read_graph
from hwgen.cli import main
from hwgen.errors import ModelError, UsageError
from hwgen.ir.graph import Graph
from hwgen.ops.input import Input
from hwgen.ops.output import Output
from hwgen.pipeline import PlanRequest
from hwgen.verify import pynq_sim
from tests.models import small_mlp, tiny_mlp

ALL = PlanRequest(writable=("all",), style="folded", target_fps=2_000_000)


def saved(folder: Path, seed: int) -> Path:
    path = folder / f"model{seed}.pt"
    hwgen.save(small_mlp(seed).eval(), path, torch.zeros(1, 12))
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("weights")


@pytest.fixture(scope="module")
def built(folder: Path) -> Path:
    out = folder / "built"
    pipeline.build(saved(folder, 0), out, ALL, frames=6)
    return out


@pytest.fixture
def own_modules() -> Iterator[None]:
    """Forgets the stand-in for pynq afterwards."""
    yield
    sys.modules.pop("pynq", None)


def test_every_layer_and_its_thresholds_can_be_written(built: Path) -> None:
    manifest = json.loads((built / "sim" / "manifest.json").read_text())
    graph = read_graph(built)
    kinds = [graph[item["name"]].op for item in manifest["writable"]]
    assert kinds == ["linear", "threshold", "linear", "threshold", "linear"]
    assert manifest["load_words"] > 20


def test_the_bench_changes_constants_between_frames(
    built: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sim", str(built), "--simulator", "icarus", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["mismatches"] == 0
    assert found["as_predicted"]


def _logits(graph: Graph, x: np.ndarray) -> np.ndarray:
    source, sink = graph.input, graph.output
    assert isinstance(source, Input)
    assert isinstance(sink, Output)
    return sink.logits(graph.evaluate(source.encode(x)))


@pytest.mark.usefixtures("own_modules")
def test_the_driver_loads_another_network(folder: Path, built: Path) -> None:
    second = saved(folder, 5)
    assert main(["weights", str(second), "--for", str(built), "-o", str(folder / "w.npz")]) == 0
    rng = np.random.default_rng(0)
    x = rng.normal(size=(7, 12)).astype(np.float32)
    graphs = [read_graph(built), weights.image(built, second).graph]
    wanted = [_logits(graph, x) for graph in graphs]
    assert not np.array_equal(*wanted)
    assert np.array_equal(wanted[1], _logits(pipeline.plan(second, PlanRequest()).graph, x))
    bitfile = folder / "accelerator.bit"
    bitfile.touch()
    with pynq_sim.serve(built) as path:
        sys.path.insert(0, str(path))
        try:
            importlib.invalidate_caches()
            driver = load_driver(built)
            with driver.Accelerator(str(bitfile)) as accelerator:
                assert np.array_equal(accelerator.logits(x), wanted[0])
                accelerator.load_weights(folder / "w.npz")
                assert np.array_equal(accelerator.logits(x), wanted[1])
        finally:
            sys.path.remove(str(path))


def test_a_network_of_another_shape_is_refused(folder: Path, built: Path) -> None:
    torch.manual_seed(0)
    layers = q.QuantIdentity(q.SInt(8, step=1 / 16)), q.QuantLinear(12, 4, weight=q.Binary())
    hwgen.save(nn.Sequential(*layers).eval(), folder / "other.pt", torch.zeros(1, 12))
    with pytest.raises(ModelError, match="does not fit"):
        weights.image(built, folder / "other.pt")


def test_a_build_without_writable_layers_takes_none(folder: Path, tmp_path: Path) -> None:
    model = saved(folder, 0)
    pipeline.build(model, tmp_path / "fixed", PlanRequest(), frames=2)
    with pytest.raises(UsageError, match="has no writable layers"):
        weights.image(tmp_path / "fixed", model)


def test_what_stays_fixed_must_be_equal(folder: Path, tmp_path: Path) -> None:
    model = saved(folder, 0)
    names = [n.name for n in pipeline.plan(model, PlanRequest()).graph if n.op == "linear"]
    request = PlanRequest(writable=(names[0],))
    pipeline.build(model, tmp_path / "one", request, frames=2)
    same = weights.image(tmp_path / "one", model)
    assert np.array_equal(
        same.writes, np.load(tmp_path / "one" / "sim" / "vectors" / "loads" / "own.npy")
    )
    with pytest.raises(ModelError, match=f"weight of {names[1]} differ, and it is not writable"):
        weights.image(tmp_path / "one", saved(folder, 5))


def test_what_cannot_be_writable_is_named(folder: Path) -> None:
    with pytest.raises(UsageError, match="no layer 'fc9' to be writable"):
        pipeline.plan(saved(folder, 0), PlanRequest(writable=("fc9",)))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("board", "memory", "cell", "simulator"),
    [
        ("ulx3s-85f", "lut", "TRELLIS_DPR16X4", "verilator"),
        ("tang-nano-20k", "lut", "RAM16SDP", "icarus"),
        ("icebreaker", "block", "SB_RAM40_4K", "icarus"),
    ],
)
def test_cells_hold_constants_from_the_start_and_take_others(
    board: str,
    memory: str,
    cell: str,
    simulator: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """LUT RAM with contents; on iCE40 block RAM, and registers where others have LUT RAM."""
    path = tmp_path / "tiny.pt"
    hwgen.save(tiny_mlp().eval(), path, torch.zeros(1, 6))
    sets = (f"linear_1.memory={memory}", "linear_1.pe=2", "linear_1.simd=1")
    request = PlanRequest(board=board, writable=("all",), style="folded", sets=sets)
    pipeline.build(path, tmp_path / "built", request, frames=4)
    words = ["sim", str(tmp_path / "built"), "--cells", "--simulator", simulator, "--json"]
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)["mismatches"] == 0
    (netlist,) = (tmp_path / "built" / "synth").glob("netlist-*.v")
    assert cell in netlist.read_text()


def test_writable_constants_cost_memory(folder: Path, tmp_path: Path) -> None:
    model = saved(folder, 0)
    (tmp_path / "plan.toml").write_text('writable = ["all"]\nstyle = "folded"\n')
    read = pipeline.plan(model, PlanRequest(config=tmp_path / "plan.toml"))
    assert len(read.accelerator.layout.writable) == 5
    fixed = pipeline.plan(model, PlanRequest(style="folded", target_fps=2_000_000))
    loaded = pipeline.plan(model, ALL)
    assert loaded.figures.resources.lut > fixed.figures.resources.lut
    assert vectors.writables(loaded.accelerator.layout)
