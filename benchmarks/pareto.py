"""Frames per second against LUTs of one network on one board, by estimate: a table and a picture.

python benchmarks/pareto.py MODEL.pt [--board pynq-z2] [--out docs/pareto.png]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from hwgen.errors import BuildError
from hwgen.estimate.figures import Figures
from hwgen.pipeline import PlanRequest, plan

TARGETS = [10.0**k * m for k in range(3, 9) for m in (1, 2, 5)]


def front(model: Path, board: str) -> list[Figures]:
    """The cheapest plan for every target that can be met, without repeats."""
    found: dict[int, Figures] = {}
    for target in TARGETS:
        try:
            made = plan(model, PlanRequest(board=board, target_fps=target)).figures
        except BuildError:
            break
        if not made.over:
            found[made.initiation_interval] = made
    return list(found.values())


def draw(points: list[Figures], title: str, out: Path) -> None:
    """A log-log plot of the points."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7.2, 3.8), layout="constrained")
    x, y = [p.fps for p in points], [p.resources.lut for p in points]
    axes.loglog(x, y, "o-", color="#1f5fa8", markersize=5, label="hwgen estimate")
    budget = points[0].board.lut
    axes.axhline(budget, color="#b03030", linewidth=1, linestyle="--")
    axes.text(
        x[0], budget * 0.84, f"{points[0].board.name}: {budget:,} LUT", color="#b03030", va="top"
    )
    axes.set_xlabel("frames per second at 100 MHz")
    axes.set_ylabel("LUT, whole accelerator")
    axes.set_title(title, fontsize=10)
    axes.grid(True, which="both", linewidth=0.3)
    figure.savefig(out, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--board", default="pynq-z2")
    parser.add_argument("--title", default="")
    parser.add_argument("--out", type=Path, default=Path("docs/pareto.png"))
    options = parser.parse_args()
    points = front(options.model, options.board)
    if not points:
        raise SystemExit(f"{options.model} does not fit {options.board} at any speed")
    for p in points:
        print(f"{p.fps:14,.0f} frames/s  {p.resources.lut:9,.0f} LUT  {p.latency_cycles:7,} cycles")
    draw(points, options.title or f"{options.model.stem} on {options.board}", options.out)


if __name__ == "__main__":
    main()
