"""CNV on the PYNQ-Z2: planned, built, and simulated on CIFAR-10 images, every integer compared.

    python benchmarks/cnv.py --out out/cnv --activation-bits 1 --frames 200 [--epochs N] [--synth]

With ``--epochs 0`` the network is not trained (``examples/cnv.py`` says what that means): its
figures are of the hardware only. Results are kept in ``benchmarks/results/cnv.json``, one entry
per number of activation bits.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "benchmarks" / "results" / "cnv.json"
FPS = 10_000


def timed(*command: str | Path) -> tuple[str, float]:
    """What a command printed, and its seconds.

    Raises:
        CalledProcessError: if it failed.
    """
    began = time.monotonic()
    run = subprocess.run([str(c) for c in command], check=True, stdout=subprocess.PIPE, text=True)
    return run.stdout, time.monotonic() - began


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """All figures of one network."""
    hwgen = (sys.executable, "-m", "hwgen")
    train = [sys.executable, ROOT / "examples" / "cnv.py", "--out", options.out]
    train += ["--activation-bits", str(options.activation_bits), "--epochs", str(options.epochs)]
    accuracy, _ = timed(*train)
    project = options.out / "pynq-z2"
    goal = ["--board", "pynq-z2", "--style", "folded", "--target-fps", str(FPS)]
    model = options.out / "model.pt"
    text, seconds = timed(
        *hwgen, "build", model, *goal, "--out", project, "--frames", "2", "--json"
    )
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    found: dict[str, Any] = {"trained": accuracy.strip(), "build_seconds": seconds}
    found |= {"build_gib": peak, "report": json.loads(text)}
    data = ["--dataset", options.out / "test.npz", "--limit", str(options.frames)]
    text, seconds = timed(*hwgen, "sim", project, *data, "--json")
    found |= {"simulation": json.loads(text), "simulation_seconds": seconds}
    if options.synth:
        text, seconds = timed(*hwgen, "synth", project, "--family", "xc7", "--json")
        found |= {"synthesis": json.loads(text), "synthesis_seconds": seconds}
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--activation-bits", type=int, choices=(1, 2), default=1)
    parser.add_argument("--epochs", type=int, default=0)
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--synth", action="store_true", help="count LUTs with yosys too")
    options = parser.parse_args()
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    kept[str(options.activation_bits)] = measure(options)
    KEPT.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")
    print(json.dumps(kept[str(options.activation_bits)], indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
