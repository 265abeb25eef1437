"""Credits: units in a row that never wait, between a gate and a queue that has room for all."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from hwgen.families.base import Family, Resources
from hwgen.inttype import IntType
from hwgen.rtl.fifo import Fifo
from hwgen.rtl.stream import Unit, raw, signature
from hwgen.rtl.timing import CREDIT, Timing


class CreditGate(Unit):
    """Lets a beat through while fewer than ``credits`` are between it and the end of a
    ``CreditQueue`` behind it, which tells it of every beat that leaves.

    What stands between the two needs no enable: whatever comes out of it is taken. Throughput: one
    beat per cycle where there are three more credits than the cycles between the two. Latency: 0.
    No path from ready to ready; ready is a register where the credits are a power of two.

    Members:
        i: In(stream of ``lanes`` elements of ``dtype``)
        o: Out(stream of the same), whose ready is not looked at.
        returned: In(1), a beat left the queue.
    """

    def __init__(self, dtype: IntType, lanes: int, credits: int) -> None:
        if credits < 1:
            raise ValueError(f"credits must be at least 1, not {credits}")
        self.dtype, self.lanes, self.credits = dtype, lanes, credits
        self.timing = Timing.queue(CREDIT, credits)
        stream = signature(dtype, lanes)
        super().__init__({"i": In(stream), "o": Out(stream), "returned": In(1)})

    def resources(self, family: Family) -> Resources:
        """A count up and down."""
        width = self.credits.bit_length()
        return Resources(lut=1.4 * width + 3, ff=width)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        inside = Signal(range(self.credits + 1))
        whole = self.credits & (self.credits - 1) == 0
        full = inside[-1] if whole else inside == self.credits
        put = Signal()
        m.d.comb += [
            self.i.ready.eq(~full),
            put.eq(self.i.valid & self.i.ready),
            self.o.valid.eq(put),
            raw(self.o.payload).eq(raw(self.i.payload)),
        ]
        with m.If(put != self.returned):
            m.d.sync += inside.eq(inside + Mux(self.returned, -1, 1))
        return m


class CreditQueue(Unit):
    """A ``Fifo`` in LUT RAM with a register behind it that is always ready: a ``CreditGate`` of no
    more credits than its depth is in front of it.

    Members:
        i: In(stream of ``lanes`` elements of ``dtype``)
        o: Out(stream of the same)
        left: Out(1), a beat left.
    """

    def __init__(self, dtype: IntType, lanes: int, depth: int) -> None:
        self.fifo = Fifo(dtype, lanes, depth, "registered")
        self.timing = self.fifo.timing
        stream = signature(dtype, lanes)
        super().__init__({"i": In(stream), "o": Out(stream), "left": Out(1)})

    def resources(self, family: Family) -> Resources:
        """Those of the queue."""
        return self.fifo.resources(family)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.fifo = fifo = self.fifo
        m.d.comb += [
            self.i.ready.eq(1),
            fifo.i.valid.eq(self.i.valid),
            raw(fifo.i.payload).eq(raw(self.i.payload)),
            self.o.valid.eq(fifo.o.valid),
            raw(self.o.payload).eq(raw(fifo.o.payload)),
            fifo.o.ready.eq(self.o.ready),
            self.left.eq(self.o.valid & self.o.ready),
        ]
        return m
