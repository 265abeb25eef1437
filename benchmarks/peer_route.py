"""One layer through hwgen's and alkaid's Verilog, placed and routed alike on an ECP5.

    python benchmarks/peer_route.py MODEL.pt [--layer NAME] [--board ulx3s-85f] [--only WORD]

The layer's matrix stands between two rows of registers, filled and read bit by bit, so that pins do
not count; that frame is the same for both, and its cells are in the figures of both. Each writes
its Verilog without registers and with: alkaid every so many of its units of delay (5 is its own
default), of which it also keeps its inputs and outputs in registers; hwgen for a clock.
``HWGEN_PEERS_PYTHON`` is a Python with alkaid. Rows are kept in
``benchmarks/results/peer_route.json``; all of them go to docs/benchmarks.md.
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
from hwgen.families.synthesis import prepare
from hwgen.frontend.models import read_model
from hwgen.inttype import IntType
from hwgen.ops.linear import Linear
from hwgen.passes.integerize import integerize
from hwgen.verify.route import NEXTPNR

MARKS = ("<!-- peer route: begin -->", "<!-- peer route: end -->")
PEER = Path(__file__).with_name("peer_network.py")
KEPT = ROOT / "benchmarks" / "results" / "peer_route.json"
MHZ = 100.0
"""What nextpnr is asked for, of every design."""

THEIRS = {
    "alkaid, sums of three, combinational": "alkaid",
    "alkaid, combinational": "alkaid_bin",
    "alkaid, registers every 5 units": "alkaid_bin_5",
    "alkaid, registers every 2 units": "alkaid_bin_2",
    "alkaid without tables, combinational": "alkaid_bin_nolut",
    "alkaid without tables, registers every 5 units": "alkaid_bin_nolut_5",
    "alkaid, registers every 5 units, adders not joined": "alkaid_bin_5",
    "alkaid, registers every 2 units, adders not joined": "alkaid_bin_2",
    "alkaid without tables, registers every 5 units, adders not joined": "alkaid_bin_nolut_5",
}
OURS = {
    "hwgen, combinational": 0.0,
    "hwgen, registers for 100 MHz": 100.0,
    "hwgen, registers for 150 MHz": 150.0,
    "hwgen, registers for 200 MHz": 200.0,
}
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


def ours(node: Linear, kind: Any, board: Board, mhz: float) -> tuple[dict[str, str], str, int]:
    """hwgen's Verilog with registers for that clock, or none; how the frame holds it, and its
    output bits."""
    family = replace(families.get(board.family), period_ns=1000 / (mhz or MHZ))
    bias = np.broadcast_to(node.bias.values, (node.outputs,))
    graph = solve(node.weight.values, kind.per_channel(), bias=bias, family=family)
    plain = Pipelined(graph, (0,) * len(graph.nodes), 0)
    design = pipeline(graph, family, target_ns=family.period_ns) if mhz else plain
    files = {"dut.v": emit(design, "dut", family), **library(family)}
    width = IntType.hull(o.type for o in graph.outputs).width
    return files, "dut dut(.clk(clk), .ce(1'b1), .x(x), .y(found));", width * len(graph.outputs)


def theirs(node: Linear, kind: Any, python: str, variant: str) -> tuple[dict[str, str], str, int]:
    """alkaid's Verilog of the same matrix; it checks its own integers."""
    x = np.random.default_rng(1).integers(kind.element.lo, kind.element.hi + 1, (40, kind.elements))
    weight = node.weight.values
    span = np.array([kind.element.lo, kind.element.hi])
    net = {"w0": weight, "layers": 1, "range": span, "x": x, "y": x @ weight.T}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.savez(folder / "net.npz", **net)
        command = [python, PEER, folder / "net.npz", variant, folder / "made"]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True)
        told = json.loads(done.stdout.splitlines()[-1])
        source = folder / "made" / "src"
        paths = [*sorted(source.glob("*.v")), *sorted((source / "static").glob("*.v"))]
        kept = [p for p in paths if not p.name.endswith(("_wrapper.v", "lookup_table.v"))]
        files = {p.name: p.read_text("utf-8") for p in kept}
    width = sum(sum(kif) for kif in told["kifs"])
    clock = ".clk(clk), " if "input clk" in files["dut.v"] else ""
    return files, f"dut dut({clock}.model_inp(x), .model_out(found));", width


def routed(files: dict[str, str], instance: str, inputs: int, outputs: int, board: Board) -> Any:
    """nextpnr's report of a design within the frame."""
    yosys, nextpnr = tools.require("yosys"), tools.require(NEXTPNR[board.family])
    files = {**files, "frame.v": FRAME.format(inputs=inputs, outputs=outputs, instance=instance)}
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            (Path(folder) / name).write_text(text, "utf-8")
        reads = "; ".join(f"read_verilog {name}" for name in files)
        before = "; ".join(prepare(board.family, "frame"))
        script = f"{reads}; {before}; {SYNTHESIS[board.family]} -top frame -json frame.json"
        words = [*board.nextpnr_options, "--json", "frame.json", "--report", "report.json"]
        words += ["--freq", str(MHZ), "--timing-allow-fail", "--lpf-allow-unconstrained"]
        for tool, arguments in ((yosys, ["-q", "-p", script]), (nextpnr, words)):
            command = [tool.command, *arguments]
            subprocess.run(command, cwd=folder, env=tool.environ(), check=True, capture_output=True)
        return json.loads((Path(folder) / "report.json").read_text("utf-8"))


def figures(report: Any) -> dict[str, float]:
    """What is kept of a routed design."""
    used = report["utilization"]
    return {
        "comb": used["TRELLIS_COMB"]["used"],
        "ff": used["TRELLIS_FF"]["used"],
        "mhz": round(min(clock["achieved"] for clock in report["fmax"].values()), 1),
    }


def table(layers: dict[str, dict[str, dict[str, float]]]) -> str:
    """All kept rows as Markdown."""
    lines = [
        "| layer | Verilog | TRELLIS_COMB | FF | routed |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    for name, designs in layers.items():
        for design, made in designs.items():
            lines.append(f"| {name} | {design} | {made['comb']:,} | {made['ff']:,} | "
                         f"{made['mhz']:g} MHz |")  # fmt: skip
    return "\n".join(lines)


def write(text: str) -> None:
    """Puts the text between its marks in docs/benchmarks.md."""
    page = PAGE.read_text("utf-8")
    before, _, rest = page.partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    PAGE.write_text(f"{before}{MARKS[0]}\n{text}\n{MARKS[1]}{after}", "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--layer", default="")
    parser.add_argument("--board", default="ulx3s-85f")
    parser.add_argument("--only", default="", metavar="WORD", help="of the designs' names")
    options = parser.parse_args()
    board = boards.load(options.board)
    node, kind = layer(options.model, options.layer)
    inputs = kind.elements * kind.element.width
    title = (
        f"{node.name} of {options.model.stem}: {node.weight.shape[1]} × "
        f"{kind.element.width} bits to {node.outputs}"
    )
    for name in (n for n in (*THEIRS, *OURS) if options.only in n):
        if name in OURS:
            files, instance, outputs = ours(node, kind, board, OURS[name])
        else:
            python = os.environ["HWGEN_PEERS_PYTHON"]
            files, instance, outputs = theirs(node, kind, python, THEIRS[name])
            if name.endswith("not joined"):  # by yosys, as hwgen's are not
                text = files["shift_adder.v"]
                marked = text.replace("module shift_adder", "(* hwgen_adder *) module shift_adder")
                files["shift_adder.v"] = marked
        made = figures(routed(files, instance, inputs, outputs, board))
        kept = json.loads(KEPT.read_text("utf-8")) if KEPT.exists() else {}
        kept.setdefault(title, {})[name] = made
        KEPT.write_text(json.dumps(kept, indent=1) + "\n", "utf-8")
        print(json.dumps({title: {name: made}}), flush=True)
        write(table(kept))


if __name__ == "__main__":
    main()
