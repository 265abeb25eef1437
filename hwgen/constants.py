"""The writable constants of a graph, as the words that are written to an accelerator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from hwgen.families.base import Family
from hwgen.ir.graph import Graph
from hwgen.ir.node import Node
from hwgen.ir.types import IntArray
from hwgen.ops.base import Config, HardwareNode
from hwgen.rtl.load import ADDRESS_BITS
from hwgen.verify.manifest import Writable


def writes(graph: Graph, writable: Sequence[Writable], family: Family) -> npt.NDArray[np.int64]:
    """(words, 2): addresses and data of all writable constants of ``graph``."""
    found: list[tuple[int, int]] = []
    for item in writable:
        node = graph[item.name]
        assert isinstance(node, HardwareNode)
        config = Config(item.style, item.pe, item.simd, item.memory, item.multiplier)
        unit = node.circuit(config, graph.input_types(node), family)
        base = item.number << ADDRESS_BITS
        found += [(base | address, data) for address, data in unit.loader().writes()]
    return np.array(found, dtype=np.int64)


def rolled(graph: Graph) -> Graph:
    """``graph`` with the writable constants of every channel given to the next one: another
    network of the same shape, for the bench."""

    def turned(node: Node) -> Node:
        if not isinstance(node, HardwareNode) or node.fixed:
            return node
        changed: dict[str, Any] = {}
        for item in fields(node):
            value = getattr(node, item.name)
            if isinstance(value, IntArray):
                changed[item.name] = IntArray(np.roll(value.values, 1, axis=0))
            elif item.name == "descending":
                changed[item.name] = (*value[-1:], *value[:-1])
        return replace(node, **changed)

    return graph.with_nodes(tuple(turned(node) for node in graph))
