"""BitPruning: the regularizer, its three weightings, freezing, bounds that are reported."""

from pathlib import Path

import pytest
import torch

from hwgen import nn as q
from hwgen.errors import UsageError
from hwgen.train.bitpruning import BitPruning, bit_lengths
from hwgen.train.fit import FitConfig, accuracy, fit
from hwgen.train.shapes import measure
from tests.train.golden import check_golden, digits, tiny

BATCH = digits().train[0][:8]


def net(bits: float = 8) -> torch.nn.Sequential:
    torch.manual_seed(0)
    return tiny(q.LearnedBits(bits), q.LearnedBits(bits))


def test_sizes_are_counted_and_the_model_is_left_as_it_was():
    model = net()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    sizes = measure(model, BATCH)
    assert list(sizes) == ["encoding", "fc1", "act1", "classifier"]
    assert (sizes["fc1"].operations, sizes["fc1"].values) == (1024, 1024)
    assert (sizes["act1"].operations, sizes["act1"].values) == (160, 16)
    assert sizes["act1"].readers == ["classifier"]
    assert sizes["fc1"].source == "encoding"
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())


def test_a_convolution_counts_each_pixel():
    model = torch.nn.Sequential(q.QuantIdentity(q.UInt(4)), q.QuantConv2d(2, 3, 3, weight=q.Int(2)))
    sizes = measure(model, torch.rand(2, 2, 6, 6))
    assert (sizes["1"].operations, sizes["1"].values) == (2 * 3 * 9 * 16, 2 * 3 * 9)
    assert (sizes["0"].operations, sizes["0"].values) == (2 * 3 * 9 * 16, 72)


@pytest.mark.parametrize(
    ("weighting", "parts"),
    [
        ("equal", {"fc1": 1, "classifier": 1, "act1": 1}),
        ("operations", {"fc1": 1024, "classifier": 160, "act1": 160}),
        ("memory", {"fc1": 1024, "classifier": 160, "act1": 16}),
    ],
)
def test_the_regularizer_is_the_weighted_sum_of_lengths(weighting: str, parts: dict):
    model = net()
    method = BitPruning(model, strength=2.0, weighting=weighting, example=BATCH)
    bits = {"fc1": 4.5, "classifier": 3.0, "act1": 2.25}
    for name, length in bit_lengths(model).items():
        length.set(bits[name])
    total = sum(parts.values())
    expected = 2 * sum(bits[n] * p / total for n, p in parts.items())
    assert method.loss().item() == pytest.approx(expected)
    method.loss().backward()
    gradient = bit_lengths(model)["classifier"].value.grad.item()
    assert gradient == pytest.approx(2 * parts["classifier"] / total)


def test_lengths_shrink_then_freeze_rounded_up_and_the_rest_is_fine_tuned():
    model = net()
    method = BitPruning(model, strength=1.0, freeze_at=4)
    config = FitConfig(epochs=6, lr=0.02, schedule="constant")
    history = fit(model, digits(600), config, [method])
    bits = [row["mean bits"] for row in history.rows]
    assert bits[3] < bits[0] < 8
    assert bits[4] == bits[5] == sum(method.allocation().values()) / 3
    assert method.loss() == 0
    assert all(not b.value.requires_grad for b in bit_lengths(model).values())


def test_a_length_at_its_bound_is_reported_with_its_layer():
    model = net(2)
    config = FitConfig(epochs=2, lr=0.05, schedule="constant")
    history = fit(model, digits(400), config, [BitPruning(model, strength=10.0)])
    text = "the bit length of fc1.weight_quantizer.length is at its lower bound of 2"
    assert any(text in finding for finding in history.findings)


def test_a_killed_run_goes_on_with_frozen_lengths(tmp_path: Path):
    model = net()
    config = FitConfig(epochs=3, lr=0.02)
    fit(model, digits(400), config, [BitPruning(model, freeze_at=1)], checkpoint=tmp_path / "c")
    again = net()
    fit(again, digits(400), config, [BitPruning(again, freeze_at=1)], checkpoint=tmp_path / "c")
    assert all(bool(b.frozen) for b in bit_lengths(again).values())


def test_what_it_cannot_do_is_refused():
    with pytest.raises(UsageError, match="at least one learned bit length"):
        BitPruning(tiny(q.Int(2)))
    with pytest.raises(UsageError, match="weighting by memory needs an example batch"):
        BitPruning(net(), weighting="memory")
    with pytest.raises(UsageError, match="weighting must be equal, operations or memory"):
        BitPruning(net(), weighting="area", example=BATCH)


def test_a_pruned_network_is_built_as_torch_computes_it(tmp_path: Path):
    model = net()
    method = BitPruning(model, strength=0.5, freeze_at=5, weighting="operations", example=BATCH)
    fit(model, digits(), FitConfig(epochs=7, lr=0.02), [method])
    assert max(method.allocation().values()) < 8
    assert accuracy(model, digits().test) > 0.75
    check_golden(model, digits().test[0], tmp_path)
