"""The least depths of queues that neither deadlock nor make an accelerator slower."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

from hwgen.design.accelerator import Accelerator, WordBits
from hwgen.design.joiner import Joiner
from hwgen.design.layout import Layout
from hwgen.families.base import Family
from hwgen.ir.graph import Graph
from hwgen.ops.base import Config
from hwgen.rtl.credit import CreditQueue
from hwgen.rtl.fifo import Fifo
from hwgen.rtl.stream import Elastic
from hwgen.rtl.tokens import Measure, TokenGraph

AMPLE = 4
"""Frames that a queue behind a fork holds where it shall not limit anything."""

SETTLING = 8
"""Frames beyond twice those inside at once among which a state is waited for that recurs."""


class Timed(Protocol):
    """A layout, or what is built around one."""

    def tokens(self) -> TokenGraph: ...

    def measure(self) -> Measure: ...


T = TypeVar("T", bound=Timed)


def lay_out(graph: Graph, configs: Mapping[str, Config], family: Family) -> Layout:
    """Circuits for every node at its configuration, with converters, forks and queues between; the
    source is always valid and the sink always ready."""
    return with_queues(Joiner(graph, configs, family), lambda layout: layout)


def accelerate(
    graph: Graph, configs: Mapping[str, Config], family: Family, word_bits: WordBits
) -> Accelerator:
    """The same between AXI4-Stream ports of ``word_bits`` in and out."""
    joiner = Joiner(graph, configs, family)
    return with_queues(joiner, lambda layout: Accelerator(layout, word_bits))


def with_queues(joiner: Joiner, wrap: Callable[[Layout], T]) -> T:
    """The layout with as little queued as its best initiation interval allows.

    Queues stand behind forks and before nodes that read in bursts. The best interval is that with
    all of them ample. With one beat less in any of them frames that come as fast would have to
    wait, or the streams deadlock.
    """
    return _Sizing(joiner, wrap).least()


class _Sizing(Generic[T]):
    """The search among layouts that differ in the depths of their queues."""

    def __init__(self, joiner: Joiner, wrap: Callable[[Layout], T]) -> None:
        self.joiner, self.wrap = joiner, wrap
        self.frames = SETTLING

    def at(self, depths: Mapping[str, int]) -> T:
        return self.wrap(self.joiner.layout(depths))

    def least(self) -> T:
        """The layout of least depths."""
        ample = {n: AMPLE * beats for n, beats in self.joiner.branches.items()}
        every = ample | self.joiner.bursts
        first = self.at(ample).tokens()
        self.frames = 2 * (first.run(1).cycles // first.bound) + SETTLING
        deeper = ample | {n: 2 * depth for n, depth in self.joiner.bursts.items()}
        for depths in (ample, every, deeper):
            filled = self._filled(depths, first.bound)
            if filled is not None:
                lowered = self._lowered(filled, lambda d: self._keeps(d, first.bound))
                found = self.at(lowered)
                if found.measure().interval <= first.bound:
                    return found
        return self._slower(ample, deeper)

    def _slower(self, *starts: dict[str, int]) -> T:
        """The same where units wait for each other whatever the depths: by the interval that is
        measured, which takes longer to find."""
        start = min(starts, key=self._interval)
        best = self._interval(start)
        layout = self.joiner.layout(start)
        filled = self._names(layout, self.wrap(layout).measure().occupancy)
        start = filled if self._interval(filled) <= best else start
        return self.at(self._lowered(start, lambda d: self._interval(d) <= best))

    def _interval(self, depths: Mapping[str, int]) -> float:
        measured = self.at(depths).measure()
        return float("inf") if measured.deadlock else float(measured.interval)

    def _keeps(self, depths: Mapping[str, int], pace: int) -> bool:
        return self.at(depths).tokens().keeps(pace, self.frames) is not None

    def _filled(self, depths: Mapping[str, int], pace: int) -> dict[str, int] | None:
        """How far the queues are filled where frames come every ``pace`` cycles; None where they
        cannot come as fast."""
        layout = self.joiner.layout(depths)
        trace = self.wrap(layout).tokens().keeps(pace, self.frames)
        if trace is None:
            return None
        filled = self._names(layout, trace.occupancy)
        return filled if self._keeps(filled, pace) else dict(depths)

    def _names(self, layout: Layout, occupancy: Sequence[int]) -> dict[str, int]:
        """The most beats in each queue, by its name."""
        queues = [b for b in layout.blocks if isinstance(b.unit, Fifo | Elastic | CreditQueue)]
        pairs = zip(queues, occupancy, strict=True)
        return {b.instance: most for b, most in pairs if isinstance(b.unit, Fifo)}

    def _lowered(
        self, depths: dict[str, int], holds: Callable[[Mapping[str, int]], bool]
    ) -> dict[str, int]:
        """Each queue in turn, the largest first, at the least depth for which all still
        ``holds``."""
        layout = self.joiner.layout(depths)
        bits = {b.instance: b.unit.bits for b in layout.blocks if isinstance(b.unit, Fifo)}
        for name in sorted(depths, key=lambda n: (-bits[n], n)):
            depths = depths | {name: self._depth(name, depths, holds)}
        return {name: depth for name, depth in depths.items() if depth}

    def _depth(
        self, name: str, depths: dict[str, int], holds: Callable[[Mapping[str, int]], bool]
    ) -> int:
        """The least depth of one queue; it is often none, or the one it has."""

        def enough(depth: int) -> bool:
            return holds(depths | {name: depth})

        high = depths[name]
        if enough(0):
            return 0
        if high < 2 or not enough(high - 1):
            return high
        return 1 + bisect_left(range(1, high - 1), True, key=enough)
