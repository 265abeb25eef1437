"""What the training benchmarks share: data, paired seeds, a learning rate per arm, tables.

Rules that hold for every comparison: an arm's learning rate is the one of the grid with the best
mean validation accuracy; all arms have the same epochs, seeds, splits and grid; what is reported is
the test accuracy after the last epoch, mean ± standard error over the seeds.
"""

from __future__ import annotations

import argparse
import gzip
import json
import logging
import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hwgen import nn as q
from hwgen.train.data import Data, split
from hwgen.train.fit import FitConfig, accuracy, fit
from hwgen.train.method import Method

RESULTS = Path(__file__).parent / "results"
PIXELS = q.UInt(5, step=1 / 16)
"""The digits' pixels, exactly."""

Make = Callable[[Data, FitConfig], tuple[torch.nn.Module, Sequence[Method]]]
Measure = Callable[[torch.nn.Module, Sequence[Method]], dict[str, float]]


@dataclass(frozen=True)
class Run:
    """One training: accuracies after the last epoch, and what else was measured."""

    lr: float
    seed: int
    validation: float
    test: float
    extra: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Arm:
    """All runs of one arm."""

    name: str
    runs: tuple[Run, ...]

    @property
    def lr(self) -> float:
        """The learning rate with the best mean validation accuracy."""
        return max({r.lr for r in self.runs}, key=lambda lr: _mean(self.at(lr, "validation")))

    def at(self, lr: float, what: str) -> list[float]:
        """One number per seed at a learning rate."""
        own = sorted((r for r in self.runs if r.lr == lr), key=lambda r: r.seed)
        return [getattr(r, what) if what in ("validation", "test") else r.extra[what] for r in own]

    def chosen(self, what: str = "test") -> list[float]:
        """One number per seed at the chosen learning rate."""
        return self.at(self.lr, what)


def options(
    description: str, *, epochs: int, lrs: Sequence[float], **choices: Sequence[str]
) -> argparse.Namespace:
    """The command line of every benchmark; of its own ``choices`` the first is the default."""
    parser = argparse.ArgumentParser(description=description)
    for name, values in choices.items():
        parser.add_argument(f"--{name}", choices=values, default=values[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=epochs)
    parser.add_argument("--lrs", type=float, nargs="+", default=list(lrs))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=RESULTS)
    found = parser.parse_args()
    torch.set_num_threads(found.threads)
    logging.getLogger("hwgen").setLevel(logging.ERROR)
    return found


def digits(seed: int) -> Data:
    """scikit-learn's digits, 0 … 1, split by the seed: 1294 training, 144 validation, 359 test."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    pair = torch.tensor(x / 16, dtype=torch.float32), torch.tensor(y)
    return split(pair, seed=seed)


def mnist(seed: int) -> Data:
    """MNIST as (784,) in 0 … 1, 5,000 frames for validation.

    Read from ``$HWGEN_SHARED/data/mnist``, by default ``../shared`` beside the checkout.
    """
    folder = _folder("mnist")
    train, test = (
        (
            _idx(folder / f"{p}-images-idx3-ubyte.gz", 16),
            _idx(folder / f"{p}-labels-idx1-ubyte.gz", 8),
        )
        for p in ("train", "t10k")
    )
    pairs = [
        (torch.tensor(x.reshape(len(y), -1) / 255, dtype=torch.float32), torch.tensor(y).long())
        for x, y in (train, test)
    ]
    return split(pairs[0], pairs[1], seed=seed, validation=1 / 12)


def cifar10(seed: int) -> Data:
    """CIFAR-10's exact subset as (3, 16, 16) in -1 … 1, each pixel the mean of 2×2.

    3,584 training and 416 validation images by the seed, always the same 1,000 test images; read
    from ``$HWGEN_SHARED/data/cifar10``.
    """
    pairs = []
    with np.load(_folder("cifar10") / "cifar10_lossless_subset.npz", allow_pickle=False) as file:
        for part in ("train", "test"):
            x, y = file[f"x_{part}"], file[f"y_{part}"].astype(np.int64)
            means = x.reshape(len(x), 16, 2, 16, 2, 3).mean((2, 4), dtype=np.float32)
            images = torch.from_numpy(means / 128 - 1).permute(0, 3, 1, 2).contiguous()
            pairs.append((images, torch.from_numpy(y)))
    return split(pairs[0], pairs[1], seed=seed, validation=0.104)


def run_arm(
    name: str,
    make: Make,
    given: argparse.Namespace,
    *,
    data: Callable[[int], Data] = digits,
    measure: Measure | None = None,
    batch: int = 128,
    schedule: str = "cosine",
) -> Arm:
    """Train an arm at every learning rate and seed."""
    runs = []
    began = time.monotonic()
    for seed in range(given.seeds):
        frames = data(seed)
        for lr in given.lrs:
            config = FitConfig(
                epochs=given.epochs, lr=lr, seed=seed, batch=batch, schedule=schedule
            )
            torch.manual_seed(seed)
            model, methods = make(frames, config)
            fit(model, frames, config, methods)
            extra = measure(model, methods) if measure else {}
            pair = accuracy(model, frames.validation), accuracy(model, frames.test)
            runs.append(Run(lr, seed, *pair, extra))
    arm = Arm(name, tuple(runs))
    print(f"{name}: {score(arm.chosen())} at lr {arm.lr:g}, {time.monotonic() - began:.0f} s",
          flush=True)  # fmt: skip
    return arm


def score(values: Sequence[float], factor: float = 100, places: int = 2) -> str:
    """Mean ± standard error."""
    error = float(np.std(values, ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else 0.0
    return f"{factor * _mean(values):.{places}f} ± {factor * error:.{places}f}"


def difference(a: Sequence[float], b: Sequence[float]) -> str:
    """Mean ± standard error of the paired differences a - b, in points."""
    return score([x - y for x, y in zip(a, b, strict=True)])


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(map(str, row)) + " |" for row in (head, ["---"] * len(head), *rows)]
    return "\n".join(lines)


def write(
    name: str, given: argparse.Namespace, arms: Sequence[Arm], text: str, **more: Any
) -> None:
    """Print the table, and keep it with every run under ``results``."""
    print(text)
    given.out.mkdir(parents=True, exist_ok=True)
    setting = {k: v for k, v in vars(given).items() if k not in ("out", "threads")}
    data = {"settings": setting, **more, "arms": {a.name: [vars(r) for r in a.runs] for a in arms}}
    (given.out / f"{name}.json").write_text(json.dumps(data, indent=1) + "\n")
    (given.out / f"{name}.md").write_text(text + "\n")


def adder_luts(model: torch.nn.Module, *, input_bits: int, board: str = "pynq-z2") -> float:
    """hwgen's estimate of the LUTs of a fully connected network's adder graphs, all spatial."""
    from hwgen.train.method import activation_layers, weight_layers

    acts = [m for n, m in activation_layers(model).items() if n.startswith("act")]
    widths = [input_bits, *(max(len(a.alphabet) - 1, 1).bit_length() for a in acts)]
    codes = [layer.codes.numpy() for layer in weight_layers(model).values()]
    return network_luts(codes, widths, board)["adders"]


def network_luts(
    codes: Sequence[np.ndarray], widths: Sequence[int], board: str = "pynq-z2"
) -> dict[str, float]:
    """``adders`` as above, and ``luts``, to which the thresholds behind them are added.

    ``codes`` are each layer's integer weights (outputs, inputs), ``widths`` the bits of its inputs.
    Thresholds are priced at even distances over each sum's range, without the batch-norm.
    """
    from hwgen import families
    from hwgen.backend import boards
    from hwgen.cmvm.solve import solve
    from hwgen.inttype import IntType
    from hwgen.ir.types import TensorType
    from hwgen.ops.product import product_ranges
    from hwgen.train.cost import thresholds

    family = families.get(boards.load(board).family)
    adders = quantizers = 0.0
    for matrix, bits, after in zip(codes, widths, [*widths[1:], 0], strict=True):
        inputs = [IntType.bits(bits, signed=False)] * matrix.shape[1]
        adders += solve(matrix, inputs, family=family, effort=0.0).cost(family)
        whole = TensorType((matrix.shape[1],), (inputs[0],))
        for row in matrix if after else ():
            sums = product_ranges(row[None], np.zeros(1, np.int64), whole)
            if sums[0].lo < sums[0].hi:
                quantizers += thresholds(after, TensorType((1,), tuple(sums)), family)
    return {"adders": adders, "luts": adders + quantizers}


def _folder(name: str) -> Path:
    root = Path(__file__).resolve().parents[2]
    return Path(os.environ.get("HWGEN_SHARED", root.parent / "shared")) / "data" / name


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def _idx(path: Path, header: int) -> np.ndarray:  # type: ignore[type-arg]
    with gzip.open(path) as file:
        return np.frombuffer(file.read(), np.uint8, offset=header)
