"""Which cell of the fabric computes a node, what it costs and how long it takes.

wire    shifts and sign extension only
table   any function of a LUT's inputs, one LUT per bit of the sum that varies, or per two where
        LUTs have two outputs and need one input less
add2    a carry chain over two operands, one of which may be negated
packed  two unsigned operands, and a bit at the carry input, on a chain that adds others as well: a
        position between two sums ends one and takes the carry input of the next
add3    a carry chain over three operands (or two negated ones)
absorb  a carry chain over one operand and a function of up to five bits, formed in the LUTs of
        the chain itself; one more bit goes into the carry input
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from hwgen.families.base import Family
from hwgen.inttype import IntType

Kind = Literal["wire", "table", "add2", "packed", "add3", "absorb"]
FAR = 1 << 20
PACKED_ENDS = 1.5
"""LUTs that a chain of several sums has beside theirs: its first carry input, half a last cell."""


@dataclass(frozen=True, slots=True)
class Operand:
    """A term as its cell sees it: the value's range, its shift, its sign and its source."""

    type: IntType
    shift: int
    negate: bool
    source: int = -1

    @property
    def top(self) -> int:
        """One past the highest bit position that is not always 0; far up where a sign extends."""
        plain = not self.negate and not self.type.signed
        return self.shift + self.type.width if plain else FAR


@dataclass(frozen=True, slots=True)
class Cell:
    """``kind`` of cell over bit positions ``start … width-1``; lower bits are wires.

    ``lut`` is what yosys counts for it, ``ns`` the delay through it from routed operands. An
    ``add3`` has LUTs of its own below position ``live``. Of an ``absorb``, ``wide`` is the index
    of the chain's own operand; ``carry`` is that of the carry input, -1 for none.
    """

    kind: Kind
    start: int
    width: int
    lut: float
    ns: float
    live: int = 0
    wide: int = -1
    carry: int = -1


def cell(operands: Sequence[Operand], bias: int, dtype: IntType, family: Family) -> Cell:
    """The cheapest cell of ``family`` for ``Σ operands + bias``, whose values are ``dtype``.

    Raises:
        ValueError: no single cell of the family adds that.
    """
    width = dtype.width
    if not operands or (len(operands) == 1 and not operands[0].negate and not bias):
        return Cell("wire", width, width, 0.0, 0.0)
    found = [
        made
        for made in (
            _table(operands, bias, width, family),
            _chain(operands, bias, width, family),
            _packed(operands, bias, width, family),
            _absorb(operands, bias, width, family),
        )
        if made is not None
    ]
    if not found:
        raise ValueError(f"no cell of {family.name} adds {len(operands)} operands")
    return min(found, key=lambda c: (c.lut, c.ns))


def sums(operands: Sequence[Operand], bias: int) -> tuple[int, ...]:
    """``Σ operands + bias`` for every pattern of the sources' bits, the first source lowest."""
    factors: dict[int, int] = {}
    types: dict[int, IntType] = {}
    for o in operands:
        factor = -(1 << o.shift) if o.negate else 1 << o.shift
        factors[o.source] = factors.get(o.source, 0) + factor
        types[o.source] = o.type
    key = tuple((factors[s], types[s].width, types[s].signed) for s in sorted(factors))
    return _sums(key, bias)


@lru_cache(maxsize=4096)
def _sums(key: tuple[tuple[int, int, bool], ...], bias: int) -> tuple[int, ...]:
    values = [bias]
    for factor, width, signed in key:
        fields = range(1 << width)
        codes = [f - (1 << width) if signed and f >> (width - 1) else f for f in fields]
        values = [value + factor * code for code in codes for value in values]
    return tuple(values)


def varying(values: Sequence[int], start: int, width: int) -> int:
    """How many of the bit positions ``start … width-1`` differ among ``values``."""
    changes = 0
    for value in values:
        changes |= value ^ values[0]
    return ((changes & ((1 << width) - 1)) >> start).bit_count()


def _bits(operands: Sequence[Operand]) -> int:
    return sum({o.source: o.type.width for o in operands}.values())


def _table(operands: Sequence[Operand], bias: int, width: int, family: Family) -> Cell | None:
    if _bits(operands) > family.lut_inputs or any(o.source < 0 for o in operands):
        return None
    values = sums(operands, bias)
    pair = 2 if family.instantiate == "xilinx" and _bits(operands) < family.lut_inputs else 1
    luts = sum(min(varying(values, k, min(k + pair, width)), 1) for k in range(0, width, pair))
    return Cell("table", 0, width, float(luts), family.net_ns + family.lut_ns)


def _absorb(operands: Sequence[Operand], bias: int, width: int, family: Family) -> Cell | None:
    """The chain over the widest operand, everything else in its LUTs and its carry input."""
    if family.instantiate != "xilinx" or any(o.source < 0 for o in operands):
        return None
    wide = max(range(len(operands)), key=lambda k: (operands[k].type.width, operands[k].shift))
    rest = [k for k in range(len(operands)) if k != wide]
    if operands[wide].negate or not rest:
        return None
    start = min(operands[k].shift for k in rest)
    if bias:
        start = min(start, (bias & -bias).bit_length() - 1)
    carry = -1
    if _bits([operands[k] for k in rest]) > family.lut_inputs - 1:
        ones = [k for k in rest if operands[k].type == IntType(0, 1) and not operands[k].negate
                and operands[k].shift == start]  # fmt: skip
        without = {one: [k for k in rest if k != one] for one in ones}
        fit = [
            one
            for one, others in without.items()
            if _bits([operands[k] for k in others]) <= family.lut_inputs - 1
        ]
        if not fit:
            return None
        carry = fit[-1]  # a bit of several digits stays in the table as long as one of them does
        rest = without[carry]
    luts = varying(sums([operands[k] for k in rest], bias), start, width)
    ns = family.adder_ns(width - start)
    return Cell("absorb", start, width, float(luts), ns, wide=wide, carry=carry)


def _chain(operands: Sequence[Operand], bias: int, width: int, family: Family) -> Cell | None:
    """The carry chain that adds the operands, None if there is none."""
    count = len(operands) + (1 if bias else 0)
    negative = sum(o.negate for o in operands)
    if count > 3 or (count == 3 and negative == 3):
        return None
    start = wires_below(operands, bias)
    ns = family.adder_ns(width - start, min(max(count, 2), 3))
    if count == 3 or negative == 2:
        if family.adder_operands < 3:
            luts = 2.0 * _whole(width - start, family)
            return Cell("add3", start, width, luts, ns, live=width - start)
        return _add3(operands, bias, start, width, ns)
    if len(operands) == 1:
        return Cell("add2", start, width, family.adder(width - start, constant=True), ns)
    return Cell("add2", start, width, _add2_luts(operands, start, width, family), ns)


def _packed(operands: Sequence[Operand], bias: int, width: int, family: Family) -> Cell | None:
    """Two unsigned operands and a bit at the carry input, on a chain with others."""
    if bias or not family.chain_pack or any(o.negate or o.type.signed for o in operands):
        return None
    choices = [-1] if len(operands) == 2 else range(len(operands)) if len(operands) == 3 else []
    for carry in choices:
        words = [o for k, o in enumerate(operands) if k != carry]
        start = wires_below(words, 0)
        bit = operands[carry]
        if start < width and (carry < 0 or (bit.type == IntType(0, 1) and bit.shift == start)):
            luts = (width - start) * (1 + PACKED_ENDS / family.chain_pack)
            return Cell("packed", start, width, luts, family.adder_ns(family.chain_pack),
                        carry=carry)  # fmt: skip
    return None


def _add3(operands: Sequence[Operand], bias: int, start: int, width: int, ns: float) -> Cell:
    """Above the second-longest operand the chain only passes the longest one on."""
    tops = [o.top for o in operands]
    if bias:
        tops.append(bias.bit_length() if bias > 0 else FAR)
    tops = sorted([*tops, 0, 0])[-3:]
    if len(operands) == 2 and not bias:
        tops = [FAR, FAR, FAR]
    live = max(min(tops[1], width), start + 1)
    luts = live - start + (1 if live < min(tops[2], width) else 0)
    return Cell("add3", start, width, float(luts), ns, live=live - start)


def wires_below(operands: Sequence[Operand], bias: int) -> int:
    """The first bit position that needs an adder: below it at most one plain operand has bits."""
    shifts = sorted(o.shift for o in operands)
    low = min(operands, key=lambda o: (o.shift, o.negate))
    second = shifts[1] if len(shifts) > 1 else 1 << 30
    if bias:
        second = min(second, (bias & -bias).bit_length() - 1)
    if second <= shifts[0]:
        return second
    return shifts[0] if low.negate else second


def _add2_luts(operands: Sequence[Operand], start: int, width: int, family: Family) -> float:
    """LUTs of a two-operand chain: equal bits of sign extension share one, zeros need none."""
    if not family.chain_passes:
        return _whole(width - start, family)
    a, b = (replace(o, negate=False) for o in operands)
    top = max(o.shift + o.type.width for o in (a, b))
    end = min(min(a.top, b.top), top, width)
    return float(max(0, end - max(start, a.shift, b.shift)))


def _whole(bits: int, family: Family) -> float:
    """LUTs of a chain of that many bits, in whole cells of the family's."""
    return float(-(-bits // family.chain_step) * family.chain_step)
