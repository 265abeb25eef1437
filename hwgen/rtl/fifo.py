"""First in, first out, in LUT RAM or block RAM."""

from __future__ import annotations

from typing import Literal

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hwgen.families.base import Family, Resources
from hwgen.inttype import IntType
from hwgen.rtl.memory import style
from hwgen.rtl.sequence import count, count_price
from hwgen.rtl.stream import Unit, raw, signature
from hwgen.rtl.timing import BUFFER, QUEUE, Timing

BLOCK_BITS = 4096
"""Above so many bits ``auto`` takes block RAM, if it is also deeper than 64."""


class Fifo(Unit):
    """A queue of ``depth`` beats; it accepts a beat whenever it is not full.

    Throughput: one beat per cycle where ``depth`` is at least 2. Latency: 1 cycle in LUT RAM, 2 in
    block RAM and in LUT RAM behind which is a register (``registered``): it holds one beat more. No
    path from ready to ready.

    Members:
        i: In(stream of ``lanes`` elements of ``dtype``)
        o: Out(stream of the same)
    """

    def __init__(
        self,
        dtype: IntType,
        lanes: int,
        depth: int,
        memory: Literal["auto", "lut", "block", "registered"] = "auto",
    ) -> None:
        if depth < 1:
            raise ValueError(f"depth must be at least 1, not {depth}")
        self.dtype, self.lanes, self.depth = dtype, lanes, depth
        bits = dtype.width * lanes
        large = depth > 64 and depth * bits > BLOCK_BITS
        self.memory = ("block" if large else "lut") if memory == "auto" else memory
        self.timing = Timing.queue(QUEUE if self.memory == "lut" else BUFFER, depth)
        super().__init__({"i": In(signature(dtype, lanes)), "o": Out(signature(dtype, lanes))})

    @property
    def bits(self) -> int:
        """All that it holds."""
        return self.depth * self.dtype.width * self.lanes

    def resources(self, family: Family) -> Resources:
        """The memory, two pointers and a level."""
        bits = self.dtype.width * self.lanes
        address = max(self.depth - 1, 1).bit_length()
        level = self.depth.bit_length()
        pointers = 2 * count_price(self.depth, family)
        control = Resources(lut=pointers + 1.4 * level + 4, ff=2 * address + level)
        if self.memory == "block":
            return control + Resources(lut=2, ff=1, bram36=family.block_rom(self.depth, bits))
        held = Resources(lut=2, ff=1 + bits) if self.memory == "registered" else Resources()
        return control + held + Resources(lut=family.lutram(self.depth, bits))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bits = len(raw(self.i.payload))
        m.submodules.memory = memory = Memory(
            shape=bits,
            depth=self.depth,
            init=[],
            attrs=style("block" if self.memory == "block" else "lut"),
        )
        write = memory.write_port()
        read = memory.read_port(domain="comb" if self.memory == "lut" else "sync")
        level = Signal(range(self.depth + 1))
        put, get = Signal(), Signal()
        m.d.comb += [
            self.i.ready.eq(level != self.depth),
            put.eq(self.i.valid & self.i.ready),
            write.data.eq(raw(self.i.payload)),
            write.en.eq(put),
            raw(self.o.payload).eq(read.data),
        ]
        if self.memory == "lut":
            m.d.comb += [self.o.valid.eq(level != 0), get.eq(self.o.valid & self.o.ready)]
        else:
            m.d.comb += [get.eq((level != 0) & (~self.o.valid | self.o.ready)), read.en.eq(get)]
            with m.If(~self.o.valid | self.o.ready):
                m.d.sync += self.o.valid.eq(level != 0)
        with m.If(put != get):
            m.d.sync += level.eq(level + Mux(get, -1, 1))
        for pointer, moved in ((write.addr, put), (read.addr, get)):
            place = Signal(range(max(self.depth, 2)))
            m.d.comb += pointer.eq(place)
            count(m, place, moved, self.depth)
        return m
