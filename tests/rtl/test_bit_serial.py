"""Bit-serial matrix-vector products: exact, on time, at their price."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen import families
from hwgen.backend.verilog import convert
from hwgen.cmvm import library, pipeline, solve
from hwgen.inttype import IntType
from hwgen.rtl.bit_serial import BitSerial, BitSerialUnit, SerialForm, digit_widths
from hwgen.rtl.folded import product_range
from hwgen.rtl.sim import check_unit
from tests.rtl.synthesis import compare
from tests.yosys import needs_yosys, prove_equal

XC7 = families.get("xc7")
INPUTS = [IntType(0, 3), IntType(0, 255), IntType(-8, 7), IntType(-5, 90), IntType(3, 9),
          IntType(-1, 1)]  # fmt: skip
LEVELS = {"binary": (-1, 1), "ternary": (-1, 0, 1), "shift": (-8, -2, 1, 4),
          "int4": tuple(range(-8, 8))}  # fmt: skip


def serial(
    weights: np.ndarray, bias: np.ndarray, kind: IntType, bits: int, module: str | None = None
) -> BitSerialUnit:
    form = SerialForm.of(weights, bias, kind, bits)
    graph = solve(form.matrix, form.kinds, bias=form.beta, family=XC7, effort=0.2)
    output = product_range(weights, bias, kind)
    design = BitSerial(form, pipeline(graph, XC7, target_ns=XC7.period_ns), output)
    return BitSerialUnit(design, weights.shape[1], XC7, module)


@st.composite
def products(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, IntType]:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = (draw(st.integers(1, 6)), draw(st.integers(1, 9)))
    weights = rng.choice(LEVELS[draw(st.sampled_from(sorted(LEVELS)))], shape)
    if draw(st.booleans()):
        weights[:, 0], weights[-1] = 0, weights[0]
    if draw(st.booleans()):
        weights[0] = 0
    if not weights.any():
        weights[-1, -1] = 1
    bias = rng.integers(-500, 500, shape[0]) * draw(st.integers(0, 1))
    return weights, bias, draw(st.sampled_from(INPUTS))


@given(made=products(), data=st.data())
@settings(max_examples=40, deadline=None)
def test_products_are_exact_and_on_time(
    made: tuple[np.ndarray, np.ndarray, IntType], data: st.DataObject
) -> None:
    weights, bias, kind = made
    bits = data.draw(st.sampled_from(digit_widths(kind.width)))
    seed, stalls = data.draw(st.integers(0, 99)), data.draw(st.sampled_from([0.0, 0.4]))
    x = np.random.default_rng(seed).integers(kind.lo, kind.hi + 1, (6, weights.shape[1]))
    x[0], x[1] = kind.lo, kind.hi
    unit = serial(weights, bias, kind, bits)
    assert unit.timing.interval == -(-kind.width // bits)
    check_unit(unit, [x], x @ weights.T + bias, stalls=stalls, seed=seed)


def test_a_vector_is_dropped_by_a_reset_in_its_middle() -> None:
    weights = np.array([[1, -1, 2], [3, 0, -1]])
    x = np.random.default_rng(0).integers(0, 256, (4, 3))
    unit = serial(weights, np.zeros(2, int), IntType(0, 255), 1)
    check_unit(unit, [x], x @ weights.T, reset_at=13)


@pytest.mark.parametrize(("width", "widths"), [(1, []), (2, [1]), (4, [1, 2]), (8, [1, 2, 3, 4])])
def test_every_number_of_digits_is_offered_once(width: int, widths: list[int]) -> None:
    assert digit_widths(width) == widths


def test_an_accumulator_is_hardly_wider_than_what_a_digit_gives() -> None:
    weights = np.random.default_rng(0).choice([-1, 1], (1, 64))
    for kind in (IntType(0, 255), IntType(-128, 127)):
        design = serial(weights, np.zeros(1, int), kind, 1).design
        (part,) = design.graph.graph.outputs
        assert design.sums[0].width <= part.type.width + 1


def test_as_instances_it_names_the_modules_whose_text_it_gives() -> None:
    weights = np.array([[1, -1, 2], [3, 0, -1]])
    unit = serial(weights, np.zeros(2, int), IntType(0, 255), 1, "fc_adders")
    files = unit.verilog_files()
    text = convert(unit, "layer_fc")
    assert "module fc_adders (" in files["fc_adders.v"]
    assert "module hwgen_digits " in files["hwgen_digits.v"]
    assert "fc_adders datapath (" in text
    assert "hwgen_digits #(" in text


@needs_yosys
@pytest.mark.parametrize(
    ("width", "bits", "digits", "step"),
    [(8, 1, 8, 3), (7, 1, 7, 3), (8, 3, 3, 2), (5, 1, 5, 3), (2, 1, 2, 1)],
)
def test_structural_and_behavioural_digits_are_proved_equal(
    width: int, bits: int, digits: int, step: int, tmp_path: Path
) -> None:
    options = {"C": 2, "W": width, "K": bits, "T": digits, "S": step, "SIGNED": 1}
    prove_equal(library(None), library(XC7), "hwgen_digits", tmp_path, options)


@needs_yosys
@pytest.mark.parametrize(("width", "start"), [(1, 0), (5, 0), (6, 41)])
def test_structural_and_behavioural_accumulators_are_proved_equal(
    width: int, start: int, tmp_path: Path
) -> None:
    options = {"W": width, "START": start}
    prove_equal(library(None), library(XC7), "hwgen_accumulate", tmp_path, options)


SMALL = ("binary", IntType(-8, 7), 2)
LARGE = [("binary", IntType(0, 255), 1), ("shift", IntType(0, 15), 1), ("int4", IntType(0, 63), 2)]


@needs_yosys
@pytest.mark.parametrize(
    ("levels", "kind", "bits"), [SMALL, *(pytest.param(*v, marks=pytest.mark.slow) for v in LARGE)]
)
def test_the_estimate_is_what_synthesis_makes(levels: str, kind: IntType, bits: int) -> None:
    weights = np.random.default_rng(1).choice(LEVELS[levels], (12, 32))
    unit = serial(weights, np.zeros(12, int), kind, bits, "fc_adders")
    errors = compare(unit, "xc7", unit.resources(XC7))
    assert all(abs(error) <= 0.06 for error in errors.values()), errors
