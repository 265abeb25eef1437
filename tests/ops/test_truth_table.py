"""Truth tables keep the contract, for any bits of any inputs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.inttype import IntType
from hwgen.ir.types import TensorType
from hwgen.ops.base import Config
from hwgen.ops.truth_table import TruthTable
from hwgen.rtl.truth_table import TruthTableUnit
from tests.contract import XC7, check_circuit, frames


@st.composite
def tables(draw: st.DrawFn) -> tuple[TruthTable, TensorType]:
    channels, outputs, most = draw(st.integers(1, 5)), draw(st.integers(1, 5)), 4
    shape = (channels, *draw(st.sampled_from([(), (3,), (2, 2)])))
    kinds = st.builds(lambda lo, n: IntType(lo, lo + n), st.integers(-5, 3), st.integers(0, 9))
    ranges = draw(st.lists(kinds, min_size=channels, max_size=channels) | st.tuples(kinds))
    kind = TensorType(shape, tuple(ranges))
    every = [(c, b) for c, t in enumerate(kind.per_channel()) for b in range(t.width)]
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    bits = [
        [every[k] for k in rng.permutation(len(every))[: rng.integers(0, most + 1)]]
        for _ in range(outputs)
    ]
    values = rng.integers(-3, 4, (outputs, 1 << most))
    return TruthTable.of("t", "x", bits, values), kind


@given(made=tables(), seed=st.integers(0, 99), stalls=st.sampled_from([0.0, 0.3]), data=st.data())
@settings(max_examples=25, deadline=None)
def test_circuit_is_golden(
    made: tuple[TruthTable, TensorType], seed: int, stalls: float, data: st.DataObject
) -> None:
    node, kind = made
    config = data.draw(st.sampled_from(list(node.configs((kind,), XC7))))
    check_circuit(node, (kind,), config, seed=seed, stalls=stalls)


@given(made=tables())
@settings(max_examples=40, deadline=None)
def test_range_is_tight(made: tuple[TruthTable, TensorType]) -> None:
    node, kind = made
    y = node.evaluate(frames(np.random.default_rng(1), kind, 4000))
    seen = np.moveaxis(y, 1, 0).reshape(y.shape[1], -1)
    for row, t in zip(seen, node.infer(kind).per_channel(), strict=True):
        assert (row.min(), row.max()) == (t.lo, t.hi)


def test_a_bit_that_varies_takes_one_lut() -> None:
    node = TruthTable.of("t", "x", [[(0, 0), (1, 0)], [(1, 0)]], np.array([[0, 1, 1, 2], [3] * 4]))
    kind = TensorType((2,), (IntType(0, 1),))
    found = node.resources(Config("spatial", 2, 2), (kind,), XC7)
    assert 2 <= found.lut <= 2 + 3  # the handshake's besides


def test_a_table_of_the_wrong_size_is_refused() -> None:
    with pytest.raises(ValueError, match="a table of 2 bits must have 4 entries"):
        TruthTableUnit(IntType(0, 1), 2, [[(0, 0), (1, 0)]], [[0, 1]], IntType(0, 1))
