"""Queues before layers that read their input in the first of several passes."""

from __future__ import annotations

import numpy as np

from hwgen import families
from hwgen.design.layout import lay_out, token_graph
from hwgen.ir.graph import Graph
from hwgen.ir.types import Alphabet, IntArray
from hwgen.ops.base import Config
from hwgen.ops.input import Encoding, Input
from hwgen.ops.linear import Linear
from hwgen.ops.output import Output
from hwgen.rtl.fifo import Fifo

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
