"""Sums of two streams."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.inttype import IntType
from hwgen.rtl.add import AddUnit
from hwgen.rtl.sim import check_unit

FACTORS = st.integers(-40, 40).filter(bool)


@given(
    factors=st.tuples(FACTORS, FACTORS),
    lanes=st.integers(1, 3),
    stalls=st.sampled_from([0.0, 0.4]),
    seed=st.integers(0, 99),
)
@settings(max_examples=20, deadline=None)
def test_it_adds(factors: tuple[int, int], lanes: int, stalls: float, seed: int) -> None:
    a, b = IntType(-8, 7), IntType(0, 20)
    ends = [factors[0] * x + factors[1] * y for x in (-8, 7) for y in (0, 20)]
    output = IntType(min(ends), max(ends))
    rng = np.random.default_rng(seed)
    x, y = rng.integers(-8, 8, (12, lanes)), rng.integers(0, 21, (12, lanes))
    x[0], y[0], x[1], y[1] = -8, 20, 7, 0
    unit = AddUnit(a, b, factors, output, lanes)
    want = factors[0] * x + factors[1] * y
    check_unit(unit, [x, y], want, stalls=stalls, seed=seed)
