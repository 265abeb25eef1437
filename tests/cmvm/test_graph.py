"""Adder graphs: exact forms, exact ranges, and the check that stops the build."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hwgen import families
from hwgen.cmvm import AdderGraph, Term, solve
from hwgen.cmvm.graph import Builder
from hwgen.inttype import IntType

S8 = IntType(-128, 127)


def small() -> tuple[np.ndarray, AdderGraph]:  # type: ignore[type-arg]
    weights = np.array([[1, -1, 2, 0], [3, 1, -7, 1], [0, 0, 0, 0], [-1, 1, -2, 0]])
    return weights, solve(weights, [S8] * 4, bias=[0, 5, -3, 0])


def test_linear_form_and_evaluation_are_the_matrix() -> None:
    weights, graph = small()
    form, bias = graph.linear_form()
    assert np.array_equal(form, weights)
    assert bias.tolist() == [0, 5, -3, 0]
    x = np.random.default_rng(0).integers(-128, 128, (50, 4))
    assert np.array_equal(graph.evaluate(x), x @ weights.T + bias)


def test_ranges_are_exact_at_both_ends() -> None:
    _, graph = small()
    corners = np.array(np.meshgrid(*[[-128, 127]] * 4)).reshape(4, -1).T
    values = graph.evaluate(corners)
    assert [(o.type.lo, o.type.hi) for o in graph.outputs] == [
        (int(column.min()), int(column.max())) for column in values.T
    ]


def test_a_wrong_graph_does_not_pass_its_check() -> None:
    weights, graph = small()
    node = graph.nodes[0]
    wrong = replace(node, terms=(Term(3), *node.terms[1:]))
    broken = AdderGraph(graph.inputs, (wrong, *graph.nodes[1:]), graph.outputs)
    with pytest.raises(AssertionError):
        broken.verify(weights, np.array([0, 5, -3, 0]))


def test_nodes_nobody_needs_are_dropped_and_equal_ones_made_once() -> None:
    builder = Builder([S8, S8])
    builder.add([Term(0), Term(1)])
    first = builder.add([Term(0), Term(1, 1)])
    assert builder.add([Term(1, 1), Term(0)]) == first
    graph = builder.graph([builder.output(Term(first))])
    assert len(graph.nodes) == 1
    assert graph.depth == 1


def test_zero_repeated_and_pruned_rows_and_columns_cost_nothing() -> None:
    weights = np.zeros((5, 6), int)
    weights[0, 2] = weights[3, 2] = 4
    graph = solve(weights, [S8] * 6)
    assert graph.nodes == ()
    assert graph.cost(families.get("xc7")) == 0
