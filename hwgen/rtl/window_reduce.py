"""Whole windows in every step, reduced to one element per channel."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib.wiring import In, Out

from hwgen.families.base import Family, Resources
from hwgen.inttype import IntType
from hwgen.rtl.adder_graph import Datapath
from hwgen.rtl.grid import Grid
from hwgen.rtl.lines import Lines
from hwgen.rtl.reduce import Reduction, joined, joined_levels, joined_price
from hwgen.rtl.ring import Place, Taps, inverted
from hwgen.rtl.sequence import Sequencer
from hwgen.rtl.stream import Unit, element, layout, raw, signature
from hwgen.rtl.timing import Timing


class WindowReduceUnit(Unit):
    """The largest or the sum of every channel's taps, of ``grid.pixels`` windows in a step; or
    what ``datapath`` makes of them.

    Throughput: a step per cycle. Latency: ``depth`` cycles after the last beat that a step reads.

    Members:
        i: In(stream of ``grid.beat`` pixels of ``channels`` elements of ``taps.dtype``)
        o: Out(stream of ``grid.pixels`` pixels of as many of ``output``)
    """

    def __init__(
        self,
        grid: Grid,
        taps: Taps,
        channels: int,
        reduction: Reduction,
        output: IntType,
        *,
        flip: Sequence[bool] = (False,),
        memory: Place = "lut",
        bordered: bool = True,
        datapath: Datapath | None = None,
    ) -> None:
        """``flip`` inverts elements before and after, by channel, so that ``max`` gives the
        smallest. A ``datapath`` takes a window as ``WindowUnit`` gives it."""
        self.grid, self.channels, self.output = grid, channels, output
        self.reduction, self.flip = reduction, tuple(flip)
        self.lines = Lines(grid, taps, channels, memory, bordered=bordered, flip=flip)
        self.taps = grid.rows.taps * grid.columns.taps
        self.datapath = datapath
        levels = datapath.design.stages if datapath else joined_levels(self.taps)
        self.depth = self.lines.depth + levels
        super().__init__(
            {
                "i": In(signature(taps.dtype, grid.beat * channels)),
                "o": Out(signature(output, grid.pixels * channels)),
            }
        )

    @cached_property
    def timing(self) -> Timing:  # type: ignore[override]
        return self.grid.timing(self.depth)

    def path_ns(self, family: Family) -> float:
        return self.datapath.design.delay_ns(family) if self.datapath else super().path_ns(family)

    def verilog_files(self, *, structural: bool = True) -> dict[str, str]:
        """See ``Datapath.files``."""
        return self.datapath.files(structural=structural) if self.datapath else {}

    def resources(self, family: Family) -> Resources:
        """The lines, and a tree for every element that is given."""
        ends = Resources(ff=self.depth - self.lines.depth)
        if self.datapath:
            one = self.datapath.design.resources(family)
            return self.lines.resources(family) + ends + one.scaled(self.grid.pixels)
        tree = joined_price(self.taps, self.lines.kind.width, self.reduction, family)
        lanes = self.grid.pixels * self.channels
        return self.lines.resources(family) + ends + tree.scaled(lanes)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        seq = Sequencer(loops=(), depth=self.depth)
        for place, window in enumerate(self.lines.build(m, seq, self.i)):
            if self.datapath:
                self._graph(m, seq, window, place)
                continue
            for channel in range(self.channels):
                flag = Const(int(self.flip[channel % len(self.flip)]), 1)
                row = []
                for k, tap in enumerate(window):
                    x = Signal(element(self.lines.kind), name=f"tap_{place}_{channel}_{k}")
                    m.d.comb += x.eq(tap[channel])
                    row.append(inverted(x, flag))
                found = inverted(joined(m, seq, row, self.reduction), flag)
                m.d.comb += self.o.payload[place * self.channels + channel].eq(found)
        m.d.comb += [self.o.valid.eq(seq.o_valid), seq.o_ready.eq(self.o.ready)]
        return m

    def _graph(self, m: Module, seq: Sequencer, window: list[list[Value]], at: int) -> None:
        assert self.datapath is not None
        x = Signal(layout(self.lines.kind, self.taps * self.channels), name=f"x_{at}")
        y = Signal(layout(self.output, self.channels), name=f"y_{at}")
        bits = len(raw(y))
        m.d.comb += raw(x).eq(Cat(*(v for tap in window for v in tap)))
        m.d.comb += raw(self.o.payload)[at * bits : (at + 1) * bits].eq(raw(y))
        self.datapath.place(m, seq.ce, x, y, name=f"datapath_{at}")
