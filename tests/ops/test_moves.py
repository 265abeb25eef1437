"""Concat, upsample, pad and depth-to-space against torch."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from hwgen.errors import ModelError, UnsupportedError
from hwgen.ops.affine import RELU, RealFunction
from hwgen.ops.concat import RealConcat
from hwgen.ops.depth_to_space import DepthToSpace, RealDepthToSpace
from hwgen.ops.output import RealOutput
from hwgen.ops.pad import RealPad
from hwgen.ops.quantize import RealQuantize
from hwgen.ops.reshape import RealReshape
from hwgen.ops.upsample import RealUpsample
from tests.ops.test_conv import QUANTIZERS, real_value, run

QUANT = QUANTIZERS["zero point"]
OUTPUT = RealOutput(name="out", inputs=("y",))
OTHER = RealQuantize(name="r", inputs=("q",), step=(Fraction(1, 3),), lo=-2, hi=1)


def test_concat_keeps_each_parts_scale() -> None:
    nodes = (QUANT, OTHER, RealConcat(name="y", inputs=("q", "r", "q")), OUTPUT)
    ours, seen, meanings = run(nodes, (2, 3, 4), 2, 0)
    q, r = real_value("q", seen, meanings), real_value("r", seen, meanings)
    assert np.array_equal(ours, torch.cat([q, r, q], 1).numpy())


def test_concat_of_flattened_features_keeps_their_order() -> None:
    flat = RealReshape(name="flat", inputs=("q",), shape=(24,))
    nodes = (QUANT, flat, RealConcat(name="y", inputs=("flat", "flat")), OUTPUT)
    ours, seen, meanings = run(nodes, (2, 3, 4), 2, 0)
    q = real_value("q", seen, meanings).flatten(1)
    assert np.array_equal(ours, torch.cat([q, q], 1).numpy())


def test_concat_refuses_parts_behind_unlike_functions_or_of_unlike_shapes() -> None:
    relu = RealFunction(name="relu", inputs=("q",), function=RELU)
    with pytest.raises(UnsupportedError, match="passed the same function"):
        run((QUANT, relu, RealConcat(name="y", inputs=("q", "relu")), OUTPUT), (2, 3), 1, 0)
    pad = RealPad(name="p", inputs=("q",), padding=(0, 0, 1, 1))
    with pytest.raises(ModelError, match="agree in all but the channels"):
        run((QUANT, pad, RealConcat(name="y", inputs=("q", "p")), OUTPUT), (2, 3), 1, 0)


@pytest.mark.parametrize(("shape", "factor"), [((2, 3, 4), (2, 3)), ((2, 3), (1, 2))])
def test_upsample(shape: tuple[int, ...], factor: tuple[int, int]) -> None:
    nodes = (QUANT, RealUpsample(name="y", inputs=("q",), factor=factor), OUTPUT)
    ours, seen, meanings = run(nodes, shape, 2, 0)
    factors = tuple(float(f) for f in factor[-(len(shape) - 1) :])
    want = F.interpolate(real_value("q", seen, meanings), scale_factor=factors)
    assert np.array_equal(ours, want.numpy())


@pytest.mark.parametrize("value", [Fraction(0), Fraction(1, 2), Fraction(-3)])
def test_pad(value: Fraction) -> None:
    nodes = (QUANT, RealPad(name="y", inputs=("q",), padding=(1, 2, 0, 3), value=value), OUTPUT)
    ours, seen, meanings = run(nodes, (2, 3, 4), 2, 0)
    want = F.pad(real_value("q", seen, meanings), (0, 3, 1, 2), value=float(value))
    assert np.array_equal(ours, want.numpy())


def test_pad_with_a_value_between_integers_is_refused() -> None:
    pad = RealPad(name="y", inputs=("q",), padding=(1, 1, 1, 1), value=Fraction(1, 3))
    with pytest.raises(UnsupportedError, match="one integer must stand for the padding"):
        run((QUANT, pad, OUTPUT), (2, 3, 4), 1, 0)


def test_depth_to_space_is_pixel_shuffle() -> None:
    nodes = (QUANT, RealDepthToSpace(name="y", inputs=("q",), block=2), OUTPUT)
    ours, seen, meanings = run(nodes, (8, 2, 3), 2, 0)
    want = F.pixel_shuffle(real_value("q", seen, meanings), 2)
    assert np.array_equal(ours, want.numpy())


def test_blocks_first_is_onnx_dcr() -> None:
    x = np.arange(8 * 2).reshape(1, 8, 2, 1)
    y = DepthToSpace(name="y", block=2, blocks_first=True).evaluate(x)
    assert y.shape == (1, 2, 4, 2)
    assert y[0, 1, 2, 1] == x[0, 1 * 2 + 1, 1, 0]
    assert y[0, 0, 3, 0] == x[0, 2 * 2, 1, 0]
