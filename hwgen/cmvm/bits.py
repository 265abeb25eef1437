"""The optimiser for inputs of one to three bits: their bits go straight into the adders' LUTs.

A row is a few chains. Each link adds a function of five bits, formed in the chain's own LUTs, and
one more bit at its carry input: about half a LUT per bit of input. Chains run side by side as far
as the depth bound asks for, and are joined by adders. What a function adds to stay positive is
taken back by the last one. Three bits that several rows add together come as the two bits of
their sum instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, log

import numpy as np

from hwgen.cmvm.assemble import add_up, digits
from hwgen.cmvm.center import Matrix, find_centers
from hwgen.cmvm.counts import CountMaker
from hwgen.cmvm.graph import Builder, Term
from hwgen.cmvm.links import Item, Link, filled, links, offsets
from hwgen.cmvm.pairs import with_pairs
from hwgen.cmvm.triples import LEAST, Shared, one_signed, with_triples
from hwgen.families.base import Family
from hwgen.inttype import IntType

WIDEST = 3
"""Inputs of more bits than this are cheaper as operands of carry chains."""


def suits(inputs: Sequence[IntType], weights: Matrix, family: Family) -> bool:
    """Whether all inputs are narrow, use their whole width, and the family has such chains."""
    if family.chain_pack:
        return all(t == IntType(0, 1) for t in inputs) and bool(np.all(np.abs(weights) <= 1))
    return family.instantiate == "xilinx" and all(
        t.width <= WIDEST and t == IntType.bits(t.width, t.signed) for t in inputs
    )


def _deal(items: Sequence[Item], counts: Sequence[int]) -> list[list[Item]]:
    """The items to chains of so many bits, each with its share of every weight."""
    hands: list[list[Item]] = [[] for _ in counts]
    held = [0] * len(counts)
    for item in sorted(items, key=lambda i: (i.most, i.weight, i.source)):
        shares = [1 - h / c if c else 0.0 for h, c in zip(held, counts, strict=True)]
        chosen = shares.index(max(shares))
        hands[chosen].append(item)
        held[chosen] += item.width
    return hands


class RowMaker:
    """Builds rows of weighted bits within a depth bound."""

    def __init__(self, builder: Builder, family: Family, depth: int) -> None:
        self.builder, self.family, self.depth = builder, family, depth
        self.table = family.lut_inputs - 1

    def row(self, base: Term | None, items: Sequence[Item], bias: int) -> Term | None:
        """``base + Σ weight · source + bias`` as a term, None where all of it is zero."""
        if base is None and not items:
            return None
        level = self.builder.level[base.source] if base is not None else 0
        if base is not None and (base.negate or base.shift):
            base, level = Term(self._plain(base)), level + 1
        bits = sum(item.width for item in items)
        late = int(any(item.most > 1 for item in items))  # chains of their own wait for sums
        counts = self._chains(bits, level if base is not None else None, late)
        parts: list[Term] = []
        for k, mine in reversed(list(enumerate(_deal(items, counts)))):
            if mine or (base is not None and k == 0):
                part = self._chain(base if k == 0 else None, mine, None if k else bias)
                parts.append(part[0])
                bias -= part[1]
        return add_up(self.builder, parts, bias, self.family, self.depth)

    def _plain(self, base: Term) -> int:
        return self.builder.add([base])

    def _chains(self, bits: int, level: int | None, late: int) -> list[int]:
        """How many bits each chain takes, the one on the base first; as few as depth allows.

        Chains that begin with no base begin ``late`` levels after the inputs.
        """
        step = self.table + 1
        for chains in range(1, max(bits, 1) + 1):
            joins = ceil(log(chains, self.family.adder_operands) - 1e-9) if chains > 1 else 0
            free = self.depth - joins
            first = step * (free - late if level is None else max(free - level, 0))
            if first + (chains - 1) * step * (free - late) >= bits:
                rest, more = bits - min(first, bits), chains - 1
                return [min(first, bits), *((rest + k) // more for k in range(more))]
        return [bits]

    def _chain(
        self, base: Term | None, items: Sequence[Item], bias: int | None
    ) -> tuple[Term, int]:
        """The sum and the constant that it holds too; exactly ``bias`` if that is given."""
        if not items:
            assert base is not None
            return base, 0
        start: list[Item] = []
        if base is None:
            wide = any(item.most > 1 for item in items)  # then two outputs of a LUT are of use
            ordered = sorted(items, key=lambda i: (-i.width, i.weight > 0))
            start, items = filled(ordered, self.table if wide else self.table + 1)
        chain = ([Link(tuple(start), -1)] if start else []) + links(items, self.table)
        want = sum(-link.least for link in chain) if bias is None else bias
        last = chain[-1]
        constants = offsets(chain, want)
        if last.carry >= 0 and constants[-1] % last.unit:
            # the carry input is at the constant's lowest bit
            chain[-1:] = [Link(last.items, -1), Link((Item(last.carry, last.unit),), -1)]
            constants = offsets(chain, want)
        total = base
        for link, offset in zip(chain, constants, strict=True):
            terms = [
                Term(item.source, shift, negate)
                for item in link.items
                for shift, negate in digits(item.weight)
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
    family: Family, depth: int, seed: int, *, share: bool = False,
) -> list[Term | None]:  # fmt: skip
    """``weights · inputs + biases`` row by row; ``builder`` is split into bits.

    With ``share``, rows of bits that they add with one sign share sums of three of them.
    """
    center = next(iter(find_centers(weights, np.random.default_rng(seed), 8)), None)
    counts = family.chain_pack > 0
    maker = CountMaker(builder, family) if counts else RowMaker(builder, family, depth)
    first, hub, flipped = _first_bits(inputs), None, None
    signs: Matrix = np.zeros(len(weights), np.int64)
    rest = weights
    if center is not None:
        signs = center[1]
        rest = weights - signs[:, None] * center[0]
        items = _weighted(center[0], inputs, first)
        shallow = RowMaker(builder, family, 2 + ceil(log(max(len(items) / 12, 1), 3)))
        hub = (maker if counts else shallow).row(None, items, 0)
        if hub is not None and np.any(signs < 0):
            flipped = Term(builder.add([Term(hub.source, hub.shift, not hub.negate)]))
    sums = [Shared()] * len(weights)
    if share and (found := one_signed(rest)) is not None:
        rest, sums = with_triples(builder, rest, *found, least=2 if counts else LEAST)
        if counts:
            rest, sums = with_pairs(builder, rest, sums, *found)
    made = []
    for row, sign, bias, shared in zip(rest, signs, biases, sums, strict=True):
        base = hub if sign > 0 else flipped if sign < 0 else None
        items = [*_weighted(row, inputs, first), *shared.items]
        made.append(maker.row(base, items, int(bias) + shared.constant))
    return made


def _first_bits(inputs: Sequence[IntType]) -> list[int]:
    """The source of the lowest bit of every input."""
    return [int(k) for k in np.cumsum([0, *[t.width for t in inputs]])[:-1]]


def _weighted(row: Matrix, inputs: Sequence[IntType], first: Sequence[int]) -> list[Item]:
    """The bits that a row needs and what each is worth in it."""
    found = []
    for k in map(int, np.flatnonzero(row)):
        dtype = inputs[k]
        for bit in range(dtype.width):
            sign = -1 if dtype.signed and bit == dtype.width - 1 else 1
            found.append(Item(first[k] + bit, sign * int(row[k]) << bit))
    return found
