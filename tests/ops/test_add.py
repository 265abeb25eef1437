"""Sums of two streams keep the contract."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.errors import ModelError
from hwgen.inttype import IntType
from hwgen.ir.types import TensorType
from hwgen.ops.add import Add
from tests.contract import XC7, check_circuit

KINDS = st.builds(lambda lo, n: IntType(lo, lo + n), st.integers(-9, 3), st.integers(0, 20))


@given(
    shape=st.sampled_from([(6,), (2, 3)]),
    kinds=st.tuples(KINDS, KINDS),
    factors=st.tuples(st.integers(-9, 9).filter(bool), st.integers(-9, 9).filter(bool)),
    data=st.data(),
)
@settings(max_examples=25, deadline=None)
def test_circuit_is_golden(
    shape: tuple[int, ...],
    kinds: tuple[IntType, IntType],
    factors: tuple[int, int],
    data: st.DataObject,
) -> None:
    node = Add(name="sum", inputs=("a", "b"), factors=factors)
    inputs = (TensorType(shape, kinds[:1]), TensorType(shape, kinds[1:]))
    config = data.draw(st.sampled_from(list(node.configs(inputs, XC7))))
    check_circuit(node, inputs, config, stalls=data.draw(st.sampled_from([0.0, 0.3])))


def test_range_of_a_value_added_to_itself_is_tight() -> None:
    kind = TensorType((2,), (IntType(-3, 5),))
    twice = Add(name="sum", inputs=("a", "a"), factors=(1, -1))
    assert twice.infer(kind, kind).element == IntType(0, 0)
    assert (twice.evaluate(np.array([[-3, 5]]), np.array([[-3, 5]])) == 0).all()


def test_unequal_shapes_are_refused() -> None:
    node = Add(name="sum", inputs=("a", "b"))
    kinds = TensorType((2,), (IntType(0, 1),)), TensorType((3,), (IntType(0, 1),))
    with pytest.raises(ModelError, match="must have one shape"):
        node.infer(*kinds)
