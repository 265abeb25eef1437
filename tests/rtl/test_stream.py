"""Streams: layouts, elastic registers, forks, queues, and the sequence, to the cycle."""

from __future__ import annotations

import numpy as np
import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import In, Out
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.inttype import IntType
from hwgen.rtl.fifo import Fifo
from hwgen.rtl.fork import Fork
from hwgen.rtl.sequence import Sequencer
from hwgen.rtl.sim import SimulationError, check_unit, pack, run_unit, unpack
from hwgen.rtl.stream import Elastic, Unit, layout, signature
from hwgen.rtl.timing import Timing
from hwgen.rtl.tokens import TokenGraph

BYTE = IntType.bits(8, signed=True)
STALLS = st.sampled_from([0.0, 0.2, 0.6])


def beats(count: int, lanes: int, dtype: IntType = BYTE, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(dtype.lo, dtype.hi + 1, (count, lanes))


class Pattern(Unit):
    """Emits, where its pattern says so, the number of its step plus what it took last."""

    def __init__(self, consume: list[int], emit: list[int], depth: int) -> None:
        self.timing = Timing.pipe(consume, emit, depth)
        super().__init__({"i": In(signature(BYTE, 1)), "o": Out(signature(BYTE, 1))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        depth = self.timing.depth
        seq = Sequencer(loops=(self.timing.steps,), depth=depth)
        take = sum(int(c) << t for t, c in enumerate(self.timing.consume[0]))
        give = sum(int(e) << t for t, e in enumerate(self.timing.emit))
        consume, emit = Signal(self.timing.steps), Signal(self.timing.steps)
        m.d.comb += [consume.eq(take), emit.eq(give)]
        take_now, give_now = consume.bit_select(seq.step, 1), emit.bit_select(seq.step, 1)
        seq.attach(m, [self.i], self.o, [take_now], give_now)
        last, now = Signal(8), Signal(8)
        m.d.comb += now.eq(last)
        with m.If(take_now):
            m.d.comb += now.eq(self.i.payload[0])
        with m.If(seq.issue):
            m.d.sync += last.eq(now)
        m.d.comb += self.o.payload[0].eq(seq.delayed(m, (now + seq.step)[:8], depth))
        return m

    def expected(self, taken: np.ndarray) -> np.ndarray:
        steps, out, at, last = self.timing.steps, [], 0, 0
        turns = len(taken) // int(self.timing.consume.sum())
        for t in list(range(steps)) * turns:
            if self.timing.consume[0, t]:
                last, at = int(taken[at, 0]), at + 1
            if self.timing.emit[t]:
                out.append([(last + t + 128) % 256 - 128])
        return np.array(out).reshape(-1, 1)


def test_layout_packs_lane_zero_lowest() -> None:
    shape = layout(IntType(-3, 2), 5)
    assert shape.size == 15
    assert unpack(pack([-3, 2, 0, -1, 1], 3), 5, 3, True) == [-3, 2, 0, -1, 1]
    with pytest.raises(ValueError, match="lanes must be at least 1"):
        layout(BYTE, 0)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_sequence_keeps_to_the_token_model(data: st.DataObject) -> None:
    steps = data.draw(st.integers(1, 7))
    consume = data.draw(st.lists(st.integers(0, 1), min_size=steps, max_size=steps).filter(any))
    emit = data.draw(st.lists(st.integers(0, 1), min_size=steps, max_size=steps).filter(any))
    consume[0] = 1
    unit = Pattern(consume, emit, data.draw(st.integers(0, 4)))
    taken = beats(3 * sum(consume), 1)
    want = unit.expected(taken)
    check_unit(
        unit, [taken], want, stalls=data.draw(STALLS), seed=data.draw(st.integers(0, 99)),
        reset_at=data.draw(st.sampled_from([None, 5])),
    )  # fmt: skip


@pytest.mark.parametrize("stalls", [0.0, 0.4])
@pytest.mark.parametrize(
    "unit",
    [
        Elastic(BYTE, 2),
        Fifo(BYTE, 2, 1, "lut"),
        Fifo(BYTE, 2, 5, "lut"),
        Fifo(BYTE, 2, 5, "block"),
        Fifo(BYTE, 2, 8, "block"),
        Fifo(BYTE, 2, 4, "registered"),
    ],
    ids=lambda unit: f"{type(unit).__name__}-{getattr(unit, 'depth', '')}",
)
def test_queues_keep_beats_and_the_token_model(unit: Elastic | Fifo, stalls: float) -> None:
    sent = beats(40, 2)
    for seed in range(3):
        check_unit(unit, [sent], sent, stalls=stalls, seed=seed)


def test_a_queue_has_throughput_one_and_its_latency() -> None:
    sent = beats(20, 2)
    for unit, latency in ((Elastic(BYTE, 2), 1), (Fifo(BYTE, 2, 2, "block"), 2)):
        run = check_unit(unit, [sent], sent)
        assert run.given[0].tolist() == list(range(latency, 20 + latency))


@pytest.mark.parametrize("stalls", [0.0, 0.5])
def test_fork_serves_each_output_when_it_is_ready(stalls: float) -> None:
    sent = beats(30, 1)
    run = run_unit(Fork(BYTE, 1, 3), [sent], expect=[30] * 3, stalls=stalls, seed=3)
    graph = TokenGraph()
    for channel in graph.fork(graph.source(30), 3):
        graph.sink(channel)
    trace = graph.run(1, run.offers, run.takes)
    assert all(np.array_equal(out, sent) for out in run.outputs)
    for real, model in zip(run.taken + run.given, trace.taken + trace.given, strict=True):
        np.testing.assert_array_equal(real, model)


def test_the_bench_sees_a_unit_that_drops_its_output() -> None:
    class Broken(Unit):
        def __init__(self) -> None:
            super().__init__({"i": In(signature(BYTE, 1)), "o": Out(signature(BYTE, 1))})

        def elaborate(self, platform: object) -> Module:
            m = Module()
            m.d.comb += self.i.ready.eq(1)
            m.d.sync += self.o.valid.eq(self.i.valid)
            return m

    with pytest.raises(SimulationError, match=r"valid dropped, cycle .*, seed 1"):
        check_unit(Broken(), [beats(9, 1)], beats(9, 1), stalls=0.5, seed=1)
