"""yosys, native or compiled to WebAssembly, as the tests run it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from hwgen import tools

needs_yosys = pytest.mark.skipif(tools.find("yosys").path is None, reason="no yosys")


def run(lines: Iterable[str], folder: Path, *, timeout: float = 900.0) -> None:
    """Runs a script in ``folder``; its paths are relative, WebAssembly sees little else.

    Raises:
        AssertionError: yosys failed; its last words.
    """
    yosys = tools.require("yosys")
    (folder / "run.ys").write_text("\n".join(lines) + "\n", "utf-8")
    done = subprocess.run(
        [yosys.command, "-q", "-s", "run.ys"], cwd=folder, env=yosys.environ(), check=False,
        capture_output=True, text=True, timeout=timeout,
    )  # fmt: skip
    assert done.returncode == 0, (done.stderr or done.stdout)[-2000:]


def xilinx_cells() -> Path:
    """yosys's own models of Xilinx cells."""
    return tools.yosys_share() / "xilinx" / "cells_sim.v"


def prove_equal(
    gold: Mapping[str, str],
    gate: Mapping[str, str],
    top: str,
    folder: Path,
    parameters: Mapping[str, int] | None = None,
) -> None:
    """Module ``top`` of ``gold`` and that of ``gate``, of Xilinx cells, agree on all inputs.

    Raises:
        AssertionError: they differ somewhere, or yosys cannot read them.
    """
    chosen = "".join(f" -chparam {key} {value}" for key, value in (parameters or {}).items())
    lines = []
    models = {"cells_sim.v": xilinx_cells().read_text("utf-8")}
    for side, files in (("gold", gold), ("gate", {**gate, **models})):
        (folder / side).mkdir()
        for name, text in files.items():
            (folder / side / name).write_text(text, "utf-8")
            lines.append(f"read_verilog -sv {side}/{name}")
        lines += [f"hierarchy -check -top {top}{chosen}", "proc", "flatten", "opt_clean"]
        lines += [f"rename -top {side}", f"design -stash {side}"]
    lines += [f"design -copy-from {side} -as {side} {side}" for side in ("gold", "gate")]
    lines += ["miter -equiv -flatten -make_outputs gold gate miter", "hierarchy -top miter"]
    lines.append("sat -verify -prove trigger 0 -set-def-inputs miter")
    run(lines, folder, timeout=120)
