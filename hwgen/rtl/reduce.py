"""Windows reduced to one element per channel: largest, sum, or weighted sum (depthwise)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from math import ceil
from typing import Literal

import numpy as np
from amaranth.hdl import Cat, Const, Module, Mux, Shape, Signal, Value
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from numpy.typing import NDArray

from hwgen.families.base import Family, Resources
from hwgen.inttype import IntType
from hwgen.rtl.memory import style, table
from hwgen.rtl.ring import Place, Ring
from hwgen.rtl.sequence import Sequencer, price
from hwgen.rtl.stream import Unit, element, signature
from hwgen.rtl.timing import Timing
from hwgen.rtl.walk import Walk

Ints = NDArray[np.int64]
Reduction = Literal["max", "sum"]


class ReduceUnit(Unit):
    """Reduces the last two loops of ``walk`` (a window's rows and columns) to one beat.

    ``sum`` adds what positions hold, beyond the border ``pad``; with ``weights`` each is
    multiplied first. ``max`` takes the largest; a border's ``pad`` must then be at most
    ``dtype.lo``.

    Throughput: a position per cycle. Latency: ``depth`` cycles after the last position of a window.

    Members:
        i: In(stream of ``lanes`` elements of ``dtype``)
        o: Out(stream of as many of ``output``)
    """

    def __init__(
        self,
        walk: Walk,
        dtype: IntType,
        lanes: int,
        reduction: Reduction,
        output: IntType,
        *,
        pad: int = 0,
        gain: int = 1,
        shift: int = 0,
        weights: object = None,
        flip: Sequence[bool] = (False,),
        memory: Place = "lut",
    ) -> None:
        """``weights`` is (channels, taps); ``flip`` inverts elements before and after, by channel,
        so that ``max`` gives the smallest."""
        self.walk, self.dtype, self.lanes, self.output = walk, dtype, lanes, output
        self.reduction, self.pad, self.gain, self.shift = reduction, pad, gain, shift
        self.weights: Ints | None = None if weights is None else np.asarray(weights, np.int64)
        self.flip = tuple(flip)
        self.depth = 2 if weights is None else 3
        self.ring = Ring(walk, dtype, lanes, memory, self.depth)
        super().__init__({"i": In(signature(dtype, lanes)), "o": Out(signature(output, lanes))})

    @cached_property
    def timing(self) -> Timing:  # type: ignore[override]
        taps = self.walk.loops[-2].turns * self.walk.loops[-1].turns
        return self.ring.timing(np.arange(self.walk.steps) % taps == taps - 1)

    @property
    def groups(self) -> int:
        """Beats of one pixel."""
        return self.walk.words

    @cached_property
    def _value(self) -> IntType:
        """The range of what is reduced, before weights."""
        ends = [self.gain * n + self.shift for n in (self.dtype.lo, self.dtype.hi)]
        if any(flag for flag in self.flip):
            ends += [~n for n in ends]
        return IntType(min([*ends, self.pad]), max([*ends, self.pad]))

    def resources(self, family: Family) -> Resources:
        """The ring, and per lane an adder or a comparison, and a multiplier."""
        width, out = self._value.width, self.output.width
        border = width if any(self.walk.bounded) else 0
        lane = Resources(lut=border, ff=out)
        if self.reduction == "max":
            lane += Resources(lut=family.comparator(width, constant=False) + width)
        else:
            lane += Resources(lut=family.adder(out) + 0.2 * out)
        if self.weights is not None:
            lane += self._weight_price(family)
        return self.ring.resources(family) + lane.scaled(self.lanes) + Resources(lut=4, ff=6)

    def _weight_price(self, family: Family) -> Resources:
        """Per lane: the table of weights and the product."""
        assert self.weights is not None
        width = self._value.width
        words = self.groups * self.weights.shape[1]
        bits = IntType(int(self.weights.min()), int(self.weights.max())).width
        simple = np.abs(self.weights).max() <= 1
        product = width + bits
        lut = width + 1 if simple else ceil(family.adder(width + 1) * max(bits - 1, 1))
        bits = 2 if simple else bits
        return Resources(lut=lut + family.rom(words, bits), ff=bits + product)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        seq = self.ring.sequencer()
        last = Value.cast(seq.last[-1] & seq.last[-2])
        data, outside = self.ring.build(m, seq, self.i, last)
        self.ring.join(m, seq, self.o)
        at = 1 if self.weights is None else 2
        first = self._first(m, seq, last, at)
        issued = seq.delayed(m, seq.issue, at, reset=True)
        group = self._group(m, seq)
        position = self._position(m, seq) if self.weights is not None else Const(0)
        for lane, x in enumerate(self.ring.elements(data)):
            flip = flag_of(m, seq, self.flip, self.lanes, group, lane)
            shaped = Signal(element(self._value), name=f"shaped_{lane}")
            m.d.comb += shaped.eq(x * self.gain + self.shift)
            value = Signal.like(shaped, name=f"value_{lane}")
            m.d.comb += value.eq(Mux(outside, self.pad, inverted(shaped, flip, seq, m, 1)))
            term = value if self.weights is None else self._product(m, seq, value, position, lane)
            total = Signal(self._total_shape(), name=f"total_{lane}", reset_less=True)
            after = self._after(m, first, total, term, lane)
            with m.If(seq.ce & issued):
                m.d.sync += total.eq(after)
            m.d.comb += self.o.payload[lane].eq(inverted(total, flip, seq, m, 2))
        return m

    def _total_shape(self) -> Shape:
        return element(self._value if self.reduction == "max" else self.output)

    def _after(self, m: Module, first: Value, total: Signal, term: Value, lane: int) -> Value:
        """What the accumulator becomes."""
        if self.reduction == "max":
            return Mux(first | (term > total), term, total)
        before = Signal.like(total, name=f"before_{lane}")
        m.d.comb += before.eq(Mux(first, 0, total))
        return before + term

    def _first(self, m: Module, seq: Sequencer, last: Value, stages: int) -> Value:
        """Whether the term at the accumulator is its window's first."""
        fresh = Signal(init=1, name="fresh")
        with m.If(seq.issue):
            m.d.sync += fresh.eq(last)
        return seq.delayed(m, fresh, stages)

    def _group(self, m: Module, seq: Sequencer) -> Value:
        """The beat within the pixel, of the step that is due."""
        found = [
            seq.index[k] for k, loop in enumerate(self.walk.loops) if loop.words and loop.turns > 1
        ]
        return Value.cast(found[0]) if found else Const(0, 1)

    def _position(self, m: Module, seq: Sequencer) -> Signal:
        """The number of the weight of the step that is due, within a pixel."""
        assert self.weights is not None
        count = self.groups * self.weights.shape[1]
        position = Signal(range(max(count, 2)))
        with m.If(seq.issue):
            m.d.sync += position.eq(position + 1)
            with m.If(position == count - 1):
                m.d.sync += position.eq(0)
        return position

    def _product(
        self, m: Module, seq: Sequencer, value: Signal, position: Value, lane: int
    ) -> Value:
        """The weight times the element, registered once."""
        assert self.weights is not None
        rows = self.weights[lane :: self.lanes].ravel()
        kind = IntType(int(self.weights.min()), int(self.weights.max()))
        if np.abs(self.weights).max() <= 1:
            words = [int(w < 0) | int(w != 0) << 1 for w in rows]
            code = seq.delayed(m, table(m, words, 2, position, f"weights_{lane}"), 1)
            product: Value = Mux(code[1], Mux(code[0], -value, value), 0)
        else:
            words = [int(w) % (1 << kind.width) for w in rows]
            word = seq.delayed(m, table(m, words, kind.width, position, f"weights_{lane}"), 1)
            product = value * (word.as_signed() if kind.signed else word)
        return seq.delayed(m, product, 1)


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
        """``words`` beats a pixel; ``windows`` are the rows and columns of them."""
        self.dtype, self.lanes, self.words, self.output = dtype, lanes, words, output
        self.windows, self.size, self.reduction = windows, size, reduction
        self.flip = tuple(flip)
        self.loops = (windows[0], size[0], windows[1], size[1], words)
        super().__init__({"i": In(signature(dtype, lanes)), "o": Out(signature(output, lanes))})

    @cached_property
    def timing(self) -> Timing:  # type: ignore[override]
        last = np.zeros(self.loops, bool)
        last[:, -1, :, -1, :] = True
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
            lane = 1.0 if width == 1 else family.comparator(width, constant=False) + width
        else:
            lane = family.adder(width) + width / 2
        memory = family.lutram(self.kept, width * self.lanes) if self.kept > 1 else 0
        ff = width * self.lanes * (2 if self.kept == 1 else 1)
        address = (self.kept - 1).bit_length()
        control = price(self.loops, 1) + Resources(lut=1.6 * address + 3, ff=address)
        return control + Resources(lut=lane * self.lanes + memory, ff=ff)

    def _total_shape(self) -> Shape:
        return element(self._value if self.reduction == "max" else self.output)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        seq = Sequencer(loops=self.loops, depth=1)
        seq.attach(m, [self.i], self.o, [1], seq.last[1] & seq.last[3])
        first = (Value.cast(seq.index[1]) == 0) & (Value.cast(seq.index[3]) == 0)
        shape = self._total_shape()
        kept = self._kept(m, seq, shape.width * self.lanes)
        for lane in range(self.lanes):
            flip = flag_of(m, seq, self.flip, self.lanes, Value.cast(seq.index[4]), lane)
            x = Signal(element(self._value), name=f"x_{lane}")
            m.d.comb += x.eq(self.i.payload[lane])
            before = Signal(shape, name=f"before_{lane}")
            part = slice(lane * shape.width, (lane + 1) * shape.width)
            m.d.comb += before.eq(kept[0][part])
            term = inverted(x, flip, seq, m, 0)
            after = Signal(shape, name=f"after_{lane}")
            if self.reduction == "max":
                m.d.comb += after.eq(Mux(first | (term > before), term, before))
            else:
                m.d.comb += after.eq(term + Mux(first, 0, before))
            m.d.comb += kept[1][part].eq(after)
            out = seq.delayed(m, after, 1)
            m.d.comb += self.o.payload[lane].eq(inverted(out, flip, seq, m, 1))
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
        word, column = Value.cast(seq.index[4]), Value.cast(seq.index[2])
        if self.size[0] == 1 or self.windows[1] == 1:
            return word
        if self.words == 1:
            return column
        if self.words & (self.words - 1) == 0:
            return Cat(word, column)
        base = Signal(range(self.kept))
        with m.If(seq.issue & seq.last[4] & seq.last[3]):
            m.d.sync += base.eq(base + self.words)
            with m.If(seq.last[2]):
                m.d.sync += base.eq(0)
        return (base + word)[: len(base)]


def flag_of(
    m: Module, seq: Sequencer, flip: Sequence[bool], lanes: int, group: Value, lane: int
) -> Value:
    """Whether the lane's channel in beat ``group`` of a pixel is inverted."""
    if len(flip) == 1:
        return Const(int(flip[0]), 1)
    flags = [int(flag) for flag in flip[lane::lanes]]
    return table(m, flags, 1, group, f"flip_{lane}")


def inverted(value: Signal, flag: Value, seq: Sequencer, m: Module, stages: int) -> Value:
    """``~value`` where ``flag`` was set ``stages`` ago: it reverses the order of elements."""
    if isinstance(flag, Const) and not flag.value:
        return value
    bits = Value.cast(value).as_unsigned() ^ seq.delayed(m, flag, stages).replicate(len(value))
    return bits.as_signed()
