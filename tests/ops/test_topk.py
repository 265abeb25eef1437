"""Largest elements keep the contract."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.errors import UnsupportedError
from hwgen.inttype import IntType
from hwgen.ir.types import TensorType
from hwgen.ops.topk import TopK
from tests.contract import XC7, check_circuit


@given(elements=st.integers(1, 8), k=st.integers(1, 3), data=st.data())
@settings(max_examples=20, deadline=None)
def test_circuit_is_golden(elements: int, k: int, data: st.DataObject) -> None:
    node = TopK(name="top", inputs=("x",), k=min(k, elements))
    kind = TensorType((elements,), (IntType(-2, 3),))
    config = data.draw(st.sampled_from(list(node.configs((kind,), XC7))))
    check_circuit(node, (kind,), config, stalls=data.draw(st.sampled_from([0.0, 0.3])), count=4)


def test_more_than_there_are_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="top-4 needs a vector of at least 4"):
        TopK(name="top", inputs=("x",), k=4).infer(TensorType((3,), (IntType(0, 1),)))
