"""Indices of the largest elements, ties to the lowest index."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.inttype import IntType
from hwgen.rtl.sim import check_unit
from hwgen.rtl.topk import TopKUnit


def largest(frames: np.ndarray, k: int) -> np.ndarray:
    return np.argsort(-frames, axis=1, kind="stable")[:, :k]


@given(
    shape=st.sampled_from([(1, 1), (6, 1), (6, 2), (6, 3), (6, 6), (10, 10), (7, 7)]),
    dtype=st.sampled_from([IntType(0, 1), IntType(-3, 2), IntType(-100, 900)]),
    stalls=st.sampled_from([0.0, 0.4]),
    seed=st.integers(0, 99),
)
@settings(max_examples=30, deadline=None)
def test_argmax(shape: tuple[int, int], dtype: IntType, stalls: float, seed: int) -> None:
    elements, lanes = shape
    frames = np.random.default_rng(seed).integers(dtype.lo, dtype.hi + 1, (4, elements))
    unit = TopKUnit(dtype, elements, 1, lanes)
    check_unit(unit, [frames.reshape(-1, lanes)], largest(frames, 1), stalls=stalls, seed=seed)


@given(
    elements=st.integers(2, 7),
    k=st.integers(2, 4),
    stalls=st.sampled_from([0.0, 0.4]),
    seed=st.integers(0, 99),
)
@settings(max_examples=30, deadline=None)
def test_top_k(elements: int, k: int, stalls: float, seed: int) -> None:
    k = min(k, elements)
    frames = np.random.default_rng(seed).integers(-4, 3, (4, elements))
    unit = TopKUnit(IntType(-4, 2), elements, k, 1)
    check_unit(unit, [frames.reshape(-1, 1)], largest(frames, k), stalls=stalls, seed=seed)


def test_reset_in_mid_frame() -> None:
    frames = np.array([[9, 1, 2, 3], [0, 1, 5, 5]])
    unit = TopKUnit(IntType(0, 15), 4, 1, 1)
    check_unit(unit, [frames.reshape(-1, 1)], largest(frames, 1), reset_at=3)


def test_several_lanes_need_k_of_one() -> None:
    with pytest.raises(ValueError, match="be 1 for k > 1"):
        TopKUnit(IntType(0, 15), 4, 2, 2)
