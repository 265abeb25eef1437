"""The accelerator: a core between AXI4-Stream ports, with AXI4-Lite registers beside it."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from math import ceil
from typing import Any

from amaranth.hdl import (
    ClockDomain,
    ClockSignal,
    Elaboratable,
    Instance,
    Module,
    ResetInserter,
    ResetSignal,
    Signal,
    Value,
)
from amaranth.lib import wiring

import hwgen
from hwgen.design.layout import Block, Layout, Stream, token_graph
from hwgen.families.base import Family, Resources
from hwgen.inttype import IntType
from hwgen.ir.graph import Graph
from hwgen.rtl.axi import AxiStreamIn, AxiStreamOut, slot_bits
from hwgen.rtl.credit import CreditGate
from hwgen.rtl.fifo import Fifo
from hwgen.rtl.registers import Registers
from hwgen.rtl.stream import raw, signature
from hwgen.rtl.tokens import Measure, TokenGraph

WordBits = tuple[int, int]

MIN_INSIDE = 16
"""Frames that may be inside at least, before the shell holds the next one back."""


class Accelerator:
    """A core's layout with its AXI shell: priced and timed as one.

    ``word_bits``: of an AXI4-Stream word in and out.

    Members:
        gate: the gate of credits that the core began with, where a frame is one word and one beat:
            then it stands before the input's register, which runs freely too.
    """

    def __init__(self, layout: Layout, word_bits: WordBits) -> None:
        self.input_bits = max(word_bits[0], slot_bits(layout.input.dtype))
        self.output_bits = max(word_bits[1], slot_bits(layout.output.dtype))
        i, o = layout.input, layout.output
        self.front = AxiStreamIn(i.dtype, i.elements, i.lanes, self.input_bits)
        self.back = AxiStreamOut(o.dtype, o.elements, o.lanes, self.output_bits)
        self.gate, self.layout = None, layout
        if self.front.words == self.front.timing.steps == 1:
            self.gate, self.layout = layout.without_gate()

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The core's circuits between the two adapters."""
        i, o = self.layout.input, self.layout.output
        words = Stream("", "i", i.dtype, self.front.slots, self.front.words)
        gates = (replace(self.gate, inputs=(words,)),) if self.gate else ()
        taken = Stream(gates[0].instance, "o", *words.shape) if gates else words
        first = Block("axi_in", self.front, (taken,))
        fed = Stream("axi_in", "o", i.dtype, i.lanes, i.beats)
        inner = []
        for block in self.layout.blocks:
            reads = tuple(s if s.source else fed for s in block.inputs)
            inner.append(replace(block, inputs=reads))
        last = Block("axi_out", self.back, (o if o.source else fed,))
        return (*gates, first, *inner, last)

    def measure(self) -> Measure:
        """Latency and initiation interval at the AXI4-Stream words."""
        return self._measured

    def tokens(self) -> TokenGraph:
        """The timing from AXI4-Stream words to AXI4-Stream words."""
        o = self.layout.output
        words = self.blocks[0].inputs[0]
        sink = Stream("axi_out", "o", o.dtype, self.back.slots, self.back.words)
        return token_graph(self.blocks, words, sink)

    @cached_property
    def _measured(self) -> Measure:
        return self.tokens().measure()

    @cached_property
    def inside(self) -> int:
        """The most frames that can be inside at once in the steady state, with some to spare."""
        measured = self.measure()
        return max(MIN_INSIDE, ceil(measured.latency / (measured.interval or 1)) + 4)

    def registers_price(self, family: Family, inside: int | None = None) -> Resources:
        """The AXI4-Lite block and the FIFO of frame marks, as many as frames are ``inside``."""
        frames = inside or self.inside
        marks = Fifo(IntType(0, 1), 1, frames, "lut").resources(family)
        loads = bool(self.layout.writable)
        return Registers.resources(family, frames, loads=loads) + marks

    def resources(self, family: Family) -> Resources:
        """All circuits, by the least number of frames that may be inside: nothing is timed."""
        circuits = [b.unit.resources(family) for b in self.blocks]
        return sum(circuits, self.registers_price(family, MIN_INSIDE))

    def shell(self, build: int) -> Shell:
        """The top module around an instance of ``core``; ``build`` is the BUILD register."""
        return Shell(self, build)

    @staticmethod
    def words(graph: Graph, word_bits: WordBits) -> tuple[int, int]:
        """Words per frame in and out: as many cycles at least."""
        ends = (graph.types[graph.input.name], graph.types[graph.output.name])
        words = []
        for kind, bits in zip(ends, word_bits, strict=True):
            slot = slot_bits(kind.element)
            words.append(ceil(kind.elements / (max(bits, slot) // slot)))
        return words[0], words[1]

    @staticmethod
    def native_word_bits(graph: Graph) -> WordBits:
        """Word widths that take a whole frame in one word."""
        ends = (graph.types[graph.input.name], graph.types[graph.output.name])
        bits = [kind.elements * slot_bits(kind.element) for kind in ends]
        wide = [max(8, 1 << (b - 1).bit_length()) for b in bits]
        return wide[0], wide[1]


class Shell(Elaboratable):  # type: ignore[misc]
    """The Verilog top ``accelerator``; see "Top level of the hardware" in the design page."""

    _MustUse__silence = True

    def __init__(self, accelerator: Accelerator, build: int) -> None:
        self.accelerator = accelerator
        major, minor, patch = (int(part) for part in hwgen.__version__.split(".")[:3])
        version = major << 16 | minor << 8 | patch
        words = accelerator.layout.load_words
        self.registers = Registers(version, build, accelerator.inside, words)
        self.aclk, self.aresetn = Signal(), Signal()
        self.s_axis = accelerator.front.axis.signature.create()
        self.m_axis = accelerator.back.axis.signature.create()
        self.s_axil = self.registers.axil.signature.create()

    def ports(self) -> dict[str, Any]:
        """Port names of the Verilog module."""
        found: dict[str, Any] = {"aclk": self.aclk, "aresetn": self.aresetn}
        for name in ("s_axis", "m_axis", "s_axil"):
            bus = getattr(self, name)
            found |= {f"{name}_{key}": getattr(bus, key) for key in bus.signature.members}
        return found

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains.sync = ClockDomain()
        m.d.comb += [ClockSignal().eq(self.aclk), ResetSignal().eq(~self.aresetn)]
        front, back, registers = self.accelerator.front, self.accelerator.back, self.registers
        clear = registers.clear
        marks = Fifo(IntType(0, 1), 1, self.accelerator.inside, "lut")
        m.submodules.axi_in = ResetInserter(clear)(front)
        m.submodules.axi_out = ResetInserter(clear)(back)
        m.submodules.marks = ResetInserter(clear)(marks)
        m.submodules.registers = registers
        wiring.connect(m, wiring.flipped(self.s_axis), front.axis)
        wiring.connect(m, back.axis, wiring.flipped(self.m_axis))
        wiring.connect(m, wiring.flipped(self.s_axil), registers.axil)
        m.d.comb += [
            marks.i.valid.eq(front.last),
            marks.i.payload[0].eq(front.packet),
            registers.first.eq(front.first),
            registers.last.eq(front.last),
            registers.done.eq(back.last),
            registers.errors[0].eq(front.early),
            registers.errors[1].eq(front.missing),
            registers.errors[2].eq(front.hole),
        ]
        wiring.connect(m, marks.o, back.mark)
        left = Signal()
        if self.accelerator.gate is not None:
            gate = CreditGate(IntType(0, 1), 1, self.accelerator.gate.unit.credits)
            m.submodules.gate = ResetInserter(clear)(gate)
            m.d.comb += [
                gate.i.valid.eq(front.last),
                gate.returned.eq(left),
                front.hold.eq(~marks.i.ready | ~gate.i.ready),
            ]
        else:
            m.d.comb += front.hold.eq(~marks.i.ready)
        self._core(m, clear, left)
        return m

    def _core(self, m: Module, clear: Value, left: Signal) -> None:
        i, o = self.accelerator.layout.input, self.accelerator.layout.output
        inward, outward = signature(i.dtype, i.lanes).create(), signature(o.dtype, o.lanes).create()
        wiring.connect(m, self.accelerator.front.o, wiring.flipped(inward))
        wiring.connect(m, outward, self.accelerator.back.i)
        registers, loads = self.registers, {}
        if registers.words:
            m.d.comb += self.accelerator.front.pause.eq(registers.pause)
            names = registers.load.signature.members
            loads = {f"i_load_{name}": getattr(registers.load, name) for name in names}
            loads["i_load_unit"] = registers.unit
        if self.accelerator.gate is not None:
            loads["o_left"] = left
        m.submodules.core = Instance(
            "core",
            **loads,
            i_clk=ClockSignal(),
            i_rst=ResetSignal() | clear,
            i_i_payload=raw(inward.payload),
            i_i_valid=inward.valid,
            o_i_ready=inward.ready,
            o_o_payload=raw(outward.payload),
            o_o_valid=outward.valid,
            i_o_ready=outward.ready,
        )


__all__ = ["Accelerator", "Shell", "slot_bits"]
