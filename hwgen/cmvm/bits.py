"""The optimiser for inputs of one to three bits: their bits go straight into the adders' LUTs.

A row is a few chains. Each link adds a function of five bits, formed in the chain's own LUTs, and
one more bit at its carry input: about half a LUT per bit of input. Chains run side by side as far
as the depth bound asks for, and are joined by adders. What a function adds to stay positive is
taken back by the last one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import ceil, log

import numpy as np

from hwgen.cmvm.assemble import add_up, digits
from hwgen.cmvm.center import Matrix, find_centers
from hwgen.cmvm.graph import Builder, Term
from hwgen.families.base import Family
from hwgen.inttype import IntType

WIDEST = 3
"""Inputs of more bits than this are cheaper as operands of carry chains."""


def suits(inputs: Sequence[IntType], family: Family) -> bool:
    """Whether all inputs are narrow, use their whole width, and the family has such chains."""
    return family.instantiate == "xilinx" and all(
        t.width <= WIDEST and t == IntType.bits(t.width, t.signed) for t in inputs
    )


@dataclass(frozen=True, slots=True)
class Link:
    """What one link adds: weighted bits in its table, and at its carry input (or -1)."""

    bits: tuple[tuple[int, int], ...]
    carry: int

    @property
    def least(self) -> int:
        return sum(min(w, 0) for _, w in self.bits)

    @property
    def unit(self) -> int:
        return min(w & -w for _, w in self.bits)

    @property
    def span(self) -> int:
        return sum(abs(w) for _, w in self.bits)


def links(bits: Sequence[tuple[int, int]], table: int) -> list[Link]:
    """The bits, each with its weight, in groups of ``table`` and one for the carry input."""
    rest = sorted(bits, key=lambda b: (b[1] & -b[1], b[1] > 0, abs(b[1]), b[0]))
    made = []
    while rest:
        inside, rest = rest[:table], rest[table:]
        unit = min(w & -w for _, w in inside)
        carry = next((b for b in rest if b[1] == unit), None)
        if carry is not None:
            rest.remove(carry)
        made.append(Link(tuple(inside), -1 if carry is None else carry[0]))
    return made[::-1]  # the finest last: its constant makes good what all others add


def _offsets(chain: Sequence[Link], bias: int) -> list[int]:
    """A constant per link, together ``bias``, so that few bits of each function vary."""
    fixed = [-link.least for link in chain[:-1]]
    slack = [_slack(link) for link in chain[:-1]]
    best: tuple[int, list[int]] | None = None
    for extra in product(*slack[:4]):
        steps = [*extra, *([0] * (len(fixed) - len(extra)))]
        trial = [f + e * link.unit for f, e, link in zip(fixed, steps, chain[:-1], strict=True)]
        last = bias - sum(trial)
        cost = _vary(chain[-1], last)
        if best is None or cost < best[0]:
            best = cost, [*trial, last]
        if best[0] <= _vary(chain[-1], -chain[-1].least):
            break
    assert best is not None
    return best[1]


def _slack(link: Link) -> list[int]:
    """Multiples of its unit that a link can add without another bit varying."""
    span = link.span // link.unit
    room = (1 << max(span.bit_length(), 1)) - 1 - span
    return list(range(min(room, 7) + 1))


def _vary(link: Link, offset: int) -> int:
    low, high = offset + link.least, offset + link.least + link.span
    return (low ^ high).bit_length() if (low ^ high) >= 0 else 64


def _deal(bits: Sequence[tuple[int, int]], counts: Sequence[int]) -> list[list[tuple[int, int]]]:
    """The bits to chains of those sizes, each with its share of every weight."""
    hands: list[list[tuple[int, int]]] = [[] for _ in counts]
    for bit in sorted(bits, key=lambda b: (b[1], b[0])):
        shares = [1 - len(h) / c if c else 0.0 for h, c in zip(hands, counts, strict=True)]
        hands[shares.index(max(shares))].append(bit)
    return hands


class RowMaker:
    """Builds rows of weighted bits within a depth bound."""

    def __init__(self, builder: Builder, family: Family, depth: int) -> None:
        self.builder, self.family, self.depth = builder, family, depth
        self.table = family.lut_inputs - 1

    def row(self, base: Term | None, bits: Sequence[tuple[int, int]], bias: int) -> Term | None:
        """``base + Σ weight · bit + bias`` as a term, None where all of it is zero."""
        if base is None and not bits:
            return None
        level = self.builder.level[base.source] if base is not None else 0
        if base is not None and (base.negate or base.shift):
            base, level = Term(self._plain(base)), level + 1
        counts = self._chains(len(bits), level if base is not None else None)
        parts: list[Term] = []
        for k, mine in reversed(list(enumerate(_deal(bits, counts)))):
            if mine or (base is not None and k == 0):
                part = self._chain(base if k == 0 else None, mine, None if k else bias)
                parts.append(part[0])
                bias -= part[1]
        return add_up(self.builder, parts, bias, self.family, self.depth)

    def _plain(self, base: Term) -> int:
        return self.builder.add([base])

    def _chains(self, bits: int, level: int | None) -> list[int]:
        """How many bits each chain takes, the one on the base first; as few as depth allows."""
        step = self.table + 1
        for chains in range(1, max(bits, 1) + 1):
            joins = ceil(log(chains, self.family.adder_operands) - 1e-9) if chains > 1 else 0
            free = self.depth - joins
            first = step * (free if level is None else max(free - level, 0))
            if first + (chains - 1) * step * free >= bits:
                rest, more = bits - min(first, bits), chains - 1
                return [min(first, bits), *((rest + k) // more for k in range(more))]
        return [bits]

    def _chain(
        self, base: Term | None, bits: Sequence[tuple[int, int]], bias: int | None
    ) -> tuple[Term, int]:
        """The sum and the constant that it holds too; exactly ``bias`` if that is given."""
        if not bits:
            assert base is not None
            return base, 0
        start: list[tuple[int, int]] = []
        if base is None:
            start, bits = list(bits[: self.table + 1]), bits[self.table + 1 :]
        chain = ([Link(tuple(start), -1)] if start else []) + links(bits, self.table)
        want = sum(-link.least for link in chain) if bias is None else bias
        last = chain[-1]
        if last.carry >= 0 and want % last.unit:  # the carry input is at the constant's lowest bit
            chain[-1:] = [Link(last.bits, -1), Link(((last.carry, last.unit),), -1)]
        offsets = _offsets(chain, want)
        total = base
        for link, offset in zip(chain, offsets, strict=True):
            terms = [
                Term(source, shift, negate)
                for source, weight in link.bits
                for shift, negate in digits(weight)
            ]
            if link.carry >= 0:
                terms.append(Term(link.carry, link.unit.bit_length() - 1))
            if total is not None:
                terms.append(total)
            total = Term(self.builder.add(terms, offset))
        assert total is not None
        return total, want


def solve_bits(
    builder: Builder, weights: Matrix, inputs: Sequence[IntType], biases: Sequence[int],
    family: Family, depth: int, seed: int,
) -> list[Term | None]:  # fmt: skip
    """``weights · inputs + biases`` row by row; ``builder`` is split into bits."""
    center = next(iter(find_centers(weights, np.random.default_rng(seed), 8)), None)
    maker = RowMaker(builder, family, depth)
    first, hub, flipped = _first_bits(inputs), None, None
    if center is not None:
        bits = _weighted(center[0], inputs, first)
        shallow = RowMaker(builder, family, 2 + ceil(log(max(len(bits) / 12, 1), 3)))
        hub = shallow.row(None, bits, 0)
        if hub is not None and np.any(center[1] < 0):
            flipped = Term(builder.add([Term(hub.source, hub.shift, not hub.negate)]))
    made = []
    for j, (row, bias) in enumerate(zip(weights, biases, strict=True)):
        sign = int(center[1][j]) if center is not None else 0
        rest = row - sign * center[0] if center is not None else row
        base = hub if sign > 0 else flipped if sign < 0 else None
        made.append(maker.row(base, _weighted(rest, inputs, first), int(bias)))
    return made


def _first_bits(inputs: Sequence[IntType]) -> list[int]:
    """The source of the lowest bit of every input."""
    return [int(k) for k in np.cumsum([0, *[t.width for t in inputs]])[:-1]]


def _weighted(
    row: Matrix, inputs: Sequence[IntType], first: Sequence[int]
) -> list[tuple[int, int]]:
    """The bits that a row needs and what each is worth in it."""
    found = []
    for k in map(int, np.flatnonzero(row)):
        dtype = inputs[k]
        for bit in range(dtype.width):
            sign = -1 if dtype.signed and bit == dtype.width - 1 else 1
            found.append((first[k] + bit, sign * int(row[k]) << bit))
    return found
