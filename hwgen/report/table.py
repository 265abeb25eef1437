"""Plain text tables and the estimate as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

from hwgen.estimate.explain import NAMES, Explanation
from hwgen.estimate.figures import Figures, LayerFigures, as_counts, capacity


def table(head: Sequence[str], rows: Sequence[Sequence[object]], left: int = 1) -> str:
    """Columns padded to their widest cell, the first ``left`` to the left; None is an empty
    cell."""
    cells = [[str(c) if c is not None else "" for c in row] for row in [head, *rows]]
    widths = [max(len(row[k]) for row in cells) for k in range(len(head))]

    def line(row: Sequence[str]) -> str:
        parts = [
            c.ljust(w) if k < left else c.rjust(w)
            for k, (c, w) in enumerate(zip(row, widths, strict=True))
        ]
        return "  ".join(parts).rstrip()

    rule = "  ".join("─" * w for w in widths)
    return "\n".join([line(cells[0]), rule, *(line(row) for row in cells[1:])])


def number(value: float) -> str:
    """A count with thousands separated; halves of block RAMs keep their half."""
    return f"{value:,.1f}" if value % 1 else f"{int(value):,}"


def estimate_text(figures: Figures, explanation: Explanation) -> str:
    """The estimate: a row per layer, totals against the board, speed, and what limits it or what
    does not fit."""
    rows: list[list[object]] = []
    for layer in figures.layers:
        used = layer.resources
        rows.append(
            [
                layer.name,
                layer.op or None,
                layer.style or None,
                _parallelism(layer),
                *(number(ceil(v)) for v in (used.lut, used.ff)),
                number(used.bram36),
                number(ceil(used.dsp)),
                layer.initiation_interval or None,
            ]
        )
    used, has = figures.resources, capacity(figures.board)
    pairs = [(getattr(used, k), getattr(has, k)) for k in NAMES]
    sums = as_counts(used)
    rows.append(["total", None, None, None, *(number(sums[k]) for k in NAMES), None])
    shares = [f"{100 * u / h:.1f}%" if h else "-" for u, h in pairs]
    rows.append([figures.board.name, None, None, None, *shares, None])
    head = ["layer", "op", "style", "PE×SIMD", *NAMES.values(), "cycles"]
    lines = [table(head, rows, left=3), "", speed_text(figures), *explanation.lines()]
    return "\n".join(lines)


def _parallelism(layer: LayerFigures) -> str | None:
    """Outputs × inputs at a time, and of how many pixels where there are several."""
    if not layer.op:
        return None
    several = f", {layer.pixels} px" if layer.pixels > 1 else ""
    return f"{layer.pe}×{layer.simd}{several}"


def speed_text(figures: Figures) -> str:
    """Latency and frames per second in one line."""
    micro = figures.latency_cycles / figures.clock_mhz
    text = (
        f"latency {figures.latency_cycles:,} cycles ({micro:,.2f} µs), one frame every "
        f"{figures.initiation_interval:,} cycles: {figures.fps:,.0f} frames/s "
        f"at {figures.clock_mhz:g} MHz"
    )
    if figures.core_initiation_interval < figures.initiation_interval:
        text += (
            f"\nthe {figures.board.word_bits}-bit stream limits it: the core alone takes a frame "
            f"every {figures.core_initiation_interval:,} cycles"
        )
    return text


def synth_text(data: Mapping[str, Any]) -> str:
    """Synthesis beside the estimate: counts, and the estimate's error in percent."""
    whole = {"name": "total", **{k: data[k] for k in NAMES}, "estimate": data["estimate"]}
    rows = []
    for row in [*data["layers"], whole]:
        guess = row["estimate"] or {}
        cells: list[object] = [row["name"]]
        for kind in ("lut", "ff"):
            cells += [
                number(row[kind]),
                number(guess.get(kind, 0)),
                _error(row[kind], guess.get(kind)),
            ]
        cells += [number(row["bram36"]), number(guess.get("bram36", 0)), number(row["dsp"])]
        rows.append(cells)
    head = ["layer", "LUT", "est.", "", "FF", "est.", "", "BRAM36", "est.", "DSP"]
    return f"{table(head, rows)}\n\n{data['tool']} for {data['family']}, {data['seconds']:g} s"


def _error(real: float, guess: float | None) -> str | None:
    return f"{100 * (guess - real) / real:+.0f}%" if guess is not None and real else None
