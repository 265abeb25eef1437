"""The course of the freezing metric: which share of levels and signs stays over an epoch.

python -m benchmarks.training.freezing     # the networks of shift.py at the rates chosen there
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from benchmarks.training.common import RESULTS, digits, options, score, table
from benchmarks.training.shift import maker
from hwgen import nn as q
from hwgen.train.fit import FitConfig, fit

PICTURE = Path(__file__).resolve().parents[2] / "docs" / "freezing.png"
ARMS = {
    "sign and scale (DenseShift)": (q.DenseShift(3), 0.003),
    "sign, sparse, shift (S³)": (q.S3(3), 0.01),
    "rounding, zero-free": (q.Shift(3), 0.01),
    "rounding, with zero": (q.Shift(3, zero=True), 0.01),
}
"""Weights of 3 bits, and the learning rate that ``shift.py`` chose."""
KINDS = ("frozen", "sign frozen")


def course(spec: q.WeightSpec, lr: float, seeds: int, epochs: int) -> dict[str, np.ndarray]:
    """By kind: the share for each seed and epoch."""
    found: dict[str, list[list[float]]] = {kind: [] for kind in KINDS}
    for seed in range(seeds):
        data = digits(seed)
        config = FitConfig(epochs=epochs, lr=lr, seed=seed, batch=128)
        torch.manual_seed(seed)
        model, methods = maker(spec)(data, config)
        history = fit(model, data, config, methods)
        for kind in KINDS:
            found[kind].append([row[kind] for row in history.rows])
    return {kind: np.array(rows) for kind, rows in found.items()}


def draw(courses: dict[str, dict[str, np.ndarray]], out: Path) -> None:
    """The mean over seeds, and a band of one standard error."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, 2, figsize=(9, 3.6), layout="constrained", sharey=True)
    for axes, kind in zip(panels, KINDS, strict=True):
        for name, own in courses.items():
            rows = 100 * own[kind]
            mean, error = rows.mean(axis=0), rows.std(axis=0, ddof=1) / len(rows) ** 0.5
            epochs = np.arange(1, rows.shape[1] + 1)
            axes.plot(epochs, mean, label=name)
            axes.fill_between(epochs, mean - error, mean + error, alpha=0.25)
        axes.set_xlabel("epoch")
        axes.set_title(f"{'signs' if 'sign' in kind else 'levels'} unchanged over the epoch, %",
                       fontsize=10)  # fmt: skip
        axes.grid(True, linewidth=0.3)
    panels[1].legend(loc="lower right", fontsize=8)
    figure.savefig(out, dpi=110)


def main() -> None:
    given = options(__doc__ or "", epochs=20, lrs=(0.01,))
    courses = {n: course(s, lr, given.seeds, given.epochs) for n, (s, lr) in ARMS.items()}
    at = [0, given.epochs // 4, given.epochs // 2, given.epochs - 1]
    head = ["3 bits", "what stays", *(f"epoch {e + 1}" for e in at)]
    rows = [
        [name, "levels" if kind == "frozen" else "signs", *(score(own[kind][:, e]) for e in at)]
        for name, own in courses.items()
        for kind in KINDS
    ]
    draw(courses, PICTURE)
    (RESULTS / "freezing.md").write_text(table(head, rows) + "\n")
    print(table(head, rows))


if __name__ == "__main__":
    main()
