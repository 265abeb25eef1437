"""MNIST: accuracy against LUTs of whole networks, beside published points.

    python -m benchmarks.training.front --work DIR [--points small large] [--steps train …]

``train`` makes the networks: pixels above half are 1 (that is the pixel's highest bit, and costs
no LUT), layers of neurons of six inputs that choose them while they train (``FewInputs``), so that
a neuron and its sign are one LUT, and a ternary classifier with argmax. Then every neuron becomes a
table of its six inputs and trains on, entry by entry (``TruthTables``), on images that are moved by
a pixel: the same LUTs, any function. ``measure`` builds each,
every layer spatial and a frame every cycle, runs the 10,000 test images through the RTL, and counts
LUTs with yosys: the network is all units of the core, input encoding and argmax among them; the AXI
shell is counted apart. ``draw`` makes ``docs/mnist-front.png`` and the table of
``docs/training.md``.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import hwgen
from benchmarks.training.common import RESULTS, mnist, table
from hwgen import nn as q
from hwgen.train.data import Data
from hwgen.train.fan_in import FanIn
from hwgen.train.fit import FitConfig, accuracy, fit
from hwgen.train.tables import LearnedTables, as_tables

ROOT = Path(__file__).resolve().parents[2]
PICTURE = ROOT / "docs" / "mnist-front.png"
PAGE = ROOT / "docs" / "training.md"
MARKS = ("<!-- front: begin -->", "<!-- front: end -->")
PUBLISHED = (
    ("NeuraLUT-Assemble", 97.9, 5070),
    ("DWN, encoder not counted", 97.9, 1413),
    ("TreeLUT", 96.6, 4478),
    ("KANELÉ", 96.3, 3809),
    ("PolyLUT-Add", 96.0, 14810),
    ("FINN SFC", 95.8, 91131),
)
"""Accuracy in percent and LUTs after Vivado, as their authors give them."""


RARE = 0.004
"""Pixels that are set in no larger part of the frames are not looked at."""


@dataclass(frozen=True)
class Point:
    """A network: neurons of ``fan_in`` inputs in each layer, and inputs of each class's sum.

    ``choosing`` epochs choose the inputs, ``epochs`` train the tables at ``table_lr``, with
    ``moved`` of the batches moved by a pixel and ``dropout`` before the classifier.
    """

    hidden: tuple[int, ...]
    classes: int
    fan_in: int = 6
    choosing: int = 12
    epochs: int = 40
    lr: float = 0.015
    table_lr: float = 0.006
    moved: float = 0.7
    dropout: float = 0.05
    batch: int = 512
    table_batch: int = 256


POINTS = {
    "short": Point((300, 150), 45, choosing=2, epochs=2),
    "small": Point((300, 150), 45, dropout=0.0, moved=0.5),
    "medium": Point((600, 300), 70, dropout=0.0),
    "large": Point((1000, 500), 90),
    "larger": Point((2000, 1000), 120, dropout=0.1),
}
"""``short`` is ``small`` with few epochs: to see that all of it works."""


class Narrow(nn.Module):
    """A network that multiplies in bfloat16, to save time: weights and inputs are exact in it."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found: Tensor = self.network(x)
        return found.float()


class Moved(nn.Module):
    """A network of the pixels that are used; while it trains, a share of the batches is moved by a
    pixel in either direction."""

    def __init__(self, network: nn.Module, used: Tensor, share: float) -> None:
        super().__init__()
        self.network, self.used, self.share = network, used, share

    def forward(self, x: Tensor) -> Tensor:
        if self.training and float(torch.rand(())) < self.share:
            down, right = (int(n) for n in torch.randint(-1, 2, (2,)))
            x = x.view(-1, 28, 28).roll((down, right), (1, 2)).flatten(1)
        found: Tensor = self.network(x[:, self.used])
        return found


class Classifier(nn.Module):
    """A network and the number of its largest output."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.network(x).argmax(1)
        return found


def network(point: Point, pixels: int = 784) -> nn.Sequential:
    """8-bit pixels, their highest bit, layers of few inputs, a ternary classifier."""
    layers: list[nn.Module] = [
        q.QuantIdentity(q.UInt(8, step=1 / 255)),
        q.QuantAct(q.UInt(1, step=1.0)),
    ]
    spec = q.FewInputs(q.Int(5, step=1 / 16), point.fan_in)
    for number, (columns, rows) in enumerate(pairwise((pixels, *point.hidden)), start=1):
        last = number == len(point.hidden)
        layer, norm = q.QuantLinear(columns, rows, bias=False, weight=spec), nn.BatchNorm1d(rows)
        nn.init.constant_(norm.bias, 1.0 if last else 0.0)
        # 0 and 2 instead of -1 and 1 before the classifier: its sums then need no offsets
        act = q.UInt(1, step=2.0) if last else q.Binary()
        layers += [layer, norm, q.QuantAct(act)]
    ternary = q.FewInputs(q.Ternary(scale=0.2, threshold=0.0), point.classes)
    layers.append(nn.Dropout(0.0))
    layers.append(q.QuantLinear(point.hidden[-1], 10, bias=False, weight=ternary))
    return nn.Sequential(*layers)


def train(name: str, point: Point, folder: Path, seed: int) -> None:
    """``model.pt``, ``test.npz`` and ``training.json`` in ``folder``; goes on where it stopped."""
    data = mnist(seed)
    bits = Data(*((x.gt(0.5).float(), y) for x, y in (data.train, data.validation, data.test)))
    used = bits.train[0].mean(dim=0) > RARE
    torch.manual_seed(seed)
    small = network(point, int(used.sum()))
    FanIn.initialize(small)
    folder.mkdir(parents=True, exist_ok=True)
    choosing = FitConfig(epochs=point.choosing, batch=point.batch, lr=point.lr, seed=seed)
    first = fit(Moved(Narrow(small), used, 0.0), bits, choosing,
                [FanIn(small, end=max(round(point.choosing * 0.6), 1))], progress=True,
                checkpoint=folder / "choosing.ckpt")  # fmt: skip
    as_tables(small)
    small[-2] = nn.Dropout(point.dropout)
    tables = FitConfig(epochs=point.epochs, batch=point.table_batch, lr=point.table_lr, seed=seed)
    history = fit(Moved(small, used, point.moved), bits, tables, [LearnedTables(small)],
                  progress=True, checkpoint=folder / "tables.ckpt")  # fmt: skip
    net = _widened(small, used)
    x, y = data.test
    hwgen.save(Classifier(net).eval(), folder / "model.pt", x[:64])
    np.savez_compressed(folder / "test.npz", x=x.numpy(), y=y.numpy())
    row = {
        "point": vars(point), "seed": seed, "history": [*first.rows, *history.rows],
        "chosen": first.rows[-1]["accuracy"],
        "validation": accuracy(net, data.validation), "test": accuracy(net, data.test),
    }  # fmt: skip
    (folder / "training.json").write_text(json.dumps(row))
    print(f"{name}: validation {row['validation']:.2%}, test {row['test']:.2%}", flush=True)


def _widened(small: nn.Sequential, used: Tensor) -> nn.Sequential:
    """The network of all pixels."""
    at = next(k for k, m in enumerate(small) if isinstance(m, q.TruthTables))
    narrow = small[at]
    wide = q.TruthTables(len(used), narrow.out_features, fan_in=narrow.fan_in, levels=narrow.levels)
    wide.connect(used.nonzero().flatten()[narrow.connections])
    wide.tables.data = narrow.tables.data
    return nn.Sequential(*small[:at], wide, *small[at + 1 :]).eval()


def measure(folder: Path) -> dict[str, Any]:
    """Build, simulate every test image, synthesize; what goes into the table."""
    out = folder / "built"
    built = _hwgen("build", folder / "model.pt", "--style", "spatial", "--stream-bits", "native",
                   "--out", out)  # fmt: skip
    sim = _hwgen("sim", out, "--dataset", folder / "test.npz")
    synth = _hwgen("synth", out)
    parts = {layer["name"]: layer["lut"] for layer in synth["layers"] if layer["name"] != "shell"}
    return {
        "accuracy": sim["accuracy"],
        "frames": sim["frames"],
        "mismatches": sim["mismatches"],
        "interval": sim["initiation_interval"],
        "latency": sim["latency_cycles"],
        "estimate": built["resources"]["lut"],
        "network": sum(parts.values()),
        "parts": parts,
        "accelerator": synth["lut"],
        "ff": synth["ff"],
        "tool": synth["tool"],
        **{k: v for k, v in json.loads((folder / "training.json").read_text()).items()
           if k in ("point", "seed", "chosen", "validation", "test")},
    }  # fmt: skip


def _hwgen(*words: object) -> dict[str, Any]:
    command = [sys.executable, "-m", "hwgen", *map(str, words), "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False, cwd=ROOT)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def rows(measured: dict[str, dict[str, Any]]) -> str:
    """The measured networks, smallest first."""
    head = ["network", "hidden neurons", "inputs per class", "epochs",
            "validation %, inputs chosen", "validation %, tables", "test % (RTL)", "mismatches",
            "LUT, network", "LUT with AXI shell", "FF", "cycles per frame", "latency"]  # fmt: skip
    found = []
    for name, m in sorted(measured.items(), key=lambda item: item[1]["network"]):
        point = m["point"]
        shape = [name, " + ".join(map(str, point["hidden"])), point["classes"],
                 f"{point['choosing']} + {point['epochs']}",
                 *(f"{100 * m[kind]:.2f}" for kind in ("chosen", "validation"))]  # fmt: skip
        exact = [f"{100 * m['accuracy']:.2f}", f"{m['mismatches']} of {m['frames']:,}"]
        luts = [f"{m[kind]:,}" for kind in ("network", "accelerator", "ff")]
        found.append([*shape, *exact, *luts, m["interval"], m["latency"]])
    return table(head, found)


def publish(text: str) -> None:
    """Put the table between its marks on the page."""
    before, rest = PAGE.read_text("utf-8").split(MARKS[0])
    after = rest.split(MARKS[1])[1]
    PAGE.write_text(f"{before}{MARKS[0]}\n{text}\n{MARKS[1]}{after}", "utf-8")


def draw(measured: dict[str, dict[str, Any]], out: Path) -> None:
    """Accuracy over LUTs."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7.6, 4.4), layout="constrained")
    own = sorted((m["network"], 100 * m["accuracy"]) for m in measured.values())
    shell = sorted((m["accelerator"], 100 * m["accuracy"]) for m in measured.values())
    axes.semilogx(*zip(*own, strict=True), "o-", color="#1f5fa8", label="hwgen, network (yosys)")
    axes.semilogx(*zip(*shell, strict=True), "o:", color="#8fb3d9", markersize=4,
                  label="hwgen, with AXI shell (yosys)")  # fmt: skip
    axes.semilogx([p[2] for p in PUBLISHED], [p[1] for p in PUBLISHED], "s", color="#b03030",
                  label="published (Vivado)")  # fmt: skip
    for name, percent, lut in PUBLISHED:
        left = lut > 50_000
        axes.annotate(name, (lut, percent), textcoords="offset points", fontsize=8,
                      xytext=(-7 if left else 7, -3), ha="right" if left else "left")  # fmt: skip
    axes.set_xlabel("LUTs of the whole network, one frame per cycle")
    axes.set_ylabel("MNIST test accuracy, %")
    axes.grid(True, which="both", linewidth=0.3)
    axes.legend(loc="center right", fontsize=8)
    figure.savefig(out, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, default=ROOT / "out" / "front")
    parser.add_argument("--points", nargs="+", choices=list(POINTS), default=list(POINTS))
    parser.add_argument("--steps", nargs="+", choices=("train", "measure", "draw"),
                        default=["train", "measure", "draw"])  # fmt: skip
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    torch.set_num_threads(1)
    kept = RESULTS / "front.json"
    measured = json.loads(kept.read_text()) if kept.exists() else {}
    for name in given.points:
        folder = given.work.resolve() / name
        if "train" in given.steps:
            train(name, POINTS[name], folder, given.seed)
        if "measure" in given.steps:
            measured[name] = measure(folder)
            kept.write_text(json.dumps(measured, indent=1) + "\n")
    if "draw" in given.steps and measured:
        draw(measured, PICTURE)
        publish(f"{rows(measured)}\n\n![MNIST accuracy against LUTs]({PICTURE.name})")
        print(rows(measured))


if __name__ == "__main__":
    main()
