"""Registers in an adder graph: stages to a delay target, moved to where they hold fewest bits."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil

from hwgen.cmvm.graph import AdderGraph
from hwgen.families.base import Family, Resources

MOST_HOPS = 2
"""Registers on the way of a value, at most, beside those of the stages."""

NEAR = 0.55
"""Nets between two sums, of the longest net of a graph: 99 of 100 are shorter."""


@dataclass(frozen=True)
class Pipelined:
    """A graph cut into ``stages`` stages, each ending in a register; 0 stages: only wires.

    Members:
        stage: the stage, from 0, in which each node is computed.
        hops: registers on the way of values that several nodes read, beside those of the stages.
    """

    graph: AdderGraph
    stage: tuple[int, ...]
    stages: int
    hops: int = 0

    @cached_property
    def lifetimes(self) -> tuple[int, ...]:
        """Registers in a row behind every source, inputs first."""
        n = len(self.graph.sources)
        born = [0] * n + list(self.stage)
        last = list(born)
        for k, node in enumerate(self.graph.nodes):
            for t in node.terms:
                last[t.source] = max(last[t.source], self.stage[k])
        for out in self.graph.outputs:
            if out.source is not None:
                last[out.source] = max(last[out.source], self.stages)
        return tuple(b - a for a, b in zip(born, last, strict=True))

    @property
    def register_bits(self) -> int:
        """Flip-flops, before any tool turns rows of them into shift registers."""
        graph = self.graph
        bits = sum(life * graph.type_of(source).width for source, life in enumerate(self.lifetimes))
        return bits - self._unread_bits() if graph.signs_only else bits

    def _unread_bits(self) -> int:
        """Registers of bits other than the sign where no node reads them any more."""
        graph, n = self.graph, len(self.graph.sources)
        last = [0] * n + list(self.stage)
        for k, node in enumerate(graph.nodes):
            for t in node.terms:
                last[t.source] = max(last[t.source], self.stage[k])
        final = {o.source for o in graph.outputs if o.source is not None}
        return sum((self.stages - last[s]) * (graph.type_of(s).width - 1) for s in final)

    def resources(self, family: Family) -> Resources:
        return Resources(lut=self.graph.cost(family), ff=self.register_bits)

    def delay_ns(self, family: Family) -> float:
        """The longest register-to-register path; whole paths where there are no stages."""
        longest = max(_arrivals(self.graph, self.stage, family), default=0.0)
        if not self.stages:
            return longest
        wires = far_ns(self.graph, family) / (self.hops + 1)
        return family.ff_ns + max(longest, wires + _cell_ns(family) if wires else 0.0)

    def check(self) -> None:
        """Raise AssertionError if a node runs before what it reads."""
        n = len(self.graph.sources)
        gaps = gaps_behind(self.graph, self.hops)
        born = [0] * n + list(self.stage)
        for k, node in enumerate(self.graph.nodes):
            for t in node.terms:
                soonest = born[t.source] + gaps[t.source]
                assert soonest <= self.stage[k], "a stage runs backwards"


def far_ns(graph: AdderGraph, family: Family) -> float:
    """The longest nets of a graph, those of values that several nodes read."""
    return family.far_ns(graph.cost(family)) if family.wire_ns else 0.0


def delays_ns(graph: AdderGraph, family: Family) -> list[float]:
    """Of every node, with the net before it: in a large graph that is a part of the longest."""
    extra = max(NEAR * far_ns(graph, family) - family.net_ns, 0.0)
    return [made.ns + extra if made.kind != "wire" else made.ns for made in graph.cells(family)]


def _cell_ns(family: Family) -> float:
    """A short sum, without the net before it."""
    return family.adder_ns(8) - family.net_ns


def gaps_behind(graph: AdderGraph, hops: int) -> list[int]:
    """Per source, the stages from it to those that read it: more than ``hops`` where several do,
    an input's own register counted."""
    n, count = len(graph.sources), len(graph.sources) + len(graph.nodes)
    if not hops:
        return [0] * count
    users = [0] * count
    for node in graph.nodes:
        for source in {t.source for t in node.terms}:
            users[source] += 1
    return [0 if used < 2 else hops + (k >= n) for k, used in enumerate(users)]


def _arrivals(graph: AdderGraph, stage: tuple[int, ...], family: Family) -> list[float]:
    """When each node's value is there, counted from the register that its stage begins with."""
    n = len(graph.sources)
    times = [0.0] * n
    for k, (node, ns) in enumerate(zip(graph.nodes, delays_ns(graph, family), strict=True)):
        start = max(
            (
                times[t.source]
                for t in node.terms
                if t.source >= n and stage[t.source - n] == stage[k]
            ),
            default=0.0,
        )
        times.append(start + ns)
    return times[n:]


def pipeline(
    graph: AdderGraph,
    family: Family,
    *,
    target_ns: float | None = None,
    stages: int | None = None,
) -> Pipelined:
    """Cut ``graph`` so that no path is longer than ``target_ns``, or into ``stages`` even stages.

    Every stage ends in a register, the last one behind the outputs. A cell that alone is slower
    than the target gets a stage of its own. ``stages=0`` leaves wires only.
    """
    if stages == 0:
        return Pipelined(graph, (0,) * len(graph.nodes), 0)
    if stages is not None:
        return _even(graph, family, stages)
    if target_ns is None:
        raise ValueError("pipeline needs target_ns or stages")
    budget = target_ns - family.ff_ns
    wires = far_ns(graph, family)
    hops = max(ceil((wires + _cell_ns(family)) / budget) - 1, 0) if wires else 0
    hops = min(hops, MOST_HOPS)
    early = _earliest(graph, family, budget, hops)
    return _settle(Pipelined(graph, early, 1 + max(early, default=0), hops), family, target_ns)


def _even(graph: AdderGraph, family: Family, stages: int) -> Pipelined:
    """``stages`` stages at the least delay that they reach, by bisection."""
    low, high = 0.0, max(_arrivals(graph, (0,) * len(graph.nodes), family), default=0.0)
    for _ in range(20):
        middle = (low + high) / 2
        if 1 + max(_earliest(graph, family, middle), default=0) <= stages:
            high = middle
        else:
            low = middle
    early = _earliest(graph, family, high)
    return _settle(Pipelined(graph, early, stages), family, high + family.ff_ns)


def _earliest(graph: AdderGraph, family: Family, budget: float, hops: int = 0) -> tuple[int, ...]:
    """The first stage in which each node can run with paths of at most ``budget``."""
    n = len(graph.sources)
    stage, time = [0] * n, [0.0] * n
    gaps = gaps_behind(graph, hops)
    for node, ns in zip(graph.nodes, delays_ns(graph, family), strict=True):
        at = max((stage[t.source] + gaps[t.source] for t in node.terms), default=0)
        start = max((time[t.source] for t in node.terms if stage[t.source] == at), default=0.0)
        if start > 0.0 and start + ns > budget:
            at, start = at + 1, 0.0
        stage.append(at)
        time.append(start + ns)
    return tuple(stage[n:])


def _settle(start: Pipelined, family: Family, target_ns: float) -> Pipelined:
    """The same stages with the fewest register bits."""
    from hwgen.cmvm.registers import fewest_registers

    return fewest_registers(start, family, target_ns - family.ff_ns)
