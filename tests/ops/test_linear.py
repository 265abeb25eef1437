"""Fully connected layers keep the contract in every style, for every alphabet."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.errors import ModelError
from hwgen.inttype import IntType
from hwgen.ir.types import Alphabet, IntArray, TensorType
from hwgen.ops.base import Config
from hwgen.ops.linear import Linear
from tests.contract import XC7, check_circuit, check_tight

ALPHABETS = {
    "binary": (-1, 1),
    "ternary": (-1, 0, 1),
    "shift": (-8, -4, -2, -1, 1, 2, 4, 8),
    "shift with zero": (-4, -2, -1, 0, 1, 2, 4),
    "int4": tuple(range(-8, 8)),
    "positive": (1, 3, 5),
}


@st.composite
def layers(draw: st.DrawFn) -> tuple[Linear, TensorType]:
    levels = ALPHABETS[draw(st.sampled_from(sorted(ALPHABETS)))]
    outputs, columns = draw(st.integers(1, 6)), draw(st.sampled_from([1, 2, 3, 4, 6, 8]))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    weight = rng.choice(levels, (outputs, columns))
    bias = rng.integers(-9, 9, outputs) if draw(st.booleans()) else np.zeros(1, int)
    kinds = st.builds(lambda lo, n: IntType(lo, lo + n), st.integers(-9, 3), st.integers(0, 20))
    ranges = draw(st.lists(kinds, min_size=columns, max_size=columns) | st.tuples(kinds))
    node = Linear(
        name="fc", inputs=("x",), weight=IntArray(weight), alphabet=Alphabet.of(weight),
        bias=IntArray(bias),
    )  # fmt: skip
    shape = (columns, *draw(st.sampled_from([(), (4,), (2, 6)])))
    return node, TensorType(shape, tuple(ranges))


@given(made=layers(), data=st.data())
@settings(max_examples=40, deadline=None)
def test_circuit_is_golden(made: tuple[Linear, TensorType], data: st.DataObject) -> None:
    node, kind = made
    config = data.draw(st.sampled_from(list(node.configs((kind,), XC7))))
    stalls = data.draw(st.sampled_from([0.0, 0.3]))
    check_circuit(node, (kind,), config, stalls=stalls, seed=data.draw(st.integers(0, 99)))


@given(made=layers())
@settings(max_examples=60, deadline=None)
def test_range_is_tight(made: tuple[Linear, TensorType]) -> None:
    node, kind = made
    weight = node.weight.values
    low = np.where(weight > 0, kind.lo, kind.hi)
    high = np.where(weight > 0, kind.hi, kind.lo)
    x = np.concatenate([low, high])
    x = np.broadcast_to(x.reshape(*x.shape, *[1] * len(kind.shape[1:])), (len(x), *kind.shape))
    check_tight(node, (kind,), x)


def test_reset_in_mid_frame() -> None:
    weight = np.array([[1, -1, 1, 1], [-1, -1, 1, -1]])
    node = Linear(name="fc", weight=IntArray(weight), alphabet=Alphabet((-1, 1)))
    kind = TensorType((4,), (IntType(0, 15),))
    check_circuit(node, (kind,), Config("folded", 1, 2), reset_at=3)


def test_large_products_stay_exact() -> None:
    weight = np.array([[1 << 30, -(1 << 30)], [1, 1]])
    node = Linear(name="fc", weight=IntArray(weight), alphabet=Alphabet.of(weight))
    x = np.array([[(1 << 30) - 1, -(1 << 30)]])
    assert node.evaluate(x).tolist() == [[(1 << 60) - (1 << 30) + (1 << 60), -1]]


def test_a_wrong_number_of_inputs_is_refused() -> None:
    node = Linear(name="fc", weight=IntArray(np.ones((2, 3), int)), alphabet=Alphabet((1,)))
    with pytest.raises(ModelError, match="of 3 inputs cannot take a tensor of shape"):
        node.infer(TensorType((4,), (IntType(0, 1),)))
