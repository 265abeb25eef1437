"""Affine functions of sums are done by the layer that makes them."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.ir.graph import Graph
from hwgen.ir.types import IntArray
from hwgen.ir.verify import verify
from hwgen.ops.requantize import Requantize
from hwgen.passes.absorb import absorb
from tests.passes.test_tabulate import network, ops, same


def scaled(multiplier: list[int], bias: list[int], shift: int = 0, hi: int = 999) -> Graph:
    """The sums of a dense layer, times and plus constants."""
    graph = network(())
    node = Requantize(name="order", inputs=("logits",), multiplier=IntArray(multiplier),
                      bias=IntArray(bias), shift=shift, lo=-999, hi=hi)  # fmt: skip
    output = graph.output.renamed({"logits": "order"})
    return verify(Graph("net", (*graph.nodes[:-1], node, output)))


@pytest.mark.parametrize("multiplier", [[1], [2, 2, 1, 3]])
@pytest.mark.parametrize("bias", [[0], [5, 0, -7, 1]])
def test_the_layer_takes_multipliers_and_biases(multiplier: list[int], bias: list[int]) -> None:
    graph = scaled(multiplier, bias)
    after = verify(absorb(graph))
    assert ops(after) == ["input", "linear", "output"]
    same(graph, after)


def test_a_shift_or_a_clip_stays() -> None:
    assert absorb(scaled([3], [1], shift=1)) == scaled([3], [1], shift=1)
    assert absorb(scaled([1], [0], hi=2)) == scaled([1], [0], hi=2)


def test_sums_that_another_node_reads_stay() -> None:
    graph = scaled([2], [1])
    twice = Requantize(name="twice", inputs=("logits",), multiplier=IntArray([2]),
                       bias=IntArray([0]), shift=0, lo=-999, hi=999)  # fmt: skip
    branched = Graph("net", (*graph.nodes[:-1], twice, graph.output))
    assert "order" in branched.by_name
    assert absorb(branched) == branched


def test_the_golden_model_is_what_it_was() -> None:
    rng = np.random.default_rng(5)
    bias = rng.integers(-20, 20, 4).tolist()
    graph = scaled([1], bias)
    same(graph, absorb(graph))
