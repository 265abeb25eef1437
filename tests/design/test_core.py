"""Whole cores equal the golden model and keep the predicted time, whatever the parallelism."""

from __future__ import annotations

from math import ceil

import numpy as np
import pytest

from hwgen import families, vectors
from hwgen.design import free_run
from hwgen.design.core import Core
from hwgen.design.layout import Block
from hwgen.design.queues import lay_out
from hwgen.ir.graph import Graph
from hwgen.ir.real import RealGraph
from hwgen.ir.verify import verify
from hwgen.ops.base import Config, HardwareNode
from hwgen.passes.integerize import integerize
from hwgen.rtl.credit import CreditGate, CreditQueue
from hwgen.rtl.sim import run_unit
from hwgen.rtl.timing import PIPE
from tests.nets import random_mlp, residual

XC7 = families.get("xc7")


def random_configs(graph: Graph, rng: np.random.Generator) -> dict[str, Config]:
    """A random legal configuration for every node."""
    found = {}
    for node in graph:
        if isinstance(node, HardwareNode) and not node.wires_only:
            options = list(node.configs(graph.input_types(node), XC7))
            found[node.name] = options[rng.integers(len(options))]
    return found


def fastest_configs(graph: Graph) -> dict[str, Config]:
    """The first configuration of the fewest cycles for every node."""
    found = {}
    for node in graph:
        if isinstance(node, HardwareNode) and not node.wires_only:
            types = graph.input_types(node)
            options = node.configs(types, XC7)
            found[node.name] = min(options, key=lambda c: node.interval(c, types))
    return found


def check(real: RealGraph, seed: int, *, spatial: bool = False) -> tuple[Block, ...]:
    """Simulates the network at a random parallelism, or its spatial style; gives its blocks."""
    graph = verify(integerize(real).graph)
    rng = np.random.default_rng(seed)
    configs = fastest_configs(graph) if spatial else random_configs(graph, rng)
    layout = lay_out(graph, configs, XC7)
    for block in layout.blocks:
        if getattr(block.unit, "datapath", None):
            block.unit.datapath.module = None
    x = vectors.make(graph, 4, seed)
    want = vectors.streamed(graph.evaluate(x)).reshape(-1, layout.output.lanes)
    beats = vectors.streamed(x).reshape(-1, layout.input.lanes)
    measured = layout.measure()
    assert not measured.deadlock
    core = Core(layout)
    stalls = 0.3 if seed % 2 else 0.0
    run = run_unit(core, [beats], expect=[len(want)], stalls=stalls, seed=seed)
    assert np.array_equal(run.outputs[0], want)
    if not stalls:
        per_frame = layout.input.beats
        starts = run.taken[0][::per_frame]
        assert (np.diff(starts)[-1:] <= ceil(measured.interval)).all()
        first = run.given[0][layout.output.beats - 1] - run.taken[0][0]
        assert first == measured.latency
    return layout.blocks


@pytest.mark.parametrize("seed", range(16))
def test_random_networks_at_random_parallelism(seed: int) -> None:
    check(random_mlp(seed), seed)


@pytest.mark.parametrize("seed", range(6))
def test_residual_branches_neither_deadlock_nor_differ(seed: int) -> None:
    check(residual(seed), seed)


@pytest.mark.parametrize("seed", range(12))
def test_rows_of_units_run_freely(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As large ones do: between a gate and a queue, without elastic registers."""
    monkeypatch.setattr(free_run, "MANY_FFS", 1)
    monkeypatch.setattr(free_run, "MOST_SHARE", float("inf"))
    monkeypatch.setattr(free_run, "FAR", 0.0)
    blocks = check(random_mlp(seed), seed, spatial=True)
    gates = [k for k, b in enumerate(blocks) if isinstance(b.unit, CreditGate)]
    queues = [k for k, b in enumerate(blocks) if isinstance(b.unit, CreditQueue)]
    assert len(gates) == len(queues) >= 1
    for first, last in zip(gates, queues, strict=True):
        assert all(b.unit.timing.kind == PIPE for b in blocks[first + 1 : last])
        assert blocks[last].gate == blocks[first].instance


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 300))
def test_many_random_networks(seed: int) -> None:
    check(random_mlp(seed), seed)
