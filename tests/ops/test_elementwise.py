"""Thresholds, tables and multiply-and-shift keep the contract."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.inttype import IntType
from hwgen.ir.types import IntArray, TensorType
from hwgen.ops.base import HardwareNode
from hwgen.ops.lookup import Lookup
from hwgen.ops.requantize import Requantize
from hwgen.ops.threshold import Threshold
from tests.contract import XC7, check_circuit, check_tight

SHAPES = st.sampled_from([(1,), (6,), (2, 3), (4, 2, 2)])


@st.composite
def kinds(draw: st.DrawFn) -> TensorType:
    shape = draw(SHAPES)
    kind = st.builds(lambda lo, n: IntType(lo, lo + n), st.integers(-30, 3), st.integers(0, 60))
    count = draw(st.sampled_from([1, shape[0]]))
    return TensorType(shape, tuple(draw(kind) for _ in range(count)))


@st.composite
def thresholds(draw: st.DrawFn, kind: TensorType) -> Threshold:
    rows = draw(st.sampled_from([1, kind.channels]))
    levels = draw(st.sampled_from([1, 2, 3, 7, 15]))
    value = st.integers(kind.element.lo - 1, kind.element.hi + 1)
    row = st.lists(value, min_size=levels, max_size=levels).map(sorted)
    return Threshold(
        name="act",
        inputs=("x",),
        thresholds=IntArray([draw(row) for _ in range(rows)]),
        descending=tuple(draw(st.booleans()) for _ in range(draw(st.sampled_from([1, rows])))),
        base=draw(st.sampled_from([0, -8, 3])),
    )


@st.composite
def lookups(draw: st.DrawFn, kind: TensorType) -> Lookup:
    rows = draw(st.sampled_from([1, kind.channels]))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    table = rng.integers(-20, 40, (rows, kind.element.size))
    return Lookup(name="act", inputs=("x",), table=IntArray(table), start=kind.element.lo)


@st.composite
def requantizers(draw: st.DrawFn, kind: TensorType) -> Requantize:
    rows = draw(st.sampled_from([1, kind.channels]))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    lo = draw(st.sampled_from([0, -8, -128]))
    return Requantize(
        name="act",
        inputs=("x",),
        multiplier=IntArray(rng.integers(-200, 200, rows)),
        bias=IntArray(rng.integers(-5000, 5000, draw(st.sampled_from([1, rows])))),
        shift=draw(st.integers(0, 10)),
        lo=lo,
        hi=draw(st.sampled_from([7, 127, 255])),
        even=draw(st.booleans()),
    )


def check(node: HardwareNode, kind: TensorType, data: st.DataObject) -> None:
    config = data.draw(st.sampled_from(list(node.configs((kind,), XC7))))
    stalls = data.draw(st.sampled_from([0.0, 0.3]))
    check_circuit(node, (kind,), config, stalls=stalls, seed=data.draw(st.integers(0, 99)))
    ends = kind.ranges
    size = max(t.size for t in ends)
    sweep = np.stack([np.clip(t.lo + np.arange(size), t.lo, t.hi) for t in kind.per_channel()])
    shape = (size, kind.channels) + (1,) * (len(kind.shape) - 1)
    check_tight(node, (kind,), np.broadcast_to(sweep.T.reshape(shape), (size, *kind.shape)))


@given(kind=kinds(), data=st.data())
@settings(max_examples=40, deadline=None)
def test_thresholds(kind: TensorType, data: st.DataObject) -> None:
    check(data.draw(thresholds(kind)), kind, data)


@given(kind=kinds(), data=st.data())
@settings(max_examples=25, deadline=None)
def test_tables(kind: TensorType, data: st.DataObject) -> None:
    check(data.draw(lookups(kind)), kind, data)


@given(kind=kinds(), data=st.data())
@settings(max_examples=30, deadline=None)
def test_multiply_and_shift(kind: TensorType, data: st.DataObject) -> None:
    check(data.draw(requantizers(kind)), kind, data)


def test_unsorted_thresholds_are_a_bug() -> None:
    with pytest.raises(ValueError, match="must be sorted"):
        Threshold(name="t", thresholds=IntArray([[3, 1]]))
