"""Layers compared with one constant each become layers compared with zero: their sums' signs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hwgen.ir.graph import Graph
from hwgen.ir.node import Node
from hwgen.ir.types import Alphabet, IntArray
from hwgen.ops.linear import Linear
from hwgen.ops.threshold import Threshold


def compare_with_zero(graph: Graph) -> Graph:
    """Moves thresholds into the bias of the layer that only they read, where each of its outputs
    has one: ``W·x ≥ t`` is ``W·x - t ≥ 0``, and ``W·x ≤ t`` is ``t - W·x ≥ 0``.

    The constant costs an adder graph nothing or next to it, and what is left of the comparison is
    a wire: the sign of a sum, of which no other bit is ever registered.
    """
    nodes: dict[str, Node] = {node.name: node for node in graph}
    for node in graph:
        if not isinstance(node, Threshold) or node.levels != 1:
            continue
        layer = nodes[node.inputs[0]]
        if isinstance(layer, Linear) and layer.fixed and len(graph.consumers[layer.name]) == 1:
            nodes[layer.name], nodes[node.name] = _moved(graph, layer, node)
    return graph.with_nodes(tuple(nodes[node.name] for node in graph))


def _moved(graph: Graph, layer: Linear, node: Threshold) -> tuple[Linear, Threshold]:
    rows = (layer.outputs,)
    kinds = graph.types[layer.name].per_channel()
    least = np.array([kind.lo for kind in kinds], np.int64)
    most = np.array([kind.hi for kind in kinds], np.int64)
    down = np.broadcast_to(node.directions(), rows)
    limits = np.broadcast_to(node.thresholds.values[:, 0], rows)
    # One beyond the range says always or never as well as any other constant.
    limits = np.where(down, limits.clip(least - 1, most), limits.clip(least, most + 1))
    sign = np.where(down, -1, 1)
    weight = layer.weight.values * sign[:, None]
    bias = (np.broadcast_to(layer.bias.values, rows) - limits) * sign
    alphabet = layer.alphabet if layer.alphabet.holds(weight) else Alphabet.of(weight)
    moved = replace(layer, weight=IntArray(weight), bias=IntArray(bias), alphabet=alphabet,
                    signs_only=True)  # fmt: skip
    zero = replace(node, thresholds=IntArray([[0]]), descending=(False,))
    return moved, zero
