"""Random convolutional networks with residual sums and concatenations, from torch to RTL."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from hwgen.frontend.torch_export import load
from hwgen.pipeline import PlanRequest, build
from hwgen.verify.cocotb_run import simulate
from tests.cnns import saved
from tests.design.test_core import check

STYLES = ("auto", "folded")


@pytest.mark.parametrize("seed", [0, 1, 3, 4])
def test_random_cnns_at_random_parallelism(seed: int, tmp_path: Path) -> None:
    """The core at a random configuration of every layer, with stalls where the seed is odd."""
    check(load(saved(seed, tmp_path)), seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 150))
def test_many_random_cnns_at_random_parallelism(seed: int, tmp_path: Path) -> None:
    check(load(saved(seed, tmp_path)), seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1000, 1050))
def test_random_cnns_as_built(seed: int, tmp_path: Path) -> None:
    as_built(seed, tmp_path, "verilator")


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="iverilog is missing")
def test_icarus_starts_processes_whose_inputs_never_change(tmp_path: Path) -> None:
    """A window that releases nothing until the end of a frame: X, if its process did not start."""
    as_built(1000, tmp_path, "icarus")


def as_built(seed: int, folder: Path, simulator: str) -> None:
    """As planned for a board: Verilog under random stalls, resets and packets; cycles as said."""
    rng = np.random.default_rng(seed)
    fps = float(10 ** rng.uniform(4, 6)) if rng.integers(2) else None
    request = PlanRequest(style=STYLES[rng.integers(2)], target_fps=fps)
    built = build(saved(seed, folder), folder / "project", request, frames=12, seed=seed)
    found = simulate(built.folder, simulator=simulator)
    print(f"seed {seed}: {request}, {found}")
    assert found.ok, found
