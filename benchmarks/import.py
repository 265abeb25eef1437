"""Third-party networks through hwgen: built, simulated on every reference input, and tabulated.

    python benchmarks/import.py run  [-c REGEX] [--work DIR] [--synth]   build, simulate, keep
    python benchmarks/import.py table                    print, and write docs/benchmarks.md

Networks, inputs and reference outputs come from ``$HWGEN_SHARED`` (its MANIFEST.md). Every frame
goes through the generated Verilog in Verilator and is compared with the golden model, and the
golden model's classes with those of QONNX's own executor. A project that already lies in ``--work``
is simulated as it is.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hwgen.frontend.models import read_model
from hwgen.passes.integerize import integerize

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("HWGEN_SHARED", ROOT.parent / "shared"))
KEPT = ROOT / "benchmarks" / "results" / "import.json"
PAGE = ROOT / "docs" / "benchmarks.md"
MARKS = ("<!-- import: begin -->", "<!-- import: end -->")
JETS = ("<!-- jets: begin -->", "<!-- jets: end -->")


@dataclass(frozen=True)
class Case:
    """One build of a network: its options, and the type that its input is stated to have."""

    name: str
    model: str
    options: tuple[str, ...]
    input_type: str | None = None


FOLDED = ("--style", "folded", "--target-fps")
NATIVE = ("--style", "spatial", "--stream-bits", "native")
CASES = (
    Case("tfc_1w1a_spatial", "TFC_1W1A", ("--style", "spatial")),
    Case("tfc_1w1a_folded", "TFC_1W1A", (*FOLDED, "1000000")),
    Case("tfc_1w2a_spatial", "TFC_1W2A", ("--style", "spatial")),
    Case("tfc_1w2a_folded", "TFC_1W2A", (*FOLDED, "1000000")),
    Case("jets_spatial", "qkeras_jettagging", NATIVE, "FIXED<15,4>"),
    Case("jets_spatial_200mhz", "qkeras_jettagging", (*NATIVE, "--clock", "200"), "FIXED<15,4>"),
    Case("jets_folded", "qkeras_jettagging", (*FOLDED, "1000000"), "FIXED<15,4>"),
    Case("kws_folded", "kwsmlp_w3a3", (*FOLDED, "200000")),
)


def reference(model: str) -> dict[str, Any]:
    """Inputs ``x``, the executor's ``pred``, and labels ``y`` where there are any."""
    stem = f"{model}_mnist_ref" if model.startswith("TFC") else f"{model}_ref"
    with np.load(SHARED / "models" / f"{stem}.npz") as file:
        found = {key: file[key] for key in file.files if key != "logits"}
    if "x" not in found:
        found["x"] = mnist("t10k-images-idx3-ubyte.gz", 16).reshape(-1, 1, 28, 28) / np.float32(255)
        found["y"] = mnist("t10k-labels-idx1-ubyte.gz", 8)
    found["x"] = found["x"].astype(np.float32)
    return found


def mnist(name: str, offset: int) -> np.ndarray:
    data = gzip.decompress((SHARED / "data/mnist" / name).read_bytes())
    return np.frombuffer(data, np.uint8, offset=offset)


def hwgen(*arguments: str) -> dict[str, Any]:
    """One command of hwgen, its result as JSON."""
    done = subprocess.run(
        [sys.executable, "-m", "hwgen", *arguments, "--json"], capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(f"hwgen {' '.join(arguments)} failed:\n{done.stderr}{done.stdout}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def measure(case: Case, work: Path, *, synth: bool) -> dict[str, Any]:
    """Builds what is not there yet, simulates all reference inputs, compares the classes."""
    path = SHARED / "models" / f"{case.model}.onnx"
    data, folder = reference(case.model), work / case.name
    frames = work / f"{case.model}.npz"
    np.savez(frames, **{key: data[key] for key in ("x", "y") if key in data})
    read_model(path, case.input_type)  # loads the packages that reading needs
    start = time.perf_counter()
    real = read_model(path, case.input_type)
    seconds = time.perf_counter() - start
    graph = integerize(real).graph
    stated = ("--input-type", case.input_type) if case.input_type else ()
    if not (folder / "report.json").is_file():
        hwgen(
            "build", str(path), "--board", "pynq-z2", "--out", str(folder), *case.options, *stated
        )
    report = json.loads((folder / "report.json").read_text())
    found = hwgen("sim", str(folder), "--dataset", str(frames))
    output: Any = graph.output
    classes = output.predictions(graph.evaluate(graph.input.encode(data["x"])))  # type: ignore[attr-defined]
    kept = {
        "import_seconds": round(seconds, 2),
        "frames": found["frames"],
        "mismatches": found["mismatches"],
        "other_classes": int((classes != data["pred"]).sum()),
        "accuracy": found["accuracy"],
        "core_latency": found["latency_cycles"],
        "core_interval": found["initiation_interval"],
        "latency": report["latency_cycles"],
        "interval": report["initiation_interval"],
        "estimate": report["resources"],
        "clock_mhz": report["clock_mhz"],
        "options": " ".join((*case.options, *stated)),
    }
    if synth:
        counted = hwgen("synth", str(folder))
        kept["synth"] = {k: counted[k] for k in ("tool", "lut", "ff", "bram36", "dsp")}
    return kept


def run(options: argparse.Namespace) -> None:
    """Measures the cases, and keeps each result as soon as it is there."""
    work = options.work or Path(tempfile.mkdtemp(prefix="hwgen-import-"))
    work.mkdir(parents=True, exist_ok=True)
    for case in CASES:
        if re.search(options.cases, case.name):
            found = measure(case, work, synth=options.synth)
            kept = json.loads(KEPT.read_text()) if KEPT.is_file() else {}
            kept[case.name] = kept.get(case.name, {}) | found
            KEPT.write_text(json.dumps(dict(sorted(kept.items())), indent=2) + "\n")
            print(case.name, found)


def rows(kept: dict[str, Any]) -> list[str]:
    """The table's lines."""
    head = ["network", "import", "frames", "RTL mismatches", "other class than QONNX", "accuracy",
            "cycles per frame", "frames/s", "latency", "LUT", "BRAM36", "DSP"]  # fmt: skip
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 1)]
    for name, k in kept.items():
        lut, bram, dsp = (k["estimate"][key] for key in ("lut", "bram36", "dsp"))
        shown = "" if k["accuracy"] is None else f"{100 * k['accuracy']:.2f} %"
        cells = [name, f"{k['import_seconds']:.2f} s", f"{k['frames']:,}", str(k["mismatches"]),
                 str(k["other_classes"]), shown, f"{k['interval']:,}",
                 f"{1e6 * clock(k) / k['interval']:,.0f}", f"{k['latency'] / clock(k):.2f} µs",
                 f"{lut:,.0f}", f"{bram:g}", f"{dsp:g}"]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def clock(kept: dict[str, Any]) -> float:
    """The clock in MHz that a case was built for."""
    return float(kept.get("clock_mhz", 100))


def jets(kept: dict[str, Any]) -> list[str]:
    """The jet taggers, a frame per cycle all of them."""
    head = [
        "jet tagger",
        "clock",
        "interval",
        "latency",
        "accuracy",
        "LUT",
        "FF",
        "DSP",
        "counted by",
    ]
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 2) + " --- |"]
    for name, k in kept.items():
        if name.startswith("jets_spatial"):
            used, cycles = k.get("synth", k["estimate"]), k["core_latency"]
            latency = f"{1e3 * cycles / clock(k):.0f} ns ({cycles} cycles)"
            cells = [name, f"{clock(k):g} MHz", str(k["core_interval"]), latency]
            cells += [f"{100 * k['accuracy']:.1f} %", f"{used['lut']:,.0f}", f"{used['ff']:,.0f}"]
            cells += [f"{used['dsp']:g}", f"{used.get('tool', 'our estimate')}, 7-series"]
            lines.append("| " + " | ".join(cells) + " |")
    return lines


def table(_: argparse.Namespace) -> None:
    """Writes both tables between their marks in docs/benchmarks.md."""
    kept = json.loads(KEPT.read_text())
    page = PAGE.read_text() if PAGE.is_file() else "# Benchmarks\n"
    for marks, lines, text in ((MARKS, rows(kept), INTRODUCTION), (JETS, jets(kept), ABOUT_JETS)):
        if marks[0] not in page:
            page += f"\n{text}\n{marks[0]}\n{marks[1]}\n"
        before, rest = page.split(marks[0], 1)
        page = before + "\n".join([marks[0], *lines, marks[1]]) + rest.split(marks[1], 1)[1]
        print(*lines, sep="\n")
    PAGE.write_text(page)


ABOUT_JETS = """\
### Jets

`jets_spatial` is the QONNX model zoo's 6-bit network as it is (16-64-32-32-5, not pruned) with
inputs of 15 bits; latency is that of the core, from the first to the last register; accuracy that
of 1,000 jets (±2.7 points). The published rows of hls4ml (arXiv:2006.10159), HGQ
(arXiv:2405.00645) and da4ml (arXiv:2507.04535) are of other networks with the same inputs and
classes, trained for hardware, by Vivado on a VU9P. They are not repeated here: the papers' tables
could not be opened where this was written, and no figure is given that was not read or measured.
"""

INTRODUCTION = """\
## Networks that others trained

`python benchmarks/import.py run && python benchmarks/import.py table`. Boards and clock: pynq-z2,
100 MHz. Every reference input goes through the generated Verilog; cycles are those of the whole
accelerator with its AXI streams (the core's own interval and latency are measured in the same
simulation, and kept in `benchmarks/results/import.json`). LUTs are estimates before synthesis.
`jets_spatial_200mhz` is pipelined for 200 MHz.
The one frame of `kws_folded` whose class differs is an exact tie of two classes that QONNX's
float32 sums break the other way; its outputs are equal.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    verbs = parser.add_subparsers(required=True)
    runner = verbs.add_parser("run")
    runner.add_argument("-c", "--cases", default="", metavar="REGEX")
    runner.add_argument("--work", type=Path, metavar="DIR", help="where projects lie and stay")
    runner.add_argument("--synth", action="store_true", help="count LUTs with yosys too")
    runner.set_defaults(run=run)
    verbs.add_parser("table").set_defaults(run=table)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
