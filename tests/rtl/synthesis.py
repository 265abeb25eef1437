"""What yosys makes of units, by the flow of ``hwgen synth`` and counted as it counts."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from amaranth.back import rtlil

from hwgen.families.base import Resources
from hwgen.families.synthesis import commands, priced
from tests.yosys import run


def synthesized(units: Sequence[Any], family: str) -> list[Resources]:
    """Cells of each of ``units`` alone after synthesis for ``family``, all in one run of yosys."""
    with tempfile.TemporaryDirectory() as name:
        folder, lines, cells = Path(name), [], []
        for k, unit in enumerate(units):
            (folder / f"u{k}.il").write_text(rtlil.convert(unit, name=f"u{k}"), "utf-8")
            files = unit.verilog_files() if hasattr(unit, "verilog_files") else {}
            for file, text in files.items():
                (folder / file).write_text(text, "utf-8")
                lines.append(f"read_verilog -sv {file}")
            lines += [f"read_rtlil u{k}.il", f"setattr -mod -set keep_hierarchy 1 u{k}"]
            cells.append(f"attribute \\keep 1\n cell \\u{k} \\c{k}\n end\n")
        (folder / "top.il").write_text(f"module \\top\n{''.join(cells)}end\n", "utf-8")
        lines += ["read_rtlil top.il", *commands(family, "top")]
        lines.append("tee -q -o stat.json stat -json")
        run(lines, folder)
        stat = json.loads((folder / "stat.json").read_text("utf-8"))["modules"]
    counts = [stat[f"\\u{k}"].get("num_cells_by_type", {}) for k in range(len(units))]
    return [priced(count)[0] for count in counts]


def compare(unit: Any, family: str, estimate: Resources) -> dict[str, float]:
    """Relative error of the estimate of LUTs and FFs; block RAM and DSPs must be equal."""
    (real,) = synthesized([unit], family)
    assert (real.bram36, real.dsp) == (estimate.bram36, estimate.dsp)
    return {"lut": estimate.lut / max(real.lut, 1) - 1, "ff": estimate.ff / max(real.ff, 1) - 1}


def beside(makers: Mapping[str, Callable[[], Any]], family: Any) -> dict[str, tuple[float, float]]:
    """LUTs estimated and LUTs synthesised of every unit; flip-flops must be equal."""
    estimates = {name: make().resources(family) for name, make in makers.items()}
    reals = synthesized([make() for make in makers.values()], family.name)
    found = {}
    for (name, estimate), real in zip(estimates.items(), reals, strict=True):
        assert (estimate.ff, estimate.bram36) == (real.ff, real.bram36), name
        found[name] = estimate.lut, real.lut
    return found
