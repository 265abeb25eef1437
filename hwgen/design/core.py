"""The core: all circuits of a layout as one Amaranth component."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from amaranth.hdl import ClockSignal, Instance, Module, ResetSignal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hwgen.design.layout import Block, Layout, Stream
from hwgen.rtl.load import bus
from hwgen.rtl.registers import UNIT_BITS
from hwgen.rtl.stream import raw, signature


class Core(wiring.Component):  # type: ignore[misc]
    """A network as one stream in and one stream out.

    ``apart`` names the blocks that are Verilog modules of their own, with their ports; the others
    are part of this design.

    Members:
        i: In(stream of the layout's input)
        o: Out(stream of the layout's output)
        load, unit: In(``rtl.load.bus``) and the number of the block that it writes, where the
            layout has writable ones.
        left: Out(1), a beat left the queue whose gate stands outside, where there is one.
    """

    def __init__(self, layout: Layout, apart: Mapping[str, Set[str]] | None = None) -> None:
        self.layout, self.apart = layout, apart or {}
        loads: dict[str, Any] = {}
        if layout.writable:
            loads = {"load": In(bus()), "unit": In(UNIT_BITS)}
        inside = {b.instance for b in layout.blocks}
        self.queue = next(
            (b.instance for b in layout.blocks if b.gate and b.gate not in inside), ""
        )
        if self.queue:
            loads["left"] = Out(1)
        super().__init__(
            loads
            | {
                "i": In(signature(layout.input.dtype, layout.input.lanes)),
                "o": Out(signature(layout.output.dtype, layout.output.lanes)),
            }
        )

    def ports(self) -> dict[str, Any]:
        """Port names of the Verilog module; clock and reset are ``clk`` and ``rst``."""
        loads = {}
        if self.layout.writable:
            names = self.load.signature.members
            loads = {f"load_{name}": getattr(self.load, name) for name in names}
            loads["load_unit"] = self.unit
        if self.queue:
            loads["left"] = self.left
        return loads | {
            "i_payload": raw(self.i.payload),
            "i_valid": self.i.valid,
            "i_ready": self.i.ready,
            "o_payload": raw(self.o.payload),
            "o_valid": self.o.valid,
            "o_ready": self.o.ready,
        }

    def elaborate(self, platform: object) -> Module:
        m = Module()
        units: dict[str, Any] = {}
        for block in self.layout.blocks:
            units[block.instance] = self._placed(m, block)

        def port(stream: Stream) -> Any:
            return getattr(units[stream.source], stream.port) if stream.source else self.i

        for block in self.layout.blocks:
            for k, stream in enumerate(block.inputs):
                sink = getattr(units[block.instance], "i" if len(block.inputs) == 1 else f"i{k}")
                _join(m, port(stream), sink)
            if block.gate:
                back = self.left if block.instance == self.queue else units[block.gate].returned
                m.d.comb += back.eq(units[block.instance].left)
        _join(m, port(self.layout.output), self.o)
        for number, block in enumerate(self.layout.writable):
            sink = units[block.instance].load
            m.d.comb += [
                sink.valid.eq(self.load.valid & (self.unit == number)),
                sink.address.eq(self.load.address),
                sink.data.eq(self.load.data),
                sink.bank.eq(self.load.bank),
            ]
        return m

    def _placed(self, m: Module, block: Block) -> Any:
        """What has the block's streams: its circuit, or an instance of its module."""
        if block.instance not in self.apart:
            m.submodules[block.instance] = block.unit
            return block.unit
        interface = block.unit.signature.create()
        ports = self.apart[block.instance]
        wires: dict[str, Value] = {}
        for path, member, value in block.unit.signature.flatten(interface):
            name = "__".join(str(part) for part in path)
            if name in ports:
                wires["oi"[member.flow is In] + "_" + name] = Value.cast(value)
        if "clk" in ports:
            wires["i_clk"] = ClockSignal()
        if "rst" in ports:
            wires["i_rst"] = ResetSignal()
        m.submodules[block.instance] = Instance(block.instance, **wires)
        return interface


def _join(m: Module, source: Any, sink: Any) -> None:
    """``source`` to ``sink``; an element keeps its value, whatever the widths."""
    m.d.comb += [sink.valid.eq(source.valid), source.ready.eq(sink.ready)]
    m.d.comb += [b.eq(a) for a, b in zip(source.payload, sink.payload, strict=True)]
