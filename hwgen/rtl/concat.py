"""Streams joined pixel by pixel: the channels of one, then those of the next."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from amaranth.hdl import Module, Signal, Value
from amaranth.lib.wiring import In, Out

from hwgen.families.base import Family, Resources
from hwgen.inttype import IntType
from hwgen.rtl.sequence import Sequencer, price
from hwgen.rtl.stream import Unit, element, signature
from hwgen.rtl.timing import Timing


class ConcatUnit(Unit):
    """``words[k]`` beats of input k, for every k in turn.

    Throughput: one beat per cycle. Latency: one cycle.

    Members:
        i0, i1, …: In(stream of ``lanes`` elements of ``types[k]``)
        o: Out(stream of as many of ``output``)
    """

    def __init__(
        self, types: Sequence[IntType], words: Sequence[int], output: IntType, lanes: int
    ) -> None:
        self.types, self.words, self.output, self.lanes = tuple(types), tuple(words), output, lanes
        turns = np.repeat(np.arange(len(words)), words)
        taken = turns == np.arange(len(words))[:, None]
        self.timing = Timing.pipe(taken, np.ones(len(turns)), 1)
        ports = {f"i{k}": In(signature(kind, lanes)) for k, kind in enumerate(types)}
        super().__init__({**ports, "o": Out(signature(output, lanes))})

    def resources(self, family: Family) -> Resources:
        """A multiplexer and a register per bit."""
        bits = self.output.width * self.lanes
        control = price((sum(self.words),), 1, inputs=len(self.words), family=family)
        return control + Resources(lut=family.mux(len(self.words), bits), ff=bits)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        seq = Sequencer(loops=(sum(self.words),), depth=1, inputs=len(self.words))
        ends = np.cumsum(self.words)
        step = Value.cast(seq.index[0])
        turns = [
            (step >= int(end - size)) & (step < int(end))
            for end, size in zip(ends, self.words, strict=True)
        ]
        streams = [getattr(self, f"i{k}") for k in range(len(self.words))]
        seq.attach(m, streams, self.o, turns, 1)
        for lane in range(self.lanes):
            value = Signal(element(self.output), name=f"value_{lane}")
            m.d.comb += value.eq(streams[-1].payload[lane])
            for turn, stream in zip(turns[:-1], streams[:-1], strict=True):
                with m.If(turn):
                    m.d.comb += value.eq(stream.payload[lane])
            m.d.comb += self.o.payload[lane].eq(seq.delayed(m, value, 1))
        return m


class BesideUnit(Unit):
    """Whole pixels joined in one step: the channels of every input's, pixel by pixel.

    Throughput: one beat per cycle. Latency: none, its elements are wires.

    Members:
        i0, i1, …: In(stream of ``pixels`` times the channels of ``parts[k]``)
        o: Out(stream of ``pixels`` times all channels, of ``output``)
    """

    def __init__(self, parts: Sequence[tuple[IntType, int]], pixels: int, output: IntType) -> None:
        """``parts`` are the elements and the channels of every input."""
        self.parts, self.pixels, self.output = tuple(parts), pixels, output
        self.timing = Timing.each(0, len(parts))
        lanes = pixels * sum(channels for _, channels in parts)
        ports = {f"i{k}": In(signature(t, pixels * n)) for k, (t, n) in enumerate(parts)}
        super().__init__({**ports, "o": Out(signature(output, lanes))})

    def resources(self, family: Family) -> Resources:
        """The handshake."""
        return price((), 0, inputs=len(self.parts), family=family)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        seq = Sequencer(loops=(), depth=0, inputs=len(self.parts))
        streams = [getattr(self, f"i{k}") for k in range(len(self.parts))]
        seq.attach(m, streams, self.o, [1] * len(streams), 1)
        lane = 0
        for pixel in range(self.pixels):
            for stream, (_, channels) in zip(streams, self.parts, strict=True):
                for channel in range(channels):
                    x = stream.payload[pixel * channels + channel]
                    m.d.comb += self.o.payload[lane].eq(x)
                    lane += 1
        return m
