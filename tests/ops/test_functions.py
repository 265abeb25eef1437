"""Scalar functions: known values, and tables and thresholds that follow from them."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.ops import functions as f
from hwgen.ops.affine import RealFunction
from hwgen.ops.output import RealOutput
from hwgen.ops.quantize import RealQuantize
from tests.ops.test_conv import QUANTIZERS, real_value, run

TORCH = {
    f.Sigmoid(): torch.sigmoid,
    f.Tanh(): torch.tanh,
    f.HardSigmoid(): torch.nn.functional.hardsigmoid,
    f.LeakyRelu(Fraction(1, 8)): lambda x: torch.nn.functional.leaky_relu(x, 0.125),
    f.Elu(Fraction(1)): torch.nn.functional.elu,
    f.Silu(): torch.nn.functional.silu,
    f.HardSwish(): torch.nn.functional.hardswish,
    f.Gelu(): torch.nn.functional.gelu,
    f.Gelu(tanh=True): lambda x: torch.nn.functional.gelu(x, approximate="tanh"),
}
NAMES = {type(k).__name__ + str(getattr(k, "tanh", "")): k for k in TORCH}


@pytest.mark.parametrize("name", NAMES)
@given(x=st.fractions(-12, 12, max_denominator=99))
@settings(max_examples=30, deadline=None)
def test_exact_values_agree_with_float64(name: str, x: Fraction) -> None:
    function = NAMES[name]
    want = float(TORCH[function](torch.tensor(float(x), dtype=torch.float64)))
    assert math.isclose(float(function.at(x, 0)), want, rel_tol=1e-9, abs_tol=1e-13)
    single = float(function.float32(np.array([float(x)], dtype=np.float32))[0])
    assert math.isclose(single, want, rel_tol=1e-3, abs_tol=1e-5)


def test_pi_and_e_have_their_digits() -> None:
    digits = "31415926535897932384626433832795028841971693993751058209749445923078164062862089986"
    assert str(f.pi().numerator * 10**82 // f.pi().denominator) == digits
    assert abs(f.exp(Fraction(1)) * f.exp(Fraction(-1)) - 1) < Fraction(1, 1 << 500)
    assert abs(f.exp(Fraction(7, 2)) ** 2 - f.exp(Fraction(7))) < Fraction(1, 1 << 480)


@pytest.mark.parametrize("name", [n for n in NAMES if NAMES[n].monotone])
def test_monotone_functions_rise_also_far_away(name: str) -> None:
    points = [Fraction(p) for p in (-5000, -300, -139, -17, -16, -1, 0, 1, 16, 17, 139, 300, 5000)]
    values = [NAMES[name].at(p, 0) for p in points]
    assert values == sorted(values)


@pytest.mark.parametrize("name", NAMES)
def test_a_quantizer_after_the_function_gives_torchs_code(name: str) -> None:
    function = NAMES[name]
    nodes = (
        QUANTIZERS["zero point"],
        RealFunction(name="f", inputs=("q",), function=function),
        RealQuantize(name="a", inputs=("f",), step=(Fraction(1, 10),), lo=-8, hi=7),
        RealOutput(name="out", inputs=("a",)),
    )
    _, seen, meanings = run(nodes, (40,), 20, 0)
    value = TORCH[function](real_value("q", seen, meanings))
    want = torch.clamp(torch.round(value / 0.1), -8, 7).numpy()
    assert np.array_equal(seen["a"], want)
    assert set(np.unique(seen["q"])) == set(range(8))
