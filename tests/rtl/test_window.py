"""Windows and other walks over a ring of rows: contents, and timing to the cycle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from hwgen.inttype import IntType
from hwgen.rtl.sim import check_unit
from hwgen.rtl.walk import Loop, Walk
from hwgen.rtl.window import WalkUnit

TYPE = IntType(-3, 9)


def window(
    height: int, width: int, words: int, size: int, stride: int, padding: int, dilation: int = 1
) -> Walk:
    extent = dilation * (size - 1) + 1
    rows, columns = ((n + 2 * padding - extent) // stride + 1 for n in (height, width))
    loops = (
        Loop(rows, rows=stride),
        Loop(columns, columns=stride),
        Loop(size, rows=dilation),
        Loop(size, columns=dilation),
        Loop(words, words=1),
    )
    return Walk(loops, height, width, words, padding, padding)


def taps(x: np.ndarray, walk: Walk, pad: int) -> np.ndarray:
    """The elements of (frames, H, W, C) in the order of a window's walk."""
    rows, columns, ky, kx, _ = walk.loops
    edges = ((0, 0), (walk.top, walk.top), (walk.left, walk.left), (0, 0))
    data = np.pad(x, edges, constant_values=pad)
    return np.stack(
        [
            data[:, oy * rows.rows + y * ky.rows, ox * columns.columns + z * kx.columns]
            for oy in range(rows.turns)
            for ox in range(columns.turns)
            for y in range(ky.turns)
            for z in range(kx.turns)
        ],
        axis=1,
    )


@given(
    height=st.integers(3, 6),
    width=st.integers(3, 6),
    size=st.integers(1, 3),
    stride=st.integers(1, 3),
    padding=st.integers(0, 2),
    dilation=st.integers(1, 2),
    lanes=st.sampled_from([1, 2]),
    memory=st.sampled_from(["lut", "block"]),
    stalls=st.sampled_from([0.0, 0.4]),
    seed=st.integers(0, 99),
)
@settings(max_examples=25, deadline=None, phases=[Phase.generate])
def test_window(
    height: int,
    width: int,
    size: int,
    stride: int,
    padding: int,
    dilation: int,
    lanes: int,
    memory: str,
    stalls: float,
    seed: int,
) -> None:
    extent = dilation * (size - 1) + 1
    padding = min(padding, size - 1)
    if min(height, width) + 2 * padding < extent:
        return
    walk = window(height, width, 2 // lanes, size, stride, padding, dilation)
    x = np.random.default_rng(seed).integers(TYPE.lo, TYPE.hi + 1, (2, height, width, 2))
    unit = WalkUnit(walk, TYPE, lanes, pad=-5, memory=memory)  # type: ignore[arg-type]
    beats = taps(x, walk, -5).reshape(-1, lanes)
    check_unit(unit, [x.reshape(-1, lanes)], beats, stalls=stalls, seed=seed)


@pytest.mark.parametrize(("padding", "stride"), [(1, 1), (0, 1), (1, 2)])
def test_no_bubbles_in_the_steady_state(padding: int, stride: int) -> None:
    walk = window(7, 8, 1, 3, stride, padding)
    x = np.random.default_rng(0).integers(0, 9, (4, 7, 8, 1))
    run = check_unit(WalkUnit(walk, TYPE, 1), [x.reshape(-1, 1)], taps(x, walk, 0).reshape(-1, 1))
    starts = run.given[0][:: walk.steps]
    assert np.diff(starts)[1:].tolist() == [max(walk.steps, walk.beats)] * 2


def test_gain_and_shift_leave_room_for_zero() -> None:
    walk = window(4, 4, 1, 3, 1, 1)
    x = np.random.default_rng(0).integers(0, 2, (2, 4, 4, 1))
    unit = WalkUnit(walk, IntType(0, 1), 1, gain=2, shift=-1)
    assert unit.output == IntType(-1, 1)
    check_unit(unit, [x.reshape(-1, 1)], taps(2 * x - 1, walk, 0).reshape(-1, 1), stalls=0.3)


def test_upsampling_is_a_walk() -> None:
    loops = (Loop(3, rows=1), Loop(2), Loop(4, columns=1), Loop(3), Loop(2, words=1))
    x = np.random.default_rng(0).integers(0, 9, (2, 3, 4, 2))
    want = x.repeat(2, axis=1).repeat(3, axis=2)
    unit = WalkUnit(Walk(loops, 3, 4, 2), TYPE, 1)
    check_unit(unit, [x.reshape(-1, 1)], want.reshape(-1, 1), stalls=0.3)


def test_reset_in_mid_frame() -> None:
    walk = window(4, 5, 1, 3, 1, 1)
    x = np.random.default_rng(0).integers(0, 9, (2, 4, 5, 1))
    unit = WalkUnit(walk, TYPE, 1)
    check_unit(unit, [x.reshape(-1, 1)], taps(x, walk, 0).reshape(-1, 1), reset_at=33)
