"""Pooling against torch in float64."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from hwgen.errors import UnsupportedError
from hwgen.ops.affine import RELU, RealAffine, RealFunction
from hwgen.ops.functions import Silu
from hwgen.ops.output import RealOutput
from hwgen.ops.pool import RealAvgPool, RealMaxPool
from hwgen.ops.quantize import RealQuantize
from hwgen.ops.spatial import Kernel
from tests.ops.test_conv import QUANTIZERS, real_value, run

QUANT = QUANTIZERS["zero point"]
OUTPUT = RealOutput(name="out", inputs=("pool",))


@given(
    seed=st.integers(0, 99),
    size=st.integers(2, 3),
    stride=st.integers(1, 3),
    padding=st.integers(0, 1),
    dilation=st.integers(1, 2),
    gains=st.sampled_from([(1,), (-2,), (1, -1, 3)]),
)
@settings(max_examples=40, deadline=None)
def test_max_pool_after_an_affine_function_is_torchs(
    seed: int, size: int, stride: int, padding: int, dilation: int, gains: tuple[int, ...]
) -> None:
    kernel = Kernel((size, size), (stride, stride), (dilation, dilation), (padding,) * 4)
    nodes = (
        QUANT,
        RealAffine(name="norm", inputs=("q",), scale=tuple(Fraction(g, 2) for g in gains)),
        RealFunction(name="relu", inputs=("norm",), function=RELU),
        RealMaxPool(name="pool", inputs=("relu",), kernel=kernel),
        RealQuantize(name="a", inputs=("pool",), step=(Fraction(1, 2),), lo=0, hi=3),
        RealOutput(name="out", inputs=("a",)),
    )
    ours, seen, meanings = run(nodes, (3, 7, 6), 2, seed)
    x = real_value("q", seen, meanings) * torch.tensor(gains).reshape(1, -1, 1, 1) / 2
    pooled = F.max_pool2d(F.relu(x), size, stride, padding, dilation)
    theirs = torch.clamp(torch.round(pooled / 0.5), 0, 3) * 0.5
    assert np.array_equal(ours, theirs.numpy())


@given(
    seed=st.integers(0, 99),
    size=st.integers(2, 4),
    stride=st.integers(1, 3),
    padding=st.integers(0, 1),
)
@settings(max_examples=40, deadline=None)
def test_average_is_rounded_by_the_next_quantizer_as_torch_does(
    seed: int, size: int, stride: int, padding: int
) -> None:
    kernel = Kernel((size, size), (stride, stride), padding=(padding,) * 4)
    nodes = (
        QUANT,
        RealAvgPool(name="pool", inputs=("q",), kernel=kernel),
        RealQuantize(name="a", inputs=("pool",), step=(Fraction(1, 4),), lo=-8, hi=7),
        RealOutput(name="out", inputs=("a",)),
    )
    ours, seen, _ = run(nodes, (3, 7, 6), 2, seed)
    codes = seen["q"] - 3
    summed = size**2 * F.avg_pool2d(torch.from_numpy(codes).double(), size, stride, padding)
    exact = np.vectorize(lambda n: round(Fraction(round(n), size**2)))(summed.numpy())
    assert np.array_equal(ours, np.clip(exact, -8, 7) / 4)


def test_global_mean_of_a_vector() -> None:
    kernel = Kernel((1, 8), (1, 8))
    nodes = (QUANT, RealAvgPool(name="pool", inputs=("q",), kernel=kernel, flat=True), OUTPUT)
    ours, seen, meanings = run(nodes, (3, 8), 2, 0)
    assert np.array_equal(ours, real_value("q", seen, meanings).mean(2).numpy())


def test_max_pool_after_a_function_that_is_not_monotone_is_refused() -> None:
    nodes = (
        QUANT,
        RealFunction(name="silu", inputs=("q",), function=Silu()),
        RealMaxPool(name="pool", inputs=("silu",), kernel=Kernel((2, 2), (2, 2))),
        OUTPUT,
    )
    with pytest.raises(UnsupportedError, match="after a quantizer or a monotone function"):
        run(nodes, (3, 4, 4), 1, 0)
