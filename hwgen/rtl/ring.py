"""A ring of rows: written as beats come, read in a walk over pixels, with a datapath behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Literal

import numpy as np
from amaranth.hdl import Const, Module, Mux, Shape, Signal, Value
from amaranth.lib.memory import Memory

from hwgen.families.base import Family, Resources
from hwgen.inttype import IntType
from hwgen.rtl import sequence
from hwgen.rtl.memory import style
from hwgen.rtl.sequence import Sequencer
from hwgen.rtl.stream import element, raw
from hwgen.rtl.timing import Timing
from hwgen.rtl.walk import Walk

Place = Literal["lut", "block"]


@dataclass(frozen=True, kw_only=True)
class Taps:
    """What a position holds: ``gain·x + shift`` for an element x of ``dtype``, ``pad`` beyond the
    border; ``flips``: some of them inverted, all bits of them, which reverses their order."""

    dtype: IntType
    pad: int = 0
    gain: int = 1
    shift: int = 0
    flips: bool = False

    def kind(self, bordered: bool) -> IntType:
        """The range of what positions hold."""
        ends = [self.gain * n + self.shift for n in (self.dtype.lo, self.dtype.hi)]
        ends += [~n for n in ends] if self.flips else []
        ends += [self.pad] if bordered else []
        return IntType(min(ends), max(ends))


class Ring:
    """The circuit between a unit's input stream and the elements that its walk reads.

    It takes a beat whenever fewer than ``capacity`` are held. A step is issued when its beat is
    there; one cycle later (``depth`` 1) its elements are there, each of ``kind``.
    """

    def __init__(self, walk: Walk, taps: Taps, lanes: int, memory: Place, depth: int) -> None:
        self.walk, self.taps, self.lanes, self.memory, self.depth = (
            walk, taps, lanes, memory, depth,
        )  # fmt: skip
        self.dtype = taps.dtype
        self.kind = taps.kind(any(walk.bounded))
        self.capacity = rounded(walk.capacity, memory)

    def timing(self, emit: Any) -> Timing:
        return Timing.ring(self.walk.want(), self.walk.free(), emit, self.capacity, self.depth)

    def sequencer(self) -> Sequencer:
        return Sequencer(loops=[p.turns for p in self.walk.loops], depth=self.depth)

    def resources(self, family: Family) -> Resources:
        """The memory, the counters of the loops, what follows the position, and the border.

        LUTs, measured on xc7: an amount by which position and address move is made of a few
        patterns over the loops' ends, four and a third LUTs each; rows and columns take 2.4 a bit
        with the comparisons with the border, an address that does not wrap by itself 3.4 a bit.
        """
        control = sequence.price([p.turns for p in self.walk.loops], self.depth, family=family)
        positions = sum(
            sized(self.walk.positions(kind)).width
            for kind, leaves in zip(("rows", "columns"), self.walk.bounded, strict=True)
            if leaves
        )
        address, slack = max(self.capacity - 1, 1).bit_length(), self._slack_shape().width
        level = IntType(-1, self.capacity - 1).width
        wraps = self.capacity & (self.capacity - 1) == 0
        lut = 12 + 4.3 * self._patterns() + 0.26 * slack + (0.3 if wraps else 3.4) * address
        lut += 2.4 * positions + 2.9 * (len(set(self.walk.released())) - 1)
        lut += family.constant_adder * (slack + level)
        lut += sequence.count_price(self.capacity, family)
        ff = positions + slack + level + 2 * address
        return control + Resources(lut=lut, ff=ff) + self._memory_price(family)

    def _patterns(self) -> int:
        """Different bits, as functions of the turn that is taken, of how far the index moves."""
        busy = [k for k, loop in enumerate(self.walk.loops) if loop.turns > 1]
        moves = [self.walk.delta(level, "index") for level in (*busy, -1)]
        width = sized(moves).width
        bits = {tuple(move >> place & 1 for move in moves) for place in range(width)}
        return len(bits - {(0,) * len(moves)})

    def _memory_price(self, family: Family) -> Resources:
        """The memory with its register, and the border's gates where that has no reset."""
        bits, bordered = self.dtype.width * self.lanes, any(self.walk.bounded)
        shown = self.kind.width * self.lanes
        shaping = shown if self.taps.gain != 1 and self.dtype.width > 1 else 0
        if self.memory == "block":
            ram = family.block_rom(self.capacity, bits)
            return Resources(lut=max(shown * bordered, shaping), ff=bordered, bram36=ram)
        return Resources(lut=family.lutram(self.capacity, bits) + shaping, ff=shown)

    def build(
        self, m: Module, seq: Sequencer, stream: Any, emit: Any, flips: Sequence[Value] = ()
    ) -> list[Value]:
        """Adds the ring to ``m`` around ``seq``; the elements of the last issued step.

        ``flips``: per lane, whether the element of the step that is due is to be inverted.
        """
        walk = self.walk
        turns = self._turns(seq)
        put = Signal()
        outside = self._outside(m, seq, turns)
        there = Value.cast(self._available(m, seq, turns, put))
        some, release = self._level(m, seq, put, stream)
        m.submodules.sequence = seq
        m.d.comb += [
            put.eq(stream.valid & stream.ready),
            seq.consume.eq(1),
            seq.emit.eq(emit),
            seq.i_valid.eq(Mux(outside, some, there) & release),
        ]
        word = self._memory(m, seq, stream, put, self._address(m, seq, turns))
        stages = int(self.memory == "block")
        beyond = seq.delayed(m, outside, stages) if any(walk.bounded) else Const(0, 1)
        late = [seq.delayed(m, flag, stages) for flag in flips]
        return [
            self._tap(m, seq, x, late[lane] if late else None, beyond, lane)
            for lane, x in enumerate(self._elements(word))
        ]

    def _tap(
        self, m: Module, seq: Sequencer, x: Value, flip: Value | None, beyond: Value, lane: int
    ) -> Value:
        """The element at the position. Read from LUT RAM it is registered here, and the border is
        the registers' own reset; a block RAM's register has none that synthesis would take."""
        inside = Signal(element(self.kind), name=f"inside_{lane}")
        m.d.comb += inside.eq(x * self.taps.gain + self.taps.shift)
        found = inside if flip is None else inverted(inside, flip)
        tap = Signal(element(self.kind), name=f"tap_{lane}", reset_less=True)
        if self.memory == "block":
            m.d.comb += tap.eq(Mux(beyond, self.taps.pad, found))
            return tap
        with m.If(seq.ce):
            m.d.sync += tap.eq(found)
        if any(self.walk.bounded):
            with m.If(seq.ce & beyond):
                m.d.sync += tap.eq(self.taps.pad)
        return tap

    def join(self, m: Module, seq: Sequencer, output: Any) -> None:
        """Joins the pipe's end with the output stream's handshake."""
        m.d.comb += [output.valid.eq(seq.o_valid), seq.o_ready.eq(output.ready)]

    def _turns(self, seq: Sequencer) -> list[tuple[int, Value]]:
        """``(level, condition)``: the loop that takes its next turn after this step, inner first;
        the last one, −1, is the end of the frame."""
        found: list[tuple[int, Value]] = []
        inner: Value = Const(1)
        for level in reversed(range(len(self.walk.loops))):
            if self.walk.loops[level].turns > 1:
                found.append((level, inner & ~Value.cast(seq.last[level])))
                inner = inner & seq.last[level]
        return [*found, (-1, inner)]

    def _follow(
        self, m: Module, seq: Sequencer, turns: Sequence[tuple[int, Value]], kind: str
    ) -> Value:
        """The amount by which ``kind`` moves after this step."""
        amounts = [self.walk.delta(level, kind) for level, _ in turns]
        return _choose(m, turns, amounts, f"{kind}_step")

    def _outside(self, m: Module, seq: Sequencer, turns: Sequence[tuple[int, Value]]) -> Value:
        """Whether the step's position is beyond the border."""
        walk, found = self.walk, Const(0, 1)
        sizes = {"rows": (walk.height, walk.top), "columns": (walk.width, walk.left)}
        for (kind, (size, before)), leaves in zip(sizes.items(), walk.bounded, strict=True):
            if not leaves:
                continue
            shape = sized(walk.positions(kind))
            at = Signal(Shape(shape.width, shape.signed), init=-before, name=kind)
            with m.If(seq.issue):
                m.d.sync += at.eq(at + self._follow(m, seq, turns, kind))
            found = found | (at >= size)
            if shape.signed:
                found = found | (at < 0)
        return Value.cast(found)

    def _slack_shape(self) -> IntType:
        """Beats written beyond the position, less one."""
        walk = self.walk
        ahead = int(walk.positions("index").max()) + abs(walk.start)
        return IntType(-ahead - self.capacity - 2, self.capacity + ahead + 1)

    def _available(
        self, m: Module, seq: Sequencer, turns: Sequence[tuple[int, Value]], put: Signal
    ) -> Value:
        """Whether the beat at the position has been written."""
        kind = self._slack_shape()
        slack = Signal(Shape(kind.width, True), init=-self.walk.start - 1, name="slack")
        moved = Signal(Shape(kind.width, True))
        with m.If(seq.issue):
            m.d.comb += moved.eq(self._follow(m, seq, turns, "index"))
        m.d.sync += slack.eq(slack + put - moved)
        return ~slack[-1]

    def _level(self, m: Module, seq: Sequencer, put: Signal, stream: Any) -> tuple[Value, Value]:
        """Counts the beats held, gives ready; whether there is one, and whether all that this
        step releases is there."""
        walk = self.walk
        amounts = walk.released()
        room = Signal(range(-1, self.capacity), init=self.capacity - 1, name="room")
        m.d.comb += stream.ready.eq(~room[-1] if self.capacity > 0 else 0)
        ends = Value.cast(1)
        for last, loop in zip(seq.last[1:], walk.loops[1:], strict=True):
            if loop.turns > 1:
                ends = ends & last
        amount = self._amount(m, seq, amounts)
        freed = Signal(range(max(amounts) + 1))
        with m.If(seq.issue & ends):
            m.d.comb += freed.eq(amount)
        m.d.sync += room.eq(room - put + freed)
        some = Value.cast(room != self.capacity - 1)
        if not walk.releases_unread:
            return some, Const(1)
        held = self.capacity - 1 - room
        return some, ~ends | (held >= amount)

    def _amount(self, m: Module, seq: Sequencer, amounts: list[int]) -> Value:
        """What this turn of the first loop releases at its end."""
        usual = max(set(amounts), key=amounts.count)
        value: Value = Const(usual, range(max(amounts) + 1))
        rare: dict[int, Value] = {}
        for turn, amount in enumerate(amounts):
            if amount != usual:
                here = Value.cast(seq.index[0] == turn)
                rare[amount] = rare[amount] | here if amount in rare else here
        for amount, condition in rare.items():
            value = Mux(condition, amount, value)
        return value

    def _address(self, m: Module, seq: Sequencer, turns: Sequence[tuple[int, Value]]) -> Signal:
        """The word of the ring at the position: the flat index modulo the capacity."""
        size = self.capacity
        address = Signal(range(max(size, 2)), init=self.walk.start % size, name="read_address")
        amounts = [self.walk.delta(level, "index") % size for level, _ in turns]
        step = _choose(m, turns, amounts, "address_step")
        with m.If(seq.issue):
            m.d.sync += address.eq(_wrapped(m, address, step, size, "read"))
        return address

    def _memory(
        self, m: Module, seq: Sequencer, stream: Any, put: Signal, address: Signal
    ) -> Value:
        bits = len(raw(stream.payload))
        m.submodules.ring = memory = Memory(
            shape=bits, depth=self.capacity, init=[], attrs=style(self.memory)
        )
        write = memory.write_port()
        read = memory.read_port(domain="comb" if self.memory == "lut" else "sync")
        where = Signal(range(max(self.capacity, 2)), name="write_address")
        sequence.count(m, where, put, self.capacity)
        m.d.comb += [
            write.addr.eq(where),
            write.data.eq(raw(stream.payload)),
            write.en.eq(put),
            read.addr.eq(address),
        ]
        if self.memory == "block":
            m.d.comb += read.en.eq(seq.ce)
            return Value.cast(read.data)
        return Value.cast(read.data)

    def _elements(self, data: Value) -> list[Value]:
        """The lanes of a beat."""
        width = self.dtype.width
        parts = [data[k * width : (k + 1) * width] for k in range(self.lanes)]
        return [p.as_signed() if self.dtype.signed else p for p in parts]


def sized(values: Any) -> IntType:
    """The range of some integers."""
    return IntType(int(np.min(values)), int(np.max(values)))


def inverted(value: Value, flag: Value) -> Value:
    """``~value`` where ``flag`` is set, of a signed value: it reverses the order of elements."""
    if isinstance(flag, Const) and not flag.value:
        return value
    return (value.as_unsigned() ^ flag.replicate(len(value))).as_signed()


def rounded(capacity: int, memory: Place) -> int:
    """The words that a memory of ``capacity`` words has at no further cost, so that addresses wrap
    by themselves where that is near."""
    power = 1 << max(capacity - 1, 1).bit_length()
    if power <= (512 if memory == "block" else 64):
        return power
    return 32 * ceil(capacity / 32) if memory == "lut" else capacity


def _choose(
    m: Module, turns: Sequence[tuple[int, Value]], amounts: Sequence[int], name: str
) -> Value:
    """The amount of the turn that is taken; exactly one condition holds."""
    kind = sized(amounts)
    value = Signal(Shape(kind.width, kind.signed), name=name)
    *rest, last = zip(turns, amounts, strict=True)
    m.d.comb += value.eq(last[1])
    for (_, condition), amount in reversed(rest):
        with m.If(condition):
            m.d.comb += value.eq(amount)
    return value


def _wrapped(m: Module, address: Signal, step: Value, size: int, name: str) -> Value:
    """``(address + step) mod size``."""
    if size & (size - 1) == 0:
        return (address + step)[: len(address)]
    total = Signal(range(2 * size), name=f"{name}_total")
    less = Signal(range(-size, size), name=f"{name}_less")
    m.d.comb += [total.eq(address + step), less.eq(total - size)]
    return Mux(less[-1], total, less)[: len(address)]
