"""One layer through hwgen's and alkaid's Verilog, placed and routed alike on an ECP5.

    python benchmarks/peer_route.py MODEL.pt [--layer NAME] [--board ulx3s-85f]

The layer's matrix stands between two rows of registers, filled and read bit by bit, so that pins do
not count; that frame is the same for both, and its cells are in the figures of both. The peer's
Verilog is combinational, as it writes it; hwgen's is given so too, and once more with registers for
100 MHz. ``HWGEN_PEERS_PYTHON`` is a Python with alkaid. The table goes to docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.boards import PAGE, ROOT
from hwgen import families, tools
from hwgen.backend import boards
from hwgen.backend.boards import Board
from hwgen.backend.flow import SYNTHESIS
from hwgen.cmvm.pipeline import Pipelined, pipeline
from hwgen.cmvm.solve import solve
from hwgen.cmvm.verilog import emit, library
from hwgen.frontend.models import read_model
from hwgen.inttype import IntType
from hwgen.ops.linear import Linear
from hwgen.passes.integerize import integerize
from hwgen.verify.route import NEXTPNR

MARKS = ("<!-- peer route: begin -->", "<!-- peer route: end -->")
PEER = Path(__file__).with_name("peer_network.py")
MHZ = 100.0
FRAME = """module frame(input clk, input si, output so);
  reg [{inputs}-1:0] x;
  reg [{outputs}-1:0] y;
  reg [15:0] turn;
  wire [{outputs}-1:0] found;
  assign so = y[0];
  always @(posedge clk) begin
    x <= {{x, si}};
    turn <= {{turn[14:0], turn == 0}};
    y <= turn[15] ? found : y >> 1;
  end
  {instance}
endmodule
"""


def layer(model: Path, name: str) -> tuple[Linear, Any]:
    """The matrix of that name (the first, without one) and the type of its input."""
    graph = integerize(read_model(model)).graph
    found = [n for n in graph.nodes if isinstance(n, Linear) and name in ("", n.name)]
    if not found:
        raise SystemExit(f"{model} has no layer {name}")
    return found[0], graph.types[found[0].inputs[0]]


def ours(node: Linear, kind: Any, board: Board, pipelined: bool) -> tuple[dict[str, str], str, int]:
    """hwgen's Verilog, how the frame holds it, and its output bits."""
    family = replace(families.get(board.family), period_ns=1000 / MHZ)
    bias = np.broadcast_to(node.bias.values, (node.outputs,))
    graph = solve(node.weight.values, kind.per_channel(), bias=bias, family=family)
    plain = Pipelined(graph, (0,) * len(graph.nodes), 0)
    design = pipeline(graph, family, target_ns=family.period_ns) if pipelined else plain
    files = {"dut.v": emit(design, "dut", family), **library(family)}
    width = IntType.hull(o.type for o in graph.outputs).width
    return files, "dut dut(.clk(clk), .ce(1'b1), .x(x), .y(found));", width * len(graph.outputs)


def theirs(node: Linear, kind: Any, python: str) -> tuple[dict[str, str], str, int]:
    """alkaid's Verilog of the same matrix; it checks its own integers."""
    x = np.random.default_rng(1).integers(kind.element.lo, kind.element.hi + 1, (40, kind.elements))
    weight = node.weight.values
    span = np.array([kind.element.lo, kind.element.hi])
    net = {"w0": weight, "layers": 1, "range": span, "x": x, "y": x @ weight.T}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.savez(folder / "net.npz", **net)
        command = [python, PEER, folder / "net.npz", "alkaid", folder / "made"]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True)
        told = json.loads(done.stdout.splitlines()[-1])
        source = folder / "made" / "src"
        paths = [*sorted(source.glob("*.v")), *sorted((source / "static").glob("*.v"))]
        kept = [p for p in paths if not p.name.endswith(("_wrapper.v", "lookup_table.v"))]
        files = {p.name: p.read_text("utf-8") for p in kept}
    width = sum(sum(kif) for kif in told["kifs"])
    return files, "dut dut(.model_inp(x), .model_out(found));", width


def routed(files: dict[str, str], instance: str, inputs: int, outputs: int, board: Board) -> Any:
    """nextpnr's report of a design within the frame."""
    yosys, nextpnr = tools.require("yosys"), tools.require(NEXTPNR[board.family])
    files = {**files, "frame.v": FRAME.format(inputs=inputs, outputs=outputs, instance=instance)}
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            (Path(folder) / name).write_text(text, "utf-8")
        reads = "; ".join(f"read_verilog {name}" for name in files)
        script = f"{reads}; {SYNTHESIS[board.family]} -top frame -json frame.json"
        words = [*board.nextpnr_options, "--json", "frame.json", "--report", "report.json"]
        words += ["--freq", str(MHZ), "--timing-allow-fail", "--lpf-allow-unconstrained"]
        for tool, arguments in ((yosys, ["-q", "-p", script]), (nextpnr, words)):
            command = [tool.command, *arguments]
            subprocess.run(command, cwd=folder, env=tool.environ(), check=True, capture_output=True)
        return json.loads((Path(folder) / "report.json").read_text("utf-8"))


def row(name: str, report: Any) -> str:
    """A line of the table."""
    used = report["utilization"]
    clock = min(clock["achieved"] for clock in report["fmax"].values())
    cells = used["TRELLIS_COMB"]["used"]
    return f"| {name} | {cells:,} | {used['TRELLIS_FF']['used']:,} | {clock:.1f} MHz |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--layer", default="")
    parser.add_argument("--board", default="ulx3s-85f")
    options = parser.parse_args()
    board = boards.load(options.board)
    node, kind = layer(options.model, options.layer)
    inputs = kind.elements * kind.element.width
    peer = theirs(node, kind, os.environ["HWGEN_PEERS_PYTHON"])
    designs = {
        "alkaid, combinational": peer,
        "hwgen, combinational": ours(node, kind, board, pipelined=False),
        f"hwgen, registers for {MHZ:g} MHz": ours(node, kind, board, pipelined=True),
    }
    lines = [
        f"{node.name} of {options.model.stem}, {node.weight.shape[1]} inputs of "
        f"{kind.element.width} bits, {node.outputs} outputs, on {board.name}:",
        "",
        "| | TRELLIS_COMB | FF | routed |",
        "| --- | ---: | ---: | ---: |",
    ]
    for name, (files, instance, outputs) in designs.items():
        lines.append(row(name, routed(files, instance, inputs, outputs, board)))
        print(lines[-1], flush=True)
    page = PAGE.read_text("utf-8")
    before, _, rest = page.partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    PAGE.write_text(f"{before}{MARKS[0]}\n" + "\n".join(lines) + f"\n{MARKS[1]}{after}", "utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
