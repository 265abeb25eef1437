"""Sliding windows, and all else that gives pixels of a ring of rows in another order."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from amaranth.hdl import Cat, Module
from amaranth.lib.wiring import In, Out

from hwgen.families.base import Family, Resources
from hwgen.inttype import IntType
from hwgen.rtl.grid import Grid
from hwgen.rtl.lines import Lines
from hwgen.rtl.ring import Place, Ring, Taps
from hwgen.rtl.sequence import Sequencer
from hwgen.rtl.stream import Unit, raw, signature
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


class WindowUnit(Unit):
    """Gives ``grid.pixels`` whole windows in every step, side by side in a row.

    Positions beyond the border give ``pad``, others ``gain·x + shift``. A window is ordered by
    group, row, column, channel in the group. Throughput: a step per cycle. Latency: ``depth``
    cycles after the last beat that a step's windows read.

    Members:
        i: In(stream of ``grid.beat`` pixels of ``channels`` elements of ``dtype``)
        o: Out(stream of windows of ``output``)
    """

    def __init__(
        self,
        grid: Grid,
        dtype: IntType,
        channels: int,
        *,
        groups: int = 1,
        pad: int = 0,
        gain: int = 1,
        shift: int = 0,
        memory: Place = "lut",
        bordered: bool = True,
    ) -> None:
        taps = Taps(dtype=dtype, pad=pad, gain=gain, shift=shift)
        self.grid, self.channels, self.groups = grid, channels, groups
        self.lines = Lines(grid, taps, channels, memory, bordered=bordered)
        self.output = self.lines.kind
        lanes = grid.pixels * channels * grid.rows.taps * grid.columns.taps
        super().__init__(
            {
                "i": In(signature(dtype, grid.beat * channels)),
                "o": Out(signature(self.output, lanes)),
            }
        )

    @cached_property
    def timing(self) -> Timing:  # type: ignore[override]
        return self.grid.timing(self.lines.depth)

    def resources(self, family: Family) -> Resources:
        return self.lines.resources(family)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        seq = Sequencer(loops=(), depth=self.lines.depth)
        share = self.channels // self.groups
        parts = [
            tap[group * share : (group + 1) * share]
            for window in self.lines.build(m, seq, self.i)
            for group in range(self.groups)
            for tap in window
        ]
        m.d.comb += raw(self.o.payload).eq(Cat(*(x for part in parts for x in part)))
        m.d.comb += [self.o.valid.eq(seq.o_valid), seq.o_ready.eq(self.o.ready)]
        return m
