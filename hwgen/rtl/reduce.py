"""Windows of a ring of rows reduced to one element per channel: largest, sum, weighted sum."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Literal

import numpy as np
from amaranth.hdl import Const, Module, Mux, Shape, Signal, Value
from amaranth.lib.wiring import In, Out
from numpy.typing import NDArray

from hwgen.families.base import Family, Resources
from hwgen.inttype import IntType
from hwgen.rtl.memory import table
from hwgen.rtl.product import Weights
from hwgen.rtl.ring import Place, Ring, Taps, inverted
from hwgen.rtl.sequence import Sequencer, count
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
        self.walk, self.lanes, self.output, self.reduction = walk, lanes, output, reduction
        self.weights: Ints | None = None if weights is None else np.asarray(weights, np.int64)
        self.flip = tuple(flip)
        self.depth = 2 if weights is None else 3
        taps = Taps(dtype=dtype, pad=pad, gain=gain, shift=shift, flips=any(flip))
        self.ring = Ring(walk, taps, lanes, memory, self.depth)
        super().__init__({"i": In(signature(dtype, lanes)), "o": Out(signature(output, lanes))})

    @cached_property
    def timing(self) -> Timing:  # type: ignore[override]
        taps = self.walk.loops[-2].turns * self.walk.loops[-1].turns
        return self.ring.timing(np.arange(self.walk.steps) % taps == taps - 1)

    @property
    def groups(self) -> int:
        """Beats of one pixel."""
        return self.walk.words

    def resources(self, family: Family) -> Resources:
        """The ring, and per lane an adder or a comparison, and a multiplier."""
        width, out = self.ring.kind.width, self.output.width
        lane = Resources(ff=out)
        if self.reduction == "max":
            lane += Resources(lut=family.comparator(width, constant=False) + 1)
        else:
            lane += Resources(lut=family.adder(out) + 0.2 * out)
        if self.weights is not None:
            lane += self._weight_price(family)
        return self.ring.resources(family) + lane.scaled(self.lanes) + Resources(lut=4, ff=6)

    def _weight_price(self, family: Family) -> Resources:
        """Per lane: the table of weights and the product, each behind a register."""
        assert self.weights is not None
        kinds, width = Weights.of(self.weights), self.ring.kind.width
        product = width + kinds.range.width
        words = family.rom(self.groups * self.weights.shape[1], kinds.width)
        return kinds.price(width, family) + Resources(lut=words, ff=kinds.width + product)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        seq = self.ring.sequencer()
        last = Value.cast(seq.last[-1] & seq.last[-2])
        group = self._group(m, seq)
        flips = [flag_of(m, self.flip, self.lanes, group, lane) for lane in range(self.lanes)]
        taps = self.ring.build(m, seq, self.i, last, flips if any(self.flip) else ())
        self.ring.join(m, seq, self.o)
        at = 1 if self.weights is None else 2
        first = self._first(m, seq, last, at)
        issued = seq.delayed(m, seq.issue, at, reset=True)
        position = self._position(m, seq) if self.weights is not None else Const(0)
        for lane, tap in enumerate(taps):
            term = tap if self.weights is None else self._product(m, seq, tap, position, lane)
            total = Signal(self._total_shape(), name=f"total_{lane}", reset_less=True)
            after = self._after(m, first, total, term, lane)
            with m.If(seq.ce & issued):
                m.d.sync += total.eq(after)
            m.d.comb += self.o.payload[lane].eq(inverted(total, seq.delayed(m, flips[lane], 2)))
        return m

    def _total_shape(self) -> Shape:
        return element(self.ring.kind if self.reduction == "max" else self.output)

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
        places = self.groups * self.weights.shape[1]
        position = Signal(range(max(places, 2)))
        count(m, position, seq.issue, places)
        return position

    def _product(
        self, m: Module, seq: Sequencer, value: Value, position: Value, lane: int
    ) -> Value:
        """The weight times the element, registered once."""
        assert self.weights is not None
        kinds = Weights.of(self.weights)
        words = [kinds.word(int(w)) for w in self.weights[lane :: self.lanes].ravel()]
        word = seq.delayed(m, table(m, words, kinds.width, position, f"weights_{lane}"), 1)
        return seq.delayed(m, kinds.times(word, value), 1)


def joined(m: Module, seq: Sequencer, row: Sequence[Value], reduction: Reduction) -> Value:
    """A tree over the elements of one step, a register behind every level."""
    while len(row) > 1:
        pairs = list(zip(row[::2], row[1::2], strict=False))
        if reduction == "max":
            found = [Value.cast(Mux(a > b, a, b)) for a, b in pairs]
        else:
            found = [a + b for a, b in pairs]
        row = [seq.delayed(m, v, 1) for v in (*found, *row[2 * len(pairs) :])]
    return row[0]


def joined_levels(count: int) -> int:
    """Cycles that ``joined`` takes."""
    return (count - 1).bit_length()


def joined_price(count: int, width: int, reduction: Reduction, family: Family) -> Resources:
    """A comparison and a choice, or an adder, for every two that become one, and registers."""
    lut, ff = 0.0, 0
    while count > 1:
        pairs, count = count // 2, count - count // 2
        if reduction == "max":
            lut += pairs * larger_price(width, family)
        else:
            lut += pairs * family.adder(width)
            width += 1
        ff += count * width
    return Resources(lut=lut, ff=ff)


def larger_price(width: int, family: Family) -> float:
    """The larger of two elements; comparison and choice are one LUT a bit where it takes both."""
    small = 2 * width + 1 <= family.lut_inputs
    return width + (0 if small else family.comparator(width, constant=False))


def flag_of(m: Module, flip: Sequence[bool], lanes: int, group: Value, lane: int) -> Value:
    """Whether the lane's channel in beat ``group`` of a pixel is inverted."""
    if len(flip) == 1:
        return Const(int(flip[0]), 1)
    flags = [int(flag) for flag in flip[lane::lanes]]
    return table(m, flags, 1, group, f"flip_{lane}")
