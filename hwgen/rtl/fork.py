"""One stream to several sinks."""

from __future__ import annotations

from functools import reduce
from operator import and_

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import In, Out

from hwgen.families.base import Family, Resources
from hwgen.inttype import IntType
from hwgen.rtl.stream import Unit, raw, signature


class Fork(Unit):
    """Gives every beat to all of its outputs, each as soon as it is ready for it.

    Throughput: one beat per cycle. Latency: 0; paths from every ``o<k>.ready`` to ``i.ready``.

    Members:
        i: In(stream of ``lanes`` elements of ``dtype``)
        o0, o1, …: Out(stream of the same)
    """

    def __init__(self, dtype: IntType, lanes: int, outputs: int) -> None:
        self.dtype, self.lanes, self.outputs = dtype, lanes, outputs
        ports = {f"o{k}": Out(signature(dtype, lanes)) for k in range(outputs)}
        super().__init__({"i": In(signature(dtype, lanes)), **ports})

    @property
    def ready_signals(self) -> int:
        """Every output's ready, and whether that output has been served."""
        return 2 * self.outputs

    def resources(self, family: Family) -> Resources:
        """A flag per output, independent of the width."""
        return Resources(lut=2 * self.outputs + 1, ff=self.outputs)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        done = Signal(self.outputs)
        outputs = [getattr(self, f"o{k}") for k in range(self.outputs)]
        served = [done[k] | o.ready for k, o in enumerate(outputs)]
        m.d.comb += self.i.ready.eq(reduce(and_, served))
        for k, o in enumerate(outputs):
            m.d.comb += [
                raw(o.payload).eq(raw(self.i.payload)),
                o.valid.eq(self.i.valid & ~done[k]),
            ]
            with m.If(self.i.valid):
                m.d.sync += done[k].eq(served[k] & ~self.i.ready)
        return m
