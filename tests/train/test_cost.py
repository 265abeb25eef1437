"""Prices of bit lengths from the compiler's own estimates."""

import functools

import pytest
import torch

from hwgen import nn as q
from hwgen.errors import UsageError
from hwgen.train.bitpruning import BitPruning, bit_lengths
from hwgen.train.bmpq import BMPQ
from hwgen.train.cost import CostTable, HardwareCost, Row
from hwgen.train.fit import FitConfig, fit
from hwgen.train.models import mlp
from tests.train.golden import PIXELS, digits, tiny

X = digits().train[0][:2]


@functools.cache
def lut_table() -> tuple[torch.nn.Module, CostTable]:
    torch.manual_seed(0)
    spec = q.LearnedBits(8)
    model = mlp(64, [4], 10, weight=spec, activation=spec, input=PIXELS)
    return model, HardwareCost("pynq-z2", "lut").of(model, X)


def bits(value: float) -> dict[str, torch.Tensor]:
    return {name: torch.tensor(value) for name in ("fc1", "act1", "classifier")}


def test_luts_rise_with_every_bit_length():
    _, table = lut_table()
    for row in table.rows:
        if row.name:
            assert (row.prices.diff(dim=0) >= 0).all()
            assert (row.prices[-1] > 2 * row.prices[0]).all()
            assert (row.prices.diff(dim=1) > 0).all()
    estimates = [float(table.estimate(bits(b))) for b in (2.0, 2.5, 3.0, 5.0, 8.0)]
    assert estimates == sorted(estimates)
    assert float(table(bits(8.0))) == 1


def test_it_is_the_table_at_its_points_and_linear_in_between():
    factors = torch.tensor([[1.0], [2], [3], [4], [5]])
    row = Row("a", "x", factors * torch.tensor([10.0, 20, 40, 80]), 8.0)
    table = CostTable((row,), "lut")

    def at(weight: float, activation: float) -> float:
        values = {"a": torch.tensor(float(weight)), "x": torch.tensor(float(activation))}
        return float(table.estimate(values))

    assert at(2, 1) == 10
    assert at(3, 4) == 80
    assert at(2.5, 1) == 15
    assert at(2.5, 1.5) == pytest.approx(22.5)
    assert at(8, 8) == 400


def test_it_has_a_gradient_in_every_length():
    model, table = lut_table()
    lengths = bit_lengths(model)
    table({name: length.value for name, length in lengths.items()}).backward()
    assert all(float(length.value.grad) > 0 for length in lengths.values())


def test_memory_is_bits_of_weights_and_activations_exactly():
    model = tiny(q.LearnedBits(8), q.LearnedBits(8))
    table = HardwareCost("pynq-z2", "memory").of(model, X)
    values = {"fc1": torch.tensor(3.0), "classifier": torch.tensor(2.0), "act1": torch.tensor(2.0)}
    assert float(table.estimate(values)) == 1024 * 3 + 160 * 2 + 16 * 2 + 64 * 5


def test_bits_that_cost_more_shrink_more():
    torch.manual_seed(0)
    model = tiny(q.LearnedBits(6), q.LearnedBits(6))
    cost = HardwareCost("pynq-z2", "memory").of(model, X)
    method = BitPruning(model, strength=3.0, cost=cost)
    fit(
        model,
        digits(400),
        FitConfig(epochs=4, lr=0.03, schedule="constant", optimizer="sgd"),
        [method],
    )
    found = {name: float(b.value.detach()) for name, b in bit_lengths(model).items()}
    assert found["fc1"] < found["classifier"]


def test_the_integer_program_can_keep_to_a_lut_budget():
    torch.manual_seed(0)
    spec = q.LearnedBits(8)
    model = mlp(64, [4], 10, weight=spec, activation=q.UInt(4), input=PIXELS)
    _, table = lut_table()
    least = sum(table.price(n, 2) for n in ("fc1", "classifier"))
    budget = 1.3 * least
    method = BMPQ(model, budget=budget, widths=(2, 3, 4), interval=1, cost=table.price)
    fit(model, digits(400), FitConfig(epochs=2, lr=0.01), [method])
    assert sum(table.price(n, b) for n, b in method.allocation().items()) <= budget


def test_unknown_kinds_and_boards_are_refused():
    with pytest.raises(UsageError, match="--cost must be one of lut, memory, latency, not 'watts'"):
        HardwareCost("pynq-z2", "watts")
    with pytest.raises(UsageError, match="board"):
        HardwareCost("none-such")
