"""Comparisons with one constant per output become signs: the same codes, and nothing to compare."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from hwgen import families
from hwgen.cmvm import emit, library
from hwgen.families.synthesis import count
from hwgen.inttype import IntType
from hwgen.ir.graph import Graph
from hwgen.ir.types import IntArray
from hwgen.ir.verify import verify
from hwgen.ops.base import Config
from hwgen.ops.linear import Linear
from hwgen.ops.threshold import Threshold
from hwgen.passes.signs import compare_with_zero
from tests.passes.test_tabulate import network
from tests.yosys import needs_yosys

XC7 = families.get("xc7")


def compared(bits: int, seed: int = 0, inputs: int = 4, spread: int = 90) -> Graph:
    """One layer of 12 outputs with thresholds of both directions, some out of reach of
    narrow inputs."""
    rng = np.random.default_rng(seed)
    graph = network((inputs - 1,), (inputs,), bits)
    layer, node = graph["fc0"], graph["fc0_act"]
    assert isinstance(layer, Linear)
    assert isinstance(node, Threshold)
    reach = 3 << bits
    layer = replace(layer, bias=IntArray(rng.integers(-reach, reach, 12)))
    rows = IntArray(rng.integers(-spread, spread, (12, 1)))
    node = replace(node, thresholds=rows, descending=tuple(map(bool, rng.integers(0, 2, 12))))
    return verify(Graph("net", (graph.nodes[0], layer, node, *graph.nodes[3:])))


@pytest.mark.parametrize("bits", [1, 2, 3])
@pytest.mark.parametrize("seed", range(4))
def test_every_code_of_every_input_is_what_it_was(bits: int, seed: int) -> None:
    before = compared(bits, seed)
    after = verify(compare_with_zero(before))
    assert after != before
    x = np.array(list(product(range(1 << bits), repeat=4)), np.int64)
    assert np.array_equal(before.evaluate(x), after.evaluate(x))
    sums, fewer = (g.types["fc0"].element for g in (before, after))
    assert fewer.width <= sums.width + 1  # constants out of reach were brought next to the range


def test_what_is_left_of_the_comparison_is_a_wire() -> None:
    graph = compare_with_zero(compared(2))
    node, types = graph["fc0_act"], graph.input_types(graph["fc0_act"])
    unit = node.circuit(Config("stream", 12), types, XC7)  # type: ignore[attr-defined]
    assert unit.timing.depth == 0
    assert unit.resources(XC7).ff == 0


def test_a_layer_that_something_else_reads_stays() -> None:
    graph = compared(1)
    other = replace(graph["fc0_act"], name="other")
    branched = Graph("net", (*graph.nodes[:3], other, *graph.nodes[3:]))
    assert compare_with_zero(branched) == branched


def test_several_thresholds_stay() -> None:
    graph = compared(1)
    two = replace(graph["fc0_act"], thresholds=IntArray([[-1, 2]]), descending=(False,))
    graph = Graph("net", (*graph.nodes[:2], two, *graph.nodes[3:]))
    assert compare_with_zero(graph) == graph


@needs_yosys
def test_registers_of_signs_are_priced_as_synthesis_leaves_them() -> None:
    graph = compare_with_zero(compared(3, 1, inputs=9, spread=6))
    layer = graph["fc0"]
    assert isinstance(layer, Linear)
    family = replace(XC7, period_ns=6.0)
    unit = layer.circuit(Config("spatial", 12, 9), graph.input_types(layer), family)
    design = unit.design
    width = IntType.hull(o.type for o in design.graph.outputs).width
    signs = ", ".join(f"y[{k * width + width - 1}]" for k in reversed(range(12)))
    top = (
        "module top (input wire clk, input wire [26:0] x, output wire [11:0] s);"
        f"wire [{12 * width - 1}:0] y; dut u (.clk(clk), .ce(1'b1), .x(x), .y(y));"
        f"assign s = {{{signs}}}; endmodule"
    )
    files = {"dut.v": emit(design, "dut", XC7), "top.v": top, **library(XC7)}
    found = count(files, "top", XC7, flows=("std",))
    assert design.stages > 1
    whole = replace(design, graph=replace(design.graph, signs_only=False)).register_bits
    # Low bits that two sums have in common are registered once, and no sum is built whose sign
    # never changes.
    assert 0.85 * design.register_bits <= found.ff + found.srl <= design.register_bits < 0.8 * whole
    assert 0.85 * design.graph.cost(XC7) <= found.lut <= design.graph.cost(XC7) + 3
