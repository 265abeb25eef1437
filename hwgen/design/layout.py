"""Which circuits an accelerator is made of, and which stream each reads: the plan that is priced,
timed and then built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from hwgen.families.base import Family, Resources
from hwgen.inttype import IntType
from hwgen.ir.graph import Graph
from hwgen.ops.base import Config
from hwgen.rtl.credit import CreditGate
from hwgen.rtl.fork import Fork
from hwgen.rtl.tokens import Measure, TokenGraph


@dataclass(frozen=True)
class Stream:
    """``beats`` beats a frame of ``lanes`` elements of ``dtype``, from ``port`` of ``source``."""

    source: str
    port: str
    dtype: IntType
    lanes: int
    beats: int

    @property
    def elements(self) -> int:
        return self.lanes * self.beats

    @property
    def shape(self) -> tuple[IntType, int, int]:
        """What it carries, wherever it comes from."""
        return self.dtype, self.lanes, self.beats


@dataclass(frozen=True, eq=False)
class Block:
    """One circuit: its instance name, the streams it reads, and the graph's node it stands for.

    ``gate`` is the instance that a queue of credits tells of every beat that leaves it.
    """

    instance: str
    unit: Any
    inputs: tuple[Stream, ...]
    node: str | None = None
    config: Config | None = None
    gate: str | None = None


@dataclass(frozen=True, eq=False)
class Layout:
    """All circuits of a core in stream order, its input stream and the one that leaves it.

    ``taps`` holds the output stream of every node that has a circuit.
    """

    graph: Graph
    family: Family
    blocks: tuple[Block, ...]
    input: Stream
    output: Stream
    taps: Mapping[str, Stream]

    @property
    def writable(self) -> tuple[Block, ...]:
        """The blocks whose constants can be written; their numbers are those of the load bus."""
        return tuple(b for b in self.blocks if "load" in b.unit.signature.members)

    @property
    def load_words(self) -> int:
        """Words that are written until all constants are another network's."""
        return sum(len(b.unit.loader().writes()) for b in self.writable)

    def resources(self) -> dict[str, Resources]:
        """Estimate per instance."""
        return {b.instance: b.unit.resources(self.family) for b in self.blocks}

    def verilog_files(self) -> dict[str, str]:
        """Verilog that units bring as text, by file name."""
        found: dict[str, str] = {}
        for block in self.blocks:
            if hasattr(block.unit, "verilog_files"):
                found |= block.unit.verilog_files()
        return found

    def without_gate(self) -> tuple[Block | None, Layout]:
        """The gate of credits that reads the input, and the layout without it: the gate is to
        stand outside. None and itself where there is none."""
        first = self.blocks[0] if self.blocks else None
        if first is None or first.inputs[0].source or not isinstance(first.unit, CreditGate):
            return None, self
        rest = [replace(b, inputs=tuple(self.input if s.source == first.instance else s
                                        for s in b.inputs)) for b in self.blocks[1:]]  # fmt: skip
        return first, replace(self, blocks=tuple(rest))

    def tokens(self) -> TokenGraph:
        """The timing of the core by itself."""
        return token_graph(self.blocks, self.input, self.output)

    def measure(self) -> Measure:
        """Latency and initiation interval by the exact token-level model."""
        return self._measured

    @cached_property
    def _measured(self) -> Measure:
        return self.tokens().measure()


def token_graph(blocks: tuple[Block, ...], source: Stream, sink: Stream) -> TokenGraph:
    """The timing of the blocks as a token graph."""
    tokens = TokenGraph()
    channels = {(source.source, source.port): tokens.source(source.beats)}
    for block in blocks:
        reads = [channels[s.source, s.port] for s in block.inputs]
        if isinstance(block.unit, Fork):
            for k, channel in enumerate(tokens.fork(reads[0], block.unit.outputs)):
                channels[block.instance, f"o{k}"] = channel
        else:
            channels[block.instance, "o"] = tokens.node(block.unit.timing, *reads)
        if (block.gate, "o") in channels:
            tokens.returns(channels[block.instance, "o"], channels[block.gate or "", "o"])
    tokens.sink(channels[sink.source, sink.port])
    return tokens
