"""Layers whose constants can be written while the accelerator is at work."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from hwgen.errors import UnsupportedError, UsageError
from hwgen.ir.graph import Graph
from hwgen.ir.node import Node
from hwgen.ops.base import HardwareNode


def writable(graph: Graph, names: Sequence[str]) -> Graph:
    """``graph`` with the named layers writable, and the thresholds that each is followed by;
    ``all`` names every fully connected layer and every convolution's product.

    Raises:
        UsageError: there is no such layer, or it has no constants that could be written.
        UnsupportedError: another kind of node with constants follows it.
    """
    if tuple(names) == ("all",):
        names = [node.name for node in graph if node.op == "linear"]
    made: dict[str, Node] = {}
    for name in names:
        layer = _found(graph, name)
        made[name] = _loadable(layer)
        readers = graph.consumers[name]
        if readers == (graph.output,):
            continue
        following = readers[0] if len(readers) == 1 else None
        loaded = following.loadable() if isinstance(following, HardwareNode) else None
        if following is None or loaded is None or following.inputs != (name,):
            what = following.op if following is not None else "several nodes"
            raise UnsupportedError(
                f"behind a writable layer must be thresholds or the output, not {what}",
                origin=layer.origin,
                hint="quantize its output with at most a few bits",
            )
        made[following.name] = loaded
    return graph.with_nodes(tuple(made.get(node.name, node) for node in graph))


def _found(graph: Graph, name: str) -> HardwareNode:
    layers = [n.name for n in graph if n.op == "linear"]
    node = graph.by_name.get(name)
    if not isinstance(node, HardwareNode):
        near = get_close_matches(name, layers, 1) or layers[:1]
        raise UsageError(
            f"there is no layer {name!r} to be writable; the layers are {', '.join(layers)}",
            hint=f"did you mean {near[0]}?" if near else "",
        )
    return node


def _loadable(node: HardwareNode) -> HardwareNode:
    made = node.loadable()
    if made is None or node.op != "linear":
        raise UsageError(
            f"{node.name} is a {node.op} and cannot be writable",
            origin=node.origin,
            hint="name a fully connected layer or a convolution's product",
        )
    return made
