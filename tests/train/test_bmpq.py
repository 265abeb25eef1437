"""BMPQ: bit gradients, the integer program, and widths that keep to the budget."""

import itertools
from pathlib import Path

import pytest
import torch

from hwgen import nn as q
from hwgen.errors import UsageError
from hwgen.train.bmpq import BMPQ, allocate, bit_gradient
from hwgen.train.fit import FitConfig, accuracy, fit
from tests.train.golden import check_golden, digits, tiny


def net() -> torch.nn.Sequential:
    torch.manual_seed(0)
    return tiny(q.LearnedBits(8), q.UInt(3))


def test_a_bit_gradient_is_the_mean_over_bits_of_the_weights_gradient():
    layer = q.QuantLinear(3, 2, weight=q.LearnedBits(4))
    layer.weight_quantizer.length.value.requires_grad_(False)
    upstream = torch.tensor([[1.0, -2.0, 3.0], [0.5, 0.0, -0.5]])
    layer.quantized_weight().backward(upstream)
    scale = layer.scale.item()
    by_hand = [abs(g) * scale * 2**i for g in upstream.flatten().tolist() for i in range(4)]
    assert bit_gradient(layer) == pytest.approx(sum(by_hand) / len(by_hand), rel=1e-5)
    layer.weight.grad = None
    assert bit_gradient(layer) == 0


def test_the_integer_program_is_the_best_of_all_choices():
    values = {"a": 3.0, "b": 1.0, "c": 2.5, "d": 0.1}
    sizes = {"a": 40, "b": 10, "c": 25, "d": 60}
    widths = (2, 3, 4, 8)

    def cost(name: str, bits: int) -> float:
        return sizes[name] * bits

    for budget in (270, 400, 555, 900):
        chosen = allocate(values, dict.fromkeys(values, widths), cost, budget)
        assert sum(cost(n, b) for n, b in chosen.items()) <= budget
        best = max(
            sum(values[n] * b for n, b in zip(values, choice, strict=True))
            for choice in itertools.product(widths, repeat=4)
            if sum(cost(n, b) for n, b in zip(values, choice, strict=True)) <= budget
        )
        assert sum(values[n] * b for n, b in chosen.items()) == pytest.approx(best)


def test_a_budget_below_every_choice_is_refused():
    with pytest.raises(UsageError, match="no widths keep to a budget of 1"):
        allocate({"a": 1.0}, {"a": (2, 4)}, lambda name, bits: bits, 1)
    with pytest.raises(UsageError, match="budget must be at least 2368"):
        BMPQ(net(), budget=1.9)
    with pytest.raises(UsageError, match="BMPQ needs weights with LearnedBits"):
        BMPQ(tiny(q.Int(2)), budget=4)


def test_widths_change_at_intervals_keep_to_the_budget_and_respect_pins():
    model = net()
    method = BMPQ(model, budget=2.5, widths=(2, 3, 4), interval=2, pinned={"classifier": 4})
    assert method.allocation() == {"fc1": 4, "classifier": 4}
    history = fit(model, digits(600), FitConfig(epochs=4, lr=0.01), [method])
    assert [row["bits fc1"] for row in history.rows] == [4, 2, 2, 2]
    assert method.allocation()["classifier"] == 4


def test_the_method_survives_a_restart():
    method = BMPQ(net(), budget=4)
    method.sums["fc1"], method.batches = 3.5, 7
    twin = BMPQ(net(), budget=4)
    twin.restore(method.state())
    assert twin.sensitivities()["fc1"] == 0.5


def test_its_network_is_built_as_torch_computes_it(tmp_path: Path):
    model = net()
    method = BMPQ(model, budget=3.0, widths=(2, 3, 4, 6), interval=2, last=4)
    fit(model, digits(), FitConfig(epochs=6, lr=0.01), [method])
    assert (
        2 * 1184
        <= sum(b * n for b, n in zip(method.allocation().values(), (1024, 160), strict=True))
        <= 3 * 1184
    )
    assert accuracy(model, digits().test) > 0.75
    check_golden(model, digits().test[0], tmp_path)
