"""The integer graph's nodes: frozen dataclasses with typed attributes."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self

from hwgen.errors import NOWHERE, Origin
from hwgen.ir.types import Ints, TensorType


@dataclass(frozen=True, kw_only=True)
class Node:
    """One integer operation; its single output value has the node's name.

    ``infer`` gives the output's type from the inputs' (tight: some input reaches each end), or
    raises
    ``HwgenError``. ``evaluate`` is the golden model: int64 arrays, batch first, channel axis
    second.
    """

    name: str
    inputs: tuple[str, ...] = ()
    origin: Origin = NOWHERE

    op: ClassVar[str] = "node"
    registry: ClassVar[dict[str, type[Node]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "op" in cls.__dict__:
            Node.registry[cls.op] = cls

    def infer(self, *inputs: TensorType) -> TensorType:
        raise NotImplementedError

    def evaluate(self, *inputs: Ints) -> Ints:
        raise NotImplementedError

    def attributes(self) -> dict[str, Any]:
        """The node's own attributes, without name, inputs and origin."""
        common = {"name", "inputs", "origin"}
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in common}

    def renamed(self, mapping: dict[str, str]) -> Self:
        """The same node reading other values."""
        return replace(self, inputs=tuple(mapping.get(i, i) for i in self.inputs))
