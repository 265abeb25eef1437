"""Tables: any function of one element, per channel where needed."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd
from typing import Literal

import numpy as np
from amaranth.hdl import Cat, Module, Value
from amaranth.lib.wiring import In, Out

from hwgen.families.base import Family, Resources
from hwgen.inttype import IntType
from hwgen.rtl import sequence
from hwgen.rtl.channels import Channels
from hwgen.rtl.memory import block_table, rom_price, table
from hwgen.rtl.sequence import Sequencer
from hwgen.rtl.stream import Unit, signature
from hwgen.rtl.timing import Timing


@dataclass(frozen=True, kw_only=True)
class LookupShape:
    """Everything about a ``LookupUnit`` but its numbers; ``channels`` with tables of their own."""

    channels: int
    lanes: int
    input: IntType
    output: IntType
    memory: Literal["lut", "block"] = "lut"

    @property
    def groups(self) -> int:
        return self.channels // gcd(self.channels, self.lanes)

    @property
    def timing(self) -> Timing:
        return Timing.each(1)

    def resources(self, family: Family) -> Resources:
        """A table per lane."""
        depth = self.groups << self.input.width
        lane = rom_price(depth, self.output.width, self.memory, family)
        if self.memory == "lut":
            lane += Resources(ff=self.output.width)
        return lane.scaled(self.lanes) + sequence.price((self.groups,), 1, family=family)


class LookupUnit(Unit):
    """``y = table[c, x - start]``.

    ``output`` may be less than what any ``input`` gives, where single channels are known to be
    smaller: codes are taken modulo its width.

    Throughput: one beat per cycle. Latency: 1 cycle.

    Members:
        i: In(stream of ``lanes`` elements of ``input``, channel fastest)
        o: Out(stream of as many of ``shape.output``)
    """

    def __init__(
        self,
        values: object,
        start: int,
        input: IntType,
        *,
        lanes: int,
        output: IntType | None = None,
        memory: Literal["lut", "block"] = "lut",
    ) -> None:
        """``values`` is (1 or channels, entries) and covers every x of ``input``."""
        self.values = np.asarray(values, dtype=np.int64)[:, input.lo - start : input.hi - start + 1]
        if input.lo < start or self.values.shape[1] != input.size:
            raise ValueError(f"the table from {start} must cover {input}")
        exact = IntType(int(self.values.min()), int(self.values.max()))
        self.shape = LookupShape(
            channels=len(self.values),
            lanes=lanes,
            input=input,
            output=output or exact,
            memory=memory,
        )
        self.timing = self.shape.timing
        super().__init__(
            {"i": In(signature(input, lanes)), "o": Out(signature(self.shape.output, lanes))}
        )

    def resources(self, family: Family) -> Resources:
        return self.shape.resources(family)

    def words(self, lane: int) -> list[int]:
        """The table of a lane: group after group, by the bits of x; 0 where x cannot be."""
        s = self.shape
        mask, size = (1 << s.output.width) - 1, 1 << s.input.width
        words = []
        for row in Channels(s.channels, s.lanes).of_lane(lane):
            part = [0] * size
            for k, value in enumerate(self.values[row]):
                part[(s.input.lo + k) % size] = int(value) & mask
            words += part
        return words

    def elaborate(self, platform: object) -> Module:
        m, s = Module(), self.shape
        seq = Sequencer(loops=(s.groups,), depth=1)
        seq.attach(m, [self.i], self.o, [1], 1)
        for lane in range(s.lanes):
            x = Value.cast(self.i.payload[lane])
            address = Cat(x, seq.index[0]) if s.groups > 1 else x.as_unsigned()
            words, width, name = self.words(lane), s.output.width, f"table_{lane}"
            if s.memory == "block":
                y = block_table(m, words, width, address, seq.ce, name)
            else:
                y = seq.delayed(m, table(m, words, width, address, name), 1)
            m.d.comb += self.o.payload[lane].eq(y)
        return m
