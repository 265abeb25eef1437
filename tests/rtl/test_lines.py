"""Whole windows side by side out of line buffers: contents, and timing to the cycle."""

from __future__ import annotations

import numpy as np
import pytest
from amaranth.back import rtlil
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from hwgen.inttype import IntType
from hwgen.rtl.grid import Axis, Grid
from hwgen.rtl.lines import Lines
from hwgen.rtl.ring import Taps
from hwgen.rtl.sim import check_unit
from hwgen.rtl.window import WindowUnit

TYPE, PAD = IntType(-3, 9), -5


def axis(size: int, taps: int, stride: int, dilation: int, padding: int) -> Axis | None:
    """Windows along ``size`` pixels with so much border on both sides; None where none fits."""
    count = (size + 2 * padding - dilation * (taps - 1) - 1) // stride + 1
    return Axis(size, taps, stride, dilation, padding, count) if count > 0 else None


def windows(x: np.ndarray, grid: Grid) -> np.ndarray:
    """(frames, H, W, C) to the beats of whole windows."""
    rows, columns = grid.rows, grid.columns
    reach = [max(a.before, a.stride * a.windows + a.extent) for a in (rows, columns)]
    edges = ((0, 0), (rows.before, reach[0]), (columns.before, reach[1]), (0, 0))
    data = np.pad(x, edges, constant_values=PAD)
    return np.array(
        [
            data[frame, _at(rows, r, y), _at(columns, c, z)]
            for frame in range(len(x))
            for r in range(rows.windows)
            for c in range(columns.windows)
            for y in range(rows.taps)
            for z in range(columns.taps)
        ]
    ).reshape(-1, grid.pixels * rows.taps * columns.taps * x.shape[3])


def _at(axis: Axis, window: int, tap: int) -> int:
    return window * axis.stride + tap * axis.dilation


def image(grid: Grid, frames: int, channels: int, seed: int = 0) -> np.ndarray:
    shape = (frames, grid.rows.size, grid.columns.size, channels)
    return np.random.default_rng(seed).integers(TYPE.lo, TYPE.hi + 1, shape)


AXES = st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 2), st.integers(0, 3))


@given(
    height=st.integers(1, 5),
    width=st.sampled_from([1, 2, 4, 6]),
    rows=AXES,
    columns=AXES,
    channels=st.integers(1, 2),
    memory=st.sampled_from(["lut", "block"]),
    stalls=st.sampled_from([0.0, 0.4]),
    data=st.data(),
)
@settings(max_examples=40, deadline=None, phases=[Phase.generate])
def test_windows_are_golden(
    height: int,
    width: int,
    rows: tuple[int, int, int, int],
    columns: tuple[int, int, int, int],
    channels: int,
    memory: str,
    stalls: float,
    data: st.DataObject,
) -> None:
    axes = axis(height, *rows), axis(width, *columns)
    if axes[0] is None or axes[1] is None:
        return
    grids = [Grid(axes[0], axes[1], beat) for beat in range(1, width + 1)]
    legal = [g for g in grids if g.legal and (memory == "lut" or g.period > 1)]
    if not legal:
        return
    grid = data.draw(st.sampled_from(legal))
    unit = WindowUnit(grid, TYPE, channels, pad=PAD, memory=memory)  # type: ignore[arg-type]
    x = image(grid, 3, channels, data.draw(st.integers(0, 99)))
    beats = x.reshape(-1, grid.beat * channels)
    check_unit(unit, [beats], windows(x, grid), stalls=stalls, seed=1)


def test_rows_that_no_window_reads_are_taken_to_the_end() -> None:
    """Also where that takes longer than the last window, and the source rests."""
    grid = Grid(Axis(5, 2, 3, 2, 0, 1), Axis(6, 2, 1, 2, 0, 4), 1)
    x = image(grid, 2, 1)
    unit = WindowUnit(grid, TYPE, 1, pad=PAD)
    check_unit(unit, [x.reshape(-1, 1)], windows(x, grid), stalls=0.4, seed=1)


@pytest.mark.parametrize(
    ("beat", "memory"),
    [(1, "lut"), (2, "lut"), (4, "lut"), (8, "lut"), (1, "block"), (2, "block"), (4, "block")],
)
def test_frames_follow_one_another_with_only_the_border_between(beat: int, memory: str) -> None:
    """A row of beats for the border below, one step more where windows reach beyond their beat."""
    same = axis(8, 3, 1, 1, 1)
    assert same is not None
    grid = Grid(same, same, beat)
    x = image(grid, 4, 1)
    unit = WindowUnit(grid, TYPE, 1, pad=PAD, memory=memory)  # type: ignore[arg-type]
    run = check_unit(unit, [x.reshape(-1, beat)], windows(x, grid))
    starts = run.given[0][:: 8 * 8 // beat]
    assert np.diff(starts)[1:].tolist() == [9 * 8 // beat + (beat < 8)] * 2


def test_every_pixel_is_stored_once() -> None:
    """Memory bits are those of two rows, however many windows are given at once."""
    same = axis(32, 3, 1, 1, 1)
    assert same is not None
    for beat in (1, 2, 4, 8):
        text = rtlil.convert(WindowUnit(Grid(same, same, beat), IntType(0, 15), 3))
        (line,) = [v.split() for v in text.splitlines() if v.strip().endswith(" \\lines")]
        width, depth = line[2], line[4]
        assert int(width) * int(depth) == 2 * 32 * 3 * 4


def test_reset_in_mid_frame() -> None:
    same = axis(6, 3, 1, 1, 1)
    assert same is not None
    grid = Grid(same, same, 2)
    x = image(grid, 2, 1)
    unit = WindowUnit(grid, TYPE, 1, pad=PAD)
    check_unit(unit, [x.reshape(-1, 2)], windows(x, grid), reset_at=17)


def test_beats_that_do_not_divide_a_row_are_refused() -> None:
    valid = axis(32, 3, 1, 1, 0)
    assert valid is not None
    assert [b for b in range(1, 33) if Grid(valid, valid, b).legal] == [1, 2, 32]
    with pytest.raises(ValueError, match="beats of 4 pixels do not divide the image"):
        Lines(Grid(valid, valid, 4), Taps(dtype=TYPE), 1, "lut")
