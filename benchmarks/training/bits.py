"""BitPruning, AdaQAT and BMPQ against uniform widths, on mean bits and on LUTs; with pruning too.

    python -m benchmarks.training.bits

Controls, for each seed and learning rate: the allocation that BitPruning learned there, fixed from
the first epoch of a new training (``retrained``), and the same widths dealt to other layers
(``shuffled``). The last arms prune: uniform widths, and widths learned at the price of this
compiler's LUTs. LUTs are the compiler's estimate of the network, all spatial, with least effort:
adder graphs, and thresholds at even distances. The board's interfaces are not in it.

All seeds and rates of an arm are trained at once (`widths`), which is the training of
`hwgen.train.fit` with its methods, member by member.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from benchmarks.training import width_rules as rules
from benchmarks.training.common import (
    PIXELS,
    Arm,
    Run,
    difference,
    digits,
    network_luts,
    options,
    score,
    table,
    write,
)
from benchmarks.training.widths import Network, Rule, accuracies, train
from hwgen import nn as q
from hwgen.train.cost import HardwareCost
from hwgen.train.fit import FitConfig
from hwgen.train.models import mlp

HIDDEN = [32, 32, 32]
PICTURE = Path(__file__).parents[2] / "docs" / "learned-bits.png"
LATE = 0.5
"""The part of a training after which widths and masks stay."""
RATE = 0.15
"""Of bit lengths: Adam moves one by no more than that in a step, and has 8 bits to go."""

Rules = Callable[[Network, int], list[Rule]]
learned: dict[str, list[int]] = {}
"""BitPruning's widths by layer and member."""


def network():
    bits = q.LearnedBits(8)
    return mlp(64, HIDDEN, 10, weight=bits, activation=bits, input=PIXELS)


def late(epochs):
    return round(epochs * LATE)


def pruning(net, epochs, share):
    """Masks that close over the middle of the training; none for a share of 0."""
    return [rules.Pruning(net, share, late(epochs) // 3, late(epochs))] if share else []


def uniform(bits, share=0.0) -> Rules:
    def make(net, epochs):
        widths = {name: [bits] * net.count for name in net.names}
        return [rules.Fixed(net, widths), *pruning(net, epochs, share)]

    return make


def shuffled(net):
    """The learned widths, dealt among weights and among activations."""
    dealt = {name: [0] * net.count for name in net.names}
    for member in range(net.count):
        for kind in (net.parts, [n for n in net.names if n not in net.parts]):
            bits = [learned[n][member] for n in kind]
            random.Random(member).shuffle(bits)
            for name, own in zip(kind, bits, strict=True):
                dealt[name][member] = own
    return dealt


@functools.cache
def prices():
    """The table of LUTs by bit lengths, made once, from weights at their start."""
    torch.manual_seed(0)
    return HardwareCost("pynq-z2", "lut").of(network(), digits(0).train[0][:2])


def lut_price(strength, share) -> Rules:
    return lambda net, epochs: [
        rules.BitPruning(net, strength, late(epochs), prices()), *pruning(net, epochs, share)
    ]  # fmt: skip


ARMS: dict[str, Rules] = {
    "uniform 2": uniform(2),
    "uniform 3": uniform(3),
    "uniform 4": uniform(4),
    "uniform 2, learned step": lambda net, epochs: [],
    "uniform 3, learned step": lambda net, epochs: [],
    "BitPruning": lambda net, epochs: [rules.BitPruning(net, 0.5, late(epochs))],
    "its widths, retrained": lambda net, epochs: [rules.Fixed(net, learned)],
    "its widths, shuffled": lambda net, epochs: [rules.Fixed(net, shuffled(net))],
    "AdaQAT": lambda net, epochs: [rules.AdaQAT(net, 8.0, 3, late(epochs))],
    "BMPQ": lambda net, epochs: [rules.BMPQ(net, 3.0, (2, 3, 4, 6), 3, late(epochs))],
    "uniform 3, 75 % pruned": uniform(3, 0.75),
    "uniform 3, 85 % pruned": uniform(3, 0.85),
    "LUT price, 75 % pruned": lut_price(1.0, 0.75),
    "LUT price × 2, 75 % pruned": lut_price(2.0, 0.75),
    "LUT price × 2, 80 % pruned": lut_price(2.0, 0.80),
    "LUT price, 85 % pruned": lut_price(1.0, 0.85),
}


def trained(name, given) -> Arm:
    """All seeds and rates of an arm; LUTs where the chosen rate is."""
    pairs = [(seed, lr) for seed in range(given.seeds) for lr in given.lrs]
    models, data = [], []
    for seed, _ in pairs:
        torch.manual_seed(seed)
        model, frames = network(), digits(seed)
        parts = {p: getattr(frames, p) for p in ("train", "validation", "test")}
        data.append(replace(frames, **{p: (model.encoding(x), y) for p, (x, y) in parts.items()}))
        models.append(model)
    step_bits = int(name.split()[1].rstrip(",")) if "learned step" in name else 0
    net = Network(models, [lr for _, lr in pairs], step_bits=step_bits, bit_rate=RATE)
    config = FitConfig(epochs=given.epochs, batch=128)
    train(net, data, [seed for seed, _ in pairs], config, ARMS[name](net, given.epochs))
    if name == "BitPruning":
        learned.update(net.bits())
    found = zip(pairs, accuracies(net, [d.validation for d in data]),
                accuracies(net, [d.test for d in data]), strict=True)  # fmt: skip
    runs = [Run(lr, seed, checked, tested) for (seed, lr), checked, tested in found]
    arm = Arm(name, tuple(runs))
    for member, run in enumerate(runs):
        if run.lr == arm.lr:
            run.extra.update(measured(net, member))
    print(f"{name}: {score(arm.chosen())} at lr {arm.lr:g}", flush=True)
    return arm


def measured(net, member):
    """Mean bits over weights and over activations, LUTs, zeros, and each layer's width."""
    whole = {name: bits[member] for name, bits in net.bits().items()}
    codes = [layer[member].numpy() for layer in net.codes()]
    found = {f"bits {name}": float(bits) for name, bits in whole.items()}
    acts = [bits for name, bits in whole.items() if name not in net.parts]
    found["activations"] = float(np.mean(acts))  # all hidden layers have as many
    total = sum(c.size for c in codes)
    found["weights"] = sum(whole[n] * c.size for n, c in zip(net.parts, codes, strict=True)) / total
    found["zeros"] = sum(int((c == 0).sum()) for c in codes) / total
    return found | network_luts(codes, [5, *acts])


def main() -> None:
    given = options(__doc__, epochs=40, lrs=(0.01, 0.02))
    arms = {name: trained(name, given) for name in ARMS}
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
    write("bits", given, list(arms.values()), table(head, rows) + "\n\n" + table(*widths_of(arms)))
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
    names = [k for run in arms["BMPQ"].runs for k in run.extra if k.startswith("bits ")]
    names = list(dict.fromkeys(names))
    own = [name for name in arms if "uniform" not in name and "its" not in name]
    rows = [[name, *(score(arms[name].chosen(k), 1, 1) for k in names)] for name in own]
    return ["arm", *(k.removeprefix("bits ") for k in names)], rows


if __name__ == "__main__":
    main()
