"""Functions of few bits of a beat, each a table in LUTs."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Value
from amaranth.lib.wiring import In, Out

from hwgen.families.base import Family, Resources
from hwgen.inttype import IntType
from hwgen.rtl import sequence
from hwgen.rtl.sequence import Sequencer
from hwgen.rtl.stream import Unit, raw, signature
from hwgen.rtl.timing import Timing


class TruthTableUnit(Unit):
    """Lane j of the output is ``tables[j]`` at the address that the input bits ``bits[j]`` make.

    ``bits[j]`` are pairs of a lane and a bit of its code, lowest first; ``tables[j]`` has two to
    their number of entries.

    Throughput: one beat per cycle. Latency: 1 cycle.

    Members:
        i: In(stream of ``lanes`` elements of ``input``)
        o: Out(stream of as many elements of ``output`` as there are tables)
    """

    def __init__(
        self,
        input: IntType,
        lanes: int,
        bits: Sequence[Sequence[tuple[int, int]]],
        tables: Sequence[Sequence[int]],
        output: IntType,
    ) -> None:
        for row, words in zip(bits, tables, strict=True):
            if len(words) != 1 << len(row):
                raise ValueError(f"a table of {len(row)} bits must have {1 << len(row)} entries")
        self.input, self.output, self.bits, self.tables = input, output, bits, tables
        self.timing = Timing.each(1)
        super().__init__(
            {"i": In(signature(input, lanes)), "o": Out(signature(output, len(tables)))}
        )

    def resources(self, family: Family) -> Resources:
        """A LUT for every bit of the output that varies."""
        lut, ff = 0.0, 0
        for row, words in zip(self.bits, self.tables, strict=True):
            varying = len(set(self._columns(words)) - {0, (1 << len(words)) - 1})
            lut += varying * family.rom(1 << len(row), 1)
            ff += varying
        return Resources(lut=lut, ff=ff) + sequence.price((1,), 1, family=family)

    def _columns(self, words: Sequence[int]) -> list[int]:
        """Every bit of the output as a function: bit a is its value at address a."""
        return [
            sum(((word >> b) & 1) << a for a, word in enumerate(words))
            for b in range(self.output.width)
        ]

    def elaborate(self, platform: object) -> Module:
        m = Module()
        seq = Sequencer(loops=(1,), depth=1)
        seq.attach(m, [self.i], self.o, [1], 1)
        x, width = raw(self.i.payload), self.input.width
        parts: list[Value] = []
        for row, words in zip(self.bits, self.tables, strict=True):
            address = Cat(*(x[lane * width + place] for lane, place in row))
            for column in self._columns(words):
                table = Const(column, len(words))
                parts.append(table.bit_select(address, 1) if len(row) else table[0])
        m.d.comb += raw(self.o.payload).eq(seq.delayed(m, Cat(*parts), 1))
        return m
