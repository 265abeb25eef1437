"""Delays of a family's logic, carry chains and nets, as routed designs have them.

    python benchmarks/delays.py BOARD [DIR ...]

routes small designs for the board, limited by a carry chain, by two adders in a row and by a block
RAM, and reads their critical paths and those that ``hwgen synth DIR --route`` left in each project,
all of the board's family. It prints the medians that ``hwgen/families`` keeps. Nets are those
between two cells: the dedicated wires within a slice, of no delay, belong to the logic.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

from hwgen import tools
from hwgen.backend import boards
from hwgen.backend.boards import Board
from hwgen.backend.flow import SYNTHESIS
from hwgen.verify.route import NEXTPNR

CARRY = ("FCI", "FCO", "CIN", "COUT", "CI", "CO")
CHAIN_ENDS = ("FCO", "COUT", "CO")
PORTS = ("clk", "uart_rx", "uart_tx")
PROBES = {
    "carry": """module probe(input clk, input uart_rx, output reg uart_tx);
  reg [31:0] a, b, s;
  always @(posedge clk) begin
    a <= {a, uart_rx}; b <= {b, ^a[7:4]}; s <= a + b; uart_tx <= ^s[31:28];
  end
endmodule
""",
    "adders": """module probe(input clk, input uart_rx, output reg uart_tx);
  reg [7:0] a, b, c, d;
  reg s, t, u;
  reg [9:0] y;
  wire [8:0] p = a + (b ^ {8{s}}) + s, q = c + (d ^ {8{t}}) + t;
  always @(posedge clk) begin
    a <= {a, uart_rx}; b <= {b, a[7]}; c <= {c, b[7]}; d <= {d, c[7]};
    s <= d[7]; t <= s; u <= t; y <= p + (q ^ {9{u}}) + u; uart_tx <= ^y[9:6];
  end
endmodule
""",
    "memory": """module probe(input clk, input uart_rx, output reg uart_tx);
  (* ram_style = "block" *) reg [7:0] m [0:511];
  reg [8:0] w, r;
  reg [7:0] x;
  always @(posedge clk) begin
    w <= {w, uart_rx}; r <= {r, ^w}; m[w] <= {w[3:0], r[3:0]}; x <= m[r]; uart_tx <= ^x;
  end
endmodule
""",
}
RAM_NS = 2.0
"""A clock-to-output of more than this is a block RAM's on every family here."""


def kinds(report: dict[str, Any]) -> dict[str, list[float]]:
    """Nanoseconds of every hop of the report's paths, by what the hop is."""
    found: dict[str, list[float]] = defaultdict(list)
    for path in report["critical_paths"]:
        if "async" in path["from"] + path["to"]:
            continue
        for hop in path["path"]:
            if (kind := kind_of(hop)) and hop["delay"] > 0:
                found[kind].append(float(hop["delay"]))
    return found


def kind_of(hop: dict[str, Any]) -> str:
    """The member of ``Family`` that a hop measures, or an empty text."""
    ports = hop["from"].get("port", ""), hop["to"].get("port", "")
    if hop["type"] == "clk-to-q":
        return "ram_ns" if hop["delay"] > RAM_NS else "ff_ns"
    if hop["type"] == "routing":
        return "" if ports[1] in CARRY else "net_ns"
    if hop["type"] != "logic":
        return ""
    if ports[0] in CARRY and ports[1] in CARRY:
        return "carry_ns (of one cell)"
    if ports[0] in CARRY or ports[1] in CHAIN_ENDS:
        return "carry_entry_ns (each end)"
    return "lut_ns"


def probe(board: Board, name: str) -> dict[str, Any]:
    """nextpnr's report of one of ``PROBES``, routed for the board; pins only where they must be."""
    family = board.family
    yosys, nextpnr = tools.require("yosys"), tools.require(NEXTPNR[family])
    free = {
        "ecp5": ["--lpf-allow-unconstrained"],
        "ice40": ["--pcf-allow-unconstrained"],
        "gowin": ["--vopt", "cst=probe.cst"],
    }
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "probe.v").write_text(PROBES[name], "utf-8")
        pins = [f'IO_LOC "{pin.name}" {pin.location};' for pin in board.pins if pin.name in PORTS]
        (Path(folder) / "probe.cst").write_text("\n".join(pins) + "\n", "utf-8")
        script = f"read_verilog probe.v; {SYNTHESIS[family]} -top probe -json probe.json"
        steps = [
            (yosys, ["-q", "-p", script]),
            (nextpnr, [*board.nextpnr_options, "--json", "probe.json", "--report", "r.json",
                       "--freq", "400", "--timing-allow-fail", *free[family]]),
        ]  # fmt: skip
        for tool, words in steps:
            subprocess.run(
                [tool.command, *words], cwd=folder, env=tool.environ(), check=True,
                capture_output=True,
            )  # fmt: skip
        report: dict[str, Any] = json.loads((Path(folder) / "r.json").read_text("utf-8"))
        return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("board")
    parser.add_argument("folders", nargs="*", type=Path)
    options = parser.parse_args()
    reports = [probe(boards.load(options.board), name) for name in PROBES]
    for folder in options.folders:
        files = sorted(folder.glob("nextpnr/build/seed-*.report.json"))
        reports += [json.loads(path.read_text("utf-8")) for path in files]
    found: dict[str, list[float]] = defaultdict(list)
    for report in reports:
        for kind, values in kinds(report).items():
            found[kind] += values
    for kind, values in sorted(found.items()):
        low, high = min(values), max(values)
        middle = statistics.median(values)
        print(f"{kind:28} {middle:.3f}  ({low:.3f} to {high:.3f}, {len(values)} hops)")


if __name__ == "__main__":
    main()
