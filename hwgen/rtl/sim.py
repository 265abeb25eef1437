"""Runs one unit in Amaranth's simulator, with seeded stalls on every stream.

run = run_unit(unit, [beats], expect=[12], stalls=0.3, seed=7)
run.outputs[0]      # (12, lanes) integers
run.taken[0]        # the cycle in which each input beat was accepted
run.given[0]        # the cycle in which each output beat was transferred
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from amaranth.hdl import ClockDomain, Elaboratable, Module, ResetInserter, Signal
from amaranth.sim import Simulator
from numpy.typing import NDArray

from hwgen.rtl.stream import raw
from hwgen.rtl.tokens import TokenGraph

Ints = NDArray[np.int64]
Gates = NDArray[np.bool_]

TIMEOUT = 20_000
"""Cycles without any transfer after which a run is given up."""


class SimulationError(AssertionError):
    """A unit that hangs or breaks a rule of streams; the message holds the seed and the cycle."""


@dataclass(slots=True)
class Run:
    """What happened: one entry per stream in each list.

    Members:
        outputs: (beats, lanes) integers.
        taken, given: cycles of the transfers at inputs and outputs, from the last reset on.
        offers, takes: per stream, the cycles in which a source may start to offer a beat, and a
            sink takes one; open after their end. ``rtl.tokens`` replays them.
    """

    outputs: list[Ints]
    taken: list[Ints]
    given: list[Ints]
    offers: list[Gates]
    takes: list[Gates]


@dataclass(slots=True)
class _Port:
    """One stream of the unit, as the bench drives or watches it."""

    stream: Any
    lanes: int
    width: int
    signed: bool
    gates: Gates
    beats: list[int] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    held: int | None = None

    def open(self, cycle: int) -> bool:
        return cycle >= len(self.gates) or bool(self.gates[cycle])


def streams(unit: Any, prefix: str) -> list[Any]:
    """The unit's streams ``i`` or ``i0, i1, …`` (``o`` likewise), in order."""
    if hasattr(unit, prefix):
        return [getattr(unit, prefix)]
    found: list[Any] = []
    while hasattr(unit, f"{prefix}{len(found)}"):
        found.append(getattr(unit, f"{prefix}{len(found)}"))
    return found


def pack(beat: Sequence[int], width: int) -> int:
    """The lanes of a beat as one integer, lane 0 in the lowest bits."""
    mask = (1 << width) - 1
    return sum((int(value) & mask) << (lane * width) for lane, value in enumerate(beat))


def unpack(word: int, lanes: int, width: int, signed: bool) -> list[int]:
    """The inverse of ``pack``."""
    mask, sign = (1 << width) - 1, (1 << (width - 1)) if signed else 0
    values = ((word >> (lane * width)) & mask for lane in range(lanes))
    return [(value ^ sign) - sign for value in values]


def run_unit(
    unit: Any,
    inputs: Sequence[Any],
    *,
    expect: Sequence[int],
    stalls: float = 0.0,
    seed: int = 0,
    reset_at: int | None = None,
    spare: int = 8,
) -> Run:
    """Feeds every input its ``(beats, lanes)`` integers until all of them were taken and every
    output gave ``expect`` beats.

    ``stalls`` is the chance that a stream rests in a cycle. With ``reset_at`` the unit is reset
    in that cycle and all inputs start again; what was seen before is dropped. For ``spare``
    cycles more no output may give another beat.

    Raises:
        SimulationError: no transfer for ``TIMEOUT`` cycles, ``valid`` or the payload dropped
            before ``ready``, or more output than expected.
    """
    rng = np.random.default_rng(seed)
    sources = [_port(s, rng, stalls) for s in streams(unit, "i")]
    sinks = [_port(s, rng, stalls) for s in streams(unit, "o")]
    assert len(sources) == len(inputs), "an array per input stream"
    assert len(sinks) == len(expect), "a number of beats per output stream"
    for port, beats in zip(sources, inputs, strict=True):
        port.beats = [pack(beat, port.width) for beat in np.asarray(beats)]
    reset = Signal()
    top = Module()
    top.domains += ClockDomain("sync")  # a unit of wires brings none
    top.submodules.unit = ResetInserter(reset)(unit)
    bench = _Bench(sources, sinks, list(expect), reset, reset_at, spare, seed)
    _simulate(top, bench.run)
    outputs = [
        np.array([unpack(w, p.lanes, p.width, p.signed) for w in p.beats], dtype=np.int64).reshape(
            -1, p.lanes
        )
        for p in sinks
    ]
    start = 0 if reset_at is None else reset_at + 1
    return Run(
        outputs,
        [np.array(p.times, dtype=np.int64) for p in sources],
        [np.array(p.times, dtype=np.int64) for p in sinks],
        [p.gates[start:] for p in sources],
        [p.gates[start:] for p in sinks],
    )


def check_unit(
    unit: Any,
    inputs: Sequence[Any],
    expected: Any,
    *,
    stalls: float = 0.0,
    seed: int = 0,
    reset_at: int | None = None,
) -> Run:
    """Runs a unit of one output and holds it to ``expected`` beats and to its ``timing``.

    Raises:
        SimulationError: another output, or a transfer in another cycle than ``rtl.tokens`` says.
    """
    want = np.asarray(expected)
    run = run_unit(unit, inputs, expect=[len(want)], stalls=stalls, seed=seed, reset_at=reset_at)
    if not np.array_equal(run.outputs[0], want):
        beat, lane = np.argwhere(run.outputs[0] != want)[0]
        raise SimulationError(
            f"beat {beat} lane {lane} must be {want[beat, lane]}, "
            f"not {run.outputs[0][beat, lane]} (seed {seed}, stalls {stalls})"
        )
    graph = TokenGraph()
    channels = [graph.source(len(np.asarray(beats))) for beats in inputs]
    graph.sink(graph.node(unit.timing, *channels))
    trace = graph.run(1, run.offers, run.takes)
    if trace.deadlock:
        raise SimulationError(f"the token model stands still (seed {seed})")
    pairs = zip([*run.taken, *run.given], [*trace.taken, *trace.given], strict=True)
    for k, (real, model) in enumerate(pairs):
        if not np.array_equal(real, model):
            raise SimulationError(
                f"stream {k} moved in cycles {real.tolist()}, the token model says "
                f"{model.tolist()} (seed {seed}, stalls {stalls})"
            )
    return run


def _port(stream: Any, rng: np.random.Generator, stalls: float) -> _Port:
    shape = stream.payload.shape()
    gates = rng.random(4000 if stalls else 0) >= stalls
    element = shape.elem_shape
    return _Port(stream, shape.length, element.width, element.signed, gates)


def _simulate(top: Elaboratable, bench: Any) -> None:
    simulator = Simulator(top)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


@dataclass(slots=True)
class _Bench:
    """Drives all streams from one process, cycle by cycle."""

    sources: list[_Port]
    sinks: list[_Port]
    expect: list[int]
    reset: Signal
    reset_at: int | None
    spare: int
    seed: int

    async def run(self, ctx: Any) -> None:
        cycle = start = idle = left = 0
        while left < self.spare:
            resetting = cycle == self.reset_at
            ctx.set(self.reset, resetting)
            self._drive(ctx, cycle)
            idle = 0 if self._watch(ctx, cycle, cycle - start) else idle + 1
            if idle > TIMEOUT:
                raise SimulationError(f"no transfer for {TIMEOUT} cycles (seed {self.seed})")
            await ctx.tick()
            cycle += 1
            if resetting:
                start, left = cycle, 0
                self._restart(ctx)
            elif self.reset_at is None or cycle > self.reset_at:
                left = left + 1 if self._done() else 0

    def _done(self) -> bool:
        given = all(len(p.beats) >= n for p, n in zip(self.sinks, self.expect, strict=True))
        return given and all(len(p.times) >= len(p.beats) for p in self.sources)

    def _restart(self, ctx: Any) -> None:
        for port in (*self.sources, *self.sinks):
            port.times.clear()
            port.held = None
        for port in self.sources:
            ctx.set(port.stream.valid, 0)
        for port in self.sinks:
            port.beats.clear()

    def _drive(self, ctx: Any, cycle: int) -> None:
        for port in self.sources:
            left = len(port.times) < len(port.beats)
            if port.held is None and left and port.open(cycle):
                port.held = port.beats[len(port.times)]
                ctx.set(raw(port.stream.payload), port.held)
            ctx.set(port.stream.valid, port.held is not None)
        for port in self.sinks:
            ctx.set(port.stream.ready, port.open(cycle))

    def _watch(self, ctx: Any, cycle: int, since: int) -> bool:
        moved = False
        for port in self.sources:
            if port.held is not None and ctx.get(port.stream.ready):
                port.times.append(since)
                port.held, moved = None, True
        for k, port in enumerate(self.sinks):
            if not ctx.get(port.stream.valid):
                if port.held is not None:
                    raise SimulationError(f"valid dropped, cycle {cycle}, seed {self.seed}")
                continue
            word = ctx.get(raw(port.stream.payload))
            if port.held not in (None, word):
                raise SimulationError(f"the payload changed, cycle {cycle}, seed {self.seed}")
            port.held = word
            if port.open(cycle):
                port.beats.append(word)
                port.times.append(since)
                port.held, moved = None, True
                if self.reset_at is not None and cycle <= self.reset_at:
                    continue
                if len(port.beats) > self.expect[k]:
                    raise SimulationError(f"a beat too many, cycle {cycle}, seed {self.seed}")
        return moved
