"""The real-valued quantized graph that front ends give, and what lowering it needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from hwgen.errors import NOWHERE, Origin
from hwgen.ir.meaning import RealValue
from hwgen.ir.node import Node
from hwgen.ir.types import TensorType


class Lowering(Protocol):
    """The integer graph under construction."""

    def add(self, node: Node) -> TensorType:
        """Appends a node and returns its type."""
        ...

    def op_of(self, value: str) -> str:
        """The kind of the node that makes ``value``."""
        ...

    def note(self, name: str, meaning: RealValue) -> None:
        """Remembers what an integer value stands for, for reports."""
        ...


@dataclass(frozen=True, kw_only=True)
class RealNode:
    """One real operation; its output has the node's name (an identifier).

    ``lower`` appends integer nodes to ``target`` where it must and returns what its output stands
    for; it raises
    ``HwgenError`` where there is no exact integer meaning.
    """

    name: str
    inputs: tuple[str, ...] = ()
    origin: Origin = NOWHERE

    def lower(self, target: Lowering, *inputs: RealValue) -> RealValue:
        raise NotImplementedError


@dataclass(frozen=True)
class RealGraph:
    """Real nodes in topological order: the first is the input, the last the output."""

    name: str
    nodes: tuple[RealNode, ...]
