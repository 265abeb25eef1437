"""Fan-ins close in on what each layer asks for."""

from __future__ import annotations

import pytest
from torch import nn

from hwgen import nn as q
from hwgen.errors import UsageError
from hwgen.train.fan_in import FanIn


def test_inputs_fall_from_the_first_to_the_layers_own() -> None:
    spec = q.FewInputs(q.Int(5, step=1 / 16), fan_in=6)
    model = nn.Sequential(q.QuantLinear(60, 8, weight=spec))
    method = FanIn(model, first=40, end=4)
    seen = []
    for epoch in range(6):
        method.begin_epoch(epoch)
        seen.append(int(model[0].weight_quantizer.kept))
    assert seen == [40, 25, 15, 10, 6, 6]


def test_a_layer_of_more_inputs_than_the_first_starts_at_its_own() -> None:
    spec = q.FewInputs(q.Ternary(), fan_in=50)
    method = FanIn(nn.Sequential(q.QuantLinear(60, 8, weight=spec)), first=40, end=4)
    assert method.inputs(50, 0) == method.inputs(50, 9) == 50


def test_a_model_without_such_layers_is_refused() -> None:
    with pytest.raises(UsageError, match="needs at least one layer of few inputs"):
        FanIn(nn.Sequential(q.QuantLinear(4, 2, weight=q.Ternary())))
