"""AXI4-Stream words to frames of elements and back, with TLAST, TKEEP and error flags."""

from __future__ import annotations

from math import ceil

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hwgen.families.base import Family, Resources
from hwgen.inttype import IntType
from hwgen.rtl.gearbox import Gearbox
from hwgen.rtl.stream import Unit, signature
from hwgen.rtl.timing import Timing


def slot_bits(dtype: IntType) -> int:
    """Bits that one element takes in a word: the next power of two."""
    return 1 << (dtype.width - 1).bit_length()


def axis(word_bits: int) -> wiring.Signature:
    """An AXI4-Stream of ``word_bits`` with TKEEP and TLAST, seen from its source."""
    return wiring.Signature(
        {
            "tdata": Out(word_bits),
            "tkeep": Out(word_bits // 8),
            "tlast": Out(1),
            "tvalid": Out(1),
            "tready": In(1),
        }
    )


class AxiStreamIn(Unit):
    """Words of whole slots to frames of ``elements``, ``lanes`` a beat; a frame starts a new word.

    A TLAST inside a frame sets ``early``, and the rest of the frame is filled with zeros, so that
    the
    next word starts the next frame. Throughput: a word per cycle. Latency: one cycle.

    Members:
        axis: In(AXI4-Stream)
        o: Out(stream of ``lanes`` elements of ``dtype``)
        first: Out(1), a frame's first word is taken in this cycle.
        last: Out(1), a frame's last word is taken in this cycle.
        packet: Out(1), that word has TLAST.
        early, missing, hole: Out(1), TLAST inside a frame, none at its end, TKEEP not full inside.
        hold: In(1), takes no last word.
        pause: In(1), takes no first word.
    """

    def __init__(self, dtype: IntType, elements: int, lanes: int, word_bits: int) -> None:
        self.dtype, self.elements, self.lanes, self.word_bits = dtype, elements, lanes, word_bits
        self.slots = word_bits // slot_bits(dtype)
        if self.slots < 1:
            raise ValueError(f"a word of {word_bits} bits must hold an element of {dtype.width}")
        self.words = ceil(elements / self.slots)
        self.gearbox = Gearbox(dtype, self.slots, lanes, elements)
        self.timing: Timing = self.gearbox.timing
        flags = {name: Out(1) for name in ("first", "last", "packet", "early", "missing", "hole")}
        super().__init__(
            {
                "axis": In(axis(word_bits)),
                "o": Out(signature(dtype, lanes)),
                "hold": In(1),
                "pause": In(1),
                **flags,
            }
        )

    def resources(self, family: Family) -> Resources:
        """The gearbox, and for frames of some words a count, the zero fill and the checks."""
        if self.words == 1:
            return self.gearbox.resources(family) + Resources(lut=2)
        count = (self.words - 1).bit_length()
        bits = self.slots * self.dtype.width
        checks = Resources(lut=1.6 * count + bits + self.word_bits / 48 + 6, ff=count + 1)
        return self.gearbox.resources(family) + checks

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.gearbox = box = self.gearbox
        wiring.connect(m, box.o, wiring.flipped(self.o))
        some = self.words > 1
        count: Value = Signal(range(self.words)) if some else Const(0)
        filling: Value = Signal() if some else Const(0)
        at_last: Value = count == self.words - 1
        taken, moved, wait = Signal(), Signal(), Signal()
        m.d.comb += [
            wait.eq((at_last & self.hold) | ((count == 0) & self.pause)),
            box.i.valid.eq((self.axis.tvalid | filling) & ~wait),
            self.axis.tready.eq(box.i.ready & ~filling & ~wait),
            moved.eq(box.i.valid & box.i.ready),
            taken.eq(self.axis.tvalid & self.axis.tready),
            self.first.eq(moved & (count == 0)),
            self.last.eq(moved & at_last),
            self.packet.eq(self.axis.tlast | filling),
            self.early.eq(taken & ~at_last & self.axis.tlast),
            self.missing.eq(taken & at_last & ~self.axis.tlast),
            self.hole.eq(taken & ~at_last & ~self.axis.tkeep.all()),
        ]
        slot = slot_bits(self.dtype)
        for k in range(self.slots):
            bits = self.axis.tdata[k * slot : k * slot + self.dtype.width]
            m.d.comb += Value.cast(box.i.payload[k]).eq(Mux(filling, 0, bits))
        if some:
            with m.If(moved):
                m.d.sync += [
                    count.eq(Mux(at_last, 0, count + 1)),
                    filling.eq((filling | self.early) & ~at_last),
                ]
        return m


class AxiStreamOut(Unit):
    """Frames of ``elements``, ``lanes`` a beat, to words of whole slots, sign-extended.

    TLAST marks a frame's last word where the frame's mark is set; there TKEEP leaves out the bytes
    beyond the frame. Throughput: a word per cycle. Latency: one cycle.

    Members:
        i: In(stream of ``lanes`` elements of ``dtype``)
        mark: In(stream of 1 bit), one per frame: whether a packet ends with it.
        axis: Out(AXI4-Stream)
        last: Out(1), a frame's last word leaves in this cycle.
    """

    def __init__(self, dtype: IntType, elements: int, lanes: int, word_bits: int) -> None:
        self.dtype, self.elements, self.lanes, self.word_bits = dtype, elements, lanes, word_bits
        self.slots = word_bits // slot_bits(dtype)
        if self.slots < 1:
            raise ValueError(f"a word of {word_bits} bits must hold an element of {dtype.width}")
        self.words = ceil(elements / self.slots)
        self.gearbox = Gearbox(dtype, lanes, self.slots, elements)
        self.timing: Timing = self.gearbox.timing
        super().__init__(
            {
                "i": In(signature(dtype, lanes)),
                "mark": In(signature(IntType(0, 1), 1)),
                "axis": Out(axis(word_bits)),
                "last": Out(1),
            }
        )

    def resources(self, family: Family) -> Resources:
        """The gearbox and a count of words."""
        count = (self.words - 1).bit_length()
        return self.gearbox.resources(family) + Resources(lut=1.6 * count + 2, ff=count)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.gearbox = box = self.gearbox
        wiring.connect(m, wiring.flipped(self.i), box.i)
        count: Value = Signal(range(self.words)) if self.words > 1 else Const(0)
        at_last: Value = count == self.words - 1
        go = self.mark.valid | ~at_last
        m.d.comb += [
            self.axis.tvalid.eq(box.o.valid & go),
            box.o.ready.eq(self.axis.tready & go),
            self.last.eq(self.axis.tvalid & self.axis.tready & at_last),
            self.mark.ready.eq(self.last),
            self.axis.tlast.eq(at_last & self.mark.payload[0]),
            self.axis.tkeep.eq(Mux(self.axis.tlast, self._kept(), -1)),
        ]
        slot = slot_bits(self.dtype)
        wide = [Signal.like(Const(0, slot), name=f"slot_{k}") for k in range(self.slots)]
        m.d.comb += [a.eq(box.o.payload[k]) for k, a in enumerate(wide)]
        m.d.comb += self.axis.tdata.eq(Cat(*wide))
        if self.words > 1:
            with m.If(self.axis.tvalid & self.axis.tready):
                m.d.sync += count.eq(Mux(at_last, 0, count + 1))
        return m

    def _kept(self) -> int:
        """TKEEP of a frame's last word."""
        rest = self.elements - (self.words - 1) * self.slots
        return (1 << ceil(rest * slot_bits(self.dtype) / 8)) - 1
