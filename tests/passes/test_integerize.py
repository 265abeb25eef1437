"""Integerized quantizers equal the exact real function on every reachable integer."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.errors import ModelError, UnsupportedError
from hwgen.inttype import IntType
from hwgen.ir.meaning import Affine, Clamp, HostValue, Meaning
from hwgen.ir.real import RealGraph
from hwgen.ir.serialize import from_json, to_json
from hwgen.ir.text import dump
from hwgen.ir.types import Alphabet, IntArray, TensorType
from hwgen.ir.verify import verify
from hwgen.ops.add import RealAdd
from hwgen.ops.affine import RELU, RealAffine, RealFunction
from hwgen.ops.input import RealInput
from hwgen.ops.linear import RealLinear, Weight
from hwgen.ops.monotone import ROUNDINGS, Step, step_function
from hwgen.ops.output import Output, RealOutput
from hwgen.ops.quantize import RealQuantize, RealSign
from hwgen.ops.requantize import Requantize, find_multiplier
from hwgen.ops.reshape import RealReshape
from hwgen.ops.topk import RealTopK, order_preserving
from hwgen.passes.integerize import integerize

rationals = st.fractions(min_value=-8, max_value=8, max_denominator=64)
positive = st.fractions(min_value=Fraction(1, 64), max_value=8, max_denominator=64)


def functions() -> st.SearchStrategy[tuple[Affine | Clamp, ...]]:
    affine = st.builds(lambda s, o: Affine((s,), (o,)), rationals, rationals)
    clamp = st.builds(
        lambda lo, size: Clamp(lo, lo + size if size is not None else None),
        rationals,
        st.none() | positive,
    )
    return st.lists(affine | clamp, max_size=3).map(tuple)


@given(
    scale=rationals,
    offset=rationals,
    chain=functions(),
    step=positive,
    zero=st.integers(-3, 3),
    lo=st.integers(-40, 0),
    size=st.integers(1, 40),
    rounding=st.sampled_from(sorted(ROUNDINGS)),
    domain=st.builds(lambda a, n: IntType(a, a + n), st.integers(-90, 90), st.integers(0, 120)),
)
@settings(max_examples=300, deadline=None)
def test_step_function_is_the_quantizer(
    scale: Fraction,
    offset: Fraction,
    chain: tuple[Affine | Clamp, ...],
    step: Fraction,
    zero: int,
    lo: int,
    size: int,
    rounding: str,
    domain: IntType,
) -> None:
    meaning = Meaning("x", TensorType((1,), (domain,)), (scale,), (offset,), chain)
    rule = Step(step, zero, lo, lo + size, rounding)
    found = step_function(meaning, 0, rule, domain)
    for n in range(domain.lo, domain.hi + 1):
        assert found(n) == rule.code(meaning.at(n, 0))
    assert all(domain.lo <= t <= domain.hi for t in found.at)


def random_net(seed: int, *, levels: int, classes: int = 3, negative: bool = True) -> RealGraph:
    """A linear layer, batch-norm, ReLU, quantizer, linear layer, batch-norm on integers."""
    rng = np.random.default_rng(seed)

    def weight(out: int, inputs: int) -> Weight:
        values = rng.integers(0, 2, (out, inputs)) * 2 - 1
        return Weight(IntArray(values), Alphabet((-1, 1)), (Fraction(3, 8),))

    def norm(name: str, source: str, channels: int) -> RealAffine:
        gamma = rng.normal(size=channels) if negative else rng.uniform(0.5, 1, channels)
        return RealAffine.batch_norm(
            name,
            (source,),
            mean=rng.normal(size=channels).astype(np.float32),
            variance=rng.uniform(0.5, 2, channels).astype(np.float32),
            gamma=gamma.astype(np.float32),
            beta=rng.normal(size=channels).astype(np.float32),
            eps=1e-5,
        )

    nodes = (
        RealInput(name="x", shape=(2, 3)),
        RealQuantize(name="q", inputs=("x",), step=(Fraction(1, 4),), lo=-8, hi=7),
        RealReshape(name="flat", inputs=("q",), shape=(6,)),
        RealLinear(name="fc0", inputs=("flat",), weight=weight(5, 6)),
        norm("bn0", "fc0", 5),
        RealFunction(name="relu", inputs=("bn0",), function=RELU),
        RealQuantize(name="a0", inputs=("relu",), step=(Fraction(1, 8),), lo=0, hi=levels),
        RealLinear(name="fc1", inputs=("a0",), weight=weight(classes, 5)),
        norm("bn1", "fc1", classes),
        RealOutput(name="out", inputs=("bn1",)),
    )
    return RealGraph("net", nodes)


@pytest.mark.parametrize("levels", [1, 3, 15, 255])
@pytest.mark.parametrize("seed", range(4))
def test_every_integer_stands_for_the_exact_real_value(seed: int, levels: int) -> None:
    real = random_net(seed, levels=levels)
    lowered = integerize(real)
    graph = verify(lowered.graph)
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(40, 2, 3)).astype(np.float32)
    seen: dict[str, np.ndarray] = {}
    graph.trace(graph.input.encode(x), lambda node, value: seen.update({node.name: value}))  # type: ignore[attr-defined]
    fc0, norm, quantizer = real.nodes[3], real.nodes[4], real.nodes[6]
    assert isinstance(fc0, RealLinear)
    assert isinstance(norm, RealAffine)
    assert isinstance(quantizer, RealQuantize)
    codes = np.clip(np.rint(x / np.float32(0.25)), -8, 7).astype(int).reshape(40, 6)
    weight = fc0.weight.values.values
    for frame in range(40):
        for c in range(5):
            y = Fraction(3, 8) * sum(
                Fraction(int(w) * int(n), 4) for w, n in zip(weight[c], codes[frame], strict=True)
            )
            y = max(norm.scale[c] * y + norm.offset[c], Fraction(0))
            want = min(max(round(y / quantizer.step[0]), 0), levels)
            assert seen["a0"][frame, c] == want


def test_types_are_tight_where_a_node_is_free() -> None:
    graph = integerize(random_net(0, levels=15)).graph
    node, kind = graph["fc0"], graph.types["fc0"]
    weight = node.weight.values  # type: ignore[attr-defined]
    low, high = np.where(weight > 0, -8, 7), np.where(weight > 0, 7, -8)
    assert (np.diag(node.evaluate(low)) == kind.lo).all()
    assert (np.diag(node.evaluate(high)) == kind.hi).all()


def test_requantize_is_chosen_for_many_levels_and_equals_the_thresholds() -> None:
    graph = integerize(random_net(1, levels=255)).graph
    assert graph["a0"].op == "requantize"


@given(
    factors=st.lists(st.sampled_from([-8, -1, 0, 1, 4]), min_size=1, max_size=3),
    bits=st.integers(1, 5),
    zero=st.sampled_from([0, 2, -4]),
    rounding=st.sampled_from(["half_even", "half_up", "floor"]),
    data=st.data(),
)
@settings(max_examples=100, deadline=None)
def test_steps_of_powers_of_two_are_shifts_ties_to_even_included(
    factors: list[int], bits: int, zero: int, rounding: str, data: st.DataObject
) -> None:
    kind = TensorType((len(factors),), (IntType(-700, 900),))
    rule = Step(Fraction(1 << bits), zero, -8, 55, rounding)
    offsets = tuple(Fraction(data.draw(st.integers(-200, 200))) for _ in factors)
    meaning = Meaning("x", kind, tuple(Fraction(f) for f in factors), offsets)
    domain = kind.element
    steps = [step_function(meaning, c, rule, domain) for c in range(len(factors))]
    found = find_multiplier(steps, [domain] * len(factors))
    assert found is not None
    node = Requantize(name="q", inputs=("x",), **found)  # type: ignore[arg-type]
    x = np.arange(domain.lo, domain.hi + 1)
    got = node.evaluate(np.repeat(x[:, None], len(factors), axis=1))
    want = [[rule.code(meaning.at(int(n), c)) for c in range(len(factors))] for n in x]
    assert np.array_equal(got, want)


def test_graph_survives_json_and_text() -> None:
    graph = integerize(random_net(2, levels=3)).graph
    text = to_json(graph)
    assert from_json(text) == graph
    assert to_json(from_json(text)) == text
    assert "a0: 5 " in dump(graph)


def test_sign_activation_is_one_comparison() -> None:
    real = random_net(3, levels=1)
    nodes = list(real.nodes)
    nodes[6] = RealSign(name="a0", inputs=("bn0",))
    del nodes[5]
    graph = integerize(RealGraph("net", tuple(nodes))).graph
    assert graph["a0"].op == "threshold"
    assert graph["a0"].thresholds.shape == (5, 1)  # type: ignore[attr-defined]


@given(
    scales=st.lists(rationals.filter(bool), min_size=2, max_size=4),
    data=st.data(),
)
@settings(max_examples=100, deadline=None)
def test_ordering_integers_order_the_reals(scales: list[Fraction], data: st.DataObject) -> None:
    if data.draw(st.booleans()):
        scales = [abs(scales[0])] * len(scales)
    offsets = tuple(data.draw(rationals) for _ in scales)
    kind = TensorType((len(scales),), (IntType(-5, 9),))
    meaning = Meaning("x", kind, tuple(scales), offsets)
    found = order_preserving(meaning)
    assert found is not None
    pairs = [(c, n) for c in range(len(scales)) for n in range(-5, 10)]
    reals = [meaning.at(n, c) for c, n in pairs]
    integers = [found[0][c] * n + found[1][c] for c, n in pairs]
    for a in range(len(pairs)):
        for b in range(len(pairs)):
            assert (reals[a] < reals[b]) == (integers[a] < integers[b])


def test_argmax_is_an_index() -> None:
    real = random_net(5, levels=3)
    nodes = [*real.nodes[:-1], RealTopK(name="top", inputs=("bn1",))]
    nodes.append(RealOutput(name="out", inputs=("top",)))
    plain = integerize(real).graph
    graph = integerize(RealGraph("net", tuple(nodes))).graph
    x = np.random.default_rng(0).normal(size=(60, 2, 3)).astype(np.float32)
    codes = plain.input.encode(x)  # type: ignore[attr-defined]
    assert isinstance(plain.output, Output)
    assert isinstance(graph.output, Output)
    assert graph.output.index
    want = plain.output.predictions(plain.evaluate(codes))
    assert np.array_equal(graph.output.predictions(graph.evaluate(codes)), want)


def test_a_layer_without_quantized_input_is_refused() -> None:
    real = random_net(0, levels=3)
    nodes = list(real.nodes)
    del nodes[6]
    nodes[6] = RealLinear(name="fc1", inputs=("relu",), weight=nodes[6].weight)  # type: ignore[attr-defined]
    with pytest.raises(ModelError, match="input must be quantized, not a function of integers"):
        integerize(RealGraph("net", tuple(nodes)))


def test_add_of_steps_without_common_multiple_is_refused() -> None:
    nodes = (
        RealInput(name="x", shape=(4,)),
        RealQuantize(name="a", inputs=("x",), step=(Fraction(1, 3),), lo=0, hi=7),
        RealQuantize(name="b", inputs=("a",), step=(Fraction(1, (1 << 50) + 3),), lo=0, hi=7),
        RealAdd(name="sum", inputs=("a", "b")),
        RealOutput(name="out", inputs=("sum",)),
    )
    with pytest.raises(UnsupportedError, match="multiples of a common one"):
        integerize(RealGraph("net", nodes))


def test_host_side_functions_are_applied_before_the_first_quantizer() -> None:
    nodes = (
        RealInput(name="x", shape=(2,)),
        RealAffine(name="scaled", inputs=("x",), scale=(Fraction(2),), offset=(Fraction(-1),)),
        RealQuantize(name="q", inputs=("scaled",), step=(Fraction(1, 2),), lo=-4, hi=3),
        RealOutput(name="out", inputs=("q",)),
    )
    graph = integerize(RealGraph("net", nodes)).graph
    assert isinstance(HostValue((2,)), HostValue)
    x = np.array([[0.5, 1.0], [0.0, 9.0]], dtype=np.float32)
    assert graph.input.encode(x).tolist() == [[0, 2], [-2, 3]]  # type: ignore[attr-defined]
