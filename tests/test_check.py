"""``hwgen check`` names every obstacle at once, and exits with 1 where there is one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hwgen.cli import main
from tests.frontend.onnx_nets import network, node

KNOWN = {"s": 0.25, "z": 0.0, "b": 4.0}


def saved(folder: Path, *nodes: object, **constants: object) -> str:
    path = folder / "net.onnx"
    path.write_bytes(network(list(nodes), (4,), **constants, **KNOWN).SerializeToString())
    return str(path)


def test_a_good_model_is_described(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = saved(tmp_path, node("Quant", "x s z b", "q"), node("Relu", "q", "y"))
    assert main(["check", path]) == 0
    assert "net.onnx can be built: 0 integer layers, 4 i4[-8..7] in" in capsys.readouterr().out


def test_obstacles_of_import_and_of_meaning_are_named_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A node without a row, a weight that is not quantized, and sums without a common step."""
    path = saved(
        tmp_path,
        node("Quant", "x s z b", "q"),
        node("Sin", "q", "unknown"),
        node("MatMul", "q w", "float_weight"),
        node("Relu", "q", "r"),
        node("Quant", "r s2 z b", "other"),
        node("Add", "q other", "sum"),
        node("Identity", "sum", "y"),
        w=np.random.default_rng(0).normal(size=(4, 2)),
        s2=1e-20 / 3,
    )
    assert main(["check", path, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert not found["supported"]
    nodes = {p["node"]: p for p in found["problems"]}
    assert set(nodes) == {"n_unknown", "n_float_weight", "n_sum"}
    assert all(p["why"] and p["fix"] for p in nodes.values())
    assert main(["check", path]) == 1
    assert "3 operations in the way" in capsys.readouterr().out


def test_an_input_of_real_numbers_names_the_option(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = saved(tmp_path, node("MatMul", "x w", "y"), w=np.eye(4))
    assert main(["check", path]) == 1
    assert "--input-type" in capsys.readouterr().out
    assert main(["check", path, "--input-type", "UINT8"]) == 0


def test_torch_models_are_checked_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch = pytest.importorskip("torch")
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.GRUCell(3, 3))
    path = tmp_path / "net.pt2"
    torch.export.save(torch.export.export(model.eval(), (torch.zeros(1, 4),)), path)
    assert main(["check", str(path), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["problems"]
    assert "float" in found["problems"][0]["why"]


def test_a_file_that_is_no_model_is_one_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "net.onnx").write_bytes(b"nothing")
    assert main(["check", str(tmp_path / "net.onnx")]) == 1
    assert "damaged model file" in capsys.readouterr().err
