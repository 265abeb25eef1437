"""What yosys makes of one unit, counted as ``hwgen synth`` counts."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
from amaranth.back import rtlil

from hwgen.families.base import Resources
from hwgen.verify.synth import COMMANDS, PRICES

needs_yosys = pytest.mark.skipif(shutil.which("yosys") is None, reason="no native yosys")


def synthesized(unit: Any, family: str, options: str = "") -> Resources:
    """Cells of ``unit`` alone after synthesis for ``family``."""
    with tempfile.TemporaryDirectory() as folder:
        source, stat = Path(folder) / "top.il", Path(folder) / "stat.json"
        source.write_text(rtlil.convert(unit, name="top"), "utf-8")
        files = unit.verilog_files() if hasattr(unit, "verilog_files") else {}
        for name, text in files.items():
            (Path(folder) / name).write_text(text, "utf-8")
        texts = [f"read_verilog -sv {Path(folder) / name}" for name in files]
        steps = [*texts, f"read_rtlil {source}", f"{COMMANDS[family]} {options} -top top"]
        steps.append(f"tee -q -o {stat} stat -json")
        command = ["yosys", "-q", "-p", "; ".join(steps)]
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=600)
        cells = json.loads(stat.read_text("utf-8"))["design"]["num_cells_by_type"]
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
