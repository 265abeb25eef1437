"""Sliding windows, and all else that gives pixels of a ring of rows in another order."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from amaranth.hdl import Module, Mux
from amaranth.lib.wiring import In, Out

from hwgen.families.base import Family, Resources
from hwgen.inttype import IntType
from hwgen.rtl.ring import Place, Ring
from hwgen.rtl.stream import Unit, signature
from hwgen.rtl.timing import Timing
from hwgen.rtl.walk import Walk


class WalkUnit(Unit):
    """Gives the beats of a walk; positions beyond the border give ``pad`` in every lane.

    A beat inside is given as ``gain·x + shift``. Throughput: one beat per cycle. Latency: one cycle
    after the beat that is read is written.

    Members:
        i: In(stream of ``lanes`` elements of ``dtype``)
        o: Out(stream of as many of ``output``)
    """

    def __init__(
        self,
        walk: Walk,
        dtype: IntType,
        lanes: int,
        *,
        pad: int = 0,
        gain: int = 1,
        shift: int = 0,
        memory: Place = "lut",
    ) -> None:
        self.walk, self.pad, self.gain, self.shift = walk, pad, gain, shift
        self.ring = Ring(walk, dtype, lanes, memory, 1)
        ends = [gain * n + shift for n in (dtype.lo, dtype.hi)]
        if any(walk.bounded):
            ends.append(pad)
        self.output = IntType(min(ends), max(ends))
        super().__init__(
            {"i": In(signature(dtype, lanes)), "o": Out(signature(self.output, lanes))}
        )

    @cached_property
    def timing(self) -> Timing:  # type: ignore[override]
        return self.ring.timing(np.ones(self.walk.steps, bool))

    def resources(self, family: Family) -> Resources:
        """The ring, and a gate per bit where there is a border."""
        bits = self.output.width * self.ring.lanes
        gates = bits if any(self.walk.bounded) and (self.pad or self.ring.memory == "block") else 0
        if self.gain != 1:
            gates = bits
        return self.ring.resources(family) + Resources(lut=gates)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        seq = self.ring.sequencer()
        data, outside = self.ring.build(m, seq, self.i, 1)
        self.ring.join(m, seq, self.o)
        for lane, x in enumerate(self.ring.elements(data)):
            value = x if (self.gain, self.shift) == (1, 0) else x * self.gain + self.shift
            m.d.comb += self.o.payload[lane].eq(Mux(outside, self.pad, value))
        return m
