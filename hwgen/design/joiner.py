"""From configurations to a layout: what stands between units for their streams to fit."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from hwgen.design.free_run import free_runs, spans_far
from hwgen.design.layout import Block, Layout, Stream
from hwgen.families.base import Family, Resources
from hwgen.ir.graph import Graph
from hwgen.ir.node import Node
from hwgen.ops.base import Config, HardwareNode
from hwgen.rtl.fifo import Fifo
from hwgen.rtl.fork import Fork
from hwgen.rtl.gearbox import Gearbox
from hwgen.rtl.stream import Elastic

READY_CHAIN = 12
"""Units in a row before an elastic register breaks the chain of ready signals."""


class Joiner:
    """Makes layouts of one schedule that differ in the depths of their queues.

    A queue may stand on every branch of a fork, ``fifo_<node>_<branch>``, and before every input
    of a node that reads in bursts, ``fifo_<node>``. One of depth 0 is left out.
    """

    def __init__(self, graph: Graph, configs: Mapping[str, Config], family: Family) -> None:
        self.graph, self.configs, self.family = graph, configs, family
        self.units: dict[str, Any] = {}
        self.prices: dict[str, Resources] = {}

    @property
    def nodes(self) -> list[HardwareNode]:
        """The nodes that have circuits."""
        return [n for n in self.graph if isinstance(n, HardwareNode) and n.name in self.configs]

    @cached_property
    def branches(self) -> dict[str, int]:
        """Per queue behind a fork, beats of a frame."""
        blocks = self.layout({}).blocks
        return {
            f"fifo_{b.instance.removeprefix('fork_')}_out{k}": b.inputs[0].beats
            for b in blocks
            if isinstance(b.unit, Fork)
            for k in range(b.unit.outputs)
        }

    @cached_property
    def bursts(self) -> dict[str, int]:
        """Per queue before a node that reads in bursts, beats worth holding back."""
        wanted = {n: n.queue(self.configs[n.name], self.graph.input_types(n)) for n in self.nodes}
        return {f"fifo_{n.name}": depth for n, depth in wanted.items() if depth}

    @cached_property
    def slowest(self) -> int:
        """Cycles per frame of the slowest node."""
        cycles = [n.interval(self.configs[n.name], self.graph.input_types(n)) for n in self.nodes]
        return max(cycles, default=1)

    def layout(self, depths: Mapping[str, int]) -> Layout:
        """The layout with queues of these depths, and no others."""
        return free_runs(_Walk(self, depths).layout(), self.price)

    def spans_far(self, node: Node) -> bool:
        """Whether nets across the node's circuit are long for the clock, so that its enable takes
        most of a period; not of one that can run freely."""
        if not isinstance(node, HardwareNode) or node.wires_only or not self.family.wire_ns:
            return False
        unit = self.unit(node)
        if unit.timing.steps == 1:
            return False
        return spans_far(self.price(Block("", unit, (), node.name)).lut, self.family)

    def price(self, block: Block) -> Resources:
        """What the circuit of a node takes, asked of it once for all layouts."""
        name = block.node or ""
        if name not in self.prices:
            self.prices[name] = block.unit.resources(self.family)
        return self.prices[name]

    def unit(self, node: HardwareNode) -> Any:
        """The node's circuit, made once for all layouts."""
        if node.name not in self.units:
            types = self.graph.input_types(node)
            made = node.circuit(self.configs[node.name], types, self.family)
            self.units[node.name] = made
        return self.units[node.name]


class _Walk:
    """One walk over the graph, appending blocks."""

    def __init__(self, joiner: Joiner, depths: Mapping[str, int]) -> None:
        self.graph, self.configs = joiner.graph, joiner.configs
        self.joiner, self.depths = joiner, depths
        self.blocks: list[Block] = []
        self.ready: dict[str, list[Stream]] = {}  # unread copies of each value's stream
        self.chain: dict[str, int] = {"": 0}
        self.taps: dict[str, Stream] = {}
        self.far: set[str] = set()  # circuits behind which a register breaks the ready chain

    def layout(self) -> Layout:
        first = self.graph.input
        source = self._source(first)
        self._offer(first, source)
        for node in self.graph.nodes[1:]:
            streams = tuple(self._take(name) for name in node.inputs)
            self._offer(node, self._built(node, streams))
        output = self.ready[self.graph.output.name][0]
        blocks = tuple(self.blocks)
        return Layout(self.graph, self.joiner.family, blocks, source, output, self.taps)

    def _source(self, node: Node) -> Stream:
        """The core's input: as many lanes as the widest reader takes."""
        kind = self.graph.types[node.name]
        lanes = max(self._lanes_wanted(node))
        return Stream("", "i", kind.element, lanes, kind.elements // lanes)

    def _lanes_wanted(self, node: Node) -> list[int]:
        wanted: list[int] = []
        for reader in self.graph.consumers[node.name]:
            assert isinstance(reader, HardwareNode)
            if reader.wires_only:
                wanted += self._lanes_wanted(reader)
            else:
                config = self.configs[reader.name]
                lanes = reader.lanes(config, self.graph.input_types(reader))
                ports = zip(reader.inputs, lanes, strict=False)
                wanted += [n for name, n in ports if name == node.name]
        return wanted or [1]

    def _offer(self, node: Node, stream: Stream) -> None:
        """Makes a stream ready for the node's readers: forked, with a FIFO on each branch."""
        copies = sum(r.inputs.count(node.name) for r in self.graph.consumers[node.name])
        if copies <= 1:
            self.ready[node.name] = [stream]
            return
        fork = Fork(stream.dtype, stream.lanes, copies)
        name = f"fork_{node.name}"
        self.blocks.append(Block(name, fork, (stream,)))
        self.chain[name] = self.chain.get(stream.source, 0) + 1
        ports = [Stream(name, f"o{k}", *stream.shape) for k in range(copies)]
        self.ready[node.name] = [
            self._queue(f"fifo_{node.name}_out{k}", port) for k, port in enumerate(ports)
        ]

    def _queue(self, instance: str, stream: Stream) -> Stream:
        """``stream`` behind the queue of that name, if it has a depth."""
        depth = self.depths.get(instance, 0)
        if not depth:
            return stream
        unit = Fifo(stream.dtype, stream.lanes, depth)
        self.blocks.append(Block(instance, unit, (stream,)))
        self.chain[instance] = 0
        return Stream(instance, "o", *stream.shape)

    def _take(self, name: str) -> Stream:
        return self.ready[name].pop(0)

    def _built(self, node: Node, streams: tuple[Stream, ...]) -> Stream:
        assert isinstance(node, HardwareNode)
        kind = self.graph.types[node.name]
        if node.wires_only:
            return streams[0]
        types = self.graph.input_types(node)
        config = self.configs[node.name]
        *lanes_in, lanes_out = node.lanes(config, types)
        pairs = zip(streams, lanes_in, strict=True)
        fitted = tuple(self._fitted(s, lanes, node, k) for k, (s, lanes) in enumerate(pairs))
        unit = self.joiner.unit(node)
        instance = f"layer_{node.name}"
        self.blocks.append(Block(instance, unit, fitted, node.name, config))
        self.chain[instance] = max(self.chain.get(s.source, 0) for s in fitted) + 1
        made = Stream(instance, "o", kind.element, lanes_out, kind.elements // lanes_out)
        self.taps[node.name] = made
        if self.joiner.spans_far(node):
            self.far.add(instance)
        return made

    def _fitted(self, stream: Stream, lanes: int, node: Node, index: int) -> Stream:
        """``stream`` at ``lanes`` elements a beat, its ready chain broken where it is long."""
        suffix = f"{node.name}_in{index}" if len(node.inputs) > 1 else node.name
        far = self.joiner.spans_far(node) or stream.source in self.far
        if far or self.chain.get(stream.source, 0) >= READY_CHAIN:
            elastic = Elastic(stream.dtype, stream.lanes)
            stream = self._inserted(f"elastic_{suffix}", elastic, stream, stream.lanes)
            self.chain[stream.source] = 0
        if stream.lanes != lanes:
            unit = Gearbox(stream.dtype, stream.lanes, lanes, stream.elements)
            stream = self._inserted(f"convert_{suffix}", unit, stream, lanes)
        return self._queue(f"fifo_{suffix}", stream)

    def _inserted(self, instance: str, unit: Any, stream: Stream, lanes: int) -> Stream:
        self.blocks.append(Block(instance, unit, (stream,)))
        self.chain[instance] = self.chain.get(stream.source, 0) + 1
        return Stream(instance, "o", stream.dtype, lanes, stream.elements // lanes)
