"""Iterative binarization: order × learning rate, with all at once beside it, on nine layers.

    python -m benchmarks.training.order            # the digits, about ten minutes on one core
    python -m benchmarks.training.order --data cifar10 --epochs 18 --lrs 0.001 0.003 0.01

Digits: fully connected layers. CIFAR-10: eight convolutions and a classifier on the exact subset,
all seeds, orders and rates as one `ensemble`.
``--part`` runs one half: binary weights alone, or with binary activations.
"""

from __future__ import annotations

import argparse
from collections import OrderedDict

import torch
from torch import nn

from benchmarks.training.common import (
    PIXELS,
    Arm,
    Run,
    cifar10,
    difference,
    options,
    run_arm,
    score,
    table,
    write,
)
from benchmarks.training.ensemble import Ensemble, Member, patches
from hwgen import nn as q
from hwgen.train.models import mlp
from hwgen.train.progressive import Progressive

HIDDEN = [32] * 8
CONVOLUTIONS = [(16, 4, 4), *[(16, 3, 1)] * 3, (32, 3, 2), *[(32, 3, 1)] * 3]
"""Output channels, kernel and stride of each: maps of 4×4, then of 2×2."""
ORDERS = ("forward", "reverse", "random", "all at once")
PARTS = {"weights": "binary weights, 3-bit activations",
         "activations": "binary weights and activations"}  # fmt: skip


def convolutions(weight: q.WeightSpec, activation: q.ActSpec, relu: bool) -> nn.Sequential:
    """Images of (3, 16, 16); batch-norm after every layer, the classifier's too."""
    layers = OrderedDict[str, nn.Module](encoding=q.QuantIdentity(q.SInt(8, step=1 / 128)))
    channels, size = 3, 16
    for n, (wide, kernel, stride) in enumerate(CONVOLUTIONS, start=1):
        layers[f"conv{n}"] = q.QuantConv2d(
            channels, wide, kernel, stride, padding=kernel % 2, bias=False, weight=weight
        )
        layers[f"bn{n}"] = nn.BatchNorm2d(wide)
        layers[f"act{n}"] = (q.QuantReLU if relu else q.QuantAct)(activation)
        channels, size = wide, size // stride
    layers["flatten"] = nn.Flatten()
    layers["classifier"] = q.QuantLinear(channels * size**2, 10, bias=False, weight=weight)
    layers["norm"] = nn.BatchNorm1d(10)
    return nn.Sequential(layers)


def maker(order: str, binary_activations: bool):
    """All arms train as long; all at once is binary from the first epoch."""
    stages = 9 + (8 if binary_activations else 0)

    def make(data, config):
        act = q.Float(clip=1.0) if binary_activations else q.UInt(3)
        weight = q.Sign() if order == "all at once" else q.Float()
        if binary_activations and order == "all at once":
            act = q.Binary()
        model = mlp(64, HIDDEN, 10, weight=weight, activation=act, input=PIXELS,
                    relu=not binary_activations)  # fmt: skip
        if order == "all at once":
            return model, []
        to = q.Binary() if binary_activations else None
        every = config.epochs // (stages + 1)
        return model, [
            Progressive(model, activation=to, order=order, every=every, seed=config.seed)
        ]

    return make


def separately(part: str, given: argparse.Namespace) -> dict[str, Arm]:
    """The digits, run by run."""
    return {
        o: run_arm(f"{o}, {PARTS[part]}", maker(o, part == "activations"), given,
                   schedule="constant")
        for o in ORDERS
    }  # fmt: skip


def together(part: str, given: argparse.Namespace) -> dict[str, Arm]:
    """CIFAR-10, as one batched network."""
    binary = part == "activations"
    models, data = [], []
    for seed in range(given.seeds):
        torch.manual_seed(seed)
        model = convolutions(q.Float(), q.Float(clip=1.0) if binary else q.UInt(3), not binary)
        models.append(model)
        data.append(patches(cifar10(seed), model.conv1, model.encoding))
    members = [Member(o, lr, s) for s in range(given.seeds) for o in ORDERS for lr in given.lrs]
    ensemble = Ensemble(models, members, binary=binary, size=16)
    ensemble.train(data, epochs=given.epochs, batch=128, compiled=True, progress=True)
    validation = ensemble.accuracy([d.validation for d in data])
    test = ensemble.accuracy([d.test for d in data])
    found: dict[str, list[Run]] = {o: [] for o in ORDERS}
    for m, checked, tested in zip(members, validation, test, strict=True):
        found[m.order].append(Run(m.lr, m.seed, checked, tested))
    return {o: Arm(f"{o}, {PARTS[part]}", tuple(runs)) for o, runs in found.items()}


def main() -> None:
    given = options(__doc__, epochs=36, lrs=(0.0003, 0.001, 0.003, 0.01),
                    data=("digits", "cifar10"), part=("all", *PARTS))  # fmt: skip
    texts, arms = [], []
    for part, what in PARTS.items():
        if given.part not in ("all", part):
            continue
        found = (together if given.data == "cifar10" else separately)(part, given)
        arms += found.values()
        texts.append(f"**{what}**\n\n" + text(found, given.lrs))
    parts = ["order", *(v for v in (given.data, given.part) if v not in ("digits", "all"))]
    write("-".join(parts), given, arms, "\n\n".join(texts))


def text(found: dict[str, Arm], lrs: list[float]) -> str:
    rows = [[o, *(score(arm.at(lr, "test")) for lr in lrs), f"{arm.lr:g}", score(arm.chosen())]
            for o, arm in found.items()]  # fmt: skip
    first, last = found["forward"], found["reverse"]
    gaps = [difference(first.at(lr, "test"), last.at(lr, "test")) for lr in lrs]
    rows.append(["forward - reverse", *gaps, "", difference(first.chosen(), last.chosen())])
    return table(["order", *(f"lr {lr:g}" for lr in lrs), "chosen lr", "at chosen lr"], rows)


if __name__ == "__main__":
    main()
