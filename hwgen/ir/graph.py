"""The integer graph: nodes in topological order, types inferred once, evaluation as golden
model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from hwgen.errors import HwgenError
from hwgen.ir.node import Node
from hwgen.ir.types import Ints, TensorType


@dataclass(frozen=True)
class Graph:
    """Integer nodes in topological order; the last node is the output.

    ``host`` says how real inputs become the integers of the input node, and integers logits.
    """

    name: str
    nodes: tuple[Node, ...]

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def __getitem__(self, name: str) -> Node:
        return self.by_name[name]

    @cached_property
    def by_name(self) -> Mapping[str, Node]:
        return {node.name: node for node in self.nodes}

    @cached_property
    def types(self) -> Mapping[str, TensorType]:
        """Type of every value, by name."""
        known: dict[str, TensorType] = {}
        for node in self.nodes:
            try:
                known[node.name] = node.infer(*(known[i] for i in node.inputs))
            except KeyError as error:
                message = f"{node.name} reads {error.args[0]}, which no earlier node makes"
                raise HwgenError(message, origin=node.origin) from None
        return known

    def input_types(self, node: Node) -> tuple[TensorType, ...]:
        return tuple(self.types[i] for i in node.inputs)

    @cached_property
    def consumers(self) -> Mapping[str, tuple[Node, ...]]:
        """The nodes that read each value."""
        readers: dict[str, list[Node]] = {node.name: [] for node in self.nodes}
        for node in self.nodes:
            for source in dict.fromkeys(node.inputs):
                readers[source].append(node)
        return {name: tuple(nodes) for name, nodes in readers.items()}

    @property
    def input(self) -> Node:
        return self.nodes[0]

    @property
    def output(self) -> Node:
        return self.nodes[-1]

    def trace(self, x: Ints, watch: Callable[[Node, Ints], None]) -> Ints:
        """Evaluates a batch, calling ``watch`` with every node's values; frees what is read out."""
        last = {i: node.name for node in self.nodes for i in node.inputs}
        values: dict[str, Ints] = {}
        for node in self.nodes:
            value = node.evaluate(*(values[i] for i in node.inputs)) if node.inputs else x
            values[node.name] = value
            watch(node, value)
            for source in [i for i in dict.fromkeys(node.inputs) if last[i] == node.name]:
                del values[source]
        return value

    def evaluate(self, x: Ints) -> Ints:
        """Golden inference: integer inputs, batch first, to integer outputs."""
        return self.trace(x, lambda node, value: None)

    def with_nodes(self, nodes: tuple[Node, ...]) -> Graph:
        return replace(self, nodes=nodes)
