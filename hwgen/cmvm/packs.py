"""Carry chains that hold several sums: which sums share one, and what lies where on it.

One position between two sums takes what the lower one carries out as its own sum, and, with the
same bit on both operands, carries that bit into the upper one: on a chain of its own a sum would
have a cell for each of the two. That is a plain addition of two long words, on every fabric.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hwgen.cmvm.pipeline import Pipelined
from hwgen.families.base import Family


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
    for k, (node, made) in enumerate(zip(graph.nodes, graph.cells(family), strict=True)):
        stage = design.stage[k]
        before = [levels[t.source - n] for t in node.terms
                  if t.source >= n and design.stage[t.source - n] == stage]  # fmt: skip
        levels.append(1 + max(before, default=0))
        if made.kind == "packed":
            alike.setdefault((stage, levels[k]), []).append(k)
    cells = graph.cells(family)
    chains: list[list[int]] = []
    for nodes in alike.values():
        room = 0
        for k in nodes:
            span = cells[k].width - cells[k].start
            if span > room:
                chains.append([])
                room = family.chain_pack - 1
            chains[-1].append(k)
            room -= span
    return chains


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
    if open_end:
        a.append("1'b0")
        b.append("1'b0")
        at += 1
    return "{" + ", ".join(reversed(a)) + "}", "{" + ", ".join(reversed(b)) + "}", places, at
