"""Convolutional networks on the PYNQ-Z2, end to end: accuracy, exactness, cycles, time, prices.

    python benchmarks/cnv.py [--work out/cnv] [--networks cnv-w1a1 …] [--steps build sim synth]

CNV with 1- and 2-bit activations, ResNet-8 and DS-CNN. A network that ``--work`` does not hold is
trained first (``--epochs``; 0 settles batch-norm only: figures of the hardware, no accuracy
worth the name). Each is planned, built, simulated on real test frames with every integer compared,
and synthesised by yosys beside the estimate. Figures are kept in ``benchmarks/results/cnv.json``
step by step, and the tables go to ``docs/benchmarks.md``.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "benchmarks" / "results" / "cnv.json"
BOARD, FPS, FRAMES = "pynq-z2", 10_000, 200
STEPS = ("plan", "build", "sim", "synth")
NETWORKS = {
    "cnv-w1a1": ["cnv.py", "--activation-bits", "1"],
    "cnv-w1a2": ["cnv.py", "--activation-bits", "2"],
    "resnet8": ["resnet8.py"],
    "dscnn": ["dscnn.py"],
}
BEGIN, END = "<!-- cnv: begin -->", "<!-- cnv: end -->"
LARGE = 100
"""LUTs from which on an error in percent says something."""

Row = dict[str, Any]


def hwgen(*words: object) -> tuple[Row, float, float]:
    """``hwgen … --json`` as a process of its own: its JSON, seconds, and peak memory in GiB."""
    command = [sys.executable, "-m", "hwgen", *map(str, words), "--json"]
    began = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        text = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return json.loads(text), time.monotonic() - began, usage.ru_maxrss / 2**20


def trained(name: str, work: Path, epochs: int) -> Path:
    """The folder of a network, trained now where it is not there yet."""
    folder = work / name
    if not (folder / "model.pt").exists():
        script, *options = NETWORKS[name]
        command = [sys.executable, ROOT / "examples" / script, *options, "--out", folder]
        subprocess.run([*map(str, command), "--epochs", str(epochs)], check=True, cwd=ROOT)
    return folder


def measure(name: str, folder: Path, steps: list[str], kept: Row) -> None:
    """Runs the steps and notes what they found in ``kept``."""
    model, project = folder / "model.pt", folder / BOARD
    goal = ("--board", BOARD, "--style", "folded", "--target-fps", FPS)
    kept["accuracy"] = (folder / "accuracy.txt").read_text().strip()
    if "plan" in steps:
        _, kept["plan_seconds"], _ = hwgen("estimate", model, *goal)
    if "build" in steps:
        found, kept["build_seconds"], kept["build_gib"] = hwgen(
            "build", model, *goal, "--out", project, "--frames", 2
        )
        kept["report"] = found
    if "sim" in steps:
        data = ("--dataset", folder / "test.npz", "--limit", FRAMES)
        kept["sim"], kept["sim_seconds"], _ = hwgen("sim", project, *data)
    if "synth" in steps:
        kept["synth"], kept["synth_seconds"], _ = hwgen("synth", project)
    print(name, kept["accuracy"], json.dumps(kept.get("sim")), flush=True)


def layers(synth: Row, names: list[str]) -> list[Row]:
    """Synthesis and estimate by layer of the network: a unit with its window, its gearboxes and
    queues."""
    sums: dict[str, Row] = {}
    order = sorted(names, key=len, reverse=True)
    for unit in synth["layers"]:
        plain = re.sub(r"^(convert|fifo|elastic|fork)_|_window$", "", unit["name"])
        owner = next((n for n in order if plain.startswith(n)), plain)
        owner = owner.removesuffix("_window")
        total = sums.setdefault(owner, {"name": owner, "real": {}, "guess": {}})
        for kind in ("lut", "ff", "bram36"):
            guess = unit["estimate"][kind] if unit["estimate"] else 0
            total["real"][kind] = total["real"].get(kind, 0) + unit[kind]
            total["guess"][kind] = total["guess"].get(kind, 0) + guess
    return list(sums.values())


def error(row: Row, kind: str) -> float:
    """The estimate's relative error."""
    return row["guess"][kind] / max(row["real"][kind], 1) - 1


def summary(rows: dict[str, Row]) -> list[str]:
    """One line per network."""
    lines = [
        "| network | LUT (est.) | FF (est.) | BRAM36 | cycles per frame | frames/s at 100 MHz | "
        "latency, cycles | cycles as predicted | frames wrong | plan s | build s, GiB | "
        "200 frames simulated, s |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, row in rows.items():
        report, sim = row["report"], row.get("sim")
        memory = f"{row['build_gib']:.1f}" if "build_gib" in row else "–"
        used, core = report["resources"], report["core"]
        exact = wrong = "not run"
        if sim:
            same = all(sim[k] == core[k] for k in ("latency_cycles", "initiation_interval"))
            exact = "yes" if same else f"no: {sim['latency_cycles']}, {sim['initiation_interval']}"
            wrong = f"{sim['mismatches']} of {sim['frames']}"
        seconds = {k: f"{row[f'{k}_seconds']:.0f}" if f"{k}_seconds" in row else "–" for k in STEPS}
        lines.append(
            f"| {name} | {used['lut']:,} | {used['ff']:,} | {used['bram36']:g} | "
            f"{core['initiation_interval']:,} | {report['fps']:,.0f} | "
            f"{core['latency_cycles']:,} | {exact} | {wrong} | {seconds['plan']} | "
            f"{seconds['build']}, {memory} | {seconds['sim']} |"
        )
    lines += [""]
    return [*lines, *(f"- {name}: {row['accuracy']}" for name, row in rows.items())]


def prices(name: str, row: Row) -> list[str]:
    """Synthesis beside the estimate, layer by layer."""
    found = layers(row["synth"], [layer["name"] for layer in row["report"]["layers"]])
    large = [r for r in found if r["real"]["lut"] >= LARGE]
    lines = ["", f"{name}, {row['synth']['tool']}; layers of {LARGE} LUTs or more:"]
    for kind in ("lut", "ff"):
        errors = [abs(error(r, kind)) for r in large]
        real, guess = row["synth"][kind], row["synth"]["estimate"][kind]
        lines[1] += (
            f" {kind.upper()} error median {median(errors):.1%}, worst {max(errors):.1%},"
            f" whole {guess / real - 1:+.1%};"
        )
    same = all(r["real"]["bram36"] == r["guess"]["bram36"] for r in found)
    lines[1] += f" block RAM {'equal in every layer' if same else 'not equal'}."
    lines += ["", "| layer | LUT | estimate | error | FF | estimate | error | BRAM36 | estimate |"]
    lines += ["| --- " * 9 + "|"]
    for r in found:
        cells = [r["name"]]
        for kind in ("lut", "ff"):
            cells += [f"{r['real'][kind]:,}", f"{r['guess'][kind]:,}", f"{error(r, kind):+.0%}"]
        cells += [f"{r['real']['bram36']:g}", f"{r['guess']['bram36']:g}"]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def write(rows: dict[str, Row]) -> None:
    """Puts the tables between their marks."""
    text = summary(rows)
    for name, row in rows.items():
        if "synth" in row:
            text += prices(name, row)
    path = ROOT / "docs" / "benchmarks.md"
    page, block = path.read_text(), "\n".join([BEGIN, *text, END])
    if BEGIN in page:
        page = re.sub(f"{BEGIN}.*?{END}", lambda _: block, page, flags=re.S)
    else:
        title = "## Convolutional networks, `python benchmarks/cnv.py`"
        page = f"{page.rstrip()}\n\n{title}\n\n{block}\n"
    path.write_text(page)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=ROOT / "out" / "cnv")
    parser.add_argument("--networks", nargs="*", default=list(NETWORKS), choices=list(NETWORKS))
    parser.add_argument("--steps", nargs="*", default=list(STEPS), choices=STEPS)
    parser.add_argument("--epochs", type=int, default=0)
    options = parser.parse_args()
    work = options.work.resolve()
    for name in options.networks:
        folder = trained(name, work, options.epochs)
        kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
        try:
            measure(name, folder, options.steps, kept.setdefault(name, {}))
        finally:
            KEPT.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    write({name: kept[name] for name in NETWORKS if "report" in kept.get(name, {})})


if __name__ == "__main__":
    main()
