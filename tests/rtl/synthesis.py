"""What yosys makes of one unit, by the flow of ``hwgen synth`` and counted as it counts."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
from amaranth.back import rtlil

from hwgen import tools
from hwgen.families.base import Resources
from hwgen.verify.synth import PRICES, flow

needs_yosys = pytest.mark.skipif(tools.find("yosys").path is None, reason="no yosys")


def synthesized(unit: Any, family: str, options: str = "") -> Resources:
    """Cells of ``unit`` alone after synthesis for ``family``."""
    yosys = tools.require("yosys")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "top.il").write_text(rtlil.convert(unit, name="top"), "utf-8")
        files = unit.verilog_files() if hasattr(unit, "verilog_files") else {}
        for name, text in files.items():
            (Path(folder) / name).write_text(text, "utf-8")
        lines = [f"read_verilog -sv {name}" for name in files]
        lines += ["read_rtlil top.il", *flow(family, "top", options)]
        lines.append("tee -q -o stat.json stat -json")
        (Path(folder) / "run.ys").write_text("\n".join(lines) + "\n", "utf-8")
        command = [yosys.command, "-q", "-s", "run.ys"]  # WebAssembly sees little but this folder
        subprocess.run(
            command, cwd=folder, env=yosys.environ(), check=True, capture_output=True, timeout=600
        )
        stat = json.loads((Path(folder) / "stat.json").read_text("utf-8"))
    cells = stat["design"].get("num_cells_by_type", {})
    total = {"lut": 0.0, "ff": 0.0, "bram36": 0.0, "dsp": 0.0}
    for kind, count in cells.items():
        for pattern, name, price in PRICES:
            if re.fullmatch(pattern, kind):
                total["lut" if name == "lutram" else name] += count * price
    return Resources(**total)


def compare(unit: Any, family: str, estimate: Resources, options: str = "") -> dict[str, float]:
    """Relative error of the estimate of LUTs and FFs; block RAM and DSPs must be equal."""
    real = synthesized(unit, family, options)
    assert (real.bram36, real.dsp) == (estimate.bram36, estimate.dsp)
    return {"lut": estimate.lut / max(real.lut, 1) - 1, "ff": estimate.ff / max(real.ff, 1) - 1}
