"""From frames in beats of one number of lanes to the same frames in beats of another."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import ceil
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib.wiring import In, Out, connect, flipped

from hwgen.families.base import Family, Resources
from hwgen.inttype import IntType
from hwgen.rtl.convert import Converter, ConvertShape
from hwgen.rtl.sequence import Sequencer, price
from hwgen.rtl.stream import Unit, signature
from hwgen.rtl.timing import Timing


@dataclass(frozen=True, slots=True)
class _Step:
    """One step of a frame: elements held before it, whether it takes and whether it gives a
    beat."""

    fill: int
    consume: bool
    emit: bool


def _steps(i_lanes: int, o_lanes: int, elements: int) -> list[_Step]:
    """The frame's steps: take a beat whenever too few elements are held, give one when enough
    are."""
    words, beats = ceil(elements / i_lanes), ceil(elements / o_lanes)
    steps: list[_Step] = []
    fill = taken = given = 0
    while given < beats:
        consume = fill < o_lanes and taken < words
        held = fill + i_lanes * consume
        emit = held >= o_lanes or taken + consume == words
        steps.append(_Step(fill, consume, emit))
        taken, given = taken + consume, given + emit
        fill = max(held - o_lanes, 0) if emit else held
    return steps


@dataclass(frozen=True)
class GearboxShape:
    """Everything about a ``Gearbox``: cheap to make, to time, to price."""

    dtype: IntType
    i_lanes: int
    o_lanes: int
    elements: int

    @cached_property
    def steps(self) -> list[_Step]:
        return _steps(self.i_lanes, self.o_lanes, self.elements)

    @property
    def words(self) -> int:
        """Beats that are gathered into a wider one."""
        return ceil(min(self.o_lanes, self.elements) / self.i_lanes)

    @property
    def gathers(self) -> bool:
        """Whether whole beats are gathered into a wider one."""
        whole = self.o_lanes % self.i_lanes == 0 and self.elements % self.o_lanes == 0
        return self.words > 1 and (whole or self.o_lanes >= self.elements)

    @property
    def whole(self) -> bool:
        """Whether a frame is whole beats on both sides: then a ``Converter`` does it."""
        return self.elements % self.i_lanes == 0 and self.elements % self.o_lanes == 0

    @property
    def kept(self) -> int:
        """Elements held between steps, at most."""
        return max(s.fill for s in self.steps)

    @cached_property
    def timing(self) -> Timing:
        if self.gathers:
            turn = range(self.words)
            return Timing.pipe([1 for _ in turn], [k == turn[-1] for k in turn], 0)
        if self.whole:
            return ConvertShape(self.dtype, self.i_lanes, self.o_lanes).timing
        flags = [(s.consume, s.emit) for s in self.steps]
        return Timing.pipe([c for c, _ in flags], [e for _, e in flags], 1)

    def resources(self, family: Family) -> Resources:
        """Held elements and output register; a multiplexer per element where fills differ."""
        if self.gathers:
            bits = (self.words - 1) * self.i_lanes * self.dtype.width
            return price((self.words,), 0, family=family) + Resources(ff=bits)
        if self.whole:
            return ConvertShape(self.dtype, self.i_lanes, self.o_lanes).resources(family)
        width, kept = self.dtype.width, self.kept
        fills = sorted({s.fill for s in self.steps if s.consume})
        takes_all = all(s.consume for s in self.steps)
        ff = width * (kept + self.o_lanes)
        partial = self.elements % self.o_lanes != 0
        lut = 0.0
        for lane in range(max(kept, self.o_lanes)):
            ways = {("word", lane - f) for f in fills if f <= lane < f + self.i_lanes}
            ways |= {("held", lane)} if any(f > lane for f in fills) or not takes_all else set()
            if lane < self.o_lanes:
                lut += family.mux(len(ways), width) + (width if partial and len(ways) < 2 else 0)
        if len(fills) > 1 and kept >= self.o_lanes:
            lut += kept * width
        decode = len(fills) if takes_all and len(fills) > 1 else 0
        state = kept.bit_length()
        control = price((len(self.steps),), 1, family=family)
        return control + Resources(lut=lut + 2 * state + decode, ff=ff + state)


@lru_cache(maxsize=65536)
def gearbox_price(
    dtype: IntType, i_lanes: int, o_lanes: int, elements: int, family: Family
) -> Resources:
    """What stands between streams of these lanes: nothing where they are equal."""
    if i_lanes == o_lanes:
        return Resources()
    return GearboxShape(dtype, i_lanes, o_lanes, elements).resources(family)


class Gearbox(Unit):
    """Frames of ``elements`` from ``i_lanes`` to ``o_lanes`` elements a beat, in order.

    A frame starts in lane 0 of a beat; its last beats may be partly filled (lanes beyond the frame
    are ignored at the input and 0 at the output). Throughput: a beat per cycle on the narrower
    side. Latency: one cycle after the last element of a beat has come; none where whole beats are
    gathered into a wider one.

    Members:
        i: In(stream of ``i_lanes`` elements of ``dtype``)
        o: Out(stream of ``o_lanes``)
    """

    def __init__(self, dtype: IntType, i_lanes: int, o_lanes: int, elements: int) -> None:
        self.shape = GearboxShape(dtype, i_lanes, o_lanes, elements)
        self.dtype, self.i_lanes, self.o_lanes = dtype, i_lanes, o_lanes
        self.elements = elements
        self.timing = self.shape.timing
        super().__init__({"i": In(signature(dtype, i_lanes)), "o": Out(signature(dtype, o_lanes))})

    def resources(self, family: Family) -> Resources:
        return self.shape.resources(family)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        if self.shape.gathers:
            self._gather(m)
            return m
        if self.shape.whole:
            m.submodules.converter = box = Converter(self.dtype, self.i_lanes, self.o_lanes)
            connect(m, flipped(self.i), box.i)
            connect(m, box.o, flipped(self.o))
            return m
        seq = Sequencer(loops=(len(self.shape.steps),), depth=1)
        fill, consume, emit = self._control(m, seq)
        seq.attach(m, [self.i], self.o, [consume], emit)
        word = [Value.cast(self.i.payload[k]) for k in range(self.i_lanes)]
        held = [
            Signal(self.dtype.width, name=f"held_{k}", reset_less=True)
            for k in range(self.shape.kept)
        ]
        now = self._joined(m, fill, consume, word, held)
        self._store(m, seq, emit, now, held)
        return m

    def _gather(self, m: Module) -> None:
        """Beats shift into a register; with the last one they are the wide beat."""
        seq = Sequencer(loops=(self.shape.words,), depth=0)
        seq.attach(m, [self.i], self.o, [1], seq.last[0])
        width = self.i_lanes * self.dtype.width
        held = Signal((self.shape.words - 1) * width, reset_less=True)
        joined = Cat(held, self.i.payload)
        with m.If(seq.issue):
            m.d.sync += held.eq(joined[width:])
        used = min(self.o_lanes, self.elements) * self.dtype.width
        m.d.comb += Value.cast(self.o.payload).eq(joined[:used])

    def _control(self, m: Module, seq: Sequencer) -> tuple[Value, Value, Value]:
        """``(fill, consume, emit)`` of the step that is due."""
        if self.shape.kept == 0:
            return Const(0), Const(1), Const(1)
        fill = Signal(range(self.shape.kept + 1))
        words = ceil(self.elements / self.i_lanes)
        taken = Signal(range(words + 1))
        last = seq.last[0]
        consume, emit = Signal(), Signal()
        after = Signal(range(self.shape.kept + self.i_lanes + 1))
        m.d.comb += [
            consume.eq((fill < self.o_lanes) & (taken != words)),
            after.eq(fill + Mux(consume, self.i_lanes, 0)),
            emit.eq((after >= self.o_lanes) | last),
        ]
        with m.If(seq.issue):
            m.d.sync += [
                fill.eq(Mux(last, 0, after - Mux(emit, self.o_lanes, 0))),
                taken.eq(Mux(last, 0, taken + consume)),
            ]
        return fill, consume, emit

    def _joined(
        self, m: Module, fill: Value, consume: Value, word: list[Value], held: list[Signal]
    ) -> list[Value]:
        """What is held and, behind it, the beat that is taken."""
        fills = sorted({s.fill for s in self.shape.steps if s.consume})
        size = max(max(fills) + self.i_lanes, self.shape.kept, self.o_lanes)
        zero = Const(0, self.dtype.width)
        padded: list[Any] = [*held, *([zero] * (size - len(held)))]
        joined = [Signal(self.dtype.width, name=f"joined_{k}") for k in range(size)]
        always = all(s.consume for s in self.shape.steps)
        with m.Switch(Cat(fill, consume) if not always else fill):
            for f in fills:
                key = f if always else f | (1 << len(fill))
                with m.Case(key):
                    now = [*padded[:f], *word]
                    m.d.comb += [a.eq(b) for a, b in zip(joined, now, strict=False)]
            with m.Default():
                m.d.comb += [a.eq(b) for a, b in zip(joined, padded, strict=True)]
        return list(joined)

    def _store(
        self, m: Module, seq: Sequencer, emit: Value, now: list[Value], held: list[Signal]
    ) -> None:
        """Gives the first elements, keeps the rest."""
        last = seq.last[0]
        rest = self.elements % self.o_lanes or self.o_lanes
        with m.If(seq.issue):
            for k in range(self.o_lanes):
                value = now[k] if k < rest else Mux(last, 0, now[k])
                m.d.sync += Value.cast(self.o.payload[k]).eq(value)
            for k, register in enumerate(held):
                after = now[k + self.o_lanes] if k + self.o_lanes < len(now) else Const(0)
                m.d.sync += register.eq(Mux(emit, after, now[k]))
