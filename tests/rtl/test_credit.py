"""Rows of circuits that never wait, between a gate of credits and its queue."""

from __future__ import annotations

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.lib.wiring import In, Out, connect, flipped

from hwgen.rtl.credit import CreditGate, CreditQueue
from hwgen.rtl.sim import run_unit
from hwgen.rtl.stream import Unit, signature
from hwgen.rtl.tokens import TokenGraph
from tests.rtl.test_stream import BYTE, Pattern, beats


class Row(Unit):
    """Units of one step each between a gate and a queue."""

    def __init__(self, credits: int, *depths: int) -> None:
        self.gate, self.queue = CreditGate(BYTE, 1, credits), CreditQueue(BYTE, 1, credits)
        self.units = [Pattern([1], [1], depth) for depth in depths]
        super().__init__({"i": In(signature(BYTE, 1)), "o": Out(signature(BYTE, 1))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.gate, m.submodules.queue = self.gate, self.queue
        connect(m, flipped(self.i), self.gate.i)
        source = self.gate.o
        for k, unit in enumerate(self.units):
            m.submodules[f"unit_{k}"] = unit
            connect(m, source, unit.i)
            source = unit.o
        connect(m, source, self.queue.i)
        connect(m, self.queue.o, flipped(self.o))
        m.d.comb += self.gate.returned.eq(self.queue.left)
        return m

    def tokens(self, count: int) -> TokenGraph:
        graph = TokenGraph()
        gate = channel = graph.node(self.gate.timing, graph.source(count))
        for unit in self.units:
            channel = graph.node(unit.timing, channel)
        queue = graph.node(self.queue.timing, channel)
        graph.returns(queue, gate)
        graph.sink(queue)
        return graph


@pytest.mark.parametrize("stalls", [0.0, 0.2, 0.6])
@pytest.mark.parametrize("credits", [1, 2, 5, 8])
@pytest.mark.parametrize("depths", [(1,), (2, 0, 1), (3, 2)])
def test_beats_move_as_the_model_says(depths: tuple[int, ...], credits: int, stalls: float) -> None:
    sent = beats(60, 1)
    row = Row(credits, *depths)
    for seed in range(2):
        run = run_unit(row, [sent], expect=[60], stalls=stalls, seed=seed, reset_at=None)
        assert np.array_equal(run.outputs[0], sent)
        trace = row.tokens(60).run(1, run.offers, run.takes)
        assert trace.taken[0].tolist() == run.taken[0].tolist()
        assert trace.given[0].tolist() == run.given[0].tolist()
        assert trace.occupancy[0] <= credits


def test_three_credits_more_than_the_cycles_inside_let_a_beat_through_in_every_cycle() -> None:
    cycles = 5
    for credits in (cycles + 3, cycles + 2):
        measured = Row(credits, 3, 2).tokens(1).measure()
        assert measured.latency == cycles + 2
        assert (measured.interval == 1) is (credits == cycles + 3)


def test_a_reset_forgets_what_is_inside() -> None:
    sent = beats(40, 1)
    run = run_unit(Row(8, 2, 1), [sent], expect=[40], stalls=0.3, seed=1, reset_at=9)
    assert np.array_equal(run.outputs[0][-10:], sent[-10:])


def test_credits_are_at_least_one() -> None:
    with pytest.raises(ValueError, match="credits must be at least 1, not 0"):
        CreditGate(BYTE, 1, 0)
