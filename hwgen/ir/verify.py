"""What every pass leaves true."""

from __future__ import annotations

from hwgen.errors import HwgenError
from hwgen.ir.graph import Graph


class InvalidGraphError(HwgenError):
    """A graph that breaks an invariant: a bug of ours, or of a pass."""

    exit_code = 2


def verify(graph: Graph) -> Graph:
    """Returns ``graph`` if names are unique, order is topological, types infer, every value but
    the output is read.

    Raises:
        InvalidGraphError: with the name of the first node that breaks a rule.
    """
    seen: set[str] = set()
    for position, node in enumerate(graph.nodes):
        if node.name in seen:
            raise InvalidGraphError(f"two nodes are named {node.name}", origin=node.origin)
        missing = [i for i in node.inputs if i not in seen]
        if missing:
            text = f"{node.name} reads {missing[0]} before it is made"
            raise InvalidGraphError(text, origin=node.origin)
        if bool(node.inputs) == (position == 0):
            raise InvalidGraphError(f"{node.name}: only the first node may have no inputs")
        seen.add(node.name)
    for node in graph.nodes[:-1]:
        if not graph.consumers[node.name]:
            raise InvalidGraphError(f"nothing reads {node.name}", origin=node.origin)
    if graph.consumers[graph.output.name]:
        raise InvalidGraphError(f"{graph.output.name} is the output and must not be read")
    _ = graph.types
    return graph
