"""BitPruning, AdaQAT and BMPQ against uniform widths, on mean bits and on LUTs; with pruning too.

    python -m benchmarks.training.bits

Controls, for each seed and learning rate: the allocation that BitPruning learned there, fixed from
the first epoch of a new training (``retrained``), and the same widths dealt to other layers
(``shuffled``). The last arms prune: uniform widths, and widths learned at the price of this
compiler's LUTs. LUTs are the estimate of the adder graphs alone, all spatial, with least effort.
"""

from __future__ import annotations

import functools
import random

import torch

from benchmarks.training.common import (
    PIXELS,
    adder_luts,
    difference,
    digits,
    options,
    run_arm,
    score,
    table,
    write,
)
from hwgen import nn as q
from hwgen.train.adaqat import AdaQAT
from hwgen.train.bitpruning import BitPruning, bit_lengths
from hwgen.train.bmpq import BMPQ
from hwgen.train.cost import HardwareCost
from hwgen.train.method import weight_layers
from hwgen.train.models import mlp
from hwgen.train.prune import Pruning
from hwgen.train.shapes import measure as sizes_of

HIDDEN = [32, 32, 32]
LATE = 0.6
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
def prices(seed):
    """The table of LUTs by bit lengths, made once for each seed, from weights at their start."""
    torch.manual_seed(seed)
    model = network(q.LearnedBits(8), q.LearnedBits(8))
    return HardwareCost("pynq-z2", "lut").of(model, digits(seed).train[0][:2])


def bitpruning(strength, share=0.0, lut=False):
    """Learned widths; priced by LUTs of a board, or all alike."""

    def make(data, config):
        model = network(q.LearnedBits(8), q.LearnedBits(8))
        cost = prices(config.seed) if lut else None
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
    return model, [AdaQAT(model, rate=2.0, strength=1.0, every=4, layers=True, freeze_at=late)]


def bmpq(data, config):
    model = network(q.LearnedBits(8), q.LearnedBits(3))
    for name, length in bit_lengths(model).items():
        if "act" in name:
            length.freeze()
    return model, [BMPQ(model, budget=3.0, widths=(2, 3, 4, 6), interval=3,
                        last=round(config.epochs * LATE))]  # fmt: skip


def bits_of(model, methods):
    """Mean bits over weights and over activations, LUTs, zeros, and each layer's width."""
    whole = {name: int(length.whole()) for name, length in bit_lengths(model).items()}
    if methods and hasattr(methods[0], "seed"):
        learned[methods[0].seed] = whole
    size = sizes_of(model, digits(0).train[0][:2])
    found = {f"bits {name}": float(bits) for name, bits in whole.items()}
    for kind in ("act", "fc"):
        own = [n for n in whole if ("act" in n) == (kind == "act")]
        total = sum(size[n].values for n in own)
        found["activations" if kind == "act" else "weights"] = (
            sum(whole[n] * size[n].values for n in own) / total
        )
    codes = [layer.codes for layer in weight_layers(model).values()]
    found["zeros"] = sum(int((c == 0).sum()) for c in codes) / sum(c.numel() for c in codes)
    found["luts"] = adder_luts(model, input_bits=5)
    return found


def main() -> None:
    given = options(__doc__, epochs=20, lrs=(0.01, 0.02))
    uniform = {b: lambda c, names, b=b: dict.fromkeys(names, b) for b in (2, 3, 4)}
    makers = {f"uniform {b}": fixed(widths) for b, widths in uniform.items()}
    makers |= {
        "BitPruning": bitpruning(0.5),
        "its widths, retrained": fixed(lambda c, names: learned[c.seed, c.lr]),
        "its widths, shuffled": fixed(shuffled),
        "AdaQAT": adaqat,
        "BMPQ": bmpq,
        "uniform 3, 60 % pruned": fixed(uniform[3], 0.6),
        "uniform 3, 80 % pruned": fixed(uniform[3], 0.8),
        "LUT price, 60 % pruned": bitpruning(1.0, 0.6, lut=True),
        "LUT price, 80 % pruned": bitpruning(1.0, 0.8, lut=True),
    }
    arms = {name: run_arm(name, make, given, measure=bits_of) for name, make in makers.items()}
    rows = [
        [name, f"{arm.lr:g}", score(arm.chosen()), score(arm.chosen("weights"), 1),
         score(arm.chosen("activations"), 1), score(arm.chosen("zeros"), 100, 0),
         score(arm.chosen("luts"), 1, 0), difference(arm.chosen(), arms["uniform 3"].chosen()),
         score(quotient(arms["uniform 3"], arm), 1)]
        for name, arm in arms.items()
    ]  # fmt: skip
    head = ["arm", "lr", "test %", "bits per weight", "bits per activation", "zeros %",
            "LUTs (estimate)", "minus uniform 3", "fewer LUTs than uniform 3 by"]  # fmt: skip
    text = table(head, rows) + "\n\n" + table(*widths_of(arms))
    write("bits", given, list(arms.values()), text)


def quotient(a, b):
    """LUTs of one arm over those of another, seed by seed."""
    return [x / y for x, y in zip(a.chosen("luts"), b.chosen("luts"), strict=True)]


def widths_of(arms):
    """Head and rows of the mean width of every layer, of arms that learn them."""
    names = [k for k in arms["BMPQ"].runs[0].extra if k.startswith("bits ")]
    own = [name for name in arms if "uniform" not in name and "its" not in name]
    rows = [[name, *(score(arms[name].chosen(k), 1, 1) for k in names)] for name in own]
    return ["arm", *(k.removeprefix("bits ") for k in names)], rows


if __name__ == "__main__":
    main()
