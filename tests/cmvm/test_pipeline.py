"""Stages: legal, within the delay target, and no registers wasted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from hwgen import families
from hwgen.cmvm import AdderGraph, Pipelined, pipeline, solve
from hwgen.cmvm.pipeline import MOST_HOPS, far_ns
from hwgen.families.base import Family
from hwgen.inttype import IntType

XC7 = families.get("xc7")
S8 = IntType(-128, 127)


def graph(inputs: int = 24, outputs: int = 12):  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(1)
    return solve(rng.integers(0, 2, (outputs, inputs)) * 2 - 1, [S8] * inputs)


@pytest.mark.parametrize("target", [2.5, 4.0, 8.0, 50.0])
def test_the_delay_target_is_kept_with_as_many_stages_as_it_takes(target: float) -> None:
    piped = pipeline(graph(), XC7, target_ns=target)
    piped.check()
    single = max(
        pipeline(graph(4, 2), XC7, target_ns=0.1).delay_ns(XC7), target
    )  # one cell alone may be slower than the target
    assert piped.delay_ns(XC7) <= single + 0.6
    assert piped.stages >= 1


def test_asked_for_stages_are_given_and_zero_is_wires() -> None:
    assert pipeline(graph(), XC7, stages=0).register_bits == 0
    for stages in (1, 2, 3, 6):
        assert pipeline(graph(), XC7, stages=stages).stages == stages


def test_settling_saves_registers() -> None:
    made = graph()
    piped = pipeline(made, XC7, target_ns=3)
    naive = Pipelined(made, tuple(level - 1 for level in made.levels[24:]), made.depth)
    assert piped.register_bits <= naive.register_bits


def test_register_bits_count_outputs_and_everything_kept_waiting() -> None:
    made = solve([[1, 1]], [S8, S8])
    assert pipeline(made, XC7, stages=1).register_bits == 9
    assert pipeline(made, XC7, stages=2).register_bits == 18


def legal(
    made: AdderGraph, budget: float, stages: int, family: Family = XC7, hops: int = 0
) -> Iterator[Pipelined]:
    """Every assignment of stages that keeps order and budget, by enumeration."""
    for stage in product(range(stages), repeat=len(made.nodes)):
        piped = Pipelined(made, stage, stages, hops)
        n = len(made.sources)
        reads = [(t.source - n, k) for k, node in enumerate(made.nodes) for t in node.terms]
        ordered = all(stage[v] <= stage[k] for v, k in reads if v >= 0)
        if ordered and piped.delay_ns(family) <= budget:
            yield piped


@pytest.mark.parametrize("seed", range(6))
def test_no_legal_stages_need_fewer_registers(seed: int) -> None:
    weights = np.random.default_rng(seed).choice([-3, -1, 0, 1, 2], (3, 5))
    made = solve(weights, [S8, IntType(0, 3), IntType(0, 1), S8, IntType(-9, 0)], seed=seed)
    assert 2 <= len(made.nodes) <= 11
    piped = pipeline(made, XC7, target_ns=4.5)
    assert piped.delay_ns(XC7) <= 4.5
    counts = [other.register_bits for other in legal(made, 4.5, piped.stages)]
    assert counts
    assert piped.register_bits == min(counts)


ROOMY = replace(XC7, wire_ns=0.5)
"""A family whose nets across a whole circuit take long."""


@pytest.mark.parametrize("target", [2.5, 4.0, 8.0])
def test_what_several_nodes_read_has_registers_on_its_way(target: float) -> None:
    made = graph()
    wires = far_ns(made, ROOMY)
    piped, near = (pipeline(made, family, target_ns=target) for family in (ROOMY, XC7))
    piped.check()
    assert piped.hops >= 1
    assert near.hops == 0
    assert piped.hops == MOST_HOPS or wires / (piped.hops + 1) < target
    n = len(made.sources)
    born = [0] * n + list(piped.stage)
    readers: dict[int, set[int]] = {}
    for k, node in enumerate(made.nodes):
        for term in node.terms:
            readers.setdefault(term.source, set()).add(k)
    shared = [source for source, nodes in readers.items() if len(nodes) > 1]
    assert shared
    for source in shared:
        apart = min(piped.stage[k] for k in readers[source]) - born[source]
        assert apart >= piped.hops + (source >= n)


def test_a_circuit_whose_nets_are_short_has_none() -> None:
    small = graph(4, 2)
    assert far_ns(small, ROOMY) < far_ns(graph(), ROOMY)
    assert pipeline(small, ROOMY, target_ns=50).hops == 0
    assert far_ns(small, XC7) == 0


@pytest.mark.parametrize("seed", range(6))
def test_registers_on_the_way_are_no_more_than_it_takes(seed: int) -> None:
    weights = np.random.default_rng(seed).choice([-1, 0, 1], (3, 4))
    made = solve(weights, [IntType(0, 3)] * 4, seed=seed)
    family = replace(XC7, wire_ns=0.5 * 5.0 / far_ns(made, ROOMY))
    piped = pipeline(made, family, target_ns=6.0)
    assert piped.hops == 1
    counts = []
    for other in legal(made, 6.0, piped.stages, family, hops=1):
        with suppress(AssertionError):
            other.check()
            counts.append(other.register_bits)
    assert piped.register_bits == min(counts)
