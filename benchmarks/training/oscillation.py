"""LSQ against StatsQ, with and without annealing: accuracy and the share of oscillating weights.

python -m benchmarks.training.oscillation
"""

from __future__ import annotations

from benchmarks.training.common import PIXELS, difference, options, run_arm, score, table, write
from hwgen import nn as q
from hwgen.train.annealing import ConfidenceAnnealing
from hwgen.train.models import mlp
from hwgen.train.oscillation import Oscillation


def maker(spec, anneal: bool = False):
    def make(data, config):
        model = mlp(64, [32, 32], 10, weight=spec, activation=q.UInt(3), input=PIXELS)
        methods = [Oscillation(model)]
        if anneal:
            methods.append(ConfidenceAnnealing(model, round(config.epochs * 0.8)))
        return model, methods

    return make


def main() -> None:
    given = options(__doc__, epochs=20, lrs=(0.0003, 0.001, 0.003, 0.01))
    arms, rows = [], []
    for bits in (2, 3):
        specs = {
            "LSQ": maker(q.Int(bits)),
            "LSQ per channel": maker(q.Int(bits, per_channel=True)),
            "StatsQ": maker(q.StatsQ(bits)),
            "StatsQ, annealed": maker(q.StatsQ(bits), anneal=True),
        }
        found = {
            name: run_arm(f"{name}, {bits} bits", make, given, measure=lambda m, ms: ms[0].report())
            for name, make in specs.items()
        }
        arms += found.values()
        for name, arm in found.items():
            rows.append([bits, name, f"{arm.lr:g}", score(arm.chosen()),
                         difference(arm.chosen(), found["LSQ"].chosen()),
                         score(arm.chosen("oscillating"), 100, 1)])  # fmt: skip
    text = table(
        ["bits", "quantizer", "lr", "test %", "minus LSQ", "oscillating at the end %"], rows
    )
    write("oscillation", given, arms, text)


if __name__ == "__main__":
    main()
