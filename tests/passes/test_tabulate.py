"""Layers of small fan-in become truth tables that compute the same integers."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from hwgen.ir.graph import Graph
from hwgen.ir.node import Node
from hwgen.ir.types import Alphabet, IntArray
from hwgen.ir.verify import verify
from hwgen.ops.add import Add
from hwgen.ops.input import Encoding, Input
from hwgen.ops.linear import Linear
from hwgen.ops.output import Output
from hwgen.ops.threshold import Threshold
from hwgen.ops.truth_table import TruthTable
from hwgen.passes.tabulate import tabulate
from tests.contract import frames


def sparse(rng: np.random.Generator, outputs: int, columns: int, fan_in: int) -> IntArray:
    """Random integer weights, ``fan_in`` of them in every row."""
    weight = np.zeros((outputs, columns), np.int64)
    for row in weight:
        row[rng.choice(columns, fan_in, replace=False)] = rng.choice([-3, -1, 1, 2], fan_in)
    return IntArray(weight)


def layer(name: str, source: str, weight: IntArray, threshold: int = 0) -> list[Node]:
    """Weights and the sign of what they sum up to."""
    linear = Linear(name=name, inputs=(source,), weight=weight, alphabet=Alphabet.of(weight.values))
    sign = Threshold(name=f"{name}_act", inputs=(name,), thresholds=IntArray([[threshold]]))
    return [linear, sign]


def network(fan_ins: tuple[int, ...], shape: tuple[int, ...] = (20,), bits: int = 1) -> Graph:
    """Layers of these fan-ins on unsigned inputs, and a dense classifier."""
    rng = np.random.default_rng(3)
    top = (1 << bits) - 1
    encoding = Encoding((), (Fraction(1),), (0,), 0, top)
    nodes: list[Node] = [Input(name="x", shape=shape, lo=0, hi=top, encoding=encoding)]
    columns = shape[0]
    for number, fan_in in enumerate(fan_ins):
        weight = sparse(rng, 12, columns, fan_in)
        nodes += layer(f"fc{number}", nodes[-1].name, weight)
        columns = 12
    dense = IntArray(rng.choice([-1, 0, 1], (4, columns)))
    nodes.append(Linear(name="logits", inputs=(nodes[-1].name,), weight=dense,
                        alphabet=Alphabet((-1, 0, 1))))  # fmt: skip
    nodes.append(Output(name="output", inputs=("logits",)))
    return verify(Graph("net", tuple(nodes)))


def same(before: Graph, after: Graph, count: int = 300) -> None:
    x = frames(np.random.default_rng(0), before.types["x"], count)
    assert np.array_equal(before.evaluate(x), after.evaluate(x))


def ops(graph: Graph) -> list[str]:
    return [node.op for node in graph]


def test_a_layer_of_six_inputs_and_its_sign_become_tables() -> None:
    graph = network((6,))
    after = verify(tabulate(graph))
    assert ops(after) == ["input", "truth_table", "linear", "output"]
    same(graph, after)


def test_a_neuron_of_seven_inputs_stays_a_sum() -> None:
    graph = network((7,))
    assert tabulate(graph) == graph


def test_inputs_of_several_bits_count_each_bit() -> None:
    graph = network((3,), bits=2)
    after = verify(tabulate(graph))
    assert "truth_table" in ops(after)
    same(graph, after)
    assert tabulate(network((4,), bits=2)) == network((4,), bits=2)


def test_layers_on_the_same_few_bits_are_one_table() -> None:
    graph = network((3, 4), shape=(5,))
    after = verify(tabulate(graph))
    assert ops(after) == ["input", "truth_table", "linear", "output"]
    same(graph, after)


def test_deeper_layers_are_tables_of_tables_and_unread_channels_are_dropped() -> None:
    graph = network((6, 3))
    after = verify(tabulate(graph))
    first, second = (node for node in after if isinstance(node, TruthTable))
    read = {int(c) for c in second.sources.values.flat if c >= 0}
    assert read == set(range(len(first.values.values)))
    same(graph, after)


def test_every_pixel_is_a_vector_of_its_own() -> None:
    graph = network((4,), shape=(20, 2, 3))
    same(graph, tabulate(graph))


def test_a_layer_that_two_nodes_read_keeps_its_sum() -> None:
    graph = network((6,))
    other = Threshold(name="other", inputs=("fc0",), thresholds=IntArray([[1]]))
    total = Add(name="total", inputs=("fc0_act", "other"))
    nodes = [*graph.nodes[:3], other, total, *graph.nodes[3:]]
    nodes[5] = nodes[5].renamed({"fc0_act": "total"})
    branched = verify(Graph("net", tuple(nodes)))
    after = verify(tabulate(branched))
    assert "truth_table" not in ops(after)
    same(branched, after)
