"""The real-valued quantized graph that front ends give, and what lowering it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, ClassVar, Protocol

import numpy.typing as npt

from hwgen.errors import NOWHERE, Origin
from hwgen.ir.meaning import RealValue
from hwgen.ir.node import Node
from hwgen.ir.types import TensorType

Distance = Callable[[int, int], Fraction]
"""``(integer, channel)`` to the distance of its real value from the nearest boundary, in steps."""


class Lowering(Protocol):
    """The integer graph under construction."""

    def add(self, node: Node) -> TensorType:
        """Appends a node and returns its type."""
        ...

    def op_of(self, value: str) -> str:
        """The kind of the node that makes ``value``."""
        ...

    def levels_after(self, name: str) -> int | None:
        """The most levels of the quantizers that read this real value behind scalar functions;
        None if anything else reads it."""
        ...

    def note(self, name: str, meaning: RealValue) -> None:
        """Remembers what an integer value stands for, for reports."""
        ...

    def boundary(self, name: str, distance: Distance) -> None:
        """Remembers how far from a rounding boundary each input of a quantizer is."""
        ...


@dataclass(frozen=True, kw_only=True)
class RealNode:
    """One real operation; its output has the node's name (an identifier).

    ``lower`` appends integer nodes to ``target`` where it must and returns what its output stands
    for; it raises
    ``HwgenError`` where there is no exact integer meaning.
    """

    passes: ClassVar[bool] = False
    """Whether functions of integers may pass through it to a later quantizer."""

    name: str
    inputs: tuple[str, ...] = ()
    origin: Origin = NOWHERE

    @property
    def levels(self) -> int | None:
        """Levels of a quantizer, which takes functions of integers; None of all else."""
        return None

    def lower(self, target: Lowering, *inputs: RealValue) -> RealValue:
        raise NotImplementedError


@dataclass(frozen=True)
class RealGraph:
    """Real nodes in topological order: the first is the input, the last the output.

    ``examples``: what the trained network itself gave for some frames: the input's reals under the
    input node's name, and quantizers' integer codes under theirs, batch first.
    """

    name: str
    nodes: tuple[RealNode, ...]
    examples: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
