"""MNIST networks of FINN's TFC shape, end to end: accuracy, exactness, speed, estimates.

    python benchmarks/mnist.py [--work DIR] [--synth 20000]

trains 784-64-64-64-10 networks (once; ``--work`` keeps them), builds each in every style for
pynq-z2,
runs all 10,000 test images through the RTL, times ``build``, ``estimate`` and the simulation as
whole processes, and with ``--synth LUTS`` sets the estimate beside yosys. The table goes to
``docs/benchmarks.md`` between the markers ``<!-- mnist -->``. MNIST comes from ``HWGEN_SHARED``.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
NETWORKS = {
    "w1a1": ["--weights", "binary", "--activation-bits", "1", "--input", "binary"],
    "w1a2": ["--weights", "binary", "--activation-bits", "2", "--input", "8bit"],
    "shift3a4": ["--weights", "shift", "--activation-bits", "4", "--input", "8bit"],
}
STYLES: dict[str, tuple[str, ...]] = {
    "spatial": (),
    "folded": (),
    "bit-serial": ("--target-fps", "12400000", "--stream-bits", "native"),
}
"""Styles, and what each is asked for: bits one by one, from a stream that is fast enough."""

MARK = "<!-- mnist -->"


@dataclass(frozen=True)
class Ran:
    """A finished process: its JSON, seconds, and peak memory of all children so far in MiB."""

    data: dict[str, Any]
    seconds: float
    peak_mib: float


def hwgen(*words: object) -> Ran:
    """``hwgen … --json`` as a process of its own; stops the benchmark where it fails."""
    began = time.monotonic()
    command = [sys.executable, "-m", "hwgen", *map(str, words), "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False, cwd=ROOT)
    seconds = time.monotonic() - began
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return Ran(json.loads(done.stdout), seconds, peak)


def trained(name: str, work: Path) -> Path:
    """The folder of a trained network, trained now where it is not there yet."""
    folder = work / name
    if not (folder / "model.pt").exists():
        script = ROOT / "examples" / "mnist_tfc.py"
        command = [sys.executable, script, *NETWORKS[name], "--out", folder]
        subprocess.run(list(map(str, command)), check=True, cwd=ROOT)
    return folder


def measure(name: str, style: str, folder: Path, synth: int) -> dict[str, Any]:
    """One row of the table."""
    out = folder / style
    model = folder / "model.pt"
    asked = ("--style", style, *STYLES[style])
    estimate = hwgen("estimate", model, *asked)
    default = hwgen("estimate", model)
    build = hwgen("build", model, *asked, "--out", out)
    sim = hwgen("sim", out, "--dataset", folder / "test.npz")
    again = hwgen("sim", out, "--dataset", folder / "test.npz")
    row = {
        "network": name,
        "style": style,
        "accuracy": sim.data["accuracy"],
        "frames": sim.data["frames"],
        "mismatches": sim.data["mismatches"],
        "lut": build.data["resources"]["lut"],
        "ff": build.data["resources"]["ff"],
        "core_interval": build.data["core"]["initiation_interval"],
        "interval_exact": sim.data["initiation_interval"]
        == build.data["core"]["initiation_interval"],
        "latency_exact": sim.data["latency_cycles"] == build.data["core"]["latency_cycles"],
        "fps": build.data["fps"],
        "estimate_s": default.seconds,
        "estimate_style_s": estimate.seconds,
        "build_s": build.seconds,
        "build_mib": build.peak_mib,
        "sim_fps": again.data["frames_per_second"],
    }
    if row["lut"] <= synth:
        row["synth"] = hwgen("synth", out).data
    print(json.dumps({k: v for k, v in row.items() if k != "synth"}), flush=True)
    return row


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as Markdown."""
    lines = [
        "| network | style | accuracy | frames wrong | LUT (est.) | FF (est.) | core "
        "cycles/frame | "
        "cycles as predicted | frames/s at 100 MHz | build s | estimate s | simulated frames/s |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for r in rows:
        exact = "yes" if r["interval_exact"] and r["latency_exact"] else "no"
        lines.append(
            f"| {r['network']} | {r['style']} | {100 * r['accuracy']:.2f} % | "
            f"{r['mismatches']} of {r['frames']:,} | {r['lut']:,} | {r['ff']:,} | "
            f"{r['core_interval']} | {exact} | {r['fps']:,.0f} | {r['build_s']:.1f} | "
            f"{r['estimate_s']:.1f} | {r['sim_fps']:,.0f} |"
        )
    for r in rows:
        if "synth" in r:
            lines += ["", *synth_table(r)]
    return "\n".join(lines)


def synth_table(row: dict[str, Any]) -> list[str]:
    """Synthesis beside the estimate, layer by layer."""
    lines = [
        f"{row['network']}, {row['style']}, {row['synth']['tool']}:",
        "",
        "| layer | LUT | estimate | error | FF | estimate | error |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for layer in row["synth"]["layers"]:
        guess = layer["estimate"] or {"lut": 0, "ff": 0}
        cells = [layer["name"]]
        for kind in ("lut", "ff"):
            real = layer[kind]
            error = f"{100 * (guess[kind] - real) / real:+.0f} %" if real else "–"
            cells += [f"{real:,}", f"{guess[kind]:,}", error]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def write(text: str) -> None:
    """Puts the table between its markers in docs/benchmarks.md."""
    path = ROOT / "docs" / "benchmarks.md"
    page = path.read_text() if path.exists() else "# Benchmarks\n"
    block = f"{MARK}\n{text}\n{MARK}"
    if page.count(MARK) == 2:
        page = re.sub(f"{MARK}.*?{MARK}", lambda _: block, page, flags=re.S)
    else:
        page = f"{page.rstrip()}\n\n## MNIST, `python benchmarks/mnist.py`\n\n{block}\n"
    path.write_text(page)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, default=ROOT / "out" / "mnist")
    parser.add_argument(
        "--synth", type=int, default=0, metavar="LUTS",
        help="set yosys beside the estimate of designs of at most so many LUTs",
    )  # fmt: skip
    parser.add_argument("--networks", nargs="*", default=list(NETWORKS), choices=list(NETWORKS))
    parser.add_argument("--styles", nargs="*", default=list(STYLES), choices=STYLES)
    options = parser.parse_args()
    shared = Path(os.environ.get("HWGEN_SHARED", ROOT.parent / "shared"))
    if not (shared / "data" / "mnist").is_dir():
        raise SystemExit(f"skipped: no MNIST in {shared}; set HWGEN_SHARED")
    work = options.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    rows = [
        measure(name, style, trained(name, work), options.synth)
        for name in options.networks
        for style in options.styles
    ]
    (work / "rows.json").write_text(json.dumps(rows, indent=2))
    write(table(rows))


if __name__ == "__main__":
    main()
