"""The command line from a model file to a simulated, synthesised project, and its errors."""

from __future__ import annotations

import errno
import json
import pickle
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import hwgen
from hwgen import paths, pipeline
from hwgen.built import read_graph
from hwgen.cli import main
from hwgen.ir.graph import Graph
from hwgen.ir.serialize import to_json
from hwgen.ir.types import IntArray
from tests.models import small_mlp

REPORT = {"board", "clock_mhz", "latency_cycles", "initiation_interval", "fps", "layers"}
LAYER = {"name", "op", "style", "pe", "simd", "latency_cycles", "initiation_interval", "resources"}
RESOURCES = {"lut", "ff", "bram36", "dsp"}


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved model and a data set of its predictions."""
    folder = tmp_path_factory.mktemp("cli")
    model = small_mlp().eval()
    hwgen.save(model, folder / "model.pt", torch.zeros(1, 12))
    x = torch.randn(200, 12, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        y = model(x).argmax(1)
    np.savez(folder / "test.npz", x=x.numpy(), y=y.numpy())
    return folder


@pytest.fixture(scope="module")
def built(work: Path) -> Path:
    out = work / "built"
    assert main(["build", str(work / "model.pt"), "--board", "pynq-z2", "--out", str(out)]) == 0
    return out


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, Any, str]:
    """Exit code, standard output (read as JSON where it is) and standard error."""
    capsys.readouterr()
    code = main([str(word) for word in words])
    out, err = capsys.readouterr()
    return code, json.loads(out) if "--json" in words and out else out, err


def test_estimate_holds_the_promised_keys(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, data, _ = run(capsys, "estimate", work / "model.pt", "--board", "pynq-z2", "--json")
    assert code == 0
    assert data.keys() >= REPORT
    assert data["resources"].keys() == RESOURCES
    assert data["fps"] == pytest.approx(1e8 / data["initiation_interval"], rel=1e-6)
    assert all(layer.keys() >= LAYER for layer in data["layers"])
    assert [layer["op"] for layer in data["layers"]].count("linear") == 3


def test_the_same_model_builds_the_same_bytes(work: Path, built: Path) -> None:
    again = work / "again"
    assert main(["build", str(work / "model.pt"), "--board", "pynq-z2", "--out", str(again)]) == 0
    files = sorted(p.relative_to(again) for p in again.rglob("*") if p.is_file())
    assert {p.parts[0] for p in files} >= {"rtl", "sim", "vivado", "driver"}
    for file in files:
        assert (again / file).read_bytes() == (built / file).read_bytes(), file
    assert not any(str(work).encode() in (again / file).read_bytes() for file in files)


@pytest.mark.parametrize("style", ["spatial", "bit-serial", "folded"])
def test_bench_on_icarus_agrees_and_keeps_time(
    work: Path, style: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = work / style
    command = ["build", work / "model.pt", "--style", style, "--out", out, "--frames", 6]
    assert run(capsys, *command)[0] == 0
    code, data, _ = run(capsys, "sim", out, "--simulator", "icarus", "--json")
    assert code == 0
    assert data["mismatches"] == 0
    assert data["frames"] > 6
    assert data["as_predicted"]
    report = json.loads((out / "report.json").read_text())
    assert data["latency_cycles"] == report["latency_cycles"]
    assert data["initiation_interval"] == report["initiation_interval"]


def test_data_set_and_synthesis_and_first_divergence(
    work: Path, built: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data_set = work / "test.npz"
    code, data, _ = run(capsys, "sim", built, "--dataset", data_set, "--json")
    assert code == 0
    assert data["frames"] == 200
    assert data["mismatches"] == 0
    assert data["accuracy"] > 0.97  # torch's float32 may round a tie the other way
    code, data, _ = run(capsys, "synth", built, "--json")
    assert code == 0
    assert data.keys() >= {*RESOURCES, "layers"}
    assert sum(layer["lut"] for layer in data["layers"]) == data["lut"]
    assert data["lut"] > 100
    broken = work / "broken"
    shutil.copytree(built, broken, ignore=shutil.ignore_patterns("build"))
    name = next(p.stem for p in sorted((broken / "sim/vectors/layers").glob("linear*.npy")))
    for layer in sorted((broken / "sim/vectors").rglob("*.npy")):
        if layer.stem in (name, "output"):
            vectors = np.load(layer)
            vectors[2, 0] += 1
            np.save(layer, vectors)
    code, text, _ = run(capsys, "sim", broken, "--simulator", "icarus")
    assert code == 2
    assert f"first divergence: layer {name}, frame 2, element 0" in text


def test_a_data_set_names_the_layer_that_diverges(
    work: Path, built: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = work / "other"
    shutil.copytree(built, broken, ignore=shutil.ignore_patterns("build"))
    graph = read_graph(broken)
    layer = next(node for node in graph if node.op == "linear")
    weight = layer.weight.values.copy()
    weight[3, 0] = -weight[3, 0]
    changed = replace(layer, weight=IntArray(weight))
    nodes = tuple(changed if node is layer else node for node in graph.nodes)
    (broken / "graph.json").write_text(to_json(Graph(graph.name, nodes)))
    wave = work / "other.vcd"
    words = ("--dataset", work / "test.npz", "--limit", 20, "--wave", wave)
    code, data, _ = run(capsys, "sim", broken, *words, "--json")
    assert code == 2
    assert data["divergence"]["layer"] == layer.name
    assert data["divergence"]["channel"] == 3
    assert data["divergence"]["cycle"] > 0
    assert f"*-17 {1000 * data['divergence']['time_ns']}" in wave.with_suffix(".gtkw").read_text()


def test_settings_from_the_command_line_and_a_file(
    work: Path, built: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = work / "model.pt"
    first = next(node.name for node in read_graph(built) if node.op == "linear")
    setting = [
        "--set",
        f"{first}.style=folded",
        "--set",
        f"{first}.pe=5",
        "--set",
        f"{first}.simd=3",
    ]
    _, data, _ = run(capsys, "estimate", model, *setting, "--json")
    layer = next(v for v in data["layers"] if v["name"] == first)
    assert (layer["style"], layer["pe"], layer["simd"]) == ("folded", 5, 3)
    config = work / "plan.toml"
    config.write_text(f'board = "ulx3s-85f"\n[layers.{first}]\npe = 2\nstyle = "folded"\n')
    _, data, _ = run(capsys, "estimate", model, "--config", config, "--json")
    assert data["board"] == "ulx3s-85f"
    assert next(v for v in data["layers"] if v["name"] == first)["pe"] == 2
    code, _, err = run(capsys, "estimate", model, "--set", f"{first}.pe=7")
    assert code == 1
    assert "cannot be built with {'pe': 7}" in err
    code, _, err = run(capsys, "estimate", model, "--set", "nothere.pe=1")
    assert code == 1
    assert "there is no layer 'nothere'" in err


def test_speed_is_what_was_asked_for(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = work / "model.pt"
    _, slow, _ = run(capsys, "estimate", model, "--target-fps", 1e6, "--json")
    _, fast, _ = run(capsys, "estimate", model, "--target-fps", 1e7, "--json")
    assert slow["fps"] >= 1e6
    assert fast["fps"] >= 1e7
    assert slow["resources"]["lut"] < fast["resources"]["lut"]
    limit = fast["latency_cycles"]
    _, quick, _ = run(capsys, "estimate", model, "--max-latency", str(limit), "--json")
    assert quick["latency_cycles"] <= limit
    code, _, err = run(capsys, "estimate", model, "--target-fps", 1e9)
    assert code == 1
    assert "more than one frame per cycle" in err


def test_the_sweep_is_a_table_and_a_picture(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, plot = work / "model.pt", work / "front.svg"
    code, data, _ = run(capsys, "estimate", model, "--sweep", "--plot", plot, "--json")
    assert code == 0
    rates = [p["fps"] for p in data["points"] if p["objective"] == "lut"]
    assert rates == sorted(rates, reverse=True)
    assert plot.read_text("utf-8").startswith("<svg")
    code, _, err = run(capsys, "estimate", model, "--sweep", "--target-fps", 1000)
    assert code == 1
    assert "leave --target-fps" in err


def test_a_plan_says_what_limits_it(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = work / "model.pt"
    _, data, _ = run(capsys, "estimate", model, "--json")
    assert data["plan"].keys() == {"bottleneck", "cycles", "limit", "changes"}
    assert data["plan"]["changes"] == []
    small = work / "small" / "board.toml"
    small.parent.mkdir()
    text = (paths.BOARDS / "pynq-z2" / "board.toml").read_text("utf-8")
    small.write_text(re.sub(r"(?m)^lut = .*$", "lut = 600", text))
    code, _, err = run(capsys, "build", model, "--board", small.parent, "--target-fps", 6e6)
    assert code == 2
    assert re.search(r"[\d,]+ LUT over 85% of 600 LUT; the largest: linear_\d", err)
    assert "holds" in err
    assert "arty-a7-35 would hold it" in err


def _pickled(path: Path) -> None:
    path.write_bytes(pickle.dumps({"weight": [1, 2, 3]}))


def _bomb(path: Path) -> None:
    path.write_bytes(b"cos\nsystem\n(S'touch PWNED'\ntR.")


def _truncated(path: Path, model: Path) -> None:
    path.write_bytes(model.read_bytes()[:1000])


@pytest.mark.parametrize(
    ("case", "wanted"),
    [
        ("missing", "model.pt"),
        ("empty", "empty"),
        ("pickle", "hwgen.save"),
        ("bomb", "hwgen.save"),
        ("truncated", "truncated"),
        ("state_dict", "hwgen.save"),
        ("module", "hwgen.save"),
        ("text", "hwgen.save"),
    ],
)
def test_bad_model_files_get_one_error(
    case: str,
    wanted: str,
    work: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "model.pt"
    if case == "empty":
        path.touch()
    elif case == "pickle":
        _pickled(path)
    elif case == "bomb":
        _bomb(path)
    elif case == "truncated":
        _truncated(path, work / "model.pt")
    elif case == "state_dict":
        torch.save(torch.nn.Linear(2, 2).state_dict(), path)
    elif case == "module":
        torch.save(torch.nn.Linear(2, 2), path)
    elif case == "text":
        path.write_text("hello")
    code, out, err = run(capsys, "estimate", path)
    assert code == 1
    assert out == ""
    assert wanted in err
    assert err.count("hwgen: ") == 1
    assert "Traceback" not in err
    assert not (tmp_path / "PWNED").exists()


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["estimate", "model.pt", "--board", "pink-z2"], "did you mean pynq-z2?"),
        (["estimate", "model.pt", "--stream-bits", "12"], "power of two"),
        (["estimate", "model.pt", "--max-latency", "soon"], "cycles or a time like 5us"),
        (["estimate", "model.bin"], "must end in"),
        (["estimate", "model.pt", "--config", "nofile.toml"], "must be a TOML file"),
        (["build", "model.pt", "--out", "o", "--frames", "0"], "at least 1"),
        (["build", "model.pt", "--out", "o", "--data", "no.npz"], "there is no data set"),
        (["sim", "."], "must be a folder that hwgen build wrote"),
        (["synth", "."], "must be a folder that hwgen build wrote"),
        (["frobnicate"], "invalid choice"),
    ],
)
def test_bad_usage_gets_one_error(
    words: list[str],
    wanted: str,
    work: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(work)
    code, _, err = run(capsys, *words)
    assert code == 1
    assert wanted in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("arrays", "wanted"),
    [
        ({"y": np.zeros(3)}, "must be an .npz with arrays x and y"),
        ({"x": np.zeros((3, 5))}, "a frame must hold 12 values"),
        ({"x": np.full((3, 12), np.nan)}, "NaN or infinite"),
        ({"x": np.zeros((3, 12)), "y": np.zeros(2)}, "x has 3 frames and y 2 labels"),
        ({"x": np.zeros((0, 12))}, "at least one frame"),
        ({"x": np.array([{"a": 1}], dtype=object)}, "must be an .npz"),
    ],
)
def test_bad_data_sets_get_one_error(
    arrays: dict[str, Any],
    wanted: str,
    built: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "data.npz"
    np.savez(path, **arrays)
    code, _, err = run(capsys, "sim", built, "--dataset", path)
    assert code == 1
    assert wanted in err


@pytest.mark.parametrize("failure", ["disk", "interrupt"])
def test_a_failed_build_leaves_the_old_one_whole(
    failure: str,
    work: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    out = tmp_path / "out"
    command = ["build", work / "model.pt", "--out", out, "--frames", 2]
    assert run(capsys, *command)[0] == 0
    before = {p: p.read_bytes() for p in out.rglob("*") if p.is_file()}

    def fail(*args: object, **options: object) -> None:
        if failure == "disk":
            raise OSError(errno.ENOSPC, "No space left on device")
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_bytes" if failure == "disk" else "rename", fail)
    if failure == "interrupt":
        monkeypatch.setattr(pipeline, "core_verilog", fail)
    code, _, err = run(capsys, *command, "--seed", 1)
    monkeypatch.undo()
    assert code == (2 if failure == "disk" else 130)
    assert "Traceback" not in err
    assert {p: p.read_bytes() for p in out.rglob("*") if p.is_file()} == before


def test_a_network_too_large_says_what_would_help(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from hwgen import nn as q

    torch.manual_seed(0)
    model = torch.nn.Sequential(
        q.QuantIdentity(q.SInt(8, step=1.0)),
        q.QuantLinear(1200, 900, bias=False, weight=q.Int(8)),
    )
    path = tmp_path / "large.pt"
    hwgen.save(model.eval(), path, torch.zeros(1, 1200))
    code, _, err = run(capsys, "build", path, "--board", "icebreaker", "--out", tmp_path / "o")
    assert code == 2
    assert "does not fit icebreaker" in err
    assert "fix:" in err
    assert not (tmp_path / "o").exists()


def test_boards_and_doctor(capsys: pytest.CaptureFixture[str]) -> None:
    _, data, _ = run(capsys, "boards", "--json")
    assert {"pynq-z2", "zcu104", "ulx3s-85f"} <= {b["name"] for b in data["boards"]}
    _, data, _ = run(capsys, "doctor", "--json")
    assert {t["name"] for t in data["tools"]} >= {"yosys", "verilator"}
    assert run(capsys, "doctor")[0] == 0


def test_routing_for_a_zynq_needs_vivado(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if shutil.which("vivado") is None:
        code, _, err = run(capsys, "synth", built, "--route")
        assert code == 3
        assert "vivado is needed for: bitstreams for Zynq and Artix" in err
    code, _, err = run(capsys, "synth", built, "--route", "--nextpnr-options", "--seed 3")
    assert code == 1
    assert "pynq-z2 is not routed by nextpnr" in err
    code, _, err = run(capsys, "synth", built, "--route", "--seeds", "0")
    assert code == 1
    assert "--seeds must be at least 1" in err
