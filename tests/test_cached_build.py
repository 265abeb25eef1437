"""A build after a change makes only what changed, and the very same files as one from nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

import hwgen
from hwgen import store as stores
from hwgen.backend import verilog
from hwgen.cmvm import solve_for_clock
from hwgen.ops import product
from hwgen.pipeline import build
from hwgen.request import PlanRequest
from tests.models import small_mlp

SPATIAL = PlanRequest(style="spatial")


def saved(path: Path, change: float) -> Path:
    """A network whose last layer's first weights are ``change``."""
    model = small_mlp().eval()
    with torch.no_grad():
        model[-1].weight[0, :3] = change
    hwgen.save(model, path, torch.zeros(1, 12))
    return path


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the modules and matrices that were made anew, in order."""
    found: list[str] = []
    convert_all = verilog.convert_all

    def convert(components: Mapping[str, Any]) -> dict[str, str]:
        found.extend(components)
        return convert_all(components)

    def optimise(weights: Any, *args: Any, **kwargs: Any) -> Any:
        found.append(f"matrix {len(weights)}")
        return solve_for_clock(weights, *args, **kwargs)

    monkeypatch.setattr(verilog, "convert_all", convert)
    monkeypatch.setattr(product, "solve_for_clock", optimise)
    return found


def test_only_a_changed_layer_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: list[str]
) -> None:
    before, after = saved(tmp_path / "a.pt", 0.1), saved(tmp_path / "b.pt", -0.3)
    cold = tmp_path / "cold"
    build(after, cold, SPATIAL)
    everything = list(made)
    assert {"matrix 10", "matrix 8", "matrix 4"} <= set(everything)

    monkeypatch.setenv(stores.VARIABLE, str(tmp_path / "store"))
    product.adder_graph.cache_clear()
    build(before, tmp_path / "first", SPATIAL)
    assert sorted(made[len(everything) :]) == sorted(everything)

    made.clear()
    product.adder_graph.cache_clear()
    build(after, tmp_path / "warm", SPATIAL)
    assert files(tmp_path / "warm") == files(cold)
    assert "matrix 4" in made
    assert "matrix 10" not in made
    assert "matrix 8" not in made
    assert [name for name in made if name.startswith("layer_")] == [made[-1]]

    made.clear()
    product.adder_graph.cache_clear()
    build(after, tmp_path / "again", SPATIAL)
    assert files(tmp_path / "again") == files(cold)
    assert made == []


def test_a_damaged_store_is_only_slower(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: list[str]
) -> None:
    model = saved(tmp_path / "model.pt", 0.1)
    monkeypatch.setenv(stores.VARIABLE, str(tmp_path / "store"))
    product.adder_graph.cache_clear()
    build(model, tmp_path / "first", SPATIAL)
    everything = list(made)
    for entry in (tmp_path / "store").glob("*/*"):
        entry.write_bytes(entry.read_bytes()[:-7])
    made.clear()
    product.adder_graph.cache_clear()
    build(model, tmp_path / "second", SPATIAL)
    assert sorted(made) == sorted(everything)
    assert files(tmp_path / "second") == files(tmp_path / "first")
