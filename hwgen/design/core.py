"""The core: all circuits of a layout as one Amaranth component."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hwgen.design.layout import Layout, Stream
from hwgen.rtl.stream import raw, signature


class Core(wiring.Component):  # type: ignore[misc]
    """A network as one stream in and one stream out.

    Members:
        i: In(stream of the layout's input)
        o: Out(stream of the layout's output)
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        super().__init__(
            {
                "i": In(signature(layout.input.dtype, layout.input.lanes)),
                "o": Out(signature(layout.output.dtype, layout.output.lanes)),
            }
        )

    def ports(self) -> dict[str, Any]:
        """Port names of the Verilog module; clock and reset are ``clk`` and ``rst``."""
        return {
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
            m.submodules[block.instance] = units[block.instance] = block.unit

        def port(stream: Stream) -> Any:
            return getattr(units[stream.source], stream.port) if stream.source else self.i

        for block in self.layout.blocks:
            for k, stream in enumerate(block.inputs):
                sink = getattr(block.unit, "i" if len(block.inputs) == 1 else f"i{k}")
                _join(m, port(stream), sink)
        _join(m, port(self.layout.output), self.o)
        return m


def _join(m: Module, source: Any, sink: Any) -> None:
    """``source`` to ``sink``; an element keeps its value, whatever the widths."""
    m.d.comb += [sink.valid.eq(source.valid), source.ready.eq(sink.ready)]
    m.d.comb += [b.eq(a) for a, b in zip(source.payload, sink.payload, strict=True)]
