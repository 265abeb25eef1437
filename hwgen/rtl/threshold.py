"""Thresholds: how many of a channel's integers an element reaches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import gcd
from typing import Any, Literal

import numpy as np
from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib.wiring import In, Out
from numpy.typing import NDArray

from hwgen.families.base import Family, Resources
from hwgen.families.xc7 import XC7
from hwgen.inttype import IntType
from hwgen.rtl import load, sequence
from hwgen.rtl.channels import Channels
from hwgen.rtl.memory import table
from hwgen.rtl.sequence import Sequencer
from hwgen.rtl.stream import Unit, signature
from hwgen.rtl.threshold_price import (
    CHAIN_WORDS,
    Comparisons,
    compare_price,
    encoder_price,
)
from hwgen.rtl.timing import Timing

Ints = NDArray[np.int64]

Method = Literal["auto", "compare", "search"]


@dataclass(frozen=True, kw_only=True)
class ThresholdShape:
    """Everything about a ``ThresholdUnit`` but its numbers: cheap to make, to time, to price.

    Members:
        channels: with thresholds of their own; 1 if all share them.
        levels: thresholds per channel.
        mixed: whether some channels are descending and others not.
        one_bit: one threshold for all, which the input's highest bit decides: wires.
        writable: thresholds and directions are in RAM of two banks, see ``rtl.load``.
    """

    channels: int
    levels: int
    lanes: int
    input: IntType
    output: IntType
    mixed: bool = False
    one_bit: bool = False
    method: Method = "auto"
    registered: bool = True
    writable: bool = False

    @property
    def groups(self) -> int:
        return self.channels // gcd(self.channels, self.lanes)

    @property
    def rounds(self) -> int:
        """Comparisons of a binary search: bits of the count."""
        return self.levels.bit_length()

    @cached_property
    def chosen(self) -> Literal["compare", "search"]:
        """One comparator per threshold, or one per bit of the count, whichever is smaller on
        ``xc7``: the timing is the same on every family."""
        if self.method != "auto":
            return self.method
        few = self.levels < 2 or (self.input.width <= 6 and self.groups == 1)
        smaller = few or self._compare(XC7).lut <= self._search(XC7).lut
        return "compare" if smaller else "search"

    @property
    def depth(self) -> int:
        if self.chosen == "search":
            return self.rounds
        return int(self.registered and not self.one_bit)

    @property
    def timing(self) -> Timing:
        return Timing.each(self.depth)

    def resources(self, family: Family) -> Resources:
        """All lanes, their tables, the counter of the channel groups."""
        lane = self._search(family) if self.chosen == "search" else self._compare(family)
        return lane.scaled(self.lanes) + self.control(family)

    def control(self, family: Family) -> Resources:
        """The counter of the channel groups, in every stage of a search."""
        counter = sequence.price((self.groups,), self.depth, family=family)
        if self.chosen == "search":
            counter += Resources(ff=(self.rounds - 1) * (self.groups - 1).bit_length())
        return counter

    def counted(self, base: int, family: Family) -> float:
        """LUTs from one lane's comparisons to ``base`` and their number."""
        free = base % (1 << self.rounds) in (0, 1 << self.rounds >> 1) or self.groups == 1
        if self.chosen == "search":
            return 0 if free else self.rounds - 1
        return encoder_price(self.levels, family) + (not free)

    def _compare(self, family: Family) -> Resources:
        width, ff = self.input.width, self.output.width * int(self.registered)
        if self.one_bit:
            return Resources()
        if self.writable:
            words = [self.groups] * self.levels
            return self._loaded(words, family) + Resources(
                lut=encoder_price(self.levels, family), ff=ff
            )
        lut = self.levels * compare_price(self.groups, width, family)
        lut *= 1.0 if self.levels < 4 or self.groups > 1 else 0.82  # neighbours share their logic
        lut += encoder_price(self.levels, family)
        if self.groups == 1:
            lut = min(lut, family.rom(1 << width, self.rounds))
            if width <= 8:
                lut = min(lut, self.levels + self.rounds - 1)
        return Resources(lut=lut + self._flips(), ff=ff)

    def _search(self, family: Family) -> Resources:
        width = self.input.width
        words = [self.groups << k for k in range(self.rounds)]
        if self.writable:
            kept = sum(self.input.width + 1 + k for k in range(1, self.rounds))
            return self._loaded(words, family) + Resources(ff=self.output.width + kept)
        lut = self._flips() + sum(compare_price(n, width, family) for n in words)
        kept = sum(width + k for k in range(1, self.rounds))
        return Resources(lut=lut, ff=self.output.width + kept)

    def _loaded(self, words: Sequence[int], family: Family) -> Resources:
        """Comparisons with tables of ``words`` words that are written, and the directions."""
        width = self.input.width + 1
        lut = sum(family.comparator(width, constant=False) for _ in words) + width
        tables = [load.price(n, width, "lut", family) for n in words]
        return sum(tables, load.price(self.groups, 1, "lut", family)) + Resources(lut=lut)

    def _flips(self) -> float:
        """Inverters that depend on the channel."""
        return self.input.width if self.mixed and self.groups > 1 else 0


class ThresholdUnit(Unit):
    """``y = base + #{k: x >= t[c, k]}``, or ``base + #{k: x <= t[c, k]}`` in descending channels.

    ``output`` may be less than what any ``input`` gives, where single channels are known to be
    smaller: codes are taken modulo its width. With ``writable``, thresholds and directions are in
    tables that ``load`` writes.

    Throughput: one beat per cycle. Latency: ``shape.depth`` cycles: 1 with a comparator per
    threshold (0 if not ``registered``), the bits of the count with a binary search.

    Members:
        i: In(stream of ``lanes`` elements of ``input``, channel fastest)
        o: Out(stream of as many of ``shape.output``)
        load: In(``rtl.load.bus``), if ``writable``
    """

    def __init__(
        self,
        thresholds: object,
        input: IntType,
        *,
        lanes: int,
        channels: int | None = None,
        descending: Sequence[bool] = (False,),
        base: int = 0,
        output: IntType | None = None,
        method: Method = "auto",
        registered: bool = True,
        writable: bool = False,
    ) -> None:
        """``thresholds`` is (1 or channels, levels), each row ascending; ``channels`` is only
        needed to check them."""
        rows = np.asarray(thresholds, dtype=np.int64)
        down = np.broadcast_to(np.asarray(descending, dtype=bool), (len(rows),))
        if channels is not None and len(rows) not in (1, channels):
            raise ValueError(f"thresholds must have 1 or {channels} rows, not {len(rows)}")
        self.base, self.down = base, down
        # x <= t is ~x >= ~t: descending channels see inverted inputs and thresholds
        self.rows = np.where(down[:, None], ~rows[:, ::-1], rows)
        ends = np.stack([np.where(down, ~n, n) for n in (input.lo, input.hi)])
        reached = (ends[:, :, None] >= self.rows).sum(axis=2)
        exact = IntType(base + int(reached.min()), base + int(reached.max()))
        self.shape = ThresholdShape(
            channels=len(rows),
            levels=rows.shape[1],
            lanes=lanes,
            input=input,
            output=output or exact,
            mixed=bool(down.any() and not down.all()),
            one_bit=not writable
            and rows.shape[1] == 1
            and bool((self.rows == _highest(input)).all()),
            method=method,
            registered=registered,
            writable=writable,
        )
        self.timing = self.shape.timing
        ports = {"i": In(signature(input, lanes)), "o": Out(signature(self.shape.output, lanes))}
        super().__init__(ports | ({"load": In(load.bus())} if writable else {}))

    def resources(self, family: Family) -> Resources:
        """By the thresholds themselves where they are constants."""
        s = self.shape
        if s.writable or s.one_bit:
            return s.resources(family)
        search = s.chosen == "search"
        pairs = Comparisons(
            self.rows,
            self.down.astype(np.int64),
            s.lanes,
            s.input,
            self._limits(),
            s.rounds if search else 0,
        )
        lut = pairs.lut(family) + s.lanes * s.counted(self.base, family)
        if not search and s.groups == 1:
            table = family.rom(1 << s.input.width, s.rounds)
            if family.adder_logic and s.levels >= 4 and s.input.width <= 8:
                table = min(table, s.levels + s.rounds - 1)  # comparisons that share most of it
            lut = min(lut, s.lanes * table)
        return replace(s.resources(family), lut=lut + s.control(family).lut)

    def loader(self) -> load.Loader:
        """The tables that ``load`` writes: per lane, directions and then its comparisons'."""
        s, tables = self.shape, []
        for lane in range(s.lanes):
            rows = Channels(s.channels, s.lanes).of_lane(lane)
            tables.append(([int(self.down[r]) for r in rows], 1))
            picks = [[k] for k in range(s.levels)]
            if s.chosen == "search":
                picks = [self._picks(k) for k in range(s.rounds)]
            tables += [(self._words(rows, p), self._limits().width) for p in picks]
        return load.Loader(tables)

    def elaborate(self, platform: object) -> Module:
        m, s = Module(), self.shape
        self._loader = self.loader() if s.writable else None
        seq = Sequencer(loops=(s.groups,), depth=s.depth)
        seq.attach(m, [self.i], self.o, [1], 1)
        for lane in range(s.lanes):
            rows = Channels(s.channels, s.lanes).of_lane(lane)
            x = self._directed(m, seq, rows, lane)
            if s.chosen == "search":
                count = self._search(m, seq, x, rows, lane)
                m.d.comb += self.o.payload[lane].eq(count + self.base)
                continue
            reached = [
                self._reaches(m, x, rows, [k], seq.index[0], f"thresholds_{lane}_{k}")
                for k in range(s.levels)
            ]
            value = Signal.like(Value.cast(self.o.payload[lane]), name=f"y_{lane}")
            m.d.comb += value.eq(_encoded(reached) + self.base)
            m.d.comb += self.o.payload[lane].eq(seq.delayed(m, value, s.depth))
        return m

    def _directed(self, m: Module, seq: Sequencer, rows: list[int], lane: int) -> Value:
        """The element, inverted where its channel is descending; then it is signed."""
        x = Value.cast(self.i.payload[lane])
        if not self._directions:
            return x
        flips = [int(self.down[r]) for r in rows]
        flip = self._table(m, flips, 1, seq.index[0], f"flip_{lane}")
        bits = x.as_unsigned() if self.shape.input.signed else Cat(x, Const(0, 1))
        return (bits ^ flip.replicate(len(bits))).as_signed()

    @property
    def _directions(self) -> bool:
        """Whether elements may have to be inverted."""
        return self.shape.writable or bool(self.down.any())

    def _table(self, m: Module, words: list[int], width: int, address: Any, name: str) -> Value:
        if self._loader is not None:
            return self._loader.place(m, self.load, address, name)
        return table(m, words, width, address, name)

    def _limits(self) -> IntType:
        """What a comparison sees: all inputs as they come and inverted, and one above them."""
        kind = self.shape.input
        seen = [IntType(kind.lo, kind.hi + 1)]
        if self._directions:
            seen.append(IntType(~kind.hi, ~kind.lo + 1))
        return IntType.hull(seen)

    def _reaches(
        self, m: Module, x: Value, rows: list[int], picks: list[int], address: Any, name: str
    ) -> Value:
        """``x >= thresholds[row of the group, pick]``, addressed pick fastest, group slowest.

        Behind a table of some words it is the sign of a difference, since a carry chain takes
        the table into its LUTs and logic does not.
        """
        limits, words = self._limits(), self._words(rows, picks)
        word = self._table(m, words, limits.width, address, name)
        t = word.as_signed() if limits.signed else word
        return ~(x - t)[-1] if CHAIN_WORDS.start <= len(words) < CHAIN_WORDS.stop else x >= t

    def _words(self, rows: list[int], picks: list[int]) -> list[int]:
        """What a comparison's table holds; thresholds that nothing can reach are one above all."""
        limits, words = self._limits(), []
        for row in rows:
            for pick in picks:
                t = self.rows[row, pick] if pick < self.shape.levels else limits.hi
                words.append(min(max(int(t), limits.lo), limits.hi) % (1 << limits.width))
        return words

    def _picks(self, k: int) -> list[int]:
        """The thresholds that round ``k`` of a search may compare with."""
        rounds = self.shape.rounds
        return [((p << 1 | 1) << (rounds - 1 - k)) - 1 for p in range(1 << k)]

    def _search(self, m: Module, seq: Sequencer, x: Value, rows: list[int], lane: int) -> Value:
        """A comparison per bit of the count, each against the threshold the last ones lead to."""
        rounds = self.shape.rounds
        known: list[Value] = []
        for k in range(rounds):
            group = seq.delayed(m, seq.index[0], k)
            picks = self._picks(k)
            address = Cat(*reversed(known), group)
            bit = self._reaches(m, x, rows, picks, address, f"thresholds_{lane}_{k}")
            known = [seq.delayed(m, v, 1) for v in (*known, bit)]
            if k + 1 < rounds:
                x = seq.delayed(m, x, 1)
        return Cat(*reversed(known))


def _highest(kind: IntType) -> int:
    """The threshold that the highest bit of an element tells: 0, or half of the range."""
    return 0 if kind.signed else 1 << (kind.width - 1)


def _encoded(reached: Sequence[Any]) -> Value:
    """How many of the sorted comparisons hold, by binary search among their results."""
    size = (1 << len(reached).bit_length()) - 1
    tests = [*reached, *[Const(0, 1)] * (size - len(reached))]
    if size == 0:
        return Const(0, 1)
    if size == 1:
        return Value.cast(tests[0])
    half = size // 2
    low, high = _encoded(tests[:half]), _encoded(tests[half + 1 :])
    return Cat(Mux(tests[half], high, low), tests[half])
