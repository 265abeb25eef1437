"""hwgen beside da4ml and alkaid on constant matrix-vector products, counted by the same yosys.

    python benchmarks/cmvm.py run [-c REGEX] [--no-synth]    measure, keep as JSON
        [--effort E | --seconds S | --depth D | --clock]        one of them, or by default
    python benchmarks/cmvm.py peers [-c REGEX]  da4ml's seconds and stages, here and now
    python benchmarks/cmvm.py table             print, and write docs/benchmarks.md

Matrices and the peers' measurements come from ``$HWGEN_SHARED/peers`` (its README says how LUTs
are counted); matrices of other shapes are made here with their own seeds. Every measured design
is checked against ``x @ W`` in Icarus Verilog, with yosys's models of the Xilinx cells.
``--clock`` pipelines to the delay of the slowest stage of da4ml's own pipeline of the same matrix,
by the family's delays. ``peers`` needs ``HWGEN_PEERS_PYTHON``, a Python that has da4ml.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from hwgen import families, tools
from hwgen.cmvm import AdderGraph, emit, library, solve, solve_for_clock
from hwgen.families.synthesis import count
from hwgen.inttype import IntType

ROOT = Path(__file__).resolve().parent.parent
PEERS = Path(os.environ.get("HWGEN_SHARED", ROOT.parent / "shared")) / "peers"
KEPT = ROOT / "benchmarks" / "results" / "cmvm.json"
TIMES = ROOT / "benchmarks" / "results" / "cmvm_peers.json"
PAGE = ROOT / "docs" / "benchmarks.md"
MARKS = ("<!-- cmvm: begin -->", "<!-- cmvm: end -->")
TYPES = {"s8": IntType(-128, 127), "u1": IntType(0, 1), "u2": IntType(0, 3), "u8": IntType(0, 255)}
XC7 = families.get("xc7")
OTHERS = [
    ("bin", 32, 100, "s8", 7),
    ("bin", 100, 32, "s8", 8),
    ("ter", 100, 32, "s8", 9),
    ("bin", 100, 32, "u1", 10),
    ("int4", 32, 100, "s8", 11),
    ("bin", 64, 64, "u8", 12),
    ("bin", 784, 64, "u8", 13),
]


def cases() -> Iterator[tuple[str, np.ndarray, IntType]]:
    """``(name, W of shape (outputs, inputs), type of the inputs)``; first the peers' own."""
    stored = np.load(PEERS / "matrices.npz")
    for case in json.loads((PEERS / "cases.json").read_text())["cases"]:
        yield case["name"], stored[case["matrix"]].astype(np.int64).T, TYPES[case["x"]]
    for kind, n, m, x, seed in OTHERS:
        rng = np.random.default_rng([seed, n, m])
        low, high = {"bin": (0, 2), "ter": (-1, 2), "int4": (-8, 8)}[kind]
        weights = rng.integers(low, high, (m, n))
        yield f"{kind}_{n}x{m}_{x}", weights * 2 - 1 if kind == "bin" else weights, TYPES[x]


def peers(name: str) -> list[dict[str, Any]]:
    """The peers' measurements of a case, each with the fewest LUTs of its flows."""
    rows = []
    for path in sorted((PEERS / "results").glob(f"{name}__*.json")):
        row = json.loads(path.read_text())
        flows = [s for s in row["synth"].values() if "lut" in s]
        if flows:
            least = min(flows, key=lambda s: s["lut"])
            rows.append({**row, "lut": least["lut"], "ff": least["fdre"]})
    return rows


def simulate(graph: AdderGraph, files: dict[str, str], weights: np.ndarray, x: IntType) -> bool:
    """Whether the emitted module gives ``x @ W`` for corners and random inputs."""
    rng = np.random.default_rng(11)
    n, m = len(graph.inputs), len(graph.outputs)
    vectors = rng.integers(x.lo, x.hi + 1, (24, n))
    vectors[0], vectors[1] = x.lo, x.hi
    wanted = vectors @ weights.T
    slot = IntType.hull(o.type for o in graph.outputs).width
    with tempfile.TemporaryDirectory() as folder:
        words = [_pack(v, x.width) for v in vectors]
        (Path(folder) / "x.hex").write_text("\n".join(f"{w:x}" for w in words))
        bench = (
            f"module tb; reg [{n * x.width - 1}:0] v[0:{len(words) - 1}]; integer i;"
            f"reg [{n * x.width - 1}:0] x; wire [{m * slot - 1}:0] y;"
            "dut u(.clk(1'b0), .ce(1'b1), .x(x), .y(y));"
            f'initial begin $readmemh("x.hex", v); for (i = 0; i < {len(words)}; i = i + 1) begin '
            'x = v[i]; #1; $display("%h", y); end $finish; end endmodule'
        )
        for name, text in {**files, "tb.v": bench}.items():
            (Path(folder) / name).write_text(text)
        names = [*files, "tb.v", str(xilinx_cells())]
        subprocess.run(["iverilog", "-g2012", "-o", "tb", *names], cwd=folder, check=True)
        done = subprocess.run(
            ["vvp", "-n", "tb"], cwd=folder, check=True, capture_output=True, text=True
        )
    return [int(line, 16) for line in done.stdout.split()] == [_pack(w, slot) for w in wanted]


def xilinx_cells() -> Path:
    """yosys's models of the Xilinx cells."""
    return tools.yosys_share() / "xilinx" / "cells_sim.v"


def _pack(values: np.ndarray, slot: int) -> int:
    return sum((int(v) & ((1 << slot) - 1)) << (k * slot) for k, v in enumerate(values))


def measure(
    name: str,
    weights: np.ndarray,
    x: IntType,
    effort: float,
    synth: bool,
    depth: int | None = None,
    target_ns: float | None = None,
) -> dict[str, Any]:
    """One row of the table."""
    start = time.process_time()
    design: Any
    if target_ns is None:
        design = graph = solve(weights, [x] * weights.shape[1], effort=effort, max_depth=depth)
    else:
        design = solve_for_clock(weights, [x] * weights.shape[1], target_ns=target_ns, family=XC7)
        graph = design.graph
    row: dict[str, Any] = {
        "case": name,
        "effort": effort,
        "bound": depth,
        "seconds": time.process_time() - start,
        "nodes": len(graph.nodes),
        "depth": graph.depth,
        "estimate": graph.cost(XC7),
    }
    if target_ns is not None:
        row |= {
            "target_ns": round(target_ns, 2),
            "stages": design.stages,
            "register_bits": design.register_bits,
        }
    if synth:
        files = {"dut.v": emit(design, "dut", XC7), **library(XC7)}
        if target_ns is None:
            row["check"] = simulate(graph, files, weights, x)
        found = count(files, "dut", XC7, flows=("std",), timeout=7200)
        row |= {
            "lut": found.lut,
            "ff": found.ff,
            "srl": found.srl,
            "carry": found.carry,
            "synth_seconds": found.seconds,
        }
    return row


def keep(row: dict[str, Any]) -> None:
    """Add a row to the kept results, in place of an older one of the same kind."""
    rows = json.loads(KEPT.read_text()) if KEPT.exists() else []
    kind = _kind(row)
    rows = [r for r in rows if _kind(r) != kind]
    KEPT.parent.mkdir(exist_ok=True)
    rows = sorted([*rows, row], key=lambda r: (r["case"], str(r)))
    KEPT.write_text(json.dumps(rows, indent=1) + "\n")


def _kind(row: dict[str, Any]) -> tuple[Any, ...]:
    """What of a row tells it from others: how its graph was asked for."""
    return row["case"], row["effort"], row["bound"], "target_ns" in row


def table() -> str:
    """The kept results beside the peers', as Markdown."""
    rows = json.loads(KEPT.read_text())
    times = json.loads(TIMES.read_text()) if TIMES.exists() else {}
    lines = [
        "Where no LUTs of hwgen are given, the matrix was not synthesised: the ratio is that of",
        "the estimate, flip-flops are register bits. Seconds are processor time, da4ml's measured",
        "on the same machine.",
        "",
        "| matrix | best peer | LUT | depth | hwgen LUT | estimate | depth | ratio | seconds "
        "| da4ml |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    ratios: dict[str, list[float]] = {}
    for r in rows:
        if r["effort"] != 1 or r["bound"] is not None or "target_ns" in r:
            continue
        best = min(peers(r["case"]), key=lambda p: p["lut"], default=None)
        lut = r.get("lut", r["estimate"])
        peer = (
            ("none", "", "", "")
            if best is None
            else (best["variant"], best["lut"], best.get("depth") or "", f"{lut / best['lut']:.3f}")
        )
        if best is not None:
            ratios.setdefault(r["case"].split("_")[0], []).append(lut / best["lut"])
        theirs = times.get(r["case"], {}).get("seconds")
        lines.append(
            f"| {r['case']} | {peer[0]} | {peer[1]} | {peer[2]} | {r.get('lut', '')} | "
            f"{r['estimate']:.0f} | {r['depth']} | {peer[3]} | {r['seconds']:.2f} | "
            f"{'' if theirs is None else f'{theirs:.2f}'} |"
        )
    means = {k: math.exp(sum(map(math.log, v)) / len(v)) for k, v in ratios.items()}
    lines += ["", "Geometric means: " + ", ".join(f"{k} {v:.3f}" for k, v in means.items()) + "."]
    return "\n".join([*lines, *extra(rows)])


def extra(rows: list[dict[str, Any]]) -> list[str]:
    """Rows with a depth bound, with more effort, and pipelined."""
    lines = [
        "",
        "| matrix | hwgen | LUT | FF (SRL) | depth or stages | peer | LUT | FF (SRL) "
        "| depth or stages | LUT ratio | FF ratio |",
        "| --- | --- | ---: | ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    plain = {_kind(r)[0]: r for r in rows if _kind(r)[1:] == (1.0, None, False)}
    for r in rows:
        if r is plain.get(r["case"]):
            continue
        if "target_ns" in r:
            kind, suffix = f"pipelined to {r['target_ns']} ns", "da4ml_pipe"
        elif r["bound"] is not None:
            more = f", {r['seconds']:.0f} s" if r["effort"] > 1 else ""
            kind, suffix = f"depth ≤ {r['bound']}{more}", "_dc2"
        else:
            gain = 1 - r["estimate"] / plain[r["case"]]["estimate"]
            kind, suffix = f"{r['seconds']:.0f} s: {100 * gain:.1f} % fewer", ""
        mine = [p for p in peers(r["case"]) if p["variant"].endswith(suffix)]
        best = min(mine, key=lambda p: p["lut"], default=None)
        lut, ff = r.get("lut", round(r["estimate"])), r.get("ff", r.get("register_bits", 0))
        theirs = " | | | | |"
        if best is not None:
            level = best.get("stages") if suffix == "da4ml_pipe" else best.get("depth")
            registers = f"{ff / best['ff']:.3f}" if best["ff"] else ""
            theirs = (
                f"{best['variant']} | {best['lut']} | {best['ff']} ({_srl(best)}) | {level} | "
                f"{lut / best['lut']:.3f} | {registers}"
            )
        lines.append(
            f"| {r['case']} | {kind} | {lut} | {ff} ({r.get('srl', 0)}) | "
            f"{r.get('stages', r['depth'])} | {theirs} |"
        )
    return lines


def _srl(row: dict[str, Any]) -> int:
    return int(min(row["synth"].values(), key=lambda s: s.get("lut", math.inf)).get("srl", 0))


def write_page(text: str) -> None:
    """Put ``text`` between the marks of the benchmark page."""
    page = PAGE.read_text() if PAGE.exists() else f"# Benchmarks\n\n{MARKS[0]}\n{MARKS[1]}\n"
    if MARKS[0] not in page:
        page += f"\n{MARKS[0]}\n{MARKS[1]}\n"
    head, rest = page.split(MARKS[0])
    tail = rest.split(MARKS[1])[1]
    PAGE.write_text(f"{head}{MARKS[0]}\n{text}\n{MARKS[1]}{tail}")


def measure_peers(pattern: str) -> None:
    """da4ml's processor seconds, and the delay of its pipelines' slowest stages."""
    cell_ns = XC7.net_ns + XC7.lut_ns + XC7.carry_entry_ns
    script = Path(__file__).with_name("peer_stages.py")
    command = [os.environ["HWGEN_PEERS_PYTHON"], script, PEERS, cell_ns, XC7.carry_ns, pattern]
    known = json.loads(TIMES.read_text()) if TIMES.exists() else {}
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            row = json.loads(line)
            print(row, flush=True)
            known[row.pop("case")] = row
            TIMES.write_text(json.dumps(known, indent=1) + "\n")


def efforts(name: str, options: argparse.Namespace) -> float:
    """The effort that is asked for, or the one that takes about the seconds asked for."""
    if options.seconds is None:
        return float(options.effort)
    rows = json.loads(KEPT.read_text())
    plain = next(r for r in rows if _kind(r) == (name, 1.0, None, False))
    return float(max(1, round(options.seconds / plain["seconds"])))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=["run", "peers", "table"])
    parser.add_argument("-c", "--case", default=".*")
    parser.add_argument("--effort", type=float, default=1.0)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--depth", type=int)
    parser.add_argument("--clock", action="store_true")
    parser.add_argument("--no-synth", action="store_true")
    options = parser.parse_args()
    if options.command == "table":
        text = table()
        print(text)
        write_page(text)
        return
    if options.command == "peers":
        measure_peers(options.case)
        return
    run(options)


def run(options: argparse.Namespace) -> None:
    """Measure and keep the cases that are asked for."""
    synth = not options.no_synth and all(tools.find(t).path for t in ("yosys", "iverilog"))
    times = json.loads(TIMES.read_text()) if options.clock else {}
    warm = np.array([[1, 1, -1, 1]] * 4) * np.array([[1, 1, 1, 3]])
    for x in (TYPES["s8"], TYPES["u1"]):
        solve(warm, [x] * 4)  # compiles
    for name, weights, x in cases():
        if not re.fullmatch(options.case, name):
            continue
        target = None
        if options.clock:
            if not any(p["variant"] == "da4ml_pipe" for p in peers(name)):
                continue
            target = times[name]["ns"] + XC7.ff_ns
        row = measure(name, weights, x, efforts(name, options), synth, options.depth, target)
        best = min((p["lut"] for p in peers(name)), default=None)
        ratio = f"{row.get('lut', row['estimate']) / best:.3f}" if best else ""
        print(name, {k: v for k, v in row.items() if k != "case"}, ratio, flush=True)
        keep(row)


if __name__ == "__main__":
    main()
