"""Width converters keep order and pace for every ratio."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.inttype import IntType
from hwgen.rtl.convert import Converter
from hwgen.rtl.gearbox import Gearbox
from hwgen.rtl.sim import check_unit


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.sampled_from([0.0, 0.4]), st.integers(0, 99))
def test_converters_keep_order_and_pace(source: int, sink: int, stalls: float, seed: int) -> None:
    kind = IntType(-3, 3)
    x = np.random.default_rng(seed).integers(-3, 4, source * sink * 3)
    unit = Converter(kind, source, sink)
    run = check_unit(
        unit, [x.reshape(-1, source)], x.reshape(-1, sink), stalls=stalls, seed=seed,
        reset_at=3 if seed % 2 else None,
    )  # fmt: skip
    if not stalls and source == sink:
        assert np.array_equal(run.given[0], run.taken[0] + 1)


@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 3))
def test_a_gearbox_of_whole_frames_has_a_converters_timing(i: int, o: int, turns: int) -> None:
    box, converter = Gearbox(IntType(0, 1), i, o, i * o * turns), Converter(IntType(0, 1), i, o)
    repeats = box.timing.steps // converter.timing.steps
    assert np.array_equal(box.timing.emit, np.tile(converter.timing.emit, repeats))
    assert np.array_equal(box.timing.consume[0], np.tile(converter.timing.consume[0], repeats))


def test_a_multiple_of_lanes_takes_few_lookup_tables() -> None:
    from hwgen.families import get

    assert Converter(IntType(0, 15), 4, 16).resources(get("xc7")).lut < 20
