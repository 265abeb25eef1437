"""Which cell of the fabric computes a node, what it costs and how long it takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from hwgen.families.base import Family
from hwgen.inttype import IntType

Kind = Literal["wire", "table", "add2", "add3"]


@dataclass(frozen=True, slots=True)
class Operand:
    """A term as its cell sees it: the value's range, its shift, its sign and its source."""

    type: IntType
    shift: int
    negate: bool
    source: int = -1

    @property
    def top(self) -> int:
        """One past the highest bit position before sign extension."""
        return self.shift + self.type.width


@dataclass(frozen=True, slots=True)
class Cell:
    """``kind`` of cell over bit positions ``start … width-1``; lower bits are wires.

    ``lut`` is what yosys counts for it, ``ns`` the delay through it from routed operands.
    """

    kind: Kind
    start: int
    width: int
    lut: float
    ns: float


def cell(operands: Sequence[Operand], bias: int, dtype: IntType, family: Family) -> Cell:
    """The cheapest cell of ``family`` for ``Σ operands + bias``, whose values are ``dtype``.

    Raises:
        ValueError: no single cell of the family adds that many operands.
    """
    width = dtype.width
    bits = {(o.source, b) for o in operands for b in range(o.type.width)}
    as_table = len(bits) <= family.lut_inputs and all(o.source >= 0 for o in operands)
    lut_ns = family.net_ns + family.lut_ns
    table = Cell("table", 0, width, float(width), lut_ns) if as_table else None
    if not operands:
        return Cell("wire", width, width, 0.0, 0.0)
    if len(operands) == 1 and not operands[0].negate and not bias:
        return Cell("wire", width, width, 0.0, 0.0)
    chain = _chain(operands, bias, width, family)
    if table is not None and (chain is None or table.lut <= chain.lut):
        return table
    if chain is None:
        raise ValueError(f"no cell of {family.name} adds {len(operands)} operands")
    return chain


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
            return Cell("add3", start, width, 2 * (width - start + family.adder_extra), ns)
        return Cell("add3", start, width, float(width - start), ns)
    if len(operands) == 1:
        return Cell("add2", start, width, family.adder(width - start, constant=True), ns)
    return Cell("add2", start, width, _add2_luts(operands, start, width, family), ns)


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
    if family.adder_extra:
        return width - start + family.adder_extra
    a, b = operands
    top = max(a.top, b.top)
    count = 0
    for position in range(start, min(width, top)):
        has_a = position < a.top or a.type.signed
        has_b = position < b.top or b.type.signed
        alone = has_a != has_b
        low_only = position < max(a.shift, b.shift)
        count += 0 if alone or low_only else 1
    return float(count)
