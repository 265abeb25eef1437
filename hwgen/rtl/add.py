"""The sum of two streams, element by element, each times a constant."""

from __future__ import annotations

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import In, Out

from hwgen.families.base import Family, Resources
from hwgen.inttype import IntType
from hwgen.rtl.sequence import Sequencer, price
from hwgen.rtl.stream import Unit, element, signature
from hwgen.rtl.timing import Timing


class AddUnit(Unit):
    """``o = factors[0]·i0 + factors[1]·i1`` in every lane.

    Throughput: one beat per cycle. Latency: one cycle.

    Members:
        i0, i1: In(stream of ``lanes`` elements of ``a`` and of ``b``)
        o: Out(stream of ``lanes`` elements of ``output``)
    """

    def __init__(
        self, a: IntType, b: IntType, factors: tuple[int, int], output: IntType, lanes: int
    ) -> None:
        self.a, self.b, self.factors, self.output, self.lanes = a, b, factors, output, lanes
        self.timing = Timing.each(1, inputs=2)
        super().__init__(
            {
                "i0": In(signature(a, lanes)),
                "i1": In(signature(b, lanes)),
                "o": Out(signature(output, lanes)),
            }
        )

    def resources(self, family: Family) -> Resources:
        """An adder a lane, and one more for every further digit of a factor."""
        width = self.output.width
        digits = sum(max(_digits(f), 1) for f in self.factors)
        lut = sum(family.adder(width) for _ in range(digits - 1))
        lane = Resources(lut=lut, ff=width)
        return lane.scaled(self.lanes) + price((1,), 1, inputs=2)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        seq = Sequencer(loops=(1,), depth=1, inputs=2)
        seq.attach(m, [self.i0, self.i1], self.o, [1, 1], 1)
        p, q = self.factors
        for lane in range(self.lanes):
            total = Signal(element(self.output), name=f"total_{lane}", reset_less=True)
            with m.If(seq.ce):
                m.d.sync += total.eq(self.i0.payload[lane] * p + self.i1.payload[lane] * q)
            m.d.comb += self.o.payload[lane].eq(total)
        return m


def _digits(value: int) -> int:
    """Non-zero digits of the canonical signed form."""
    value = abs(value)
    return (value ^ (3 * value)).bit_count()
