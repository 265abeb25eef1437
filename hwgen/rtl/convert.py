"""Streams of one number of lanes to another, where frames are whole beats on both sides."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import lcm

from amaranth.hdl import Array, Cat, Module, Signal
from amaranth.lib.wiring import In, Out

from hwgen.families.base import Family, Resources
from hwgen.inttype import IntType
from hwgen.rtl import sequence
from hwgen.rtl.memory import table
from hwgen.rtl.sequence import Sequencer
from hwgen.rtl.stream import Unit, raw, signature
from hwgen.rtl.timing import Timing


@dataclass(frozen=True)
class ConvertShape:
    """Everything about a ``Converter``: elements of ``dtype``, ``source`` to ``sink`` lanes."""

    dtype: IntType
    source: int
    sink: int

    @cached_property
    def plan(self) -> tuple[list[int], list[int]]:
        """Per step, the elements held once it has taken its beat, and whether it took one."""
        held, taken, have = [], [], 0
        for _ in range(lcm(self.source, self.sink) // min(self.source, self.sink)):
            take = have < self.sink
            have += self.source * take
            held.append(have)
            taken.append(int(take))
            have -= self.sink * (have >= self.sink)
        return held, taken

    @property
    def given(self) -> list[int]:
        """Per step, whether it gives a beat."""
        return [int(have >= self.sink) for have in self.plan[0]]

    @property
    def size(self) -> int:
        """Elements that the register holds."""
        return max(self.plan[0])

    @property
    def offsets(self) -> list[int]:
        """Per step, where in the register the beat that it gives begins."""
        size, pairs = self.size, zip(self.plan[0], self.given, strict=True)
        return [size - have if gives else -1 for have, gives in pairs]

    @property
    def timing(self) -> Timing:
        return Timing.pipe(self.plan[1], self.given, 1)

    def resources(self, family: Family) -> Resources:
        """A shift register, and a multiplexer of the places where a beat may begin."""
        bits = self.dtype.width
        ways = len({offset for offset in self.offsets if offset >= 0})
        steps = len(self.given)
        select = (ways - 1).bit_length()
        control = Resources(ff=select) + sequence.price((steps,), 1, family=family)
        lut = self.sink * family.mux(ways, bits)
        return control + Resources(lut=lut, ff=self.size * bits)


class Converter(Unit):
    """Regroups a stream of beats of ``source`` elements into beats of ``sink`` elements.

    The elements of a frame must be a multiple of both. Throughput: the wider side moves as fast as
    the narrower allows. Latency: one cycle from the last element of a beat.

    Members:
        i: In(stream of ``source`` elements of ``dtype``)
        o: Out(stream of ``sink`` elements of ``dtype``)
    """

    def __init__(self, dtype: IntType, source: int, sink: int) -> None:
        self.shape = ConvertShape(dtype, source, sink)
        self.timing = self.shape.timing
        super().__init__({"i": In(signature(dtype, source)), "o": Out(signature(dtype, sink))})

    def resources(self, family: Family) -> Resources:
        return self.shape.resources(family)

    def elaborate(self, platform: object) -> Module:
        m, s = Module(), self.shape
        steps = len(s.given)
        seq = Sequencer(loops=(steps,), depth=1)
        taken = table(m, s.plan[1], 1, seq.index[0], "taken")
        given = table(m, s.given, 1, seq.index[0], "given")
        seq.attach(m, [self.i], self.o, [taken], given)
        bits = s.dtype.width
        store = Signal(s.size * bits, reset_less=True)
        fresh, shift = raw(self.i.payload), s.source * bits
        with m.If(seq.issue & taken):
            m.d.sync += store.eq(Cat(store, fresh)[shift:] if s.size > s.source else fresh)
        starts = sorted({offset for offset in s.offsets if offset >= 0})
        which = [starts.index(offset) if offset >= 0 else 0 for offset in s.offsets]
        width = (len(starts) - 1).bit_length()
        select = seq.delayed(m, table(m, which, width, seq.index[0], "which"), 1)
        options = [store[start * bits : (start + s.sink) * bits] for start in starts]
        chosen = Array(options)[select] if len(options) > 1 else options[0]
        m.d.comb += raw(self.o.payload).eq(chosen)
        return m
