"""Layers of small fan-in and their quantizers become truth tables, a LUT for every bit."""

from __future__ import annotations

from dataclasses import replace

from hwgen.ir.graph import Graph
from hwgen.ir.node import Node
from hwgen.ops.base import HardwareNode
from hwgen.ops.truth_table import TruthTable

MOST_BITS = 6
"""Bits that an output may depend on: the inputs of a LUT of Xilinx's families. Where LUTs have
four, such a table takes up to seven of them, less than a sum and its comparison."""


def tabulate(graph: Graph) -> Graph:
    """Replaces chains of nodes that end at an element-wise one (a quantizer) and whose every output
    depends on at most ``MOST_BITS`` bits; channels of such tables that nothing reads are dropped.

    A chain may hold several layers: a small network of few input bits is one LUT too.
    """
    return _narrowed(_Tables(graph, MOST_BITS).rewritten())


class _Tables:
    """Every node that is a function of few bits, and of what value the bits are."""

    def __init__(self, graph: Graph, most: int) -> None:
        self.graph, self.most = graph, most
        self.tables: dict[str, TruthTable] = {}
        self.lengths: dict[str, int] = {}
        for node in graph:
            self._try(node)

    def _try(self, node: Node) -> None:
        if not isinstance(node, HardwareNode) or not node.fixed or len(node.inputs) != 1:
            return
        source = node.inputs[0]
        kind = self.graph.types[source]
        through = self.tables.get(source) if len(self.graph.consumers[source]) == 1 else None
        for x in (through, self._identity(source)):
            made = node.tabulated(x, kind, self.most) if x is not None else None
            if made is not None:
                self.tables[node.name] = replace(made, origin=node.origin)
                self.lengths[node.name] = 1 + (self.lengths[source] if x is through else 0)
                return

    def _identity(self, source: str) -> TruthTable | None:
        kind = self.graph.types[source]
        return TruthTable.identity(source, kind) if kind.element.width <= self.most else None

    def rewritten(self) -> Graph:
        """The graph with tables in place of every chain of at least two nodes."""
        wanted = {self.graph.output.name}
        kept: list[Node] = []
        for node in reversed(self.graph.nodes):
            if node.name not in wanted:
                continue
            ends = isinstance(node, HardwareNode) and node.elementwise
            if ends and self.lengths.get(node.name, 0) > 1:
                node = self.tables[node.name]
            kept.append(node)
            wanted.update(node.inputs)
        return self.graph.with_nodes(tuple(reversed(kept)))


def _narrowed(graph: Graph) -> Graph:
    """Without the channels of tables that their only reader does not need."""
    nodes = {node.name: node for node in graph}
    for node in reversed(graph.nodes):
        table = nodes[node.name]
        readers = graph.consumers[node.name]
        if not isinstance(table, TruthTable) or len(readers) != 1:
            continue
        reader = nodes[readers[0].name]
        kept = reader.columns_read() if isinstance(reader, HardwareNode) else []
        if 0 < len(kept) < len(table.values.values) and isinstance(reader, HardwareNode):
            nodes[reader.name] = reader.with_columns(kept)
            nodes[table.name] = table.with_channels(kept)
    return graph.with_nodes(tuple(nodes[node.name] for node in graph))
