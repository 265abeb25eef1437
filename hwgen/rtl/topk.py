"""The indices of the largest elements of a frame."""

from __future__ import annotations

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib.wiring import In, Out

from hwgen.families.base import Family, Resources
from hwgen.inttype import IntType
from hwgen.rtl.sequence import Sequencer, price
from hwgen.rtl.stream import Unit, signature
from hwgen.rtl.timing import Timing

Entry = tuple[Value, Value]
"""A value and its index."""


class TopKUnit(Unit):
    """The ``k`` largest of ``elements`` by index, largest first, the lowest index first of equals.

    With ``k`` above 1 elements come one a beat. Throughput: one beat in per cycle. Latency: one
    cycle a
    level of the comparison tree over lanes and one more, from a frame's last beat.

    Members:
        i: In(stream of ``lanes`` elements of ``dtype``)
        o: Out(stream of ``k`` indices), one beat a frame.
    """

    def __init__(self, dtype: IntType, elements: int, k: int, lanes: int) -> None:
        if elements % lanes or (k > 1 and lanes > 1):
            raise ValueError(f"lanes must divide {elements}, and be 1 for k > 1, not {lanes}")
        self.dtype, self.elements, self.k, self.lanes = dtype, elements, k, lanes
        self.index = IntType(0, elements - 1)
        self.beats = elements // lanes
        self.levels = (lanes - 1).bit_length()
        last = [b == self.beats - 1 for b in range(self.beats)]
        self.timing = Timing.pipe([1] * self.beats, last, self.levels + 1)
        super().__init__({"i": In(signature(dtype, lanes)), "o": Out(signature(self.index, k))})

    def resources(self, family: Family) -> Resources:
        """A comparator and two multiplexers for every comparison, registers at every level."""
        width, index = self.dtype.width, self.index.width
        compare = family.comparator(width, constant=False)
        total = price((self.beats,), self.levels + 1, family=family)
        count = self.lanes
        for bits in range(1, self.levels + 1):
            pairs, count = count // 2, (count + 1) // 2
            lut = pairs * (compare + width + (min(bits, index) - 1))
            stay = pairs if family.shift_register else count  # an odd one waits in shift registers
            total += Resources(lut=lut, ff=stay * (width + min(bits, index)))
        if self.beats == 1:
            return total + Resources(ff=index)
        kept = Resources(
            lut=self.k * (compare + width + index),
            ff=self.k * (width + index) + (self.k > 1) * self.k,
        )
        return total + kept + Resources(ff=2 * self.levels)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        seq = Sequencer(loops=(self.beats,), depth=self.levels + 1)
        seq.attach(m, [self.i], self.o, [1], seq.last[0])
        best = self._tree(m, seq)
        beat = seq.delayed(m, seq.index[0], self.levels)
        active = seq.delayed(m, seq.issue, self.levels, reset=True)
        first = beat == 0
        index: Value = best[1] if self.beats == 1 else self._numbered(m, beat, best[1])
        kept = self._insert(m, seq.ce & active, first, (best[0], index))
        m.d.comb += [self.o.payload[k].eq(entry) for k, entry in enumerate(kept)]
        return m

    def _numbered(self, m: Module, beat: Value, lane: Value) -> Value:
        """Number of an element from its beat and lane."""
        number = Signal(self.index.width)
        m.d.comb += number.eq(beat * self.lanes + lane)
        return number

    def _tree(self, m: Module, seq: Sequencer) -> Entry:
        """The largest of a beat and its lane, ``levels`` cycles later."""
        entries: list[Entry] = [
            (Value.cast(self.i.payload[k]), Const(k, self.levels)) for k in range(self.lanes)
        ]
        entries = [(value.as_signed() if self.dtype.signed else value, k) for value, k in entries]
        for level in range(self.levels):
            pairs = [entries[k : k + 2] for k in range(0, len(entries), 2)]
            entries = [self._larger(m, seq, level, n, pair) for n, pair in enumerate(pairs)]
        return entries[0]

    def _larger(
        self, m: Module, seq: Sequencer, level: int, number: int, pair: list[Entry]
    ) -> Entry:
        """The larger of one or two entries behind a register; of equals the first."""
        value = Signal.like(pair[0][0], name=f"value_{level}_{number}", reset_less=True)
        lane = Signal(self.levels, name=f"lane_{level}_{number}", reset_less=True)
        (a, i), (b, j) = pair[0], pair[-1]
        second = b > a
        with m.If(seq.ce):
            m.d.sync += [value.eq(Mux(second, b, a)), lane.eq(Mux(second, j, i))]
        return value, lane

    def _insert(self, m: Module, enable: Value, first: Value, new: Entry) -> list[Value]:
        """Keeps the ``k`` best of a frame in order; their indices."""
        values = [Signal.like(new[0], name=f"best_{k}", reset_less=True) for k in range(self.k)]
        places = [
            Signal(self.index.width, name=f"place_{k}", reset_less=True) for k in range(self.k)
        ]
        held = [Signal(name=f"held_{k}", reset_less=True) for k in range(self.k)]
        beats = [first | ~held[k] | (new[0] > values[k]) for k in range(self.k)]
        if self.k == 1:
            beats = [first | (new[0] > values[0])]
        with m.If(enable):
            for k in range(self.k):
                above: Value = beats[k - 1] if k else Const(0)
                fresh = [values[k].eq(new[0]), places[k].eq(new[1]), held[k].eq(1)]
                with m.If(above & ~first):
                    before = (values[k - 1], places[k - 1], held[k - 1])
                    m.d.sync += [
                        a.eq(b)
                        for a, b in zip((values[k], places[k], held[k]), before, strict=True)
                    ]
                with m.Elif(first & Const(k > 0)):
                    m.d.sync += held[k].eq(0)
                with m.Elif(beats[k]):
                    m.d.sync += fresh
        return list(places)
