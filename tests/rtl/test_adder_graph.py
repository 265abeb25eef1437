"""The adder-graph unit against its matrix, in Amaranth and as an instance of Verilog text."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen import families
from hwgen.backend.verilog import convert
from hwgen.cmvm import pipeline, solve
from hwgen.inttype import IntType
from hwgen.rtl.adder_graph import AdderGraphUnit
from hwgen.rtl.sim import check_unit

XC7 = families.get("xc7")


def problem():  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(2)
    weights = rng.integers(-3, 4, (5, 6))
    weights[1] = 0
    inputs = [IntType(0, 3), IntType(-4, 3), *[IntType(0, 1)] * 4]
    x = np.stack([rng.integers(t.lo, t.hi + 1, 12) for t in inputs], axis=1)
    bias = rng.integers(-9, 9, 5)
    return weights, bias, inputs, x


@pytest.mark.parametrize("stages", [0, 1, 3])
@pytest.mark.parametrize("stalls", [0.0, 0.4])
def test_the_unit_is_the_matrix_and_keeps_to_its_timing(stages: int, stalls: float) -> None:
    weights, bias, inputs, x = problem()
    design = pipeline(solve(weights, inputs, bias=bias), XC7, stages=stages)
    unit = AdderGraphUnit(design, XC7)
    check_unit(unit, [x], x @ weights.T + bias, stalls=stalls, seed=4)


@pytest.mark.parametrize("stages", [0, 2])
def test_pixels_side_by_side_have_a_graph_each(stages: int) -> None:
    weights, bias, inputs, x = problem()
    design = pipeline(solve(weights, inputs, bias=bias), XC7, stages=stages)
    unit = AdderGraphUnit(design, XC7, pixels=3)
    y = x @ weights.T + bias
    check_unit(unit, [x.reshape(-1, 18)], y.reshape(-1, 15), stalls=0.3, seed=4)
    text = convert(AdderGraphUnit(design, XC7, module="graph", pixels=3), "layer_fc")
    assert text.count("graph datapath_") == 3


@pytest.mark.parametrize("stages", [0, 2])
def test_as_an_instance_it_names_the_module_whose_text_it_gives(stages: int) -> None:
    weights, bias, inputs, _ = problem()
    design = pipeline(solve(weights, inputs, bias=bias), XC7, stages=stages)
    unit = AdderGraphUnit(design, XC7, module="layer_fc_graph")
    files = unit.verilog_files()
    assert "module layer_fc_graph (" in files["layer_fc_graph.v"]
    assert "layer_fc_graph datapath (" in convert(unit, "layer_fc")
    assert AdderGraphUnit(design, XC7).verilog_files() == {}
