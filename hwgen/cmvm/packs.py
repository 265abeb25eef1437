"""Carry chains that hold several sums: which sums share one, and what lies where on it.

One position between two sums takes what the lower one carries out as its own sum, and, with the
same bit on both operands, carries that bit into the upper one: on a chain of its own a sum would
have a cell for each of the two. That is a plain addition of two long words, on every fabric.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwgen.cmvm.graph import AdderGraph
from hwgen.cmvm.pipeline import Pipelined
from hwgen.families.base import Family

SMALL = 64
"""Sums up to which they share chains in their order: nothing in so small a circuit is far."""


@dataclass(frozen=True, slots=True)
class PackedSum:
    """``a + b + carry`` as Verilog, ``carry`` "" for none: operands of ``width`` bits, of which the
    sum has ``span``, that or one more."""

    a: str
    b: str
    carry: str
    width: int
    span: int


def packs(design: Pipelined, family: Family) -> list[list[int]]:
    """The nodes that share a chain, chain by chain, by their numbers among the nodes.

    Sums on one chain belong to one stage and have as many cells before them in it, so that none
    depends on another and their operands come at about the same time.
    """
    graph = design.graph
    n = len(graph.sources)
    levels: list[int] = []
    alike: dict[tuple[int, int], list[int]] = {}
    cells = graph.cells(family)
    for k, (node, made) in enumerate(zip(graph.nodes, cells, strict=True)):
        stage = design.stage[k]
        before = [levels[t.source - n] for t in node.terms
                  if t.source >= n and design.stage[t.source - n] == stage]  # fmt: skip
        levels.append(1 + max(before, default=0))
        if made.kind == "packed":
            alike.setdefault((stage, levels[k]), []).append(k)
    spans = {k: cells[k].width - cells[k].start for nodes in alike.values() for k in nodes}
    rows = np.zeros((len(graph.nodes), 1), np.float32)
    if len(spans) > SMALL:
        rows = rows_reached(graph)
    return [c for nodes in alike.values() for c in _chains(nodes, spans, rows, family.chain_pack)]


def _chains(
    nodes: Sequence[int], spans: Mapping[int, int], rows: NDArray[np.float32], most: int
) -> list[list[int]]:
    """``nodes`` on chains of at most ``most`` bits: the first one left, then each time the one
    whose sum goes to most of the same rows as those on the chain."""
    left, lengths = np.array(nodes), np.array([spans[k] for k in nodes])
    chains: list[list[int]] = []
    while len(left):
        chosen, room = [0], most - 1 - lengths[0]
        reached = rows[left[0]].copy()
        alike = rows[left] @ reached
        alike[0] = -1
        while np.any(fits := (alike >= 0) & (lengths <= room)):
            k = int(np.argmax(np.where(fits, alike, -1)))
            chosen.append(k)
            room -= lengths[k]
            alike += rows[left] @ rows[left[k]]
            alike[chosen] = -1
        chains.append([int(left[k]) for k in chosen])
        left, lengths = np.delete(left, chosen), np.delete(lengths, chosen)
    return chains


def rows_reached(graph: AdderGraph) -> NDArray[np.float32]:
    """Per node and output, how much of the node goes to it: of length 1, 0 where nothing does."""
    n = len(graph.sources)
    reached = np.zeros((n + len(graph.nodes), len(graph.outputs)), np.float32)
    for lane, out in enumerate(graph.outputs):
        if out.source is not None:
            reached[out.source, lane] = 1
    for k in reversed(range(len(graph.nodes))):
        for source in {t.source for t in graph.nodes[k].terms}:
            np.maximum(reached[source], reached[n + k], out=reached[source])
    found = reached[n:]
    length = np.sqrt(np.maximum(found.sum(axis=1, keepdims=True), 1))
    return np.asarray(found / length, np.float32)


def laid_out(sums: Sequence[PackedSum]) -> tuple[str, str, list[int], int]:
    """``(a, b, places, width)``: the long operands, the lowest bit of each sum, and their bits."""
    a: list[str] = []
    b: list[str] = []
    places, at, open_end = [], 0, False
    for one in sums:
        if open_end or one.carry:
            bit = one.carry or "1'b0"
            a.append(bit)
            b.append(bit)
            at += 1
        places.append(at)
        a.append(one.a)
        b.append(one.b)
        at += one.width
        open_end = one.span > one.width
    if open_end:  # what the last sum carries out; unlike zeros, ones need no net on an ECP5
        a.append("1'b1")
        b.append("1'b1")
        at += 1
    return "{" + ", ".join(reversed(a)) + "}", "{" + ", ".join(reversed(b)) + "}", places, at
