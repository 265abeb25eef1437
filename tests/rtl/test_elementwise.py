"""Thresholds, tables, requantizers: every element, every beat, every cycle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.families import get
from hwgen.inttype import IntType
from hwgen.rtl.channels import Channels
from hwgen.rtl.lookup import LookupUnit
from hwgen.rtl.requantize import RequantizeUnit
from hwgen.rtl.sim import check_unit
from hwgen.rtl.threshold import ThresholdUnit

KINDS = st.sampled_from(
    [IntType(0, 1), IntType(-9, 12), IntType(0, 200), IntType(-128, 127), IntType(5, 6)]
)
STALLS = st.sampled_from([0.0, 0.3])
SHAPES = st.sampled_from([(1, 1), (4, 1), (4, 2), (4, 4), (6, 4), (3, 6), (5, 5)])
"""(channels, lanes)"""


def elements(kind: IntType, channels: int, lanes: int, rng: np.random.Generator) -> np.ndarray:
    """Beats of some pixels, ends of the range among them."""
    x = rng.integers(kind.lo, kind.hi + 1, (12, channels))
    x[0], x[1] = kind.lo, kind.hi
    return x.reshape(-1)[: 12 * channels // lanes * lanes].reshape(-1, lanes)


def channel_of(x: np.ndarray, channels: int) -> np.ndarray:
    return np.arange(x.size).reshape(x.shape) % channels


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_thresholds(data: st.DataObject) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    kind, (channels, lanes) = data.draw(KINDS), data.draw(SHAPES)
    rows = data.draw(st.sampled_from([1, channels]))
    levels = data.draw(st.sampled_from([1, 2, 3, 5, 7, 15]))
    table = np.sort(rng.integers(kind.lo - 2, kind.hi + 3, (rows, levels)), axis=1)
    if data.draw(st.integers(0, 4)) == 0:
        table[:] = 0
    down = [data.draw(st.booleans()) for _ in range(rows)]
    base = data.draw(st.sampled_from([0, -1, -8, 3]))
    unit = ThresholdUnit(
        table, kind, lanes=lanes, channels=channels, descending=down, base=base,
        method=data.draw(st.sampled_from(["auto", "compare", "search"])),
        registered=data.draw(st.booleans()),
    )  # fmt: skip
    x = elements(kind, channels, lanes, rng)
    row = channel_of(x, channels) if rows > 1 else np.zeros(x.shape, int)
    up = (x[..., None] >= table[row]).sum(axis=-1)
    falling = (x[..., None] <= table[row]).sum(axis=-1)
    want = base + np.where(np.array(down)[row], falling, up)
    check_unit(unit, [x], want, stalls=data.draw(STALLS), seed=1)


def test_a_sign_is_a_sign_bit_and_costs_nothing() -> None:

    unit = ThresholdUnit([[0]], IntType(-100, 100), lanes=16, registered=False)
    assert unit.shape.resources(get("xc7")).lut <= 3


def test_many_thresholds_in_turn_are_searched() -> None:
    unit = ThresholdUnit(np.arange(15)[None].repeat(64, 0), IntType(-500, 500), lanes=4)
    assert unit.shape.chosen == "search"
    assert unit.shape.depth == 4


def test_thresholds_refuse_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match="1 or 3 rows"):
        ThresholdUnit([[0], [1]], IntType(0, 3), lanes=1, channels=3)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_tables(data: st.DataObject) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    kind, (channels, lanes) = data.draw(KINDS), data.draw(SHAPES)
    rows, before = data.draw(st.sampled_from([1, channels])), data.draw(st.integers(0, 3))
    table = rng.integers(-9, 30, (rows, kind.size + before + 2))
    unit = LookupUnit(
        table, kind.lo - before, kind, lanes=lanes,
        memory=data.draw(st.sampled_from(["lut", "block"])),
    )  # fmt: skip
    x = elements(kind, channels, lanes, rng)
    row = channel_of(x, channels) if rows > 1 else np.zeros(x.shape, int)
    check_unit(unit, [x], table[row, x - kind.lo + before], stalls=data.draw(STALLS), seed=2)


def test_a_table_must_cover_its_inputs() -> None:
    with pytest.raises(ValueError, match="must cover"):
        LookupUnit([[1, 2, 3]], 0, IntType(0, 3), lanes=1)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_requantizers(data: st.DataObject) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    kind, (channels, lanes) = data.draw(KINDS), data.draw(SHAPES)
    factors = rng.integers(-300, 300, data.draw(st.sampled_from([1, channels])))
    bias = rng.integers(-9000, 9000, data.draw(st.sampled_from([1, channels])))
    if data.draw(st.booleans()):
        factors = np.array([8])
    shift, clip = data.draw(st.integers(0, 9)), data.draw(st.sampled_from([(-8, 7), (0, 15)]))
    even = data.draw(st.booleans())
    unit = RequantizeUnit(factors, bias, shift, IntType(*clip), kind, lanes=lanes, even=even)
    x = elements(kind, channels, lanes, rng)
    row = channel_of(x, channels)
    m, b = (v[row] if len(v) > 1 else v[0] for v in (factors, bias))
    total = x * m + b
    codes = total >> shift
    if even:
        codes = np.where((total % (1 << shift) == 0) & (codes % 2 == 1), codes - 1, codes)
    want = np.clip(codes, *clip)
    check_unit(unit, [x], want, stalls=data.draw(STALLS), seed=3)


def test_channels_repeat_after_their_groups() -> None:
    assert Channels(6, 4).groups == 3
    assert [Channels(6, 4).of_lane(k) for k in range(2)] == [[0, 4, 2], [1, 5, 3]]
    assert Channels(3, 6).of_lane(4) == [1]


@pytest.mark.parametrize(
    ("kind", "threshold", "wires"),
    [(IntType(0, 255), 128, True), (IntType(0, 255), 64, False), (IntType(-8, 7), 0, True)],
)
def test_a_threshold_that_the_highest_bit_tells_is_wires(
    kind: IntType, threshold: int, wires: bool
) -> None:
    family = get("xc7")
    many, one = (ThresholdUnit([[threshold]], kind, lanes=n).resources(family).lut for n in (64, 1))
    assert (many == one) == wires
