"""Whole spatial networks beside the same integer networks traced by da4ml and alkaid.

    python benchmarks/networks.py run MODEL.pt ... [-v REGEX]    measure, keep as JSON
    python benchmarks/networks.py table                          print, and write docs/benchmarks.md

Layers are matrices with one threshold per output between them. hwgen's LUTs are those of the whole
core: every layer, its registers and its streams. The peers' are those of bare combinational logic,
simulated against the integers in Icarus Verilog. All are counted by the same yosys, as
``$HWGEN_SHARED/peers`` says. ``HWGEN_PEERS_PYTHON`` is a Python with da4ml and alkaid.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cmvm import PAGE, PEERS, ROOT, xilinx_cells
from hwgen import families, tools
from hwgen.families.synthesis import Counts, count
from hwgen.frontend.models import read_model
from hwgen.ir.graph import Graph
from hwgen.ops.linear import Linear
from hwgen.ops.threshold import Threshold
from hwgen.passes.integerize import integerize
from hwgen.pipeline import core_verilog, plan
from hwgen.request import PlanRequest

KEPT = ROOT / "benchmarks" / "results" / "networks.json"
MARKS = ("<!-- networks: begin -->", "<!-- networks: end -->")
PEER = Path(__file__).with_name("peer_network.py")
VARIANTS = ("da4ml", "alkaid", "alkaid_t62", "alkaid_bin", "alkaid_nolut", "alkaid_nolut_t62")
FRAMES = 40
TIMEOUT = 7200.0
XC7 = families.get("xc7")


def network(graph: Graph, frames: int = FRAMES, seed: int = 11) -> dict[str, Any]:
    """What ``peer_network.py`` reads: layers whose every comparison is ``sum >= threshold``.

    Raises:
        ValueError: the network is more than layers with a threshold per output between them.
    """
    made: dict[str, Any] = {}
    layers = 0
    for node in graph.nodes[1:-1]:
        if isinstance(node, Linear) and f"w{layers}" not in made and not node.bias.values.any():
            made[f"w{layers}"] = node.weight.values
        elif isinstance(node, Threshold) and node.levels == 1 and node.base == 0:
            sign = np.where(node.directions(), -1, 1)
            made[f"w{layers}"] = made[f"w{layers}"] * sign[:, None]
            made[f"t{layers}"] = np.broadcast_to(node.thresholds.values[:, 0], sign.shape) * sign
            layers += 1
        else:
            raise ValueError(f"{node.name} is neither a matrix nor one threshold per output")
    kind = graph.types[graph.input.name].element
    x = np.random.default_rng(seed).integers(kind.lo, kind.hi + 1, (frames, made["w0"].shape[1]))
    x[0], x[1] = kind.lo, kind.hi
    made |= {"layers": layers + 1, "range": np.array([kind.lo, kind.hi]), "x": x}
    return made | {"y": graph.evaluate(x)}


def of_peer(net: dict[str, Any], variant: str, python: str) -> dict[str, Any]:
    """A peer's row: its Verilog made, simulated and counted."""
    with tempfile.TemporaryDirectory(prefix="hwgen-peer-") as name:
        folder = Path(name)
        np.savez(folder / "net.npz", **net)
        command = [python, PEER, folder / "net.npz", variant.removesuffix("_t62"), folder / "made"]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{variant} failed: {done.stderr[-2000:]}")
        told = json.loads(done.stdout.splitlines()[-1])
        files = _sources(folder / "made" / "src")
    if variant.endswith("_t62"):
        files["ternary_adder.v"] = (PEERS / "ternary_adder_prim.v").read_text()
    check = simulate(net, files, told["kifs"])
    found = count(files, "dut", XC7, timeout=TIMEOUT)
    return {"variant": variant, "check": check, "seconds": told["seconds"], **_counted(found)}


def _sources(folder: Path) -> dict[str, str]:
    """The modules of a peer's project; not its wrapper, nor a table that is not used."""
    paths = [*sorted(folder.glob("*.v")), *sorted((folder / "static").glob("*.v"))]
    kept = [p for p in paths if not p.name.endswith(("_wrapper.v", "lookup_table.v"))]
    return {p.name: p.read_text() for p in kept}


def _counted(found: Counts) -> dict[str, Any]:
    return {
        "lut": found.lut,
        "ff": found.ff,
        "carry": found.carry,
        "flow": found.flow,
        "synth_seconds": found.seconds,
    }


def simulate(net: dict[str, Any], files: dict[str, str], kifs: list[list[int]]) -> bool:
    """Whether the peer's combinational module gives the golden outputs for every frame."""
    x, y = net["x"], net["y"]
    widths = [sum(kif) for kif in kifs]
    words = [_packed(row, [1] * len(row)) for row in x]
    bench = (
        f"module tb; reg [{x.shape[1] - 1}:0] v[0:{len(x) - 1}]; reg [{x.shape[1] - 1}:0] x;"
        f"wire [{sum(widths) - 1}:0] y; integer i; dut u(.model_inp(x), .model_out(y));"
        f'initial begin $readmemh("x.hex", v); for (i = 0; i < {len(x)}; i = i + 1) begin '
        'x = v[i]; #1; $display("%h", y); end $finish; end endmodule'
    )
    with tempfile.TemporaryDirectory() as folder:
        for name, text in {**files, "tb.v": bench}.items():
            (Path(folder) / name).write_text(text)
        (Path(folder) / "x.hex").write_text("\n".join(f"{w:x}" for w in words))
        names = [*files, "tb.v", str(xilinx_cells())]
        subprocess.run(["iverilog", "-g2012", "-o", "tb", *names], cwd=folder, check=True)
        done = subprocess.run(
            ["vvp", "-n", "tb"], cwd=folder, check=True, capture_output=True, text=True
        )
    wanted = [_packed(_scaled(row, kifs), widths) for row in y]
    return [int(line, 16) for line in done.stdout.split()] == wanted


def _scaled(row: np.ndarray, kifs: list[list[int]]) -> list[int]:
    """Integers as the peer's outputs hold them; ``f`` fractional bits, or zeros left out."""
    return [int(v) << f if f >= 0 else int(v) >> -f for v, (_, _, f) in zip(row, kifs, strict=True)]


def _packed(values: Any, widths: list[int]) -> int:
    word, low = 0, 0
    for value, width in zip(values, widths, strict=True):
        word |= (int(value) & ((1 << width) - 1)) << low
        low += width
    return word


def of_hwgen(model: Path) -> dict[str, Any]:
    """hwgen's row: the whole core, spatial, counted."""
    start = time.process_time()
    planned = plan(model, PlanRequest(style="spatial"))
    seconds = time.process_time() - start
    files = core_verilog(planned)
    priced = planned.accelerator.layout.resources().values()
    found = count(files, "core", XC7, timeout=TIMEOUT)
    estimate = sum(r.lut for r in priced)
    return {"variant": "hwgen", "seconds": seconds, "estimate": estimate, **_counted(found)}


def keep(network_name: str, row: dict[str, Any]) -> None:
    """Add a row to the kept results, in place of an older one of the same kind."""
    rows = json.loads(KEPT.read_text()) if KEPT.exists() else []
    row = {"network": network_name, **row}
    same = (row["network"], row["variant"])
    rows = [r for r in rows if (r["network"], r["variant"]) != same]
    KEPT.write_text(json.dumps([*rows, row], indent=1) + "\n")


def table() -> str:
    """The kept results as Markdown."""
    rows = json.loads(KEPT.read_text())
    lines = [
        "| network | made by | LUT | FF | ratio of hwgen to it | seconds |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for name in dict.fromkeys(r["network"] for r in rows):
        mine = [r for r in rows if r["network"] == name]
        own = next((r["lut"] for r in mine if r["variant"] == "hwgen"), None)
        for r in sorted(mine, key=lambda r: r["lut"]):
            ratio = "" if own is None or r["variant"] == "hwgen" else f"{own / r['lut']:.3f}"
            lines.append(
                f"| {name} | {r['variant']} | {r['lut']:,} | {r['ff']:,} | {ratio} | "
                f"{r['seconds']:.1f} |"
            )
    return "\n".join(lines)


def write_page(text: str) -> None:
    """Put ``text`` between the marks of the benchmark page."""
    head, rest = PAGE.read_text().split(MARKS[0])
    PAGE.write_text(f"{head}{MARKS[0]}\n{text}\n{MARKS[1]}{rest.split(MARKS[1])[1]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=["run", "table"])
    parser.add_argument("models", nargs="*", type=Path)
    parser.add_argument("-v", "--variant", default=".*")
    options = parser.parse_args()
    if options.command == "table":
        text = table()
        print(text)
        write_page(text)
        return
    python = os.environ.get("HWGEN_PEERS_PYTHON", "")
    for tool in ("yosys", "iverilog"):
        if tools.find(tool).path is None:
            raise SystemExit(f"{tool} is missing")
    for model in options.models:
        name = model.parent.name
        if re.fullmatch(options.variant, "hwgen"):
            keep(name, own := of_hwgen(model))
            print(name, own, flush=True)
        net = network(integerize(read_model(model, None)).graph) if python else {}
        for variant in VARIANTS if python else ():
            if re.fullmatch(options.variant, variant):
                keep(name, row := of_peer(net, variant, python))
                print(name, row, flush=True)


if __name__ == "__main__":
    main()
