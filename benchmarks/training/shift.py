"""DenseShift, S³ and rounding: alphabet × parametrization at equal bits, with a LUT axis.

python -m benchmarks.training.shift
"""

from __future__ import annotations

from benchmarks.training.common import (
    PIXELS,
    adder_luts,
    difference,
    options,
    run_arm,
    score,
    table,
    write,
)
from hwgen import nn as q
from hwgen.train.models import mlp
from hwgen.train.oscillation import Freezing
from hwgen.train.recipes import _Dense

HIDDEN = [32, 32]


def maker(spec):
    def make(data, config):
        model = mlp(64, HIDDEN, 10, weight=spec, activation=q.UInt(3), input=PIXELS)
        methods = [Freezing(model)]
        if isinstance(spec, q.S3):
            methods.append(_Dense(model, 1e-5))
        return model, methods

    return make


def measure(model, methods):
    codes = [layer.codes for layer in (model.fc1, model.fc2, model.classifier)]
    zeros = sum(int((c == 0).sum()) for c in codes) / sum(c.numel() for c in codes)
    return {"luts": adder_luts(model, input_bits=5), "zeros": zeros, **methods[0].report()}


def main() -> None:
    given = options(__doc__, epochs=20, lrs=(0.0003, 0.001, 0.003, 0.01))
    arms, rows = [], []
    for bits in (2, 3):
        specs = {
            ("zero-free", "sign and scale (DenseShift)"): q.DenseShift(bits),
            ("with zero", "sign, sparse, shift (S³)"): q.S3(bits),
            ("zero-free", "rounding (DeepShift)"): q.Shift(bits),
            ("with zero", "rounding (DeepShift)"): q.Shift(bits, zero=True),
        }
        for (alphabet, way), spec in specs.items():
            arm = run_arm(f"{bits} bits, {alphabet}, {way}", maker(spec), given, measure=measure)
            arms.append(arm)
            rows.append(
                [bits, alphabet, way, f"{arm.lr:g}", score(arm.chosen())]
                + [score(arm.chosen("luts"), 1, 0), score(arm.chosen("zeros"), 100, 1)]
                + [score(arm.chosen(what), 100, 1) for what in ("frozen", "sign frozen")]
            )
    head = ["bits", "alphabet", "parametrization", "lr", "test %", "LUTs (estimate)", "zeros %"]
    head += ["levels frozen in the last epoch %", "signs frozen %"]
    main_table = table(head, rows)
    pairs = []
    for bits, k in ((2, 0), (3, 4)):
        dense, s3, free, zero = (arm.chosen() for arm in arms[k : k + 4])
        pairs.append([bits, difference(dense, s3), difference(free, zero), difference(dense, free)])
    head = ["bits", "DenseShift - S³", "rounding: zero-free - with zero"]
    paired = table([*head, "zero-free: DenseShift - rounding"], pairs)
    stds, grid = (1e-4, 1e-3, 1e-2, 1e-1), []
    for std in stds:
        arm = run_arm(f"DenseShift 3 bits, std {std:g}", maker(q.DenseShift(3, std=std)), given)
        arms.append(arm)
        grid.append([f"{std:g}", *(score(arm.at(lr, "test")) for lr in given.lrs)])
    variance = table(["std of the latents", *(f"lr {lr:g}" for lr in given.lrs)], grid)
    write("shift", given, arms, f"{main_table}\n\n{paired}\n\n{variance}")


if __name__ == "__main__":
    main()
