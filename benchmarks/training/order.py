"""Iterative binarization: order × learning rate, with all at once beside it, on nine layers.

python -m benchmarks.training.order            # the digits, about ten minutes on one core
"""

from __future__ import annotations

from benchmarks.training.common import (
    PIXELS,
    Arm,
    difference,
    options,
    run_arm,
    score,
    table,
    write,
)
from hwgen import nn as q
from hwgen.train.models import mlp
from hwgen.train.progressive import Progressive

HIDDEN = [32] * 8
ORDERS = ("forward", "reverse", "random", "all at once")


def maker(order: str, binary_activations: bool, layers: int):
    """All arms train as long; all at once is binary from the first epoch."""

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
        every = config.epochs // (layers + 1)
        return model, [
            Progressive(model, activation=to, order=order, every=every, seed=config.seed)
        ]

    return make


def main() -> None:
    given = options(__doc__, epochs=36, lrs=(0.0003, 0.001, 0.003, 0.01))
    texts, arms = [], []
    for binary in (False, True):
        layers = len(HIDDEN) + 1 + (len(HIDDEN) if binary else 0)
        what = "binary weights and activations" if binary else "binary weights, 3-bit activations"
        found = {
            o: run_arm(f"{o}, {what}", maker(o, binary, layers), given, schedule="constant")
            for o in ORDERS
        }
        arms += found.values()
        texts.append(f"**{what}**\n\n" + text(found, given.lrs))
    write("order", given, arms, "\n\n".join(texts))


def text(found: dict[str, Arm], lrs: list[float]) -> str:
    rows = [[o, *(score(arm.at(lr, "test")) for lr in lrs), f"{arm.lr:g}", score(arm.chosen())]
            for o, arm in found.items()]  # fmt: skip
    first, last = found["forward"], found["reverse"]
    gaps = [difference(first.at(lr, "test"), last.at(lr, "test")) for lr in lrs]
    rows.append(["forward - reverse", *gaps, "", difference(first.chosen(), last.chosen())])
    return table(["order", *(f"lr {lr:g}" for lr in lrs), "chosen lr", "at chosen lr"], rows)


if __name__ == "__main__":
    main()
