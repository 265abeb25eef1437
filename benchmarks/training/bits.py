"""BitPruning, AdaQAT and BMPQ against uniform widths, on mean bits and on LUTs; with pruning too.

    python -m benchmarks.training.bits

Controls, for each seed and learning rate: the allocation that BitPruning learned there, fixed from
the first epoch of a new training (``retrained``), and the same widths dealt to other layers
(``shuffled``). The last arms prune: uniform widths, and widths learned at the price of this
compiler's LUTs. LUTs are the compiler's estimate of the network, all spatial, with least effort:
adder graphs, and thresholds at even distances. The board's interfaces are not in it.
"""

from __future__ import annotations

import functools
import json
import random
from pathlib import Path

import numpy as np
import torch

from benchmarks.training.common import (
    PIXELS,
    Arm,
    Run,
    difference,
    digits,
    network_luts,
    options,
    run_arm,
    score,
    table,
)
from hwgen import nn as q
from hwgen.train.adaqat import AdaQAT
from hwgen.train.bitpruning import BitPruning, bit_lengths
from hwgen.train.bmpq import BMPQ
from hwgen.train.cost import HardwareCost
from hwgen.train.method import activation_layers, weight_layers
from hwgen.train.models import mlp
from hwgen.train.prune import Pruning
from hwgen.train.shapes import measure as sizes_of

HIDDEN = [32, 32, 32]
PICTURE = Path(__file__).parents[2] / "docs" / "learned-bits.png"
LATE = 0.5
"""The part of a training after which widths and masks stay."""

learned: dict[tuple[int, float], dict[str, int]] = {}


def network(weight: q.WeightSpec, activation: q.ActSpec):
    return mlp(64, HIDDEN, 10, weight=weight, activation=activation, input=PIXELS)


def pruning(model, config, share):
    """Masks that close over the middle of the training; none for a share of 0."""
    late = round(config.epochs * LATE)
    return [Pruning(model, share, start=late // 3, end=late)] if share else []


def fixed(allocation, share=0.0):
    """A network whose widths are ``allocation(config, names)`` from the first epoch."""

    def make(data, config):
        model = network(q.LearnedBits(8), q.LearnedBits(8))
        lengths = bit_lengths(model)
        for name, bits in allocation(config, list(lengths)).items():
            lengths[name].set(float(bits))
            lengths[name].freeze()
        return model, pruning(model, config, share)

    return make


def shuffled(config, names):
    """The learned widths, dealt among weights and among activations."""
    own = learned[config.seed, config.lr]
    dealt = {}
    for kind in ([n for n in names if "act" in n], [n for n in names if "act" not in n]):
        bits = [own[n] for n in kind]
        random.Random(config.seed).shuffle(bits)
        dealt |= dict(zip(kind, bits, strict=True))
    return dealt


@functools.cache
def prices():
    """The table of LUTs by bit lengths, made once, from weights at their start."""
    torch.manual_seed(0)
    model = network(q.LearnedBits(8), q.LearnedBits(8))
    return HardwareCost("pynq-z2", "lut").of(model, digits(0).train[0][:2])


def bitpruning(strength, share=0.0, lut=False):
    """Learned widths; priced by LUTs of a board, or all alike."""

    def make(data, config):
        model = network(q.LearnedBits(8), q.LearnedBits(8))
        cost = prices() if lut else None
        method = BitPruning(model, strength=strength, freeze_at=round(config.epochs * LATE),
                            cost=cost, rate_factor=RATE / config.lr)  # fmt: skip
        if not share:
            method.seed = config.seed, config.lr
        return model, [method, *pruning(model, config, share)]

    return make


RATE = 0.15
"""Of bit lengths: Adam moves one by no more than that in a step, and has 8 bits to go."""


def adaqat(data, config):
    model = network(q.LearnedBits(8), q.LearnedBits(8))
    late = round(config.epochs * LATE)
    return model, [AdaQAT(model, rate=8.0, strength=1.0, every=3, layers=True, freeze_at=late)]


def learned_step(bits):
    """LSQ at one width: the strongest uniform network at few bits."""

    def make(data, config):
        return network(q.Int(bits, narrow=True), q.UInt(bits)), []

    return make


def bmpq(data, config):
    model = network(q.LearnedBits(8), q.LearnedBits(3))
    for name, length in bit_lengths(model).items():
        if "act" in name:
            length.freeze()
    return model, [BMPQ(model, budget=3.0, widths=(2, 3, 4, 6), interval=3,
                        last=round(config.epochs * LATE))]  # fmt: skip


def bits_of(model, methods):
    """Mean bits over weights and over activations, LUTs, zeros, and each layer's width."""
    weights = weight_layers(model)
    acts = {n: m for n, m in activation_layers(model).items() if n.startswith("act")}
    whole = {n: (len(m.alphabet) - 1).bit_length() for n, m in (weights | acts).items()}
    if methods and hasattr(methods[0], "seed"):
        learned[methods[0].seed] = whole
    size = sizes_of(model, digits(0).train[0][:2])
    found = {f"bits {name}": float(bits) for name, bits in whole.items()}
    for kind, own in (("activations", acts), ("weights", weights)):
        total = sum(size[n].values for n in own)
        found[kind] = sum(whole[n] * size[n].values for n in own) / total
    codes = [layer.codes for layer in weights.values()]
    found["zeros"] = sum(int((c == 0).sum()) for c in codes) / sum(c.numel() for c in codes)
    return found | network_luts(model, input_bits=5)


MAKERS = {
    "uniform 3": fixed(lambda c, names: dict.fromkeys(names, 3)),
    "uniform 2, learned step": learned_step(2),
    "LUT price, 85 % pruned": bitpruning(1.0, 0.85, lut=True),
    "uniform 3, 85 % pruned": fixed(lambda c, names: dict.fromkeys(names, 3), 0.85),
    "BitPruning": bitpruning(0.5),
    "its widths, retrained": fixed(lambda c, names: learned[c.seed, c.lr]),
    "its widths, shuffled": fixed(shuffled),
    "AdaQAT": adaqat,
    "BMPQ": bmpq,
    "uniform 4": fixed(lambda c, names: dict.fromkeys(names, 4)),
    "uniform 2": fixed(lambda c, names: dict.fromkeys(names, 2)),
    "LUT price, 75 % pruned": bitpruning(1.0, 0.75, lut=True),
}


def trained(name, given):
    """An arm: from ``bits.json`` where an interrupted run left it, else trained and kept there."""
    path = given.out / "bits.json"
    kept = json.loads(path.read_text()) if path.exists() else {"settings": None, "arms": {}}
    setting = {k: getattr(given, k) for k in ("seeds", "epochs", "lrs")}
    if kept["settings"] != setting:
        kept = {"settings": setting, "arms": {}}
    if name not in kept["arms"]:
        arm = run_arm(name, MAKERS[name], given, measure=bits_of)
        kept["arms"][name] = [vars(run) for run in arm.runs]
        given.out.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(kept, indent=1) + "\n")
    runs = [Run(**run) for run in kept["arms"][name]]
    if name == "BitPruning":
        for run in runs:
            widths = {k: int(v) for k, v in run.extra.items() if k.startswith("bits ")}
            learned[run.seed, run.lr] = {k.removeprefix("bits "): v for k, v in widths.items()}
    return Arm(name, tuple(runs))


def main() -> None:
    given = options(__doc__, epochs=30, lrs=(0.01, 0.02))
    arms = {name: trained(name, given) for name in MAKERS}
    base = arms["uniform 3"]
    rows = [
        [name, f"{arm.lr:g}", score(arm.chosen()), score(arm.chosen("weights"), 1, 1),
         score(arm.chosen("activations"), 1, 1), score(arm.chosen("zeros"), 100, 0),
         score(arm.chosen("adders"), 1, 0), score(arm.chosen("luts"), 1, 0),
         difference(arm.chosen(), base.chosen()), score(quotient(base, arm), 1)]
        for name, arm in arms.items()
    ]  # fmt: skip
    head = ["arm", "lr", "test %", "bits per weight", "bits per activation", "zeros %",
            "LUTs of adders", "LUTs of the network", "minus uniform 3",
            "fewer LUTs than uniform 3 by"]  # fmt: skip
    text = table(head, rows) + "\n\n" + table(*widths_of(arms))
    print(text)
    (given.out / "bits.md").write_text(text + "\n")
    draw(arms, PICTURE)


def quotient(a, b):
    """LUTs of one arm over those of another, seed by seed."""
    return [x / y for x, y in zip(a.chosen("luts"), b.chosen("luts"), strict=True)]


def draw(arms, path):
    """Accuracy against LUTs and against mean bits per weight, with standard errors."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(11, 5), sharey=True)
    for name, arm in arms.items():
        mark = "s" if "pruned" in name else "o" if "uniform" in name else "^"
        error = 100 * float(np.std(arm.chosen(), ddof=1)) / len(arm.chosen()) ** 0.5
        for axis, what in zip(axes, ("luts", "weights"), strict=True):
            axis.errorbar(float(np.mean(arm.chosen(what))), 100 * float(np.mean(arm.chosen())),
                          error, fmt=mark, capsize=3, label=name)  # fmt: skip
    axes[0].set(xlabel="LUTs of the network (estimate, Zynq 7000)", ylabel="test accuracy, %",
                xscale="log")  # fmt: skip
    axes[1].set(xlabel="mean bits per weight")
    for axis in axes:
        axis.grid(alpha=0.3)
    axes[1].legend(fontsize=7, loc="lower right")
    figure.tight_layout()
    figure.savefig(path, dpi=110, metadata={"Software": None})
    plt.close(figure)


def widths_of(arms):
    """Head and rows of the mean width of every layer, of arms that learn them."""
    names = [k for k in arms["BMPQ"].runs[0].extra if k.startswith("bits ")]
    own = [name for name in arms if "uniform" not in name and "its" not in name]
    rows = [[name, *(score(arms[name].chosen(k), 1, 1) for k in names)] for name in own]
    return ["arm", *(k.removeprefix("bits ") for k in names)], rows


if __name__ == "__main__":
    main()
