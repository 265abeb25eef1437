"""The sum of two streams, element by element, each times a constant."""

from __future__ import annotations

import numpy as np
from amaranth.hdl import Module, Shape, Signal, Value
from amaranth.lib.wiring import In, Out

from hwgen.families.base import Family, Resources
from hwgen.inttype import IntType
from hwgen.rtl.channels import Channels
from hwgen.rtl.memory import table
from hwgen.rtl.requantize import multiplier_dsps
from hwgen.rtl.sequence import Sequencer, price
from hwgen.rtl.stream import Unit, element, signature
from hwgen.rtl.timing import Timing

OVERLAP = 4
"""Bits beyond an element's own of an adder that adds it to its product so far; measured."""


class AddUnit(Unit):
    """``o = factors[0]·i0 + factors[1]·i1`` in every lane, with factors for each channel.

    Throughput: one beat per cycle. Latency: one cycle; two where a lane's factors take turns: then
    its products are registered.

    Members:
        i0, i1: In(stream of ``lanes`` elements of ``a`` and of ``b``, channel fastest)
        o: Out(stream of ``lanes`` elements of ``output``)
    """

    def __init__(
        self, a: IntType, b: IntType, factors: object, output: IntType, lanes: int
    ) -> None:
        """``factors`` is (2, 1 or channels)."""
        self.a, self.b, self.output, self.lanes = a, b, output, lanes
        self.factors = np.asarray(factors, dtype=np.int64)
        self.channels = Channels(self.factors.shape[1], lanes)
        self.depth = 1 if self.channels.groups == 1 else 2
        self.timing = Timing.each(self.depth, inputs=2)
        super().__init__(
            {
                "i0": In(signature(a, lanes)),
                "i1": In(signature(b, lanes)),
                "o": Out(signature(output, lanes)),
            }
        )

    def resources(self, family: Family) -> Resources:
        """An adder a lane, and one more for every further digit of a factor; a DSP multiplies by
        factors that take turns."""
        total = price((self.channels.groups,), self.depth, inputs=2, family=family)
        for lane in range(self.lanes):
            rows = self.factors[:, self.channels.of_lane(lane)]
            for x, values in zip((self.a, self.b), rows, strict=True):
                total += self._product_price(x, values, family)
            kinds = [_range(values) for values in rows]
            if all(k.lo == k.hi for k in kinds):  # else the sum is the DSPs' own
                zeros = max((k.lo & -k.lo).bit_length() - 1 for k in kinds)
                width = self.output.width
                total += Resources(lut=family.adder(max(width - 1 - zeros, 1)), ff=width)
        return total

    def _product_price(self, x: IntType, values: object, family: Family) -> Resources:
        """Adders for a factor's further digits, or a table of factors and a DSP, which holds the
        product's register."""
        kind = _range(values)
        if kind.lo == kind.hi:
            lut = max(len(_digits(kind.lo)) - 1, 0) * family.adder(x.width + OVERLAP)
            if x.width <= family.lut_inputs:  # a table is smaller than many additions
                lut = min(lut, x.width + kind.width)
            return Resources(lut=lut, ff=(self.depth - 1) * (x.width + kind.width))
        rom = family.rom(self.channels.groups, kind.width)
        return Resources(lut=rom, dsp=multiplier_dsps(x.width, kind.width))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        seq = Sequencer(loops=(self.channels.groups,), depth=self.depth, inputs=2)
        seq.attach(m, [self.i0, self.i1], self.o, [1, 1], 1)
        for lane in range(self.lanes):
            products = [
                self._product(m, seq, port.payload[lane], k, lane)
                for k, port in enumerate((self.i0, self.i1))
            ]
            total = Signal(element(self.output), name=f"total_{lane}", reset_less=True)
            with m.If(seq.ce):
                m.d.sync += total.eq(products[0] + products[1])
            m.d.comb += self.o.payload[lane].eq(total)
        return m

    def _product(self, m: Module, seq: Sequencer, x: Value, which: int, lane: int) -> Value:
        """The element times its channel's factor."""
        values = self.factors[which, self.channels.of_lane(lane)]
        kind = _range(values)
        if kind.lo == kind.hi:
            product = constant_product(x, kind.lo)
            return product if self.depth == 1 else seq.delayed(m, product, 1)
        words = [int(v) % (1 << kind.width) for v in values]
        word = table(m, words, kind.width, seq.index[0], f"factor_{which}_{lane}")
        factor = word.as_signed() if kind.signed else word
        product = Signal(Shape(len(x) + kind.width + 1, True), name=f"product_{which}_{lane}")
        m.d.comb += product.eq(x * factor)
        return seq.delayed(m, product, 1)


def _range(values: object) -> IntType:
    found = np.asarray(values)
    return IntType(int(found.min()), int(found.max()))


def constant_product(x: Value, value: int) -> Value:
    """``value·x`` as additions and subtractions, one per digit of the canonical signed form: a
    multiplication would be made of DSPs."""
    total: Value | None = None
    for place, digit in reversed(_digits(value)):
        term = x << place
        if total is None:
            total = term if digit > 0 else -term
        else:
            total = total + term if digit > 0 else total - term
    return Value.cast(0) if total is None else total


def _digits(value: int) -> list[tuple[int, int]]:
    """``(place, ±1)`` of the non-zero digits of the canonical signed form."""
    found, place = [], 0
    while value:
        if value & 1:
            digit = 2 - (value & 3)
            found.append((place, digit))
            value -= digit
        value >>= 1
        place += 1
    return found
