"""The optimiser: exact for every matrix, smaller than trees, the same every time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen import families
from hwgen.cmvm import AdderGraph, emit, library, pipeline, solve, solve_for_clock
from hwgen.cmvm.clocked import price
from hwgen.cmvm.solve import groups_of
from hwgen.families.synthesis import count
from hwgen.inttype import IntType
from tests.yosys import needs_yosys

XC7 = families.get("xc7")
S8, U1, U2, U8 = IntType(-128, 127), IntType(0, 1), IntType(0, 3), IntType(0, 255)
ALPHABETS = {"binary": [-1, 1], "ternary": [-1, 0, 1], "shift": [-8, -4, -2, -1, 1, 2, 4, 8],
             "int": list(range(-9, 10)), "sparse": [0] * 9 + [3, -1]}  # fmt: skip


def draw(alphabet: str, outputs: int, inputs: int, seed: int = 0) -> np.ndarray:  # type: ignore[type-arg]
    return np.random.default_rng(seed).choice(ALPHABETS[alphabet], (outputs, inputs))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    alphabet=st.sampled_from(sorted(ALPHABETS)),
    shape=st.tuples(st.integers(1, 12), st.integers(1, 14)),
    types=st.sampled_from([[S8], [U1], [U2], [U8, U1, IntType(-3, 9)], [IntType(-4, 3)],
                           [IntType(-2, 1), IntType(0, 7)], [IntType(5, 5), U2]]),
    family=st.sampled_from(sorted(families.FAMILIES)),
    biased=st.booleans(),
    seed=st.integers(0, 99),
)  # fmt: skip
def test_every_graph_is_its_matrix(alphabet, shape, types, family, biased, seed) -> None:  # type: ignore[no-untyped-def]
    weights = draw(alphabet, *shape, seed=seed)
    inputs = [types[k % len(types)] for k in range(shape[1])]
    rng = np.random.default_rng(seed)
    bias = rng.integers(-50, 50, shape[0]) if biased else np.zeros(shape[0], int)
    graph = solve(weights, inputs, bias=bias, family=family, seed=seed)
    x = np.stack([rng.integers(t.lo, t.hi + 1, 30) for t in inputs], axis=1)
    assert np.array_equal(graph.evaluate(x), x @ weights.T + bias)
    assert graph.cost(families.get(family)) >= 0
    for output, column in zip(graph.outputs, graph.evaluate(x).T, strict=True):
        assert output.type.lo <= column.min() <= column.max() <= output.type.hi


@pytest.mark.parametrize(
    ("alphabet", "dtype", "share"),
    [("binary", S8, 0.55), ("ternary", S8, 0.75), ("binary", U1, 0.45), ("binary", U2, 0.60)],
)
def test_sharing_takes_a_fraction_of_trees(alphabet: str, dtype: IntType, share: float) -> None:
    weights = draw(alphabet, 24, 24)
    trees = sum(solve([row], [dtype] * 24, effort=0).cost(XC7) for row in weights)
    plain = 24 * 23 / 2 * (dtype.width + 2)
    assert solve(weights, [dtype] * 24).cost(XC7) < share * min(trees * 1.4, plain)


def test_the_same_seed_gives_the_same_graph_and_more_effort_no_larger_one() -> None:
    weights = draw("binary", 20, 20)
    first = solve(weights, [S8] * 20, seed=3)
    assert first == solve(weights, [S8] * 20, seed=3)
    assert solve(weights, [S8] * 20, seed=3, effort=8).cost(XC7) <= first.cost(XC7) * 1.02


@pytest.mark.parametrize("dtype", [S8, U1])
@pytest.mark.parametrize("depth", [4, 5, 7])
def test_a_depth_bound_is_kept(dtype: IntType, depth: int) -> None:
    graph = solve(draw("binary", 16, 32), [dtype] * 32, max_depth=depth)
    assert graph.depth <= depth


def test_rows_that_are_multiples_of_one_another_are_built_once() -> None:
    row = draw("int", 1, 10)[0]
    once = solve([row], [S8] * 10)
    twice = solve([row, 4 * row, row, 0 * row], [S8] * 10)
    assert len(twice.nodes) == len(once.nodes)


def test_wide_and_tall_matrices_are_cut_into_blocks() -> None:
    weights = draw("binary", 140, 300)
    graph = solve(weights, [U1] * 299 + [U8], effort=0)
    assert np.array_equal(graph.linear_form()[0], weights)


def test_a_chain_whose_first_table_is_finer_than_its_last_link_has_cells() -> None:
    """The first table's constant is odd, so the last link, all of even weights, makes it good."""
    rows = [[1, 2, 1, 2, 1, -1, 2], [-2, -4, 1, 3, -4, 2, 4]]
    for row in rows:
        for width in (2, 3):
            graph = solve([row], [IntType.bits(width, signed=False)] * len(row), effort=0.0)
            graph.verify(np.array([row]))
            assert graph.cost(XC7) > 0


def test_shapes_must_fit() -> None:
    with pytest.raises(ValueError, match=r"\(outputs, 3\)"):
        solve(np.ones((2, 4), int), [S8] * 3)


@needs_yosys
@pytest.mark.parametrize(
    ("alphabet", "dtype"),
    [("binary", S8), ("binary", U1), ("binary", U2), ("int", S8), ("ternary", U8)],
)
def test_the_estimate_is_what_yosys_counts(alphabet: str, dtype: IntType) -> None:
    graph: AdderGraph = solve(draw(alphabet, 8, 10), [dtype] * 10, bias=range(8))
    files = {"dut.v": emit(graph, "dut", XC7), **library(XC7)}
    found = count(files, "dut", XC7, flows=("std",))
    assert found.lut == pytest.approx(graph.cost(XC7), rel=0.05)


@needs_yosys
def test_a_pipeline_has_the_flip_flops_that_it_says() -> None:
    graph = solve(draw("binary", 8, 10), [S8] * 10)
    piped = pipeline(graph, XC7, stages=2)
    files = {"dut.v": emit(piped, "dut", XC7), **library(XC7)}
    found = count(files, "dut", XC7, flows=("std",))
    assert 0.95 * piped.register_bits <= found.ff <= piped.register_bits  # equal bits are merged


def test_a_clock_chooses_the_graph_that_is_cheapest_with_its_registers() -> None:
    weights = draw("shift", 24, 24)
    design = solve_for_clock(weights, [S8] * 24, target_ns=6.0, family=XC7)
    plain = pipeline(solve(weights, [S8] * 24), XC7, target_ns=6.0)
    assert design.delay_ns(XC7) <= 6.0
    assert price(design, XC7) <= price(plain, XC7)
    design.graph.verify(weights)


@needs_yosys
@pytest.mark.parametrize(
    ("family", "flow"),
    [
        ("ice40", "std"),
        ("ecp5", "std"),
        ("gowin", "std"),
        ("ice40", "alu"),
        ("ecp5", "alu"),
        ("gowin", "alu"),
    ],
)
def test_other_families_are_priced_as_yosys_counts_them(family: str, flow: str) -> None:
    fabric = families.get(family)
    weights = draw("ternary", 10, 12, seed=4)
    graph = solve(weights, [S8] * 12, family=family)
    files = {"dut.v": emit(graph, "dut", fabric), **library(fabric)}
    found = count(files, "dut", fabric, flows=(flow,))
    assert graph.cost(fabric) == pytest.approx(found.lut, rel=0.1)


def test_rows_of_a_large_layer_share_only_within_groups_whose_nets_are_short() -> None:
    rng = np.random.default_rng(3)
    weights, bias = rng.choice([-1, 1], (24, 120)), np.arange(24)
    near = families.get("ecp5")
    far = replace(near, wire_ns=0.3)  # as if it were twenty times as large
    groups = groups_of(weights, far)
    assert groups_of(weights, near) == 1 < groups < 6
    assert groups_of(weights, replace(far, period_ns=1e3)) == 1
    whole, cut = (solve(weights, [U1] * 120, bias=bias, family=f) for f in (near, far))
    assert whole.cost(near) < cut.cost(near)
    parts = np.array_split(np.arange(24), groups)
    group_of = {int(row): g for g, part in enumerate(parts) for row in part}

    def alone(graph: AdderGraph) -> float:
        """The share of nodes that only one group needs."""
        n = len(graph.sources)
        reached: list[set[int]] = [set() for _ in range(n + len(graph.nodes))]
        for lane, out in enumerate(graph.outputs):
            assert out.source is not None
            reached[out.source].add(group_of[lane])
        for k in reversed(range(len(graph.nodes))):
            for term in graph.nodes[k].terms:
                reached[term.source] |= reached[n + k]
        return float(np.mean([len(found) == 1 for found in reached[n:]]))

    assert alone(whole) < 0.8 < 0.9 < alone(cut)  # two groups may find the same small sum
