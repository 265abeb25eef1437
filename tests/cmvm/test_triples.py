"""Sums of three bits that rows share: the same rows, fewer LUTs, never a row overdrawn."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from hwgen import families
from hwgen.cmvm import solve
from hwgen.cmvm.graph import Builder
from hwgen.cmvm.triples import LEAST, one_signed, ones, with_triples
from hwgen.inttype import IntType

XC7, U1 = families.get("xc7"), IntType(0, 1)


def test_ones_counts_the_bits_of_a_word() -> None:
    for word in (0, 1, 0x80000000, 0xFFFFFFFF, 0x12345678):
        assert ones(word) == word.bit_count()


def test_rows_of_one_sign_are_factors_times_signs() -> None:
    rows = np.array([[2, 0, -2, 2], [-4, 4, 0, -4], [0, 2, 2, 0]])
    found = one_signed(rows)
    assert found is not None
    assert np.array_equal((rows != 0) * np.outer(*found), rows)
    assert one_signed(np.array([[1, 1], [1, -1]])) is None
    assert one_signed(np.array([[1, 2]])) is None
    assert one_signed(np.zeros((2, 2), np.int64)) is None


@pytest.mark.parametrize("count", [8, 40, 70])
def test_shared_sums_and_what_is_left_are_the_rows(count: int) -> None:
    rng = np.random.default_rng(count)
    factors, signs = rng.choice([-2, 2], count), rng.choice([-1, 1], 20)
    rows = rng.integers(0, 2, (count, 20)) * np.outer(factors, signs)
    builder = Builder([U1] * 20, split=True)
    found = one_signed(rows)
    assert found is not None
    left, sums = with_triples(builder, rows, *found)
    uses: dict[int, int] = {}
    for j, shared in enumerate(sums):
        total = left[j] + sum(i.weight * builder.rows[i.source] for i in shared.items)
        offset = shared.constant + sum(i.weight * builder.biases[i.source] for i in shared.items)
        assert np.array_equal(total, rows[j])
        assert offset == 0
        assert np.count_nonzero(left[j]) >= len(shared.items)
        for item in shared.items:
            uses[item.source] = uses.get(item.source, 0) + 1
    assert len(uses) == len(builder.nodes)
    assert min(uses.values()) >= LEAST
    for node in builder.nodes:
        assert node.type == IntType(0, 3)


def test_every_code_of_a_graph_with_shared_sums() -> None:
    weights = np.random.default_rng(2).choice([-1, 1], (48, 12))
    bias = np.arange(48) - 20
    graph = solve(weights, [U1] * 12, bias=bias)
    x = np.array(list(product((0, 1), repeat=12)), np.int64)
    assert np.array_equal(graph.evaluate(x), x @ weights.T + bias)


def test_a_binary_layer_takes_less_than_a_quarter_of_a_lut_per_weight() -> None:
    weights = np.random.default_rng(3).choice([-1, 1], (64, 128))
    graph = solve(weights, [U1] * 128)
    assert graph.split
    assert graph.cost(XC7) < 0.25 * weights.size
