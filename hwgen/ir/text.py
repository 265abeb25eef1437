"""A graph as text, one node a line."""

from __future__ import annotations

from hwgen.errors import Origin
from hwgen.ir.graph import Graph


def _shown(value: object) -> str:
    if isinstance(value, tuple) and len(value) > 8:
        return f"({len(value)} values)"
    return str(value)


def dump(graph: Graph) -> str:
    """One line per node: name, type, operation, inputs, attributes, origin."""
    lines = [f"graph {graph.name}"]
    for node in graph:
        attributes = "".join(f" {k}={_shown(v)}" for k, v in node.attributes().items())
        where = f"  # {node.origin}" if node.origin != Origin() else ""
        call = f"{node.op}({', '.join(node.inputs)})"
        lines.append(f"  {node.name}: {graph.types[node.name]} = {call}{attributes}{where}")
    return "\n".join(lines) + "\n"
