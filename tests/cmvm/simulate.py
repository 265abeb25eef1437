"""Runs an emitted module in Icarus Verilog on given vectors."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hwgen.cmvm import AdderGraph, Pipelined
from hwgen.inttype import IntType
from tests.yosys import xilinx_cells

IVERILOG = shutil.which("iverilog")


def pack(rows: NDArray[np.int64], slot: int) -> list[int]:
    mask = (1 << slot) - 1
    return [sum((int(v) & mask) << (k * slot) for k, v in enumerate(row)) for row in rows]


def run(
    graph: AdderGraph | Pipelined, files: dict[str, str], x: NDArray[np.int64], folder: Path
) -> NDArray[np.int64]:
    """Outputs of module ``dut`` of ``files`` for inputs ``x``, shape (batch, inputs)."""
    stages = graph.stages if isinstance(graph, Pipelined) else 0
    inner = graph.graph if isinstance(graph, Pipelined) else graph
    x_slot = IntType.hull(inner.inputs).width
    y_slot = IntType.hull(o.type for o in inner.outputs).width
    bits_x, bits_y = x_slot * len(inner.inputs), y_slot * len(inner.outputs)
    (folder / "x.hex").write_text("\n".join(f"{v:x}" for v in pack(x, x_slot)))
    bench = f"""module tb; reg clk = 0; reg [{bits_x - 1}:0] v[0:{len(x) - 1}];
reg [{bits_x - 1}:0] x; wire [{bits_y - 1}:0] y; integer i;
dut u(.clk(clk), .ce(1'b1), .x(x), .y(y));
initial begin $readmemh("x.hex", v);
for (i = 0; i < {len(x) + stages}; i = i + 1) begin
x = v[i < {len(x)} ? i : 0]; #1;
if ({stages} == 0) $display("%h", y);
clk = 1; #1;
if ({stages} != 0 && i + 1 >= {stages} && i + 1 < {len(x) + stages}) $display("%h", y);
clk = 0; #1; end $finish; end endmodule
"""
    paths = []
    for name, text in {**files, "tb.v": bench}.items():
        (folder / name).write_text(text)
        paths.append(name)
    extra = [str(xilinx_cells())] if any("LUT6_2" in t for t in files.values()) else []
    assert IVERILOG is not None
    subprocess.run(
        [IVERILOG, "-g2012", "-o", "tb.vvp", *paths, *extra], cwd=folder, check=True, timeout=120
    )
    done = subprocess.run(
        ["vvp", "-n", "tb.vvp"], cwd=folder, check=True, capture_output=True, text=True, timeout=120
    )
    mask = (1 << y_slot) - 1
    rows = []
    for line in done.stdout.split():
        word = int(line, 16)
        row = []
        for k, out in enumerate(inner.outputs):
            value = (word >> (k * y_slot)) & mask
            signed = any(o.type.signed for o in inner.outputs)
            row.append(value - (1 << y_slot) if signed and value >> (y_slot - 1) else value)
            del out
        rows.append(row)
    return np.array(rows, np.int64)
