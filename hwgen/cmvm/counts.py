"""Rows of single bits where carry chains add two words: sums of three bits in look-up tables, and
trees of words in which every adder takes one more bit at its carry input.

On a chain that holds several sums (``packs.py``) that bit costs nothing, so a row needs about one
LUT per bit: a tree over w words has w - 1 carry inputs, and each word is two or three bits.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence

from hwgen.cmvm.assemble import add_up
from hwgen.cmvm.graph import Builder, Term
from hwgen.cmvm.links import Item
from hwgen.families.base import Family
from hwgen.inttype import IntType

BIT = IntType(0, 1)


class CountMaker:
    """Builds rows of bits and small sums whose weights are powers of two."""

    def __init__(self, builder: Builder, family: Family) -> None:
        self.builder, self.family = builder, family

    def row(self, base: Term | None, items: Sequence[Item], bias: int) -> Term | None:
        """``base + Σ weight · source + bias`` as a term, None where all of it is zero."""
        parts = []
        for size in sorted({abs(item.weight) for item in items}):
            alike = [item for item in items if abs(item.weight) == size]
            minus = _mostly_negative(alike)
            factor = -size if minus else size
            other = [item for item in alike if (item.weight < 0) != minus]
            bias -= factor * sum(item.most for item in other)
            inside = _inside(bias, factor, sum(item.most for item in alike), base is None)
            bias -= factor * inside
            total = self._count(alike, other, inside)
            parts.append(Term(total, size.bit_length() - 1, minus))
        if base is not None and bias:
            base, bias = Term(self.builder.add([base], bias)), 0
        parts += [base] if base is not None else []
        return add_up(self.builder, parts, bias, self.family) if parts else None

    def _count(self, items: Sequence[Item], other: Sequence[Item], constant: int) -> int:
        """The sum of all sources and a constant, the ``other`` items subtracted from their most."""
        words = [item.source for item in items if item.most > 1 and item not in other]
        words += [self._turned(item) for item in other if item.most > 1]
        bits = [(item.source, item in other) for item in items if item.most == 1]
        bits.sort(key=lambda b: not b[1])  # tables invert for nothing
        while len(bits) > max(len(words) - 1, 0):
            words.append(self._word(bits[:3]))
            bits = bits[3:]
        singles = [self._word([bit]) if bit[1] else bit[0] for bit in bits]
        return self._tree(words, singles, constant)

    def _turned(self, item: Item) -> int:
        return self.builder.add([Term(item.source, 0, True)], item.most)

    def _word(self, bits: Sequence[tuple[int, bool]]) -> int:
        """The sum of up to three bits, of which some are inverted."""
        if len(bits) == 1 and not bits[0][1]:
            return bits[0][0]
        inverted = sum(turned for _, turned in bits)
        return self.builder.add([Term(source, 0, turned) for source, turned in bits], inverted)

    def _tree(self, words: Sequence[int], bits: Sequence[int], constant: int) -> int:
        """All of them added, the narrowest words first, a bit with every two words; the constant
        to the first word that is about as wide."""
        rest = list(bits)
        heap = [(self.builder.types[w].hi, w) for w in words]
        heapq.heapify(heap)
        while len(heap) > 1 or constant:
            most, first = heapq.heappop(heap)
            if constant and (most >= constant or not heap):
                first, constant = self.builder.add([Term(first)], constant), 0
                heapq.heappush(heap, (self.builder.types[first].hi, first))
                continue
            pair = [first, heapq.heappop(heap)[1]]
            made = self.builder.add([Term(source) for source in (*pair, *rest[:1])])
            del rest[:1]
            heapq.heappush(heap, (self.builder.types[made].hi, made))
        assert not rest
        return heap[0][1]


def _inside(bias: int, factor: int, most: int, alone: bool) -> int:
    """What ``factor`` times a sum of up to ``most`` should take over of ``bias``, not negative.

    A row with a base takes so little that its sum hardly gets wider, and leaves to the base a
    multiple that other rows are likely to leave as well.
    """
    units = bias // factor if factor > 0 else -bias // -factor
    return max(units, 0) if alone else units % (1 << (most.bit_length() + 1) // 2)


def _mostly_negative(items: Sequence[Item]) -> bool:
    return sum(item.most if item.weight < 0 else -item.most for item in items) > 0
