"""Sliding windows, and all else that gives pixels of a ring of rows in another order."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from amaranth.hdl import Module
from amaranth.lib.wiring import In, Out

from hwgen.families.base import Family, Resources
from hwgen.inttype import IntType
from hwgen.rtl.ring import Place, Ring, Taps
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
        taps = Taps(dtype=dtype, pad=pad, gain=gain, shift=shift)
        self.walk, self.ring = walk, Ring(walk, taps, lanes, memory, 1)
        self.output = self.ring.kind
        super().__init__(
            {"i": In(signature(dtype, lanes)), "o": Out(signature(self.output, lanes))}
        )

    @cached_property
    def timing(self) -> Timing:  # type: ignore[override]
        return self.ring.timing(np.ones(self.walk.steps, bool))

    def resources(self, family: Family) -> Resources:
        return self.ring.resources(family)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        seq = self.ring.sequencer()
        for lane, tap in enumerate(self.ring.build(m, seq, self.i, 1)):
            m.d.comb += self.o.payload[lane].eq(tap)
        self.ring.join(m, seq, self.o)
        return m
