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
from hwgen.rtl.reduce import Reduction, flag_of
from hwgen.rtl.ring import inverted
from hwgen.rtl.sequence import Sequencer, price
from hwgen.rtl.stream import Unit, element, signature
from hwgen.rtl.timing import Timing


class AccumulateUnit(Unit):
    """Reduces windows that do not overlap as their elements come: windows of ``size`` next to each
    other that cover the frame.

    Throughput: a beat per cycle at the input. Latency: one cycle after a window's last element.

    Members:
        i: In(stream of ``lanes`` elements of ``dtype``)
        o: Out(stream of as many of ``output``)
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
    ) -> None:
        """``words`` beats a pixel; ``windows`` are the rows and columns of them, and all rows of
        windows are alike: the unit does not count them."""
        self.dtype, self.lanes, self.words, self.output = dtype, lanes, words, output
        self.windows, self.size, self.reduction = windows, size, reduction
        self.flip = tuple(flip)
        self.loops = (size[0], windows[1], size[1], words)
        super().__init__({"i": In(signature(dtype, lanes)), "o": Out(signature(output, lanes))})

    @cached_property
    def timing(self) -> Timing:  # type: ignore[override]
        last = np.zeros(self.loops, bool)
        last[-1, :, -1, :] = True
        return Timing.pipe(np.ones(last.size), last.ravel(), 1)

    @property
    def kept(self) -> int:
        """Beats of unfinished windows."""
        return self.words * (self.windows[1] if self.size[0] > 1 else 1)

    @property
    def _value(self) -> IntType:
        ends = [self.dtype.lo, self.dtype.hi]
        if any(self.flip):
            ends += [~n for n in ends]
        return IntType(min(ends), max(ends))

    def resources(self, family: Family) -> Resources:
        """The memory of unfinished windows, its address, and per lane an adder or comparison."""
        width = self._total_shape().width
        if self.reduction == "max":
            small = 2 * width + 1 <= family.lut_inputs  # comparison and choice in one LUT a bit
            lane = width + (0 if small else family.comparator(width, constant=False))
        else:
            lane = family.adder(width)
        lane += 2 * width * (len(self.flip) > 1)
        memory = family.lutram(self.kept, width * self.lanes, shared=True) if self.kept > 1 else 0
        ff = width * self.lanes * (2 if self.kept == 1 else 1)
        address = (self.kept - 1).bit_length() if self._counted else 0
        control = price(self.loops, 1, family=family) + Resources(lut=2 * address + 2, ff=address)
        return control + Resources(lut=lane * self.lanes + memory, ff=ff)

    @property
    def _counted(self) -> bool:
        """Whether the address takes a counter of its own: else it is wires of the loops'."""
        whole = self.words & (self.words - 1) == 0
        return not whole and self.size[0] > 1 and self.windows[1] > 1

    def _total_shape(self) -> Shape:
        return element(self._value if self.reduction == "max" else self.output)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        seq = Sequencer(loops=self.loops, depth=1)
        seq.attach(m, [self.i], self.o, [1], seq.last[0] & seq.last[2])
        first = (Value.cast(seq.index[0]) == 0) & (Value.cast(seq.index[2]) == 0)
        shape = self._total_shape()
        kept = self._kept(m, seq, shape.width * self.lanes)
        for lane in range(self.lanes):
            flip = flag_of(m, self.flip, self.lanes, Value.cast(seq.index[3]), lane)
            x = Signal(element(self._value), name=f"x_{lane}")
            m.d.comb += x.eq(self.i.payload[lane])
            before = Signal(shape, name=f"before_{lane}")
            part = slice(lane * shape.width, (lane + 1) * shape.width)
            m.d.comb += before.eq(kept[0][part])
            term = inverted(x, flip)
            after = Signal(shape, name=f"after_{lane}")
            if self.reduction == "max":
                m.d.comb += after.eq(Mux(first | (term > before), term, before))
            else:
                m.d.comb += after.eq(term + Mux(first, 0, before))
            m.d.comb += kept[1][part].eq(after)
            out = seq.delayed(m, after, 1)
            m.d.comb += self.o.payload[lane].eq(inverted(out, seq.delayed(m, flip, 1)))
        return m

    def _kept(self, m: Module, seq: Sequencer, bits: int) -> tuple[Value, Value]:
        """What the windows of this beat hold, and what they shall hold."""
        after = Signal(bits)
        if self.kept == 1:
            now = Signal(bits, reset_less=True)
            with m.If(seq.issue):
                m.d.sync += now.eq(after)
            return now, after
        m.submodules.unfinished = memory = Memory(
            shape=bits, depth=self.kept, init=[], attrs=style("lut")
        )
        write, read = memory.write_port(), memory.read_port(domain="comb")
        address = self._address(m, seq)
        m.d.comb += [
            write.addr.eq(address),
            read.addr.eq(address),
            write.data.eq(after),
            write.en.eq(seq.issue),
        ]
        return Value.cast(read.data), after

    def _address(self, m: Module, seq: Sequencer) -> Value:
        """Window's column times words, and the word; counted where that is not wires."""
        word, column = Value.cast(seq.index[3]), Value.cast(seq.index[1])
        if self.size[0] == 1 or self.windows[1] == 1:
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
