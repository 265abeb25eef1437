"""The nodes of an ONNX file in topological order, or why there is none."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from hwgen.errors import ModelFileError


class Ordered(Protocol):
    """What is sorted: a node by the names that it reads and makes."""

    @property
    def op(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def inputs(self) -> tuple[str, ...]: ...
    @property
    def outputs(self) -> tuple[str, ...]: ...


N = TypeVar("N", bound=Ordered)


def sorted_nodes(file: Path, nodes: Sequence[N], given: set[str]) -> tuple[N, ...]:
    """``nodes`` so that each reads only what is ``given`` or made before it.

    Raises:
        ModelFileError: a value made twice, made by nothing, or made from itself.
    """
    makers = _makers(file, nodes, given)
    waiting = [
        {makers[name] for name in node.inputs if name and name not in given and name in makers}
        for node in nodes
    ]
    for node in nodes:
        for name in node.inputs:
            if name and name not in given and name not in makers:
                raise ModelFileError(
                    f"{file} is a damaged model file: {_shown(node)} reads {name[:80]!r}, which "
                    "is no input, constant or result of a node",
                    hint="an initializer is missing: export the model once more",
                )
    readers: dict[int, list[int]] = defaultdict(list)
    for index, sources in enumerate(waiting):
        for source in sources:
            readers[source].append(index)
    ready = [index for index, sources in enumerate(waiting) if not sources]
    order = []
    while ready:  # the first in the file first, so a sorted file keeps its order
        index = heapq.heappop(ready)
        order.append(nodes[index])
        for reader in readers[index]:
            waiting[reader].discard(index)
            if not waiting[reader]:
                heapq.heappush(ready, reader)
    if len(order) < len(nodes):
        raise _cyclic(file, nodes, waiting)
    return tuple(order)


def _makers(file: Path, nodes: Sequence[N], given: set[str]) -> dict[str, int]:
    makers: dict[str, int] = {}
    for index, node in enumerate(nodes):
        for name in node.outputs:
            if name and (name in makers or name in given):
                raise ModelFileError(
                    f"{file} is a damaged model file: {name[:80]!r} is made twice",
                    hint="export the model once more",
                )
            makers[name] = index
    return makers


def _cyclic(file: Path, nodes: Sequence[N], waiting: Sequence[set[int]]) -> ModelFileError:
    at = next(index for index, sources in enumerate(waiting) if sources)
    seen: dict[int, int] = {}
    while at not in seen:
        seen[at] = len(seen)
        at = min(waiting[at])
    cycle = [*list(seen)[seen[at] :], at][::-1]
    names = [_shown(nodes[index]) for index in cycle]
    shown = [*names[:6], "…"] if len(names) > 7 else names
    return ModelFileError(
        f"{file} is a damaged model file: its graph is cyclic, {' → '.join(shown)}",
        hint="hwgen builds feed-forward networks: unroll recurrent layers before exporting",
    )


def _shown(node: Ordered) -> str:
    return (node.name or node.op)[:80]
