"""GPFQ against rounding at the scale of least error, after training, on digits or MNIST.

python -m benchmarks.training.gpfq
python -m benchmarks.training.gpfq --data mnist --epochs 5
"""

from __future__ import annotations

import torch
from torch import nn

from benchmarks.training.common import (
    Arm,
    Run,
    difference,
    digits,
    mnist,
    options,
    score,
    table,
    write,
)
from hwgen import nn as q
from hwgen.ptq import Calibration, WeightPlan, quantize
from hwgen.train.fit import FitConfig, accuracy, fit

ALPHABETS = ("ternary", "int3", "dense2", "shift3", "int4")


def network(inputs: int, wide: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, wide), nn.BatchNorm1d(wide), nn.ReLU(),
        nn.Linear(wide, wide), nn.BatchNorm1d(wide), nn.ReLU(), nn.Linear(wide, 10),
    )  # fmt: skip


def main() -> None:
    given = options(__doc__, epochs=20, lrs=(0.003,), data=("digits", "mnist"))
    large = given.data == "mnist"
    runs: dict[str, list[Run]] = {}
    for seed in range(given.seeds):
        data = (mnist if large else digits)(seed)
        torch.manual_seed(seed)
        model = network(784 if large else 64, 128 if large else 64)
        fit(model, data, FitConfig(epochs=given.epochs, lr=given.lrs[0], seed=seed,
                                   batch=128 if large else 64))  # fmt: skip
        batch = data.train[0][:1024]
        pixels = q.UInt(8, step=1 / 255) if large else q.UInt(5, step=1 / 16)
        pair = accuracy(model, data.validation), accuracy(model, data.test)
        runs.setdefault("float", []).append(Run(given.lrs[0], seed, *pair))
        for name in ALPHABETS:
            for method in ("gpfq", "mmse"):
                found = quantize(model, batch, weight=WeightPlan(name, method),
                                 activation=Calibration(8, "max"), input=pixels).model  # fmt: skip
                pair = accuracy(found, data.validation), accuracy(found, data.test)
                runs.setdefault(f"{name} {method}", []).append(Run(given.lrs[0], seed, *pair))
        print("seed", seed, flush=True)
    arms = {name: Arm(name, tuple(own)) for name, own in runs.items()}
    rows = [[name, score(arms[f"{name} gpfq"].chosen()), score(arms[f"{name} mmse"].chosen()),
             difference(arms[f"{name} gpfq"].chosen(), arms[f"{name} mmse"].chosen())]
            for name in ALPHABETS]  # fmt: skip
    text = f"float: {score(arms['float'].chosen())}\n\n"
    text += table(["alphabet", "GPFQ", "rounded", "GPFQ - rounded"], rows)
    write("gpfq-mnist" if large else "gpfq-digits", given, list(arms.values()), text)


if __name__ == "__main__":
    main()
