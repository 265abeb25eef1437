"""BitPruning, AdaQAT and BMPQ against uniform widths; what was learned, retrained and shuffled.

    python -m benchmarks.training.bits

Controls, for each seed and learning rate: the allocation that BitPruning learned there, fixed from
the first epoch of a new training (``retrained``), and the same widths dealt to other layers
(``shuffled``).
"""

from __future__ import annotations

import random

from benchmarks.training.common import (
    PIXELS,
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
from hwgen.train.models import mlp
from hwgen.train.shapes import measure as sizes_of

HIDDEN = [32, 32, 32]
learned: dict[tuple[int, float], dict[str, int]] = {}


def network(weight: q.WeightSpec, activation: q.ActSpec):
    return mlp(64, HIDDEN, 10, weight=weight, activation=activation, input=PIXELS)


def fixed(allocation):
    """A network whose widths are ``allocation(config, names)`` from the first epoch."""

    def make(data, config):
        model = network(q.LearnedBits(8), q.LearnedBits(8))
        lengths = bit_lengths(model)
        for name, bits in allocation(config, list(lengths)).items():
            lengths[name].set(float(bits))
            lengths[name].freeze()
        return model, []

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


def bitpruning(data, config):
    model = network(q.LearnedBits(8), q.LearnedBits(8))
    late = round(config.epochs * 0.6)
    method = BitPruning(model, strength=0.5, freeze_at=late, rate_factor=0.03 / config.lr)
    method.seed = config.seed, config.lr
    return model, [method]


def adaqat(data, config):
    model = network(q.LearnedBits(8), q.LearnedBits(8))
    late = round(config.epochs * 0.6)
    return model, [AdaQAT(model, rate=0.2, strength=1.0, layers=True, freeze_at=late)]


def bmpq(data, config):
    model = network(q.LearnedBits(8), q.LearnedBits(3))
    for name, length in bit_lengths(model).items():
        if "act" in name:
            length.freeze()
    return model, [BMPQ(model, budget=3.0, widths=(2, 3, 4, 6), interval=3,
                        last=round(config.epochs * 0.6))]  # fmt: skip


def bits_of(model, methods):
    """Mean bits over weights and over activations, and bit operations per frame."""
    whole = {name: int(length.whole()) for name, length in bit_lengths(model).items()}
    if methods and isinstance(methods[0], BitPruning):
        learned[methods[0].seed] = whole
    size = sizes_of(model, digits(0).train[0][:2])
    found = {}
    for kind in ("act", "fc"):
        own = [n for n in whole if ("act" in n) == (kind == "act")]
        total = sum(size[n].values for n in own)
        found["activations" if kind == "act" else "weights"] = (
            sum(whole[n] * size[n].values for n in own) / total
        )
    found["operations"] = float(
        sum(size[n].operations * b * whole.get(size[n].source, 5)
            for n, b in whole.items() if "act" not in n)
    )  # fmt: skip
    return found


def main() -> None:
    given = options(__doc__, epochs=20, lrs=(0.003, 0.01))
    makers = {
        f"uniform {b}": fixed(lambda c, names, b=b: dict.fromkeys(names, b)) for b in (2, 3, 4)
    }
    makers |= {
        "BitPruning": bitpruning,
        "its widths, retrained": fixed(lambda c, names: learned[c.seed, c.lr]),
        "its widths, shuffled": fixed(shuffled),
        "AdaQAT": adaqat,
        "BMPQ": bmpq,
    }
    arms = {name: run_arm(name, make, given, measure=bits_of) for name, make in makers.items()}
    rows = [
        [name, f"{arm.lr:g}", score(arm.chosen()), score(arm.chosen("weights"), 1),
         score(arm.chosen("activations"), 1), score(arm.chosen("operations"), 1e-3, 1),
         difference(arm.chosen(), arms["uniform 3"].chosen())]
        for name, arm in arms.items()
    ]  # fmt: skip
    head = ["arm", "lr", "test %", "bits per weight", "bits per activation",
            "thousand bit operations", "minus uniform 3"]  # fmt: skip
    write("bits", given, list(arms.values()), table(head, rows))


if __name__ == "__main__":
    main()
