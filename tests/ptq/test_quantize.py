"""A float network and a batch become a model that is built as torch computes it."""

import functools
from pathlib import Path

import pytest
import torch
from torch import nn

import hwgen
from hwgen import nn as q
from hwgen.errors import UsageError
from hwgen.frontend.torch_export import load
from hwgen.passes.integerize import integerize
from hwgen.ptq import Calibration, WeightPlan, quantize
from hwgen.train.fit import FitConfig, accuracy, fit
from tests.train.golden import PIXELS, digits


@functools.cache
def trained() -> nn.Sequential:
    """64 -> 32 -> 10, plain torch."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 10)
    )
    fit(model, digits(), FitConfig(epochs=8, lr=0.01))
    return model.eval()


BATCH = digits().train[0][:256]


def test_eight_bits_lose_next_to_nothing():
    found = quantize(trained(), BATCH, weight=WeightPlan("int8"), activation=Calibration(8, "max"))
    drop = accuracy(trained(), digits().test) - accuracy(found.model, digits().test)
    assert abs(drop) < 0.01
    assert all(layer.error < 1e-3 for layer in found.layers)


def test_path_following_beats_rounding_to_nearest_at_ternary():
    results = {}
    for method in ("gpfq", "mmse"):
        plan = WeightPlan("ternary", method)
        results[method] = quantize(trained(), BATCH, weight=plan, activation=Calibration(8, "max"))
    assert results["gpfq"].layers[0].error < 0.7 * results["mmse"].layers[0].error
    own, other = (accuracy(r.model, digits().test) for r in results.values())
    assert own > other - 0.01


def test_a_badly_approximated_layer_becomes_a_sum_of_two_tensors():
    plan = WeightPlan("ternary", "mmse", second_above=0.01)
    found = quantize(trained(), BATCH, weight=plan, activation=Calibration(8, "max"))
    assert all(layer.two for layer in found.layers)
    one = quantize(trained(), BATCH, weight=WeightPlan("ternary", "mmse"))
    assert found.layers[0].error < 0.5 * one.layers[0].error


@pytest.mark.parametrize(
    ("plan", "calibration"),
    [
        (WeightPlan("ternary", "gpfq"), Calibration(3, "mse")),
        (WeightPlan("dense3", "gpfq", per_channel=False), Calibration(3, "kl")),
        (WeightPlan("int4", "mmse"), Calibration(3, "percentile", power_of_two=True)),
        (WeightPlan("ternary", "mmse", second_above=0.01), Calibration(3, "max")),
    ],
    ids=["ternary-gpfq", "dense3-gpfq", "int4-mmse", "two-ternary"],
)
def test_the_file_gives_torchs_classes(plan: WeightPlan, calibration: Calibration, tmp_path: Path):
    found = quantize(trained(), BATCH, weight=plan, activation=calibration, input=PIXELS)
    x = digits().test[0]
    file = tmp_path / "model.pt"
    hwgen.save(found.model, file, x[:1])
    graph = integerize(load(file)).graph
    with torch.no_grad():
        expected = found.model(x).argmax(dim=1)
    integers = graph.evaluate(graph.input.encode(x.numpy()))
    assert graph.output.predictions(integers).tolist() == expected.tolist()
    assert float((expected == digits().test[1]).float().mean()) > 0.8


def test_convolutions_are_quantized_by_their_patches():
    torch.manual_seed(1)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 4, 3, stride=2, groups=4), nn.ReLU(),
        nn.Flatten(), nn.Linear(36, 10),
    )  # fmt: skip
    x = digits().train[0][:64].reshape(64, 1, 8, 8)
    found = quantize(model, x, weight=WeightPlan("int8"), activation=Calibration(8, "max"))
    assert [layer.name for layer in found.layers] == ["0", "2", "5"]
    assert torch.allclose(found.model(x), model(x), atol=0.02)
    assert found.model[1][2].codes.shape == (4, 1, 3, 3)


def test_a_one_dimensional_convolution_is_quantized_too():
    torch.manual_seed(1)
    model = nn.Sequential(nn.Conv1d(2, 3, 3, padding=1, stride=2), nn.ReLU())
    x = torch.rand(16, 2, 10)
    found = quantize(model, x, weight=WeightPlan("int8"), activation=Calibration(8, "max"))
    assert torch.allclose(found.model(x), model(x), atol=0.02)


def test_the_given_model_is_not_changed():
    before = {key: value.clone() for key, value in trained().state_dict().items()}
    quantize(trained(), BATCH)
    assert all(torch.equal(before[k], v) for k, v in trained().state_dict().items())


def test_what_cannot_be_quantized_is_refused_by_name():
    with pytest.raises(UsageError, match="no ReLU comes before it\n  at: 1"):
        quantize(nn.Sequential(nn.Linear(64, 8), nn.Linear(8, 4)), BATCH)
    relu = nn.ReLU()
    with pytest.raises(UsageError, match="must run once in a forward pass\n  at: 1"):
        quantize(nn.Sequential(nn.Linear(64, 8), relu, nn.Linear(8, 4), relu), BATCH)
    with pytest.raises(UsageError, match="must hold a linear or convolution layer"):
        quantize(nn.Sequential(nn.ReLU()), BATCH)
    with pytest.raises(UsageError, match="method must be gpfq or mmse"):
        WeightPlan(method="round")


def test_a_signed_input_gets_signed_codes():
    model = nn.Sequential(nn.Linear(4, 3))
    found = quantize(model, torch.randn(32, 4))
    assert isinstance(found.model[0], q.QuantIdentity)
    assert min(found.model[0].alphabet) < 0
