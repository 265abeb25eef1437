"""Reductions of windows: largest, smallest, sums, depthwise products."""

from __future__ import annotations

import numpy as np
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from hwgen.inttype import IntType
from hwgen.rtl.reduce import ReduceUnit
from hwgen.rtl.sim import check_unit
from hwgen.rtl.walk import Loop, Walk
from tests.rtl.test_window import taps, window


def by_channel(height: int, width: int, words: int, size: int, stride: int, padding: int) -> Walk:
    """A window's walk with the words of a pixel outside its taps."""
    walk = window(height, width, words, size, stride, padding)
    rows, columns, ky, kx, word = walk.loops
    return Walk((rows, columns, word, ky, kx), height, width, words, padding, padding)


@given(
    size=st.integers(1, 3),
    stride=st.integers(1, 2),
    padding=st.integers(0, 1),
    lanes=st.sampled_from([1, 3]),
    flip=st.sampled_from([(False,), (True,), (True, False, True)]),
    dtype=st.sampled_from([IntType(0, 1), IntType(-20, 9)]),
    stalls=st.sampled_from([0.0, 0.4]),
    seed=st.integers(0, 99),
)
@settings(max_examples=20, deadline=None, phases=[Phase.generate])
def test_largest_of_overlapping_windows(
    size: int,
    stride: int,
    padding: int,
    lanes: int,
    flip: tuple[bool, ...],
    dtype: IntType,
    stalls: float,
    seed: int,
) -> None:
    padding = min(padding, size // 2)
    x = np.random.default_rng(seed).integers(dtype.lo, dtype.hi + 1, (2, 4, 5, 3))
    flags = np.broadcast_to(flip, 3)
    shown = window(4, 5, 1, size, stride, padding)
    found = taps(np.where(flags, ~x, x), shown, -99)
    want = found.reshape(2, -1, size**2, 3).max(axis=2)
    walk = by_channel(4, 5, 3 // lanes, size, stride, padding)
    unit = ReduceUnit(walk, dtype, lanes, "max", dtype, pad=-30, flip=flip)
    expected = np.where(flags, ~want, want).reshape(-1, lanes)
    check_unit(unit, [x.reshape(-1, lanes)], expected, stalls=stalls, seed=seed)


@given(
    weights=st.sampled_from([(-1, 1), (-1, 0, 1), (-7, -3, 0, 5), (1, 2, 4)]),
    padding=st.integers(0, 1),
    stride=st.integers(1, 2),
    lanes=st.sampled_from([1, 2, 4]),
    gain=st.sampled_from([(1, 0), (2, -1)]),
    memory=st.sampled_from(["lut", "block"]),
    stalls=st.sampled_from([0.0, 0.4]),
    seed=st.integers(0, 99),
)
@settings(max_examples=20, deadline=None, phases=[Phase.generate])
def test_depthwise(
    weights: tuple[int, ...],
    padding: int,
    stride: int,
    lanes: int,
    gain: tuple[int, int],
    memory: str,
    stalls: float,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    matrix = rng.choice(weights, (4, 9))
    dtype = IntType(0, 3)
    x = rng.integers(0, 4, (2, 4, 5, 4))
    shown = window(4, 5, 1, 3, stride, padding)
    found = taps(gain[0] * x + gain[1], shown, 0).reshape(2, -1, 9, 4)
    want = np.einsum("fptc,ct->fpc", found, matrix)
    unit = ReduceUnit(
        by_channel(4, 5, 4 // lanes, 3, stride, padding),
        dtype,
        lanes,
        "sum",
        IntType(-500, 500),
        gain=gain[0],
        shift=gain[1],
        weights=matrix,
        memory=memory,  # type: ignore[arg-type]
    )
    check_unit(unit, [x.reshape(-1, lanes)], want.reshape(-1, lanes), stalls=stalls, seed=seed)


def test_a_position_a_cycle() -> None:
    walk = by_channel(6, 6, 1, 3, 1, 1)
    assert walk.loops[2] == Loop(1, words=1)
    unit = ReduceUnit(walk, IntType(0, 3), 1, "sum", IntType(0, 27))
    x = np.random.default_rng(0).integers(0, 4, (3, 6, 6, 1))
    want = taps(x, window(6, 6, 1, 3, 1, 1), 0).reshape(-1, 9).sum(axis=1)
    run = check_unit(unit, [x.reshape(-1, 1)], want.reshape(-1, 1))
    assert run.given[0][72] - run.given[0][36] == 36 * 9
