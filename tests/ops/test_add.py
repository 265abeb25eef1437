"""Sums of two streams keep the contract."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.errors import ModelError, UnsupportedError
from hwgen.inttype import IntType
from hwgen.ir.real import RealGraph, RealNode
from hwgen.ir.types import Alphabet, IntArray, TensorType
from hwgen.ops.add import Add, RealAdd
from hwgen.ops.affine import RealAffine
from hwgen.ops.input import RealInput
from hwgen.ops.linear import RealLinear, Weight
from hwgen.ops.ordered import ordering
from hwgen.ops.output import RealOutput
from hwgen.ops.quantize import RealQuantize
from hwgen.passes.integerize import integerize
from tests.contract import XC7, check_circuit

FACTORS = st.integers(-9, 9).filter(bool)
KINDS = st.builds(lambda lo, n: IntType(lo, lo + n), st.integers(-9, 3), st.integers(0, 20))


@given(
    shape=st.sampled_from([(6,), (2, 3)]),
    kinds=st.tuples(KINDS, KINDS),
    factors=st.integers(0, 1).flatmap(
        lambda each: st.lists(
            st.lists(FACTORS, min_size=1 + each, max_size=1 + each), min_size=2, max_size=2
        )
    ),
    data=st.data(),
)
@settings(max_examples=25, deadline=None)
def test_circuit_is_golden(
    shape: tuple[int, ...],
    kinds: tuple[IntType, IntType],
    factors: list[list[int]],
    data: st.DataObject,
) -> None:
    spread = np.repeat(factors, shape[0] // len(factors[0]), axis=1) if factors[0][1:] else factors
    node = Add(name="sum", inputs=("a", "b"), factors=IntArray(spread))
    inputs = (TensorType(shape, kinds[:1]), TensorType(shape, kinds[1:]))
    config = data.draw(st.sampled_from(list(node.configs(inputs, XC7))))
    check_circuit(node, inputs, config, stalls=data.draw(st.sampled_from([0.0, 0.3])))


def test_range_of_a_value_added_to_itself_is_tight() -> None:
    kind = TensorType((2,), (IntType(-3, 5),))
    twice = Add(name="sum", inputs=("a", "a"), factors=IntArray([[1], [-1]]))
    assert twice.infer(kind, kind).element == IntType(0, 0)
    assert (twice.evaluate(np.array([[-3, 5]]), np.array([[-3, 5]])) == 0).all()


@given(
    ratio=st.fractions(min_value=Fraction(1, 500), max_value=500, max_denominator=10**6),
    a=st.integers(1, 40),
    b=st.integers(1, 40),
)
@settings(max_examples=150, deadline=None)
def test_small_factors_keep_the_order_of_all_sums(ratio: Fraction, a: int, b: int) -> None:
    m, n = ordering(ratio, a, b)
    assert m <= 2 * b + 1
    assert n <= 2 * a + 1
    for x in range(a + 1):
        for y in range(b + 1):
            exact = (ratio * x > y) - (ratio * x < y)
            assert (m * x > n * y) - (m * x < n * y) == exact


FLOATS = st.floats(0.0078125, 100, width=32).map(Fraction)


def branches(
    scales: tuple[list[Fraction], list[Fraction]], bits: tuple[int, int], quantizer: RealNode
) -> RealGraph:
    """Two quantizers of one input, each behind a factor per channel, their sum, a quantizer."""
    channels = len(scales[0])
    nodes: list[RealNode] = [RealInput(name="x", shape=(channels,))]
    half = 1 << (bits[0] - 1)
    nodes.append(RealQuantize(name="q", inputs=("x",), step=(Fraction(1),), lo=-half, hi=half - 1))
    top = (1 << bits[1]) - 1
    shifted = RealAffine(name="up", inputs=("q",), offset=(Fraction(half),))
    nodes += [shifted, RealQuantize(name="r", inputs=("up",), step=(Fraction(3),), lo=0, hi=top)]
    for name, source, scale in zip("ab", ("q", "r"), scales, strict=True):
        offset = (Fraction(1, 7),)
        nodes.append(RealAffine(name=name, inputs=(source,), scale=tuple(scale), offset=offset))
    nodes += [RealAdd(name="sum", inputs=("a", "b"), sign=-1), quantizer]
    nodes.append(RealOutput(name="out", inputs=(quantizer.name,)))
    return RealGraph("branches", tuple(nodes))


@given(
    scales=st.tuples(
        st.lists(FLOATS, min_size=2, max_size=2), st.lists(FLOATS, min_size=2, max_size=2)
    ),
    bits=st.tuples(st.integers(1, 5), st.integers(1, 4)),
    levels=st.sampled_from([3, 15, 255]),
    step=st.fractions(min_value=Fraction(1, 20), max_value=20, max_denominator=1000),
)
@settings(max_examples=60, deadline=None)
def test_any_scales_are_added_exactly_before_a_quantizer(
    scales: tuple[list[Fraction], list[Fraction]],
    bits: tuple[int, int],
    levels: int,
    step: Fraction,
) -> None:
    lo = -(levels // 2)
    last = RealQuantize(name="y", inputs=("sum",), step=(step,), lo=lo, hi=lo + levels)
    graph = integerize(branches(scales, bits, last)).graph
    half = 1 << (bits[0] - 1)
    codes = np.arange(-half, half)[:, None] * np.ones(2, np.int64)
    found = graph.evaluate(codes)
    by_name = {n.name: n for n in graph}
    second = graph.with_nodes(graph.nodes[: list(by_name).index("r") + 1]).evaluate(codes)
    for row, (x, r) in enumerate(zip(codes, second, strict=True)):
        for c in range(2):
            real = scales[0][c] * int(x[c]) - scales[1][c] * 3 * int(r[c])
            want = min(max(round(real / step), lo), lo + levels)
            assert found[row, c] == want


def test_factors_stay_small_before_a_quantizer() -> None:
    scales = [Fraction(0.1234567), Fraction(3.3)], [Fraction(0.7654321), Fraction(0.01)]
    last = RealQuantize(name="y", inputs=("sum",), step=(Fraction(1, 3),), lo=0, hi=15)
    graph = integerize(branches(scales, (4, 4), last)).graph
    node = next(n for n in graph if isinstance(n, Add))
    assert node.factors.shape == (2, 2)
    assert np.abs(node.factors.values).max() <= 2 * 15 + 1


def test_a_sum_that_something_else_reads_is_to_scale_or_refused() -> None:
    weight = Weight(IntArray([[1, 1]]), Alphabet((-1, 1)))
    linear = RealLinear(name="y", inputs=("sum",), weight=weight)
    third = [Fraction(1, 3)] * 2
    graph = integerize(branches((third, [Fraction(1, 2)] * 2), (4, 4), linear)).graph
    node = next(n for n in graph if isinstance(n, Add))
    assert node.factors.values.T.tolist() == [[2, -9]]
    odd = [Fraction(float(np.pi)) * Fraction(10) ** -9] * 2
    with pytest.raises(UnsupportedError, match="steps must be small multiples of a common one"):
        integerize(branches((third, odd), (4, 4), linear))


def test_unequal_shapes_are_refused() -> None:
    node = Add(name="sum", inputs=("a", "b"))
    kinds = TensorType((2,), (IntType(0, 1),)), TensorType((3,), (IntType(0, 1),))
    with pytest.raises(ModelError, match="must have one shape"):
        node.infer(*kinds)
