"""Affine functions of a layer's sums go into the layer: its weights and its bias."""

from __future__ import annotations

from hwgen.ir.graph import Graph
from hwgen.ir.node import Node
from hwgen.ops.base import HardwareNode


def absorb(graph: Graph) -> Graph:
    """Without nodes that only multiply by integers and add some, where the layer whose sums they
    take, and which nothing else reads, can do so itself."""
    nodes: dict[str, Node] = {}
    names: dict[str, str] = {}
    for node in graph:
        made = node.renamed(names)
        source = nodes.get(made.inputs[0]) if len(made.inputs) == 1 else None
        merged = None
        if source is not None and len(graph.consumers[node.inputs[0]]) == 1:
            merged = _merged(graph, node, source)
        if merged is None:
            nodes[made.name] = made
        else:
            nodes[merged.name] = merged
            names[node.name] = merged.name
    return graph.with_nodes(tuple(nodes.values()))


def _merged(graph: Graph, node: Node, source: Node) -> Node | None:
    if not isinstance(node, HardwareNode) or not isinstance(source, HardwareNode):
        return None
    found = node.affine(graph.types[node.inputs[0]])
    return source.scaled(*found) if found is not None else None
