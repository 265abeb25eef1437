"""Convolutional layers: integers stand for exactly what torch computes in float64."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from hwgen.errors import ModelError, UnsupportedError
from hwgen.ir.meaning import RealValue
from hwgen.ir.real import RealGraph, RealNode
from hwgen.ir.serialize import from_json, to_json
from hwgen.ir.types import Alphabet, IntArray
from hwgen.ir.verify import verify
from hwgen.ops.conv import RealConv
from hwgen.ops.input import RealInput
from hwgen.ops.linear import Weight
from hwgen.ops.output import RealOutput
from hwgen.ops.quantize import RealQuantize, RealSign
from hwgen.ops.spatial import Kernel
from hwgen.passes.integerize import integerize

ALPHABETS = {
    "binary": (-1, 1),
    "ternary": (-1, 0, 1),
    "shift": (-4, -2, -1, 1, 2, 4),
    "int": tuple(range(-8, 8)),
}
QUANTIZERS: dict[str, RealNode] = {
    "uint": RealQuantize(name="q", inputs=("x",), step=(Fraction(1, 4),), lo=0, hi=7),
    "zero point": RealQuantize(
        name="q", inputs=("x",), step=(Fraction(1, 4),), zero_point=(3,), lo=0, hi=7
    ),
    "binary": RealSign(name="q", inputs=("x",), scale=Fraction(3, 8)),
}


def run(
    nodes: tuple[RealNode, ...], shape: tuple[int, ...], frames: int, seed: int
) -> tuple[np.ndarray, dict[str, np.ndarray], dict[str, RealValue]]:
    """Random frames through the integer graph: logits, every value, and what values stand for.

    The graph also passes ``verify``, its JSON form, and its types' ranges.
    """
    real = RealGraph("net", (RealInput(name="x", shape=shape), *nodes))
    lowered = integerize(real)
    graph = verify(lowered.graph)
    assert from_json(to_json(graph)) == graph
    x = np.random.default_rng(seed).normal(size=(frames, *shape)).astype(np.float32)
    seen: dict[str, np.ndarray] = {}

    def watch(node: object, value: np.ndarray) -> None:
        seen[node.name] = value  # type: ignore[attr-defined]
        kind = graph.types[node.name]  # type: ignore[attr-defined]
        assert value.shape[1:] == kind.shape
        flat = np.moveaxis(value, 1, -1).reshape(-1, kind.channels)
        assert (flat >= kind.lo).all()
        assert (flat <= kind.hi).all()

    y = graph.trace(graph.input.encode(x), watch)  # type: ignore[attr-defined]
    return graph.output.logits(y), seen, dict(lowered.meanings)  # type: ignore[attr-defined]


def real_value(
    name: str, seen: dict[str, np.ndarray], meanings: dict[str, RealValue]
) -> torch.Tensor:
    """What an integer value stands for, in float64."""
    meaning = meanings[name]
    shape = (1, -1) + (1,) * (seen[name].ndim - 2)
    scale = np.array([float(s) for s in meaning.scale]).reshape(shape)  # type: ignore[union-attr]
    offset = np.array([float(s) for s in meaning.offset]).reshape(shape)  # type: ignore[union-attr]
    return torch.from_numpy(seen[name] * scale + offset)


def weight_of(rng: np.random.Generator, kind: str, shape: tuple[int, ...], scales: int) -> Weight:
    levels = ALPHABETS[kind]
    values = rng.choice(np.array(levels), shape)
    scale = tuple(Fraction(int(n), 16) for n in rng.integers(1, 9, scales))
    return Weight(IntArray(values), Alphabet(levels), scale)


@given(
    seed=st.integers(0, 999),
    quantizer=st.sampled_from(sorted(QUANTIZERS)),
    alphabet=st.sampled_from(sorted(ALPHABETS)),
    size=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    stride=st.tuples(st.integers(1, 2), st.integers(1, 3)),
    dilation=st.tuples(st.integers(1, 2), st.integers(1, 2)),
    padding=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    groups=st.sampled_from(["one", "two", "depthwise"]),
    per_channel=st.booleans(),
)
@settings(max_examples=120, deadline=None)
def test_convolution_is_torchs(
    seed: int,
    quantizer: str,
    alphabet: str,
    size: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    padding: tuple[int, int],
    groups: str,
    per_channel: bool,
) -> None:
    rng = np.random.default_rng(seed)
    count = {"one": 1, "two": 2, "depthwise": 4}[groups]
    outputs = 4 if groups == "depthwise" else 6
    weight = weight_of(rng, alphabet, (outputs, 4 // count, *size), outputs if per_channel else 1)
    bias = tuple(Fraction(int(n), 32) for n in rng.integers(-20, 20, outputs))
    kernel = Kernel(size, stride, dilation, (padding[0], padding[0], padding[1], padding[1]))
    conv = RealConv(
        name="conv", inputs=("q",), weight=weight, kernel=kernel, bias=bias, groups=count
    )
    output = RealOutput(name="out", inputs=("conv",))
    ours, seen, meanings = run((QUANTIZERS[quantizer], conv, output), (4, 6, 5), 3, seed)
    scale = np.array([float(s) for s in weight.scale]).reshape(-1, 1, 1, 1)
    theirs = F.conv2d(
        real_value("q", seen, meanings),
        torch.from_numpy(weight.values.values * scale),
        torch.tensor([float(b) for b in bias], dtype=torch.float64),
        stride,
        padding,
        dilation,
        count,
    )
    assert ours.shape == theirs.shape
    assert np.array_equal(ours, theirs.numpy())  # dyadic rationals: float64 is exact


@given(
    seed=st.integers(0, 99),
    stride=st.integers(1, 3),
    padding=st.integers(0, 2),
    dilation=st.integers(1, 2),
    groups=st.sampled_from([1, 2, 4]),
)
@settings(max_examples=40, deadline=None)
def test_convolution_in_one_dimension_is_torchs(
    seed: int, stride: int, padding: int, dilation: int, groups: int
) -> None:
    rng = np.random.default_rng(seed)
    weight = weight_of(rng, "int", (4, 4 // groups, 3), 1)
    kernel = Kernel((1, 3), (1, stride), (1, dilation), (0, 0, padding, padding))
    conv = RealConv(name="conv", inputs=("q",), weight=weight, kernel=kernel, groups=groups)
    nodes = (QUANTIZERS["binary"], conv, RealOutput(name="out", inputs=("conv",)))
    ours, seen, meanings = run(nodes, (4, 9), 3, seed)
    values = torch.from_numpy(weight.values.values * float(weight.scale[0]))
    theirs = F.conv1d(
        real_value("q", seen, meanings), values, None, stride, padding, dilation, groups
    )
    assert np.array_equal(ours, theirs.numpy())


def test_input_channels_of_unequal_steps_are_taken_into_the_weights() -> None:
    quantizer = replace(
        QUANTIZERS["uint"], step=(Fraction(1, 4), Fraction(1, 8), Fraction(3, 8), Fraction(1, 4))
    )
    rng = np.random.default_rng(5)
    for groups in (1, 2, 4):
        weight = weight_of(rng, "int", (4, 4 // groups, 3, 3), 4)
        kernel = Kernel((3, 3), padding=(1, 1, 1, 1))
        conv = RealConv(name="conv", inputs=("q",), weight=weight, kernel=kernel, groups=groups)
        nodes = (quantizer, conv, RealOutput(name="out", inputs=("conv",)))
        ours, seen, meanings = run(nodes, (4, 5, 5), 2, groups)
        scale = np.array([float(s) for s in weight.scale]).reshape(-1, 1, 1, 1)
        theirs = F.conv2d(
            real_value("q", seen, meanings),
            torch.from_numpy(weight.values.values * scale),
            padding=1,
            groups=groups,
        )
        assert np.array_equal(ours, theirs.numpy())


def test_a_padded_binary_activation_has_an_exact_zero() -> None:
    weight = weight_of(np.random.default_rng(0), "binary", (2, 3, 3, 3), 1)
    kernel = Kernel((3, 3), padding=(1, 1, 1, 1))
    conv = RealConv(name="conv", inputs=("q",), weight=weight, kernel=kernel)
    nodes = (QUANTIZERS["binary"], conv, RealOutput(name="out", inputs=("conv",)))
    _, seen, _ = run(nodes, (3, 4, 4), 2, 0)
    assert set(np.unique(seen["conv_window"])) == {-1, 0, 1}
    assert (seen["conv_window"][:, 0:3, 0] == 0).all()


def test_a_step_whose_zero_no_integer_is_and_per_channel_offsets_are_refused() -> None:
    quantizer = replace(QUANTIZERS["zero point"], zero_point=(0, 1, 2))
    weight = weight_of(np.random.default_rng(0), "binary", (2, 3, 3, 3), 1)
    conv = RealConv(
        name="conv", inputs=("q",), weight=weight, kernel=Kernel((3, 3), padding=(1, 1, 1, 1))
    )
    with pytest.raises(UnsupportedError, match="one integer that stands for 0 in all channels"):
        run((quantizer, conv, RealOutput(name="out", inputs=("conv",))), (3, 4, 4), 1, 0)


def test_wrong_channels_and_small_images_are_refused() -> None:
    weight = weight_of(np.random.default_rng(0), "binary", (2, 3, 3, 3), 1)
    conv = RealConv(name="conv", inputs=("q",), weight=weight, kernel=Kernel((3, 3)))
    nodes = (QUANTIZERS["uint"], conv, RealOutput(name="out", inputs=("conv",)))
    with pytest.raises(ModelError, match="3 channels in 1 groups cannot take a tensor of shape"):
        run(nodes, (4, 4, 4), 1, 0)
    with pytest.raises(UnsupportedError, match="must fit the padded image of 2×4"):
        run(nodes, (3, 2, 4), 1, 0)
    with pytest.raises(UnsupportedError, match="slide over shape"):
        run(nodes, (3,), 1, 0)
