"""The exact token-level model: which beat moves in which cycle, without its contents.

    graph = TokenGraph()
    x = graph.source(beats=4)
    x = graph.node(unit.timing, x)
    graph.sink(x)
    report = graph.measure()

The model follows "Streams and timing" in the design to the cycle; ``tests/rtl`` holds every
circuit to it. Nodes are added in the direction of the streams, so the graph has no cycles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.rtl.timing import BUFFER, CREDIT, PIPE, QUEUE, RING, Timing
from hwgen.rtl.tokens_kernel import KINDS, advance

Ints = NDArray[np.int64]

MAX_FRAMES = 256
"""Frames after which ``measure`` stops to wait for a steady state."""

MAX_CYCLES = 1 << 40


class RateError(ValueError):
    """Streams whose producer and consumer disagree about the beats of a frame."""


@dataclass(frozen=True, slots=True)
class Trace:
    """The cycles of all transfers: one array per source and per sink, in the order of adding.

    Members:
        deadlock: whether the streams stood still for ever before all beats were through.
        occupancy: per queue, in the order of adding, the most beats it held.
        cycles: cycles that were simulated.
    """

    taken: list[Ints]
    given: list[Ints]
    deadlock: bool
    occupancy: list[int]
    cycles: int


@dataclass(frozen=True, slots=True)
class Measure:
    """How an accelerator keeps time.

    Members:
        latency: cycles from the first input beat accepted to the last output beat transferred.
        interval: cycles per frame in the steady state, averaged over its period.
        period: frames after which the steady state recurs; their distances may differ within it.
        occupancy: per queue, the most beats it held.
        deadlock: whether it hangs; then latency and interval are 0.
        steady: whether a steady state was found; else ``interval`` is the last distance.
    """

    latency: int
    interval: Fraction
    occupancy: list[int]
    deadlock: bool
    steady: bool
    period: int = 1


@dataclass(slots=True)
class _Node:
    kind: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    timing: Timing | None = None
    beats: int = 0
    cycles: int = 0
    """Of a frame, when nothing stalls."""
    returns: int = -1
    """Number of the gate that a queue gives its room back to."""


@dataclass(slots=True)
class TokenGraph:
    """Sources, units, queues, forks and sinks, joined by channels (integers)."""

    nodes: list[_Node] = field(default_factory=list)
    rates: list[int] = field(default_factory=list)
    """Per channel, its beats per frame."""

    def source(self, beats: int) -> int:
        """A source of ``beats`` beats per frame, always willing; its channel."""
        return self._add(_Node(KINDS["source"], (), (self._channel(beats),), beats=beats))[0]

    def node(self, timing: Timing, *inputs: int) -> int:
        """A unit or a queue behind ``inputs``; its output channel.

        Raises:
            RateError: its inputs do not carry whole repetitions of its sequence.
        """
        assert len(inputs) == timing.inputs, "a channel per input"
        repeats = None
        for channel, taken in zip(inputs, timing.beats, strict=True):
            turns = Fraction(self.rates[channel], max(int(taken), 1))
            if turns.denominator != 1 or turns != (repeats or turns):
                raise RateError(
                    f"{self.rates[channel]} beats per frame must be as many repetitions of "
                    f"{int(taken)} as the other inputs have, not {turns}"
                )
            repeats = turns
        cycles = timing.interval * int(repeats or 1)
        given = int(timing.emit.sum()) * int(repeats or 1)
        kinds = {PIPE: "pipe", QUEUE: "queue", BUFFER: "buffer", RING: "ring", CREDIT: "credit"}
        number = KINDS[kinds[timing.kind]]
        made = _Node(number, inputs, (self._channel(given),), timing, cycles=cycles)
        return self._add(made)[0]

    def returns(self, queue: int, gate: int) -> None:
        """The queue of output channel ``queue`` tells the gate of output channel ``gate`` of every
        beat that leaves it. Nothing between the two may wait."""
        (number,) = (k for k, n in enumerate(self.nodes) if gate in n.outputs)
        (landing,) = (n for n in self.nodes if queue in n.outputs)
        landing.returns = number

    def fork(self, channel: int, outputs: int) -> tuple[int, ...]:
        """An eager fork; its output channels."""
        made = tuple(self._channel(self.rates[channel]) for _ in range(outputs))
        return self._add(_Node(KINDS["fork"], (channel,), made))

    def sink(self, channel: int) -> None:
        """A sink, always ready."""
        self._add(_Node(KINDS["sink"], (channel,), (), beats=self.rates[channel]))

    def run(
        self,
        frames: int,
        offers: Sequence[Any] = (),
        takes: Sequence[Any] = (),
        *,
        snapshots: bool = False,
    ) -> Trace:
        """``frames`` frames through the empty graph; gates as in ``rtl.sim.Run``."""
        return self._simulate(frames, offers, takes, snapshots)[0]

    def measure(self) -> Measure:
        """Latency of a lone frame and the initiation interval of a flood of them."""
        alone = self.run(1)
        if alone.deadlock:
            return Measure(0, Fraction(0), alone.occupancy, True, False)
        latency = max(int(t[-1]) for t in alone.given) - min(int(t[0]) for t in alone.taken)
        frames = 8
        while True:
            flood, period = self._simulate(frames, (), (), True)
            if flood.deadlock:
                return Measure(0, Fraction(0), flood.occupancy, True, False)
            if period is not None:
                cycles, count = period
                pace = Fraction(cycles, count)
                return Measure(latency, pace, flood.occupancy, False, True, count)
            if frames >= MAX_FRAMES:
                starts = flood.taken[0][:: self._of("source")[0].beats]
                last = Fraction(int(starts[-1] - starts[-2]))
                return Measure(latency, last, flood.occupancy, False, False)
            frames *= 4

    @property
    def bound(self) -> int:
        """Cycles per frame that no graph of these nodes can be faster than."""
        return max([*self.rates, *(n.cycles for n in self.nodes)])

    def keeps(self, pace: int, frames: int) -> Trace | None:
        """The trace of frames that are offered every ``pace`` cycles, if none has to wait.

        That is proved by a state that recurs; None where none does among ``frames`` frames.
        """
        trace, period = self._simulate(frames, (), (), True, pace)
        return trace if period is not None else None

    def _channel(self, beats: int) -> int:
        self.rates.append(beats)
        return len(self.rates) - 1

    def _add(self, node: _Node) -> tuple[int, ...]:
        self.nodes.append(node)
        return node.outputs

    def _of(self, kind: str) -> list[_Node]:
        return [n for n in self.nodes if n.kind == KINDS[kind]]

    def _simulate(
        self,
        frames: int,
        offers: Sequence[Any],
        takes: Sequence[Any],
        snapshots: bool,
        pace: int = 0,
    ) -> tuple[Trace, tuple[int, int] | None]:
        """The trace, and where a state recurred: the cycles and the frames in between."""
        tables = _Tables.of(self, frames, [*offers], [*takes])
        states = np.zeros((frames if snapshots else 0, tables.state_size), np.int64)
        starts = np.zeros(frames if snapshots else 0, np.int64)
        kernel: Any = advance  # numba's own types do not say what a dispatcher takes
        cycles, stuck, found, twin = kernel(*tables.arrays(), states, starts, pace, MAX_CYCLES)
        times = {
            kind: [
                tables.times[tables.base[k] : tables.base[k] + tables.moved[k]]
                for k, n in enumerate(self.nodes)
                if n.kind == KINDS[kind]
            ]
            for kind in ("source", "sink")
        }
        queues = [KINDS["queue"], KINDS["buffer"]]
        most = [int(tables.most[k]) for k, n in enumerate(self.nodes) if n.kind in queues]
        trace = Trace(times["source"], times["sink"], bool(stuck), most, int(cycles))
        period = None
        if found >= 0:
            period = int(starts[found] - starts[twin]), int(found - twin)
        return trace, period


@dataclass(slots=True)
class _Tables:
    """The graph as flat arrays for the kernel, see ``tokens_kernel.advance``."""

    kind: Ints
    in_from: Ints
    in_channel: Ints
    out_from: Ints
    out_channel: Ints
    depth: Ints
    steps: Ints
    pattern: Ints
    needs: Ints
    emits: NDArray[np.bool_]
    frees: Ints
    quiet: Ints
    capacity: Ints
    returns: Ints
    pipe: Ints
    total: Ints
    beats: Ints
    base: Ints
    gate: Ints
    gate_end: Ints
    gates: NDArray[np.bool_]
    times: Ints
    moved: Ints
    most: Ints
    state_size: int

    @classmethod
    def of(cls, graph: TokenGraph, frames: int, offers: list[Any], takes: list[Any]) -> _Tables:
        nodes = graph.nodes
        patterns = [_pattern(n.timing) for n in nodes]
        depths = [n.timing.depth if n.timing else 0 for n in nodes]
        piped = (KINDS["pipe"], KINDS["ring"])
        pipes = [d if n.kind in piped else 0 for n, d in zip(nodes, depths, strict=True)]
        totals = [n.beats * frames for n in nodes]
        gates: list[Any] = []
        for n in nodes:
            queue = {KINDS["source"]: offers, KINDS["sink"]: takes}.get(n.kind)
            gates.append(np.asarray(queue.pop(0) if queue else [], dtype=bool))
        ends = _starts([len(g) for g in gates])
        return cls(
            kind=np.array([n.kind for n in nodes], np.int64),
            in_from=_starts([len(n.inputs) for n in nodes]),
            in_channel=np.array([c for n in nodes for c in n.inputs], np.int64),
            out_from=_starts([len(n.outputs) for n in nodes]),
            out_channel=np.array([c for n in nodes for c in n.outputs], np.int64),
            depth=np.array(depths, np.int64),
            steps=np.array([len(e) for _, e, _ in patterns], np.int64),
            pattern=_starts([len(e) for _, e, _ in patterns]),
            needs=np.concatenate([c for c, _, _ in patterns]),
            emits=np.concatenate([e for _, e, _ in patterns]),
            frees=np.concatenate([f for _, _, f in patterns]),
            quiet=np.concatenate([_quiet(n, e) for n, e, _ in patterns]),
            capacity=np.array([n.timing.capacity if n.timing else 0 for n in nodes], np.int64),
            returns=np.array([n.returns for n in nodes], np.int64),
            pipe=_starts(pipes),
            total=np.array(totals, np.int64),
            beats=np.array([n.beats for n in nodes], np.int64),
            base=_starts(totals),
            gate=ends[:-1],
            gate_end=ends[1:],
            gates=np.concatenate(gates),
            times=np.zeros(sum(totals) + 1, np.int64),
            moved=np.zeros(len(nodes), np.int64),
            most=np.zeros(len(nodes), np.int64),
            state_size=4 * len(nodes) + sum(pipes),
        )

    def arrays(self) -> tuple[Any, ...]:
        names = [name for name in self.__slots__ if name != "state_size"]
        return tuple(getattr(self, name) for name in names)


def _starts(lengths: list[int]) -> Ints:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def _pattern(timing: Timing | None) -> tuple[Ints, NDArray[np.bool_], Ints]:
    """Per step: the inputs that it takes as a bit mask (a ring: the beats it wants), whether it
    emits, and the beats that it frees."""
    if timing is None:
        return np.zeros(1, np.int64), np.zeros(1, bool), np.zeros(1, np.int64)
    if timing.want is not None and timing.free is not None:
        return timing.want, timing.emit, timing.free
    weights = np.int64(1) << np.arange(timing.inputs, dtype=np.int64)
    needs = (timing.consume * weights[:, None]).sum(axis=0).astype(np.int64)
    return needs, timing.emit, np.zeros(timing.steps, np.int64)


def _quiet(needs: Ints, emits: NDArray[np.bool_]) -> Ints:
    """Per step: how many steps from it on, within the sequence, neither take nor give anything."""
    busy = np.flatnonzero((needs != 0) | emits)
    ends = np.append(busy, len(emits))
    steps = np.arange(len(emits))
    return np.asarray(ends[np.searchsorted(ends, steps)] - steps)
