"""Sums of two streams."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.inttype import IntType
from hwgen.rtl.add import AddUnit
from hwgen.rtl.sim import check_unit

FACTORS = st.integers(-40, 40).filter(bool)


def per_channel(channels: int) -> st.SearchStrategy[list[list[int]]]:
    row = st.lists(FACTORS, min_size=channels, max_size=channels)
    return st.lists(row, min_size=2, max_size=2)


@given(
    factors=st.sampled_from([1, 2, 6]).flatmap(per_channel),
    lanes=st.integers(1, 3),
    stalls=st.sampled_from([0.0, 0.4]),
    seed=st.integers(0, 99),
)
@settings(max_examples=30, deadline=None)
def test_it_adds(factors: list[list[int]], lanes: int, stalls: float, seed: int) -> None:
    a, b = IntType(-8, 7), IntType(0, 20)
    pairs = list(zip(*factors, strict=True))
    ends = [m * x + n * y for m, n in pairs for x in (-8, 7) for y in (0, 20)]
    output = IntType(min(ends), max(ends))
    rng = np.random.default_rng(seed)
    x, y = rng.integers(-8, 8, (12, lanes)), rng.integers(0, 21, (12, lanes))
    x[0], y[0], x[1], y[1] = -8, 20, 7, 0
    unit = AddUnit(a, b, factors, output, lanes)
    channel = np.arange(12 * lanes).reshape(12, lanes) % len(pairs)
    want = np.array(factors[0])[channel] * x + np.array(factors[1])[channel] * y
    check_unit(unit, [x, y], want, stalls=stalls, seed=seed)
