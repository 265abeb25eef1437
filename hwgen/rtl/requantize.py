"""Multiply, add, shift, clip: quantizers of many levels."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, gcd

import numpy as np
from amaranth.hdl import Const, Module, Mux, Shape, Signal, Value
from amaranth.lib.wiring import In, Out

from hwgen.families.base import Family, Resources
from hwgen.inttype import IntType
from hwgen.rtl import sequence
from hwgen.rtl.channels import Channels
from hwgen.rtl.memory import table
from hwgen.rtl.sequence import Sequencer
from hwgen.rtl.stream import Unit, element, signature
from hwgen.rtl.timing import Timing

DEPTH = 4
"""Operands, product, sum, clipped result: the registers of a DSP, and one."""


@dataclass(frozen=True, kw_only=True)
class RequantizeShape:
    """Everything about a ``RequantizeUnit`` but its numbers.

    Members:
        channels: with constants of their own; 1 if all share them.
        multiplier, bias: ranges over all channels. product, total: of x * m, and with the bias.
    """

    channels: int
    lanes: int
    input: IntType
    output: IntType
    multiplier: IntType
    bias: IntType
    shift: int
    product: IntType
    total: IntType

    @property
    def groups(self) -> int:
        return self.channels // gcd(self.channels, self.lanes)

    @property
    def timing(self) -> Timing:
        return Timing.each(DEPTH)

    @property
    def plain(self) -> bool:
        """One multiplier for all that is a power of two: no multiplication."""
        m = self.multiplier
        return m.lo == m.hi and m.lo > 0 and m.lo & (m.lo - 1) == 0

    def resources(self, family: Family) -> Resources:
        """Per lane a multiplier, an adder and a clip; a DSP holds the first registers itself."""
        kept = max(self.total.width - self.shift, 1)
        least, most = self.total.lo >> self.shift, self.total.hi >> self.shift
        clips = least < self.output.lo or most > self.output.hi
        lut = family.comparator(kept) + self.output.width if clips else 0.0
        ff = float(self.output.width)
        dsp = 0 if self.plain else multiplier_dsps(self.input.width, self.multiplier.width)
        if not dsp:
            lut += family.adder(self.total.width, constant=self.bias.size == 1)
            ff += self.input.width + self.product.width + self.total.width
        if self.groups > 1:
            widths = [0 if k.size == 1 else k.width for k in (self.multiplier, self.bias)]
            lut += family.rom(self.groups, sum(widths))
            ff += sum(widths)
        lane = Resources(lut=lut, ff=ff, dsp=dsp)
        return lane.scaled(self.lanes) + sequence.price((self.groups,), DEPTH, family=family)


def multiplier_dsps(a: int, b: int) -> int:
    """DSPs of a product of ``a`` by ``b`` bits on 25 by 18 signed multipliers."""
    wide, narrow = max(a, b), min(a, b)
    return ceil(wide / 24) * ceil(narrow / 17) if wide > 25 or narrow > 18 else 1


def _shifted(total: int, shift: int, even: bool) -> int:
    """What is left of ``total``; with ``even`` an odd result of an exact shift is one less."""
    code = total >> shift
    return code - (code & 1) if even and total % (1 << shift) == 0 else code


class RequantizeUnit(Unit):
    """``y = clip((x * multiplier[c] + bias[c]) >> shift, lo, hi)``, the shift to minus infinity;
    with ``even``, where nothing is shifted out, an odd result becomes the even one below.

    Throughput: one beat per cycle. Latency: 4 cycles.

    Members:
        i: In(stream of ``lanes`` elements of ``input``, channel fastest)
        o: Out(stream of as many of ``shape.output``)
    """

    def __init__(
        self,
        multiplier: object,
        bias: object,
        shift: int,
        clip: IntType,
        input: IntType,
        *,
        lanes: int,
        output: IntType | None = None,
        even: bool = False,
    ) -> None:
        """``multiplier`` and ``bias`` have one entry, or one per channel."""
        self.multiplier = [int(v) for v in np.atleast_1d(np.asarray(multiplier))]
        self.bias = [int(v) for v in np.atleast_1d(np.asarray(bias))]
        self.clip = clip
        self.even = even
        channels = max(len(self.multiplier), len(self.bias))
        factors = self.multiplier * (channels // len(self.multiplier))
        offsets = self.bias * (channels // len(self.bias))
        products = [IntType(*sorted((k * input.lo, k * input.hi))) for k in factors]
        totals = [IntType(p.lo + b, p.hi + b) for p, b in zip(products, offsets, strict=True)]
        codes = [_shifted(v, shift, even) for t in totals for v in (t.lo, t.hi)]
        ends = [min(max(code, clip.lo), clip.hi) for code in codes]
        self.shape = RequantizeShape(
            channels=channels,
            lanes=lanes,
            input=input,
            output=output or IntType(min(ends), max(ends)),
            multiplier=IntType(min(factors), max(factors)),
            bias=IntType(min(offsets), max(offsets)),
            shift=shift,
            product=IntType.hull(products),
            total=IntType.hull(totals),
        )
        self.timing = self.shape.timing
        super().__init__(
            {"i": In(signature(input, lanes)), "o": Out(signature(self.shape.output, lanes))}
        )

    def resources(self, family: Family) -> Resources:
        return self.shape.resources(family)

    def elaborate(self, platform: object) -> Module:
        m, s = Module(), self.shape
        seq = Sequencer(loops=(s.groups,), depth=DEPTH)
        seq.attach(m, [self.i], self.o, [1], 1)
        for lane in range(s.lanes):
            x = seq.delayed(m, Value.cast(self.i.payload[lane]), 1)
            factor = self._constant(m, seq, self.multiplier, s.multiplier, lane, "multiplier")
            bias = self._constant(m, seq, self.bias, s.bias, lane, "bias")
            product = Signal(element(s.product), name=f"product_{lane}")
            total = Signal(element(s.total), name=f"total_{lane}")
            m.d.comb += product.eq(x * seq.delayed(m, factor, 1))
            m.d.comb += total.eq(seq.delayed(m, product, 1) + seq.delayed(m, bias, 2))
            summed = seq.delayed(m, total, 1)
            shifted = summed >> s.shift
            if self.even:
                shifted = Mux(summed[: s.shift] == 0, shifted & -2, shifted)
            low, high = Const(self.clip.lo), Const(self.clip.hi)
            clipped = Signal(element(s.output), name=f"clipped_{lane}")
            m.d.comb += clipped.eq(Mux(shifted < low, low, Mux(shifted > high, high, shifted)))
            m.d.comb += self.o.payload[lane].eq(seq.delayed(m, clipped, 1))
        return m

    def _constant(
        self, m: Module, seq: Sequencer, values: list[int], kind: IntType, lane: int, name: str
    ) -> Value:
        """The channel's constant in this step."""
        if kind.size == 1:
            return Const(kind.lo, Shape(kind.width, kind.signed))
        own = Channels(self.shape.channels, self.shape.lanes).take(values, lane)
        words = [value % (1 << kind.width) for value in own]
        word = table(m, words, kind.width, seq.index[0], f"{name}_{lane}")
        return word.as_signed() if kind.signed else word
