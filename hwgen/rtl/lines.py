"""Whole windows in every cycle: line buffers, and registers that slide along a row."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib.memory import Memory
from numpy.typing import NDArray

from hwgen.families.base import Family, Resources
from hwgen.inttype import IntType
from hwgen.rtl import sequence
from hwgen.rtl.flags import flag, flag_price
from hwgen.rtl.grid import Grid
from hwgen.rtl.memory import style
from hwgen.rtl.ring import Place, Taps
from hwgen.rtl.sequence import Sequencer
from hwgen.rtl.stream import element, raw

Flags = NDArray[np.bool_]


class Lines:
    """The circuit between a unit's input stream and the elements of a step's windows.

    Every pixel is stored once: the rows above the one that comes in, as many as a window has less
    one, in a memory of ``period`` words, and the columns that the windows of a step read in
    registers, the newest beat with the step itself. Where rows are beyond the border, those
    registers are loaded with the padding; columns are replaced behind them.
    """

    def __init__(
        self,
        grid: Grid,
        taps: Taps,
        channels: int,
        memory: Place,
        *,
        bordered: bool = True,
        flip: Sequence[bool] = (False,),
    ) -> None:
        """``bordered``: elements are of a type that holds the padding. It is inverted in channels
        that ``flip``: their elements will be."""
        self.flip = tuple(flip)
        self.grid, self.taps, self.channels, self.memory = grid, taps, channels, memory
        if not grid.legal:
            raise ValueError(f"beats of {grid.beat} pixels do not divide the image")
        self.kind = taps.kind(bordered)
        self.depth = 1 + self.stages

    @property
    def stages(self) -> int:
        """Registers between the step that is due and the newest columns' registers."""
        return int(self.memory == "block" and self.kept > 0)

    @property
    def kept(self) -> int:
        """Rows in the memory."""
        return self.grid.rows.extent - 1

    def _cut(self, column: int) -> Flags:
        if self.grid.place(column)[0] < 0:
            return np.ones(1, bool)
        return self.grid.beyond(column)

    @cached_property
    def _masks(self) -> dict[int, bytes]:
        """Per column that is beyond the border in some steps, in which."""
        found = {column: self._cut(column) for column in self.grid.needed}
        return {c: f.tobytes() for c, f in found.items() if f.any() and not f.all()}

    @cached_property
    def _chains(self) -> dict[int, int]:
        """Per pixel of a beat that is needed, the registers in a row that hold it."""
        chains: dict[int, int] = {}
        for column in self.grid.needed:
            delay, pixel = self.grid.place(column)
            if delay >= 0 and not self._cut(column).all():
                chains[pixel] = max(chains.get(pixel, 0), delay + 1)
        return chains

    def resources(self, family: Family) -> Resources:
        """Counters and flags, the memory, the columns' registers, and the border behind them."""
        g, pixel = self.grid, self.channels * self.taps.dtype.width
        shown = self._shown * g.rows.taps
        flags = [*g.lines, *(g.above(tap) for tap in range(g.rows.taps))]
        sides = [*g.places, *(np.frombuffer(f, bool) for f in set(self._masks.values()))]
        lut = sum(flag_price(f, family) for f in (*flags, *sides)) + 4 + 3 * self.stages
        lut += sum(sequence.count_price(n, family) for n in (g.period, g.last[0] + 1))
        ff = (g.period - 1).bit_length() + g.last[0].bit_length() + self.depth
        ff += len(set(self._masks.values())) * self.depth
        chains = self._chains
        if self.taps.gain != 1:
            lut += len(chains) * shown
        lut += len(self._masks) * shown
        ff += sum(chains.values()) * shown
        found = sequence.price((), 0, family=family) + Resources(lut=lut, ff=ff)
        return found + self._memory_price(g.beat * pixel, family)

    @property
    def _shown(self) -> int:
        """Bits of a pixel's registers: of codes 0 and 1 those bits that both give alike are one
        for all channels."""
        t, width = self.taps, self.kind.width
        if t.dtype.width > 1 or t.gain == 1:
            return self.channels * width
        codes = [n % (1 << width) for n in (t.shift, t.gain + t.shift, t.pad)]
        own = (codes[0] ^ codes[1]).bit_count()
        return self.channels * own + ((codes[0] ^ codes[2]) & ~(codes[0] ^ codes[1])).bit_count()

    def _memory_price(self, bits: int, family: Family) -> Resources:
        stored = self.kept * bits
        if not stored:
            return Resources()
        if self.grid.period == 1:
            return Resources(ff=stored)
        if not self.stages:
            return Resources(lut=family.lutram(self.grid.period, stored, shared=True))
        ram = family.block_rom(self.grid.period, stored)
        late = (self.grid.period - 1).bit_length() + 2 + self.grid.rows.taps
        return Resources(ff=bits + late, bram36=ram)

    def build(self, m: Module, seq: Sequencer, stream: Any) -> list[list[list[Value]]]:
        """Adds the circuit to ``m`` around ``seq``, which has no loops: per window of a step, per
        tap, the elements of all channels."""
        g = self.grid
        y, c = self._counters(m, seq)
        there, gives, after = (flag(m, y, f, f"line_{k}") for k, f in enumerate(g.lines))
        takes, here, late = (flag(m, c, f, f"place_{k}") for k, f in enumerate(g.places))
        m.submodules.sequence = seq
        m.d.comb += [
            seq.consume.eq(there & takes),
            seq.emit.eq((gives & here) | (after & late)),
            seq.i_valid.eq(stream.valid),
            stream.ready.eq(seq.i_ready),
        ]
        above = [flag(m, y, g.above(tap), f"above_{tap}") for tap in range(g.rows.taps)]
        load = Signal(name="load")
        moved = seq.issue if not self.stages else seq.delayed(m, seq.issue, 1, reset=True) & seq.ce
        m.d.comb += load.eq(moved)
        lines = self._lines(m, seq, stream, load, c, takes)
        outside = [seq.delayed(m, each, self.stages) for each in above]
        columns = self._columns(m, seq, load, lines, outside, c)
        x = g.columns
        return [
            [
                columns[tap][w * x.stride + k * x.dilation]
                for tap in range(g.rows.taps)
                for k in range(x.taps)
            ]
            for w in range(g.pixels)
        ]

    def _counters(self, m: Module, seq: Sequencer) -> tuple[Value, Value]:
        """The row and the beat of the step that is due."""
        (rows, end), period = self.grid.last, self.grid.period
        y = Signal(range(rows + 1), name="y") if rows else Const(0, 1)
        c = Signal(range(period), name="c") if period > 1 else Const(0, 1)
        turn = seq.issue & (c == period - 1)
        final = seq.issue & (y == rows) & (c == end)
        if isinstance(c, Signal):
            with m.If(seq.issue):
                m.d.sync += c.eq(c + 1)
            with m.If(turn | final):
                m.d.sync += c.eq(0)
        if isinstance(y, Signal):
            with m.If(turn):
                m.d.sync += y.eq(y + 1)
            with m.If(final):
                m.d.sync += y.eq(0)
        return Value.cast(y), Value.cast(c)

    def _lines(
        self, m: Module, seq: Sequencer, stream: Any, load: Signal, c: Value, takes: Value
    ) -> list[Value]:
        """The beat that comes in and those above it, row by row, at the registers' input."""
        word = seq.delayed(m, raw(stream.payload), self.stages)
        bits, kept = len(word), self.kept
        if not kept:
            return [word]
        stored = Signal(kept * bits, name="above", reset_less=True)
        after = Cat(word, stored)[: kept * bits]
        if self.grid.period == 1:
            with m.If(load):
                m.d.sync += stored.eq(after)
        else:
            m.d.comb += stored.eq(self._memory(m, seq, load, c, takes, after))
        return [word, *(stored[k * bits : (k + 1) * bits] for k in range(kept))]

    def _memory(
        self, m: Module, seq: Sequencer, load: Signal, c: Value, takes: Value, after: Value
    ) -> Value:
        block = self.stages > 0
        m.submodules.lines = memory = Memory(
            shape=len(after), depth=self.grid.period, init=[], attrs=style(self.memory)
        )
        write, read = memory.write_port(), memory.read_port(domain="sync" if block else "comb")
        m.d.comb += [
            read.addr.eq(c),
            write.addr.eq(seq.delayed(m, c, self.stages)),
            write.data.eq(after),
            write.en.eq(load & seq.delayed(m, takes, self.stages)),
        ]
        if block:
            m.d.comb += read.en.eq(seq.ce)
        return Value.cast(read.data)

    def _columns(
        self,
        m: Module,
        seq: Sequencer,
        load: Signal,
        lines: list[Value],
        outside: Sequence[Value],
        c: Value,
    ) -> list[dict[int, list[Value]]]:
        """Per tap's row, per column that is needed, the elements of its channels."""
        g = self.grid
        flags = {
            mask: seq.delayed(m, flag(m, c, np.frombuffer(mask, bool), f"cut_{k}"), self.depth)
            for k, mask in enumerate(sorted(set(self._masks.values())))
        }
        fill = self._fill()
        found: list[dict[int, list[Value]]] = []
        for tap in range(g.rows.taps):
            line = lines[(g.rows.taps - 1 - tap) * g.rows.dilation]
            held = {
                pixel: self._chain(m, load, line, outside[tap], fill, f"{tap}_{pixel}", pixel, size)
                for pixel, size in self._chains.items()
            }
            row = {}
            for column in g.needed:
                delay, pixel = g.place(column)
                value: Value = fill
                if not self._cut(column).all():
                    value = held[pixel][delay]
                if column in self._masks:
                    value = Mux(flags[self._masks[column]], fill, value)
                shown = Signal(len(fill), name=f"column_{tap}_{column}")
                m.d.comb += shown.eq(value)
                row[column] = self._elements(shown, self.kind)
            found.append(row)
        return found

    def _fill(self) -> Value:
        """The padding of all channels."""
        flags = [self.flip[channel % len(self.flip)] for channel in range(self.channels)]
        pads = [~self.taps.pad if flipped else self.taps.pad for flipped in flags]
        width = self.kind.width
        return Cat(*(Const(pad % (1 << width), width) for pad in pads))

    def _chain(
        self,
        m: Module,
        load: Signal,
        line: Value,
        outside: Value,
        fill: Value,
        name: str,
        pixel: int,
        size: int,
    ) -> list[Signal]:
        """The registers that hold a pixel of the last ``size`` beats, the newest first."""
        bits = self.channels * self.taps.dtype.width
        fresh = self._elements(line[pixel * bits : (pixel + 1) * bits], self.taps.dtype)
        seen = []
        for channel, x in enumerate(fresh):
            shaped = Signal(element(self.kind), name=f"seen_{name}_{channel}")
            m.d.comb += shaped.eq(x * self.taps.gain + self.taps.shift)
            seen.append(shaped)
        chain = [Signal(len(fill), name=f"hold_{name}_{k}", reset_less=True) for k in range(size)]
        with m.If(load):
            m.d.sync += chain[0].eq(Cat(*seen))
            m.d.sync += [b.eq(a) for a, b in pairwise(chain)]
        with m.If(load & outside):
            m.d.sync += chain[0].eq(fill)
        return chain

    def _elements(self, bits: Value, kind: IntType) -> list[Value]:
        parts = [bits[k * kind.width : (k + 1) * kind.width] for k in range(self.channels)]
        return [p.as_signed() if kind.signed else p for p in parts]
