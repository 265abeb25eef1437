"""Queues are as deep as they must be and no deeper: in the token model, and in the circuits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hwgen import families, vectors
from hwgen.design.core import Core
from hwgen.design.joiner import Joiner
from hwgen.design.layout import Layout, token_graph
from hwgen.design.queues import lay_out
from hwgen.ir.graph import Graph
from hwgen.ir.types import Alphabet, IntArray
from hwgen.ops.base import Config, HardwareNode
from hwgen.ops.input import Encoding, Input
from hwgen.ops.linear import Linear
from hwgen.ops.output import Output
from hwgen.passes.integerize import integerize
from hwgen.rtl.fifo import Fifo
from hwgen.rtl.sim import Run, SimulationError, run_unit
from hwgen.rtl.stream import Elastic
from tests.nets import residual_cnn

XC7 = families.get("xc7")


def linear(name: str, source: str, outputs: int, columns: int) -> Linear:
    weight = np.random.default_rng(0).choice([-1, 1], (outputs, columns))
    return Linear(name=name, inputs=(source,), weight=IntArray(weight), alphabet=Alphabet((-1, 1)))


def two_layers() -> Graph:
    encoding = Encoding((), (1,), (0,), 0, 3)  # type: ignore[arg-type]
    nodes = (
        Input(name="x", shape=(16,), lo=0, hi=3, encoding=encoding),
        linear("a", "x", 16, 16),
        linear("b", "a", 16, 16),
        Output(name="out", inputs=("b",)),
    )
    return Graph("net", nodes)


def test_a_vector_comes_while_the_last_one_goes_through_its_passes() -> None:
    configs = {"a": Config("folded", 1, 2), "b": Config("folded", 1, 2)}
    layout = lay_out(two_layers(), configs, XC7)
    queues = [b for b in layout.blocks if isinstance(b.unit, Fifo)]
    assert [b.instance for b in queues] == ["fifo_b"]
    assert layout.measure().interval == 128

    bare = tuple(b for b in layout.blocks if b.instance != "fifo_b")
    feed = next(b.inputs[0] for b in queues)
    joined = tuple(
        b if b.node != "b" else type(b)(b.instance, b.unit, (feed,), b.node, b.config) for b in bare
    )
    assert token_graph(joined, layout.input, layout.output).measure().interval > 200


def test_no_queue_where_nothing_waits() -> None:
    configs = {"a": Config("folded", 16, 1), "b": Config("folded", 16, 1)}
    layout = lay_out(two_layers(), configs, XC7)
    assert not [b for b in layout.blocks if isinstance(b.unit, Fifo)]
    assert layout.measure().interval == 16


def folded(graph: Graph, pace: int) -> dict[str, Config]:
    """For every node, the slowest folded or streaming configuration of at most ``pace`` cycles."""
    found = {}
    for node in graph:
        if isinstance(node, HardwareNode) and not node.wires_only:
            types = graph.input_types(node)
            configs = [c for c in node.configs(types, XC7) if c.style != "spatial"]
            cycles = {c: node.interval(c, types) for c in configs if c.memory == "lut"}
            kept = [c for c, n in cycles.items() if n <= pace and c.multiplier == "lut"]
            found[node.name] = max(kept, key=lambda c: (cycles[c], c.pe, c.simd))
    return found


def depths(layout: Layout) -> dict[str, int]:
    return {b.instance: b.unit.depth for b in layout.blocks if isinstance(b.unit, Fifo)}


def simulate(layout: Layout, frames: int, stalls: float = 0.0, seed: int = 0) -> Run:
    """The core's circuits on random frames; every integer is compared.

    Raises:
        SimulationError: the circuits hang.
    """
    x = vectors.make(layout.graph, frames, seed)
    want = vectors.streamed(layout.graph.evaluate(x)).reshape(-1, layout.output.lanes)
    beats = vectors.streamed(x).reshape(-1, layout.input.lanes)
    run = run_unit(Core(layout), [beats], expect=[len(want)], stalls=stalls, seed=seed)
    assert np.array_equal(run.outputs[0], want)
    return run


def interval(layout: Layout, run: Run, frames: int) -> float:
    """Cycles from frame to frame at the end of a run."""
    ends = run.given[0][layout.output.beats - 1 :: layout.output.beats]
    return float(ends[-1] - ends[-1 - frames]) / frames


def test_a_burst_reader_s_queue_is_no_deeper_than_it_must_be() -> None:
    graph = two_layers()
    configs = {"a": Config("folded", 1, 2), "b": Config("folded", 1, 2)}
    layout, frames = lay_out(graph, configs, XC7), 8
    depth = depths(layout)["fifo_b"]
    less = Joiner(graph, configs, XC7).layout({"fifo_b": depth - 1})
    assert interval(layout, simulate(layout, frames), 2) == layout.measure().interval == 128
    assert interval(less, simulate(less, frames), 2) == less.measure().interval > 128


CASES = [(0, 1, 1296), (1, 1, 400), (2, 2, 1296), (3, 2, 340)]


@pytest.mark.parametrize(("seed", "stride", "pace"), CASES)
def test_one_beat_less_in_any_queue_is_slower_or_hangs(seed: int, stride: int, pace: int) -> None:
    graph = integerize(residual_cnn(seed, stride=stride)).graph
    configs = folded(graph, pace)
    layout = lay_out(graph, configs, XC7)
    measured, found = layout.measure(), depths(layout)
    assert found
    assert not measured.deadlock
    assert measured.interval == layout.tokens().bound
    joiner = Joiner(graph, configs, XC7)
    for name, depth in found.items():
        less = joiner.layout(found | {name: depth - 1}).measure()
        assert less.deadlock or less.interval > measured.interval, name


@pytest.mark.parametrize(("seed", "stride", "pace"), CASES[::3])
def test_the_circuits_stall_or_hang_where_the_model_says(seed: int, stride: int, pace: int) -> None:
    graph = integerize(residual_cnn(seed, stride=stride)).graph
    configs = folded(graph, pace)
    layout = lay_out(graph, configs, XC7)
    frames = 8
    full = simulate(layout, frames)
    assert interval(layout, full, 2) == layout.measure().interval
    simulate(layout, 3, stalls=0.3, seed=seed)
    found = depths(layout)
    joiner = Joiner(graph, configs, XC7)
    for name, depth in found.items():
        less = joiner.layout(found | {name: depth - 1})
        trace = less.tokens().run(frames)
        if trace.deadlock:
            with pytest.raises(SimulationError):
                simulate(less, frames)
        else:
            run = simulate(less, frames)
            assert np.array_equal(run.given[0], trace.given[0])
            assert run.given[0][-1] > full.given[0][-1]


def test_a_large_folded_layer_stands_between_elastic_registers() -> None:
    configs = {"a": Config("folded", 16, 1), "b": Config("folded", 16, 1)}
    far = replace(XC7, wire_ns=10.0)  # as if the layers were a thousand times as large
    near, apart = (lay_out(two_layers(), configs, family) for family in (XC7, far))
    assert not [b for b in near.blocks if isinstance(b.unit, Elastic)]
    names = [b.instance for b in apart.blocks if isinstance(b.unit, Elastic)]
    assert names == ["elastic_a", "elastic_b"]
    assert apart.measure().interval == near.measure().interval
