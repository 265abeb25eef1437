"""The gearbox keeps frames whole for any numbers of lanes."""

from __future__ import annotations

from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.inttype import IntType
from hwgen.rtl.gearbox import Gearbox
from hwgen.rtl.sim import check_unit


def framed(frames: np.ndarray, lanes: int, filler: int) -> np.ndarray:
    """(frames, elements) as beats of ``lanes``, each frame's last beat filled up."""
    count = ceil(frames.shape[1] / lanes) * lanes
    padded = np.full((len(frames), count), filler)
    padded[:, : frames.shape[1]] = frames
    return padded.reshape(-1, lanes)


@given(
    i=st.integers(1, 9),
    o=st.integers(1, 9),
    elements=st.integers(1, 24),
    dtype=st.sampled_from([IntType(0, 1), IntType(-5, 3), IntType(0, 200)]),
    stalls=st.sampled_from([0.0, 0.3]),
    seed=st.integers(0, 99),
)
@settings(max_examples=60, deadline=None)
def test_frames_come_out_as_they_went_in(
    i: int, o: int, elements: int, dtype: IntType, stalls: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    frames = rng.integers(dtype.lo, dtype.hi + 1, (3, elements))
    unit = Gearbox(dtype, i, o, elements)
    check_unit(unit, [framed(frames, i, dtype.hi)], framed(frames, o, 0), stalls=stalls, seed=seed)


@pytest.mark.parametrize(
    ("i", "o", "elements"), [(16, 5, 64), (7, 8, 100), (64, 98, 784), (32, 49, 784), (2, 64, 10)]
)
def test_wide_beats_that_do_not_fill_each_other(i: int, o: int, elements: int) -> None:
    frames = np.random.default_rng(i).integers(0, 4, (3, elements))
    unit = Gearbox(IntType(0, 3), i, o, elements)
    check_unit(unit, [framed(frames, i, 3)], framed(frames, o, 0), stalls=0.3, seed=1)


def test_reset_in_mid_frame_starts_over() -> None:
    frames = np.arange(20).reshape(2, 10)
    unit = Gearbox(IntType(0, 31), 3, 4, 10)
    check_unit(unit, [framed(frames, 3, 31)], framed(frames, 4, 0), reset_at=5)


@pytest.mark.parametrize(
    ("i", "o", "steps"), [(8, 784, 98), (784, 8, 98), (8, 5, 157), (5, 8, 157)]
)
def test_it_is_as_fast_as_its_narrower_side(i: int, o: int, steps: int) -> None:
    assert Gearbox(IntType(0, 255), i, o, 784).timing.steps == steps
