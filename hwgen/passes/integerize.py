"""From the real-valued quantized graph to integers only, in one forward walk."""

from __future__ import annotations

from dataclasses import dataclass, field

from hwgen.errors import HwgenError
from hwgen.ir.graph import Graph
from hwgen.ir.meaning import Meaning, RealValue
from hwgen.ir.node import Node
from hwgen.ir.real import Distance, RealGraph
from hwgen.ir.types import TensorType


@dataclass
class _Builder:
    """The integer graph so far: nodes, their types, and what values stand for."""

    real: RealGraph
    nodes: list[Node] = field(default_factory=list)
    types: dict[str, TensorType] = field(default_factory=dict)
    meanings: dict[str, Meaning] = field(default_factory=dict)
    distances: dict[str, Distance] = field(default_factory=dict)

    def add(self, node: Node) -> TensorType:
        if node.name in self.types:
            raise AssertionError(f"two nodes are named {node.name}")
        kind = node.infer(*(self.types[i] for i in node.inputs))
        self.nodes.append(node)
        self.types[node.name] = kind
        return kind

    def op_of(self, value: str) -> str:
        return next(node.op for node in self.nodes if node.name == value)

    def levels_after(self, name: str) -> int | None:
        levels = []
        for node in (n for n in self.real.nodes if name in n.inputs):
            levels.append(self.levels_after(node.name) if node.passes else node.levels)
        known = [n for n in levels if n is not None]
        return max(known) if known and len(known) == len(levels) else None

    def note(self, name: str, meaning: RealValue) -> None:
        if isinstance(meaning, Meaning):
            self.meanings[name] = meaning

    def boundary(self, name: str, distance: Distance) -> None:
        self.distances[name] = distance


@dataclass(frozen=True)
class Integerized:
    """The integer graph, what each of its values stands for, and quantizers' rounding distances."""

    graph: Graph
    meanings: dict[str, Meaning]
    distances: dict[str, Distance]


def integerize(real: RealGraph) -> Integerized:
    """Lowers every real node in order, carrying each tensor's exact meaning.

    Raises:
        ModelError: a layer whose input is not quantized, or that has no exact integer meaning.
    """
    builder = _Builder(real)
    values: dict[str, RealValue] = {}
    for node in real.nodes:
        values[node.name] = node.lower(builder, *(values[i] for i in node.inputs))
    used = _reachable(builder.nodes)
    return Integerized(Graph(real.name, used), builder.meanings, builder.distances)


def problems(real: RealGraph) -> list[HwgenError]:
    """Every reason why ``integerize`` would refuse the graph; what follows from another is left
    out."""
    builder = _Builder(real)
    values: dict[str, RealValue] = {}
    found: list[HwgenError] = []
    for node in real.nodes:
        if all(name in values for name in node.inputs):
            try:
                values[node.name] = node.lower(builder, *(values[i] for i in node.inputs))
            except HwgenError as error:
                found.append(error)
    return found


def _reachable(nodes: list[Node]) -> tuple[Node, ...]:
    """Without the nodes that the output does not need."""
    if not nodes:
        raise HwgenError("the network is empty", hint="start it with QuantIdentity")
    needed = {nodes[-1].name}
    for node in reversed(nodes):
        if node.name in needed:
            needed.update(node.inputs)
    return tuple(node for node in nodes if node.name in needed)
