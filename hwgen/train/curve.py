"""The learning curve as a picture."""

from __future__ import annotations

from pathlib import Path

from hwgen.errors import ToolError
from hwgen.train.fit import History

_MAIN = ("loss", "accuracy", "lr")


def plot(history: History, path: Path, title: str) -> None:
    """Training loss, validation accuracy and what the method reports, over epochs.

    Raises:
        ToolError: if matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise ToolError(
            "a learning curve needs matplotlib", hint="pip install 'hwgen[plot]'"
        ) from None
    rows = history.rows
    epochs = range(1, len(rows) + 1)
    extra = sorted({key for row in rows for key in row} - set(_MAIN))
    figure = Figure(figsize=(7, 3 + 2.2 * bool(extra)), layout="constrained")
    FigureCanvasAgg(figure)
    top, *more = figure.subplots(1 + bool(extra), 1, sharex=True, squeeze=False)[:, 0]
    top.plot(epochs, [row["loss"] for row in rows], color="tab:blue")
    top.set_ylabel("training loss", color="tab:blue")
    right = top.twinx()
    right.plot(epochs, [100 * row["accuracy"] for row in rows], color="tab:orange")
    right.set_ylabel("validation accuracy, %", color="tab:orange")
    top.set_title(title)
    for axis in more:
        for key in extra:
            axis.plot(epochs, [row.get(key, float("nan")) for row in rows], label=key)
        axis.legend(fontsize="small")
    figure.get_axes()[-2 if not more else 1].set_xlabel("epoch")
    figure.savefig(path, dpi=120, metadata={"Software": None})
