"""The token model: chains of real circuits, steady intervals, deadlocks, speed."""

from __future__ import annotations

import time
from fractions import Fraction

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.lib.wiring import In, Out, connect, flipped
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.rtl.fifo import Fifo
from hwgen.rtl.fork import Fork
from hwgen.rtl.sequence import Sequencer
from hwgen.rtl.sim import run_unit
from hwgen.rtl.stream import Elastic, Unit, raw, signature
from hwgen.rtl.timing import BUFFER, QUEUE, Timing
from hwgen.rtl.tokens import RateError, TokenGraph
from tests.rtl.test_stream import BYTE, Pattern, beats


class Join(Unit):
    """Adds two streams, one beat of each per step."""

    def __init__(self, depth: int) -> None:
        self.timing = Timing.each(depth, inputs=2)
        ports = {name: In(signature(BYTE, 1)) for name in ("i0", "i1")}
        super().__init__({**ports, "o": Out(signature(BYTE, 1))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        seq = Sequencer(loops=(1,), depth=self.timing.depth, inputs=2)
        seq.attach(m, [self.i0, self.i1], self.o, [1, 1], 1)
        total = (self.i0.payload[0] + self.i1.payload[0])[:8]
        m.d.comb += raw(self.o.payload).eq(seq.delayed(m, total, self.timing.depth))
        return m


class Diamond(Unit):
    """A fork, a slow and a buffered branch, a join: what a residual connection looks like."""

    def __init__(self, slow: Pattern, buffer: Fifo, join: Join) -> None:
        self.slow, self.buffer, self.join = slow, buffer, join
        super().__init__({"i": In(signature(BYTE, 1)), "o": Out(signature(BYTE, 1))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.fork = fork = Fork(BYTE, 1, 2)
        m.submodules.elastic = elastic = Elastic(BYTE, 1)
        m.submodules.slow, m.submodules.buffer, m.submodules.join = (
            self.slow, self.buffer, self.join,
        )  # fmt: skip
        connect(m, flipped(self.i), fork.i)
        connect(m, fork.o0, self.slow.i)
        connect(m, self.slow.o, elastic.i)
        connect(m, elastic.o, self.join.i0)
        connect(m, fork.o1, self.buffer.i)
        connect(m, self.buffer.o, self.join.i1)
        connect(m, self.join.o, flipped(self.o))
        return m

    def tokens(self, count: int) -> TokenGraph:
        graph = TokenGraph()
        a, b = graph.fork(graph.source(count), 2)
        a = graph.node(Timing.queue(QUEUE, 2), graph.node(self.slow.timing, a))
        graph.sink(graph.node(self.join.timing, a, graph.node(self.buffer.timing, b)))
        return graph


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_a_diamond_of_circuits_moves_as_the_model_says(data: st.DataObject) -> None:
    consume = [1, *data.draw(st.lists(st.integers(0, 1), max_size=5))]
    emit = [0] * (len(consume) - 1) + [1]
    emit = [int(k >= len(consume) - sum(consume)) for k in range(len(consume))]
    slow = Pattern(consume, emit, data.draw(st.integers(0, 3)))
    memory = data.draw(st.sampled_from(["lut", "block"]))
    buffer = Fifo(BYTE, 1, data.draw(st.integers(8, 11)), memory)
    unit = Diamond(slow, buffer, Join(data.draw(st.integers(0, 2))))
    count = 4 * sum(consume)
    stalls = data.draw(st.sampled_from([0.0, 0.3]))
    run = run_unit(unit, [beats(count, 1)], expect=[count], stalls=stalls, seed=5)
    trace = unit.tokens(count).run(1, run.offers, run.takes)
    np.testing.assert_array_equal(run.taken[0], trace.taken[0])
    np.testing.assert_array_equal(run.given[0], trace.given[0])


def chain(*timings: Timing, frame: int = 4) -> TokenGraph:
    graph = TokenGraph()
    channel = graph.source(frame)
    for timing in timings:
        channel = graph.node(timing, channel)
    graph.sink(channel)
    return graph


def test_latency_and_interval_of_a_chain() -> None:
    every_third = Timing.pipe([1, 0, 0], [0, 0, 1], 2)
    measure = chain(Timing.each(3), every_third).measure()
    assert measure.interval == 12
    assert measure.latency == 3 + 3 * 4 - 1 + 2
    assert measure.steady


def test_an_interval_is_that_of_the_slowest_unit() -> None:
    slowest = Timing.pipe([1, 1, 0, 0, 0], [0, 1, 0, 0, 1], 2)
    assert chain(Timing.each(1), slowest, Timing.queue(BUFFER, 3)).measure().interval == Fraction(
        10
    )


def reconvergent(depth: int) -> TokenGraph:
    """A branch that holds eight beats back before it gives any, beside a queue."""
    gather = Timing.pipe([1] * 8 + [0] * 8, [0] * 8 + [1] * 8, 1)
    graph = TokenGraph()
    a, b = graph.fork(graph.source(8), 2)
    b = graph.node(Timing.queue(QUEUE, depth), b)
    graph.sink(graph.node(Timing.each(1, inputs=2), graph.node(gather, a), b))
    return graph


def test_a_queue_that_is_too_short_deadlocks() -> None:
    wide = reconvergent(1 << 30).measure()
    assert wide.occupancy == [9]
    assert not reconvergent(8).measure().deadlock
    assert reconvergent(6).measure().deadlock


def test_rates_that_do_not_fit_are_refused() -> None:
    graph = TokenGraph()
    with pytest.raises(RateError, match="5 beats per frame"):
        graph.node(Timing.pipe([1, 1], [0, 1], 1), graph.source(5))


def test_a_hundred_thousand_cycles_of_forty_units_take_about_a_second() -> None:
    slow = Timing.pipe([1] + [0] * 9, [0] * 9 + [1], 4)
    graph = chain(*[slow, Timing.queue(BUFFER, 16)] * 20, frame=10_000)
    graph.run(1)
    start = time.perf_counter()
    assert graph.run(1).cycles > 100_000
    assert time.perf_counter() - start < 3
