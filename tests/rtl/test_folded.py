"""Folded matrix-vector products of every alphabet, to the bit and to the cycle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.inttype import IntType
from hwgen.rtl.alphabet import Alphabet
from hwgen.rtl.folded import MatVecShape, MatVecUnit, product_range
from hwgen.rtl.sim import check_unit

ALPHABETS = {
    "binary": Alphabet.binary(),
    "ternary": Alphabet.ternary(),
    "shift": Alphabet.shift(range(4)),
    "shift with zero": Alphabet.shift(range(3), zero=True),
    "one shift": Alphabet((4,)),
    "int3": Alphabet.integers(-3, 3),
    "int4": Alphabet.integers(-8, 7),
    "int8": Alphabet.integers(-128, 127),
    "uint2": Alphabet.integers(0, 3),
    "ones": Alphabet((1,), signed=False),
    "one odd": Alphabet((3,)),
    "zeros": Alphabet((0,), signed=False),
}
INPUTS = [IntType(0, 1), IntType(0, 15), IntType(-8, 7), IntType(-128, 127), IntType(-1, 0),
          IntType(3, 9)]  # fmt: skip


def weights_of(alphabet: Alphabet, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    values = rng.choice(np.array(alphabet.magnitudes), shape)
    return values * rng.choice([-1, 1], shape) if alphabet.signed else values


def side_by_side(x: np.ndarray, pixels: int, share: int) -> np.ndarray:
    """Vectors as beats of ``share`` elements of each of ``pixels`` vectors."""
    parts = x.reshape(len(x) // pixels, pixels, -1, share).transpose(0, 2, 1, 3)
    return parts.reshape(-1, pixels * share)


def divisors(n: int) -> list[int]:
    return [d for d in range(1, n + 1) if n % d == 0]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_products_are_exact_and_on_time(data: st.DataObject) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    alphabet = ALPHABETS[data.draw(st.sampled_from(sorted(ALPHABETS)))]
    rows, columns = data.draw(st.integers(1, 8)), data.draw(st.integers(1, 12))
    dtype = data.draw(st.sampled_from(INPUTS))
    weights = weights_of(alphabet, (rows, columns), rng)
    bias = rng.integers(-40, 40, rows)
    unit = MatVecUnit(
        weights,
        bias,
        dtype,
        pe=data.draw(st.sampled_from(divisors(rows))),
        simd=data.draw(st.sampled_from(divisors(columns))),
        alphabet=alphabet,
        memory=data.draw(st.sampled_from(["lut", "block"])),
        buffer=data.draw(st.sampled_from(["lut", "block"])),
        multiplier=data.draw(st.sampled_from(["lut", "dsp"])),
        levels_per_stage=data.draw(st.integers(1, 3)),
        pixels=data.draw(st.integers(1, 3)),
        whole=data.draw(st.booleans()),
    )
    s = unit.shape
    x = rng.integers(dtype.lo, dtype.hi + 1, (3 * s.pixels, columns))
    x[0] = np.where(weights[0] > 0, dtype.hi, dtype.lo)
    x[1] = np.where(weights[-1] > 0, dtype.lo, dtype.hi)
    y = x @ weights.T + bias
    check_unit(
        unit,
        [side_by_side(x, s.pixels, columns if s.whole else s.simd)],
        side_by_side(y, s.pixels, rows if s.whole else s.pe),
        stalls=data.draw(st.sampled_from([0.0, 0.3])),
        seed=data.draw(st.integers(0, 99)),
        reset_at=data.draw(st.sampled_from([None, 7])),
    )


def test_the_output_range_is_tight() -> None:
    weights, bias = np.array([[2, -1], [1, 1]]), np.array([5, -9])
    assert product_range(weights, bias, IntType(0, 3)) == IntType(-9, 11)


def test_pe_and_simd_must_divide() -> None:
    with pytest.raises(ValueError, match=r"pe and simd must divide 4 rows and 6 columns"):
        MatVecUnit(np.ones((4, 6)), np.zeros(4), IntType(0, 1), pe=3, simd=2)


def test_an_output_may_be_as_small_as_what_the_inputs_reach() -> None:
    unit = MatVecUnit([[1, 1]], [0], IntType(0, 3), pe=1, simd=1, output=IntType(0, 3))
    check_unit(unit, [np.array([[0], [3], [2], [0]])], np.array([[3], [2]]))


def test_a_vector_takes_exactly_its_steps() -> None:
    unit = MatVecUnit(np.ones((6, 8)), np.zeros(6), IntType(0, 3), pe=2, simd=4)
    x = np.ones((8, 4))
    run = check_unit(unit, [x], np.full((12, 2), 8))
    assert run.taken[0].tolist() == [0, 1, 6, 7, 12, 13, 18, 19]


def test_a_shape_is_priced_without_its_weights() -> None:
    from hwgen.families import get

    shape = MatVecShape(
        rows=64, columns=784, pe=16, simd=49, alphabet=Alphabet.binary(),
        input=IntType(0, 255), output=IntType(-99960, 99960),
    )  # fmt: skip
    assert shape.steps == 64
    assert shape.resources(get("xc7")).lut > 16 * 48 * 8
