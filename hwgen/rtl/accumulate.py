"""Windows side by side reduced as their elements come: largest or sum."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from amaranth.hdl import Cat, Module, Mux, Shape, Signal, Value
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hwgen.families.base import Family, Resources
from hwgen.inttype import IntType
from hwgen.rtl.memory import style
from hwgen.rtl.reduce import (
    Reduction,
    flag_of,
    joined,
    joined_levels,
    joined_price,
    larger_price,
)
from hwgen.rtl.ring import inverted
from hwgen.rtl.sequence import Sequencer, price
from hwgen.rtl.stream import Unit, element, signature
from hwgen.rtl.timing import Timing


class AccumulateUnit(Unit):
    """Reduces windows that do not overlap as their elements come: windows of ``size`` next to each
    other that cover the frame.

    Throughput: a beat per cycle at the input. Latency: ``depth`` cycles after a window's last
    element: one, and one for every level of a tree that reduces ``group`` pixels of a beat first.

    Members:
        i: In(stream of ``group * lanes`` elements of ``dtype``)
        o: Out(stream of ``lanes`` elements of ``output``)
    """

    def __init__(
        self,
        dtype: IntType,
        lanes: int,
        words: int,
        windows: tuple[int, int],
        size: tuple[int, int],
        reduction: Reduction,
        output: IntType,
        *,
        flip: Sequence[bool] = (False,),
        group: int = 1,
        pixels: int = 1,
    ) -> None:
        """``words`` beats a pixel; ``windows`` are the rows and columns of them, and all rows of
        windows are alike: the unit does not count them. An input beat may hold ``group`` pixels of
        each of ``pixels`` windows: all of their elements."""
        self.dtype, self.lanes, self.words, self.output = dtype, lanes, words, output
        self.windows, self.size, self.reduction = windows, size, reduction
        self.flip, self.group, self.pixels = tuple(flip), group, pixels
        self.loops = (size[0], windows[1] // pixels, size[1] // group, words)
        self.levels = joined_levels(group)
        self.depth = self.levels + 1
        super().__init__(
            {"i": In(signature(dtype, group * lanes)), "o": Out(signature(output, lanes))}
        )

    @cached_property
    def timing(self) -> Timing:  # type: ignore[override]
        last = np.zeros(self.loops, bool)
        last[-1, :, -1, :] = True
        return Timing.pipe(np.ones(last.size), last.ravel(), self.depth)

    @property
    def kept(self) -> int:
        """Beats of unfinished windows."""
        return self.words * (self.loops[1] if self.size[0] > 1 else 1)

    @property
    def _value(self) -> IntType:
        ends = [self.dtype.lo, self.dtype.hi]
        if any(self.flip):
            ends += [~n for n in ends]
        return IntType(min(ends), max(ends))

    def resources(self, family: Family) -> Resources:
        """The memory of unfinished windows, its address, and per lane an adder or comparison."""
        width = self._total_shape().width
        larger = self.reduction == "max"
        lane = larger_price(width, family) if larger else family.adder(width)
        lane += 2 * width * (len(self.flip) > 1)
        memory = family.lutram(self.kept, width * self.lanes, shared=True) if self.kept > 1 else 0
        ff = width * self.lanes * (2 if self.kept == 1 else 1)
        address = (self.kept - 1).bit_length() if self._counted else 0
        late = self.levels * (2 + (self.kept - 1).bit_length())
        control = price(self.loops, self.depth, family=family)
        control += Resources(lut=2 * address + 2, ff=address + late)
        tree = joined_price(self.group, self._value.width, self.reduction, family)
        return control + tree.scaled(self.lanes) + Resources(lut=lane * self.lanes + memory, ff=ff)

    @property
    def _counted(self) -> bool:
        """Whether the address takes a counter of its own: else it is wires of the loops'."""
        whole = self.words & (self.words - 1) == 0
        return not whole and self.size[0] > 1 and self.loops[1] > 1

    def _total_shape(self) -> Shape:
        return element(self._value if self.reduction == "max" else self.output)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        seq = Sequencer(loops=self.loops, depth=self.depth)
        seq.attach(m, [self.i], self.o, [1], seq.last[0] & seq.last[2])
        starts = (Value.cast(seq.index[0]) == 0) & (Value.cast(seq.index[2]) == 0)
        first = seq.delayed(m, starts, self.levels)
        shape = self._total_shape()
        kept = self._kept(m, seq, shape.width * self.lanes)
        for lane in range(self.lanes):
            word, channel = Value.cast(seq.index[3]), lane % self.channels
            flip = flag_of(m, self.flip, self.channels, word, channel)
            taken = [inverted(v, flip) for v in self._inputs(m, lane)]
            x = joined(m, seq, taken, self.reduction)
            flip = seq.delayed(m, flip, self.levels)
            before = Signal(shape, name=f"before_{lane}")
            part = slice(lane * shape.width, (lane + 1) * shape.width)
            m.d.comb += before.eq(kept[0][part])
            after = Signal(shape, name=f"after_{lane}")
            if self.reduction == "max":
                m.d.comb += after.eq(Mux(first | (x > before), x, before))
            else:
                m.d.comb += after.eq(x + Mux(first, 0, before))
            m.d.comb += kept[1][part].eq(after)
            out = seq.delayed(m, after, 1)
            m.d.comb += self.o.payload[lane].eq(inverted(out, seq.delayed(m, flip, 1)))
        return m

    @property
    def channels(self) -> int:
        """Elements of one pixel in a beat."""
        return self.lanes // self.pixels

    def _inputs(self, m: Module, lane: int) -> list[Value]:
        """The elements of a beat that go into an output lane."""
        pixel, channel = divmod(lane, self.channels)
        found: list[Value] = []
        for k in range(self.group):
            x = Signal(element(self._value), name=f"x_{lane}_{k}")
            m.d.comb += x.eq(self.i.payload[(pixel * self.group + k) * self.channels + channel])
            found.append(x)
        return found

    def _kept(self, m: Module, seq: Sequencer, bits: int) -> tuple[Value, Value]:
        """What the windows of this beat hold, and what they shall hold."""
        after, moved = Signal(bits), Signal(name="moved")
        late = seq.delayed(m, seq.issue, self.levels, reset=True)
        m.d.comb += moved.eq(late & seq.ce if self.levels else late)
        if self.kept == 1:
            now = Signal(bits, reset_less=True)
            with m.If(moved):
                m.d.sync += now.eq(after)
            return now, after
        m.submodules.unfinished = memory = Memory(
            shape=bits, depth=self.kept, init=[], attrs=style("lut")
        )
        write, read = memory.write_port(), memory.read_port(domain="comb")
        address = seq.delayed(m, self._address(m, seq), self.levels)
        m.d.comb += [
            write.addr.eq(address),
            read.addr.eq(address),
            write.data.eq(after),
            write.en.eq(moved),
        ]
        return Value.cast(read.data), after

    def _address(self, m: Module, seq: Sequencer) -> Value:
        """Window's column times words, and the word; counted where that is not wires."""
        word, column = Value.cast(seq.index[3]), Value.cast(seq.index[1])
        if self.size[0] == 1 or self.loops[1] == 1:
            return word
        if not self._counted:
            return Cat(word, column) if self.words > 1 else column
        base = Signal(range(self.kept))
        turn = seq.issue & seq.last[3] & seq.last[2]
        with m.If(turn):
            m.d.sync += base.eq(base + self.words)
        with m.If(turn & seq.last[1]):
            m.d.sync += base.eq(0)
        return (base + word)[: len(base)]
