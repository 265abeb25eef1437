"""The meters of oscillating and frozen weights, and annealing by confidence."""

import pytest
import torch

from hwgen import nn as q
from hwgen.errors import UsageError
from hwgen.train.annealing import ConfidenceAnnealing
from hwgen.train.fit import FitConfig, fit
from hwgen.train.oscillation import Freezing, Oscillation
from tests.train.golden import digits, tiny

BATCH = (torch.zeros(1), torch.zeros(1))


def play(method: Oscillation, layer: q.QuantLinear, values: list[list[float]]) -> None:
    for row in values:
        with torch.no_grad():
            layer.weight.copy_(torch.tensor([row]))
        method.step(BATCH)


def test_only_changes_of_direction_count_as_oscillations():
    layer = q.QuantLinear(3, 1, bias=False, weight=q.Int(4, step=1.0))
    method = Oscillation(layer, momentum=0.5)
    play(method, layer, [[0, 0, 0], [1, 1, 0], [0, 2, 0], [1, 3, 0]])
    assert method.frequency[""].tolist() == [[0.75, 0, 0]]
    assert method.shares() == {"": pytest.approx(1 / 3)}
    assert method.report() == {"oscillating": pytest.approx(1 / 3)}


def test_a_pause_does_not_hide_a_reversal():
    layer = q.QuantLinear(1, 1, bias=False, weight=q.Int(4, step=1.0))
    method = Oscillation(layer, momentum=0.5)
    play(method, layer, [[0], [1], [1], [1], [0]])
    assert method.frequency[""].item() == 0.5


def test_frozen_weights_are_those_that_end_an_epoch_at_their_level():
    layer = q.QuantLinear(4, 1, bias=False, weight=q.Int(4, step=1.0))
    method = Freezing(layer)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0, 2.0, -1.0, 0.0]]))
    method.begin_epoch(0)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0, 3.0, 1.0, 0.0]]))
    method.end_epoch(0)
    assert method.report() == {"frozen": 0.5, "sign frozen": 0.75}


def test_annealing_starts_at_its_epoch_and_then_moves_few_weights():
    torch.manual_seed(0)
    model = tiny(q.StatsQ(2))
    freezing = Freezing(model)
    config = FitConfig(epochs=4, lr=0.01, schedule="constant", optimizer="sgd", momentum=0.0)
    history = fit(model, digits(400), config, [ConfidenceAnnealing(model, 2), freezing])
    frozen = [row["frozen"] for row in history.rows]
    assert max(frozen[:2]) < min(frozen[2:])
    assert frozen[3] > 0.98
    with pytest.raises(UsageError, match="at least one StatsQ weight"):
        ConfidenceAnnealing(tiny(q.Int(2)), 1)
