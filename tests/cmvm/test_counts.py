"""Rows of single bits on two-operand carry chains: words, carry inputs, shared pairs, and chains
that hold several sums."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from hwgen import families
from hwgen.cmvm import emit, library, pipeline, solve
from hwgen.cmvm.counts import CountMaker
from hwgen.cmvm.graph import Builder, Term
from hwgen.cmvm.links import Item
from hwgen.cmvm.packs import SMALL, PackedSum, laid_out, packs, rows_reached
from hwgen.cmvm.pairs import with_pairs
from hwgen.cmvm.triples import one_signed, with_triples
from hwgen.inttype import IntType
from tests.cmvm.simulate import IVERILOG, run

ECP5, U1 = families.get("ecp5"), IntType(0, 1)


@pytest.mark.parametrize("levels", [(-1, 1), (-1, 0, 1)])
def test_every_code_of_a_graph_of_words_and_carry_inputs(levels: tuple[int, ...]) -> None:
    weights = np.random.default_rng(2).choice(levels, (48, 12))
    bias = np.arange(48) - 20
    graph = solve(weights, [U1] * 12, bias=bias, family=ECP5)
    x = np.array(list(product((0, 1), repeat=12)), np.int64)
    assert np.array_equal(graph.evaluate(x), x @ weights.T + bias)


@pytest.mark.parametrize("bias", [-50, -3, 0, 1, 40])
@pytest.mark.parametrize("based", [False, True])
def test_a_row_is_its_base_its_items_and_its_constant(bias: int, based: bool) -> None:
    rng = np.random.default_rng(bias + 50)
    builder = Builder([U1] * 30, split=True)
    base = builder.add([], 9) if based else None
    pair = builder.add([_term(0), _term(1)])
    items = [Item(k, int(rng.choice([-2, -1, 1, 2]))) for k in range(2, 30)]
    items.append(Item(pair, -2, 2))
    made = CountMaker(builder, ECP5).row(_term(base) if base is not None else None, items, bias)
    assert made is not None
    factor = (-1 if made.negate else 1) << made.shift
    wanted = np.zeros(30, np.int64)
    for item in items:
        wanted += item.weight * builder.rows[item.source]
    assert np.array_equal(factor * builder.rows[made.source], wanted)
    assert factor * builder.biases[made.source] == bias + (9 if based else 0)


def _term(source: int) -> Term:
    return Term(source)


def test_shared_pairs_and_what_is_left_are_the_rows() -> None:
    rng = np.random.default_rng(4)
    factors, signs = rng.choice([-2, 2], 40), rng.choice([-1, 1], 30)
    rows = rng.integers(0, 2, (40, 30)) * np.outer(factors, signs)
    builder = Builder([U1] * 30, split=True)
    found = one_signed(rows)
    assert found is not None
    left, sums = with_pairs(builder, *with_triples(builder, rows, *found, least=2), *found)
    uses: dict[int, int] = {}
    for j, shared in enumerate(sums):
        total = left[j] + sum(i.weight * builder.rows[i.source] for i in shared.items)
        offset = shared.constant + sum(i.weight * builder.biases[i.source] for i in shared.items)
        assert np.array_equal(total, rows[j])
        assert offset == 0
        for item in shared.items:
            assert item.most == builder.types[item.source].hi
            uses[item.source] = uses.get(item.source, 0) + 1
    assert any(item.most > 3 for shared in sums for item in shared.items)
    assert min(uses.values()) >= 1


def test_sums_on_one_chain_are_parted_by_what_carries_out_and_in() -> None:
    closed = PackedSum("a", "b", "", 2, 2)
    assert laid_out([closed, closed]) == ("{a, a}", "{b, b}", [0, 2], 4)
    open_ended = PackedSum("p", "q", "c", 3, 4)
    assert laid_out([closed, open_ended, open_ended]) == (
        "{1'b1, p, c, p, c, a}", "{1'b1, q, c, q, c, b}", [0, 3, 7], 11,
    )  # fmt: skip


def test_no_sum_shares_a_chain_with_one_that_it_depends_on() -> None:
    weights = np.random.default_rng(1).choice([-1, 1], (24, 60))
    graph = solve(weights, [U1] * 60, family=ECP5)
    for target in (3.0, 8.0, 1000.0):
        design = pipeline(graph, ECP5, target_ns=target)
        chain_of = {k: c for c, nodes in enumerate(packs(design, ECP5)) for k in nodes}
        assert sorted(chain_of) == [
            k for k, made in enumerate(graph.cells(ECP5)) if made.kind == "packed"
        ]
        behind: list[set[int]] = []  # chains within the stage before each node
        n = len(graph.sources)
        for k, node in enumerate(graph.nodes):
            before: set[int] = set()
            for source in (t.source - n for t in node.terms if t.source >= n):
                if design.stage[source] == design.stage[k]:
                    before |= behind[source] | {chain_of.get(source, -1)}
            behind.append(before)
        for k, chain in chain_of.items():
            assert chain not in behind[k]


@pytest.mark.skipif(IVERILOG is None, reason="no iverilog")
@pytest.mark.parametrize("stages", [0, 2])
def test_chains_of_several_sums_simulate_as_the_matrix(stages: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    weights, bias = rng.choice([-1, 1], (20, 45)), rng.integers(-20, 20, 20)
    x = rng.integers(0, 2, (60, 45))
    x[0], x[1] = 0, 1
    design = pipeline(solve(weights, [U1] * 45, bias=bias, family=ECP5), ECP5, stages=stages)
    assert any(len(chain) > 1 for chain in packs(design, ECP5))
    files = {"dut.v": emit(design, "dut", ECP5), **library(ECP5)}
    assert np.array_equal(run(design, files, x, tmp_path), x @ weights.T + bias)


def test_a_binary_layer_takes_less_than_half_a_lut4_per_weight() -> None:
    weights = np.random.default_rng(3).choice([-1, 1], (64, 256))
    graph = solve(weights, [U1] * 256, family=ECP5)
    assert graph.split
    assert graph.cost(ECP5) < 0.5 * weights.size


def test_sums_on_a_chain_go_to_the_same_rows() -> None:
    """Of a layer that is large enough for it: chains hold sums of fewer rows than in order."""
    weights = np.random.default_rng(2).choice([-1, 1], (24, 160))
    graph = solve(weights, [U1] * 160, family=ECP5)
    design = pipeline(graph, ECP5, target_ns=4.0)
    chains = packs(design, ECP5)
    packed = sorted(k for chain in chains for k in chain)
    assert packed == [k for k, made in enumerate(graph.cells(ECP5)) if made.kind == "packed"]
    assert len(packed) > SMALL
    rows = rows_reached(graph) > 0
    for chain in chains:
        cells = [graph.cells(ECP5)[k] for k in chain]
        assert sum(c.width - c.start for c in cells) < ECP5.chain_pack or len(chain) == 1
        assert len({design.stage[k] for k in chain}) == 1
    of_chains = sum(int(rows[chain].any(axis=0).sum()) for chain in chains)
    in_order = [packed[k : k + 4] for k in range(0, len(packed), 4)]
    assert of_chains < sum(int(rows[chain].any(axis=0).sum()) for chain in in_order)
