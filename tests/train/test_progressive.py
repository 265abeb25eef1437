"""One layer more every K epochs, in every order, for weights and activations."""

from pathlib import Path

import pytest
import torch

from hwgen import nn as q
from hwgen.errors import UsageError
from hwgen.train.fit import FitConfig, accuracy, fit
from hwgen.train.models import mlp
from hwgen.train.progressive import Progressive, ordered, sensitivities
from tests.train.golden import PIXELS, check_golden, digits

LAYERS = ["fc1", "fc2", "classifier"]


def float_net(activation: q.ActSpec | None = None, relu: bool = True) -> torch.nn.Sequential:
    torch.manual_seed(0)
    activation = activation or q.UInt(2)
    return mlp(64, [16, 16], 10, weight=q.Float(), activation=activation, input=PIXELS, relu=relu)


def quantized(model: torch.nn.Sequential) -> list[str]:
    return [name for name in LAYERS if model.get_submodule(name).alphabet]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("forward", LAYERS),
        ("reverse", LAYERS[::-1]),
        (["fc2", "classifier", "fc1"], ["fc2", "classifier", "fc1"]),
    ],
)
def test_layers_are_quantized_in_order_every_k_epochs(order, expected: list[str]):
    model = float_net()
    method = Progressive(model, order=order, every=2)
    assert method.epochs == 8
    for epoch in range(method.epochs):
        method.begin_epoch(epoch)
        assert sorted(quantized(model)) == sorted(expected[: epoch // 2])
    assert method.report() == {"quantized layers": 3}


def test_a_random_order_depends_on_its_seed_only():
    assert ordered(list("abcdefgh"), "random", 1) == ordered(list("abcdefgh"), "random", 1)
    assert ordered(list("abcdefgh"), "random", 1) != ordered(list("abcdefgh"), "random", 2)


def test_activations_take_part_each_at_its_place_in_the_network():
    model = float_net(q.Float(clip=1.0), relu=False)
    method = Progressive(model, activation=q.Binary(), every=1)
    assert method.order == ["fc1", "act1", "fc2", "act2", "classifier"]
    method.begin_epoch(9)
    assert model.act1.alphabet == (-1, 1)


def test_the_weight_stays_and_gradients_go_on_to_it():
    model = float_net()
    weight = model.fc1.weight.detach().clone()
    method = Progressive(model, every=1)
    method.begin_epoch(1)
    assert torch.equal(model.fc1.weight, weight)
    model(digits().train[0][:32]).sum().backward()
    assert model.fc1.weight.grad.abs().sum() > 0


def test_new_parameters_join_the_optimizer_and_survive_a_restart(tmp_path: Path):
    config = FitConfig(epochs=4, lr=0.01)
    whole = float_net()
    fit(whole, digits(400), config, [Progressive(whole, weight=q.Int(3), every=1)])
    part = float_net()
    checkpoint = tmp_path / "c"
    method = Progressive(part, weight=q.Int(3), every=1)

    def killed(epoch: int, begin=method.begin_epoch) -> None:
        if epoch == 3:
            raise KeyboardInterrupt
        begin(epoch)

    method.begin_epoch = killed
    with pytest.raises(KeyboardInterrupt):
        fit(part, digits(400), config, [method], checkpoint=checkpoint)
    again = float_net()
    fit(again, digits(400), config, [Progressive(again, weight=q.Int(3), every=1)],
        checkpoint=checkpoint)  # fmt: skip
    steps = [name for name, _ in again.named_parameters() if name.endswith("step.raw")]
    assert "fc1.weight_quantizer.step.raw" in steps
    left, right = again.state_dict(), whole.state_dict()
    assert left.keys() == right.keys()
    assert all(torch.equal(left[key], right[key]) for key in left)
    assert again.fc1.weight_quantizer.step.raw.item() != 1


def test_sensitivity_quantizes_each_layer_alone_and_leaves_the_model():
    model = float_net()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    found = sensitivities(model, digits(600), FitConfig(lr=0.01), epochs=1)
    assert list(found) == LAYERS
    assert len(set(found.values())) == 3
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    Progressive(model, order=sorted(found, key=found.get, reverse=True))


def test_orders_that_are_none_are_refused():
    with pytest.raises(UsageError, match="order must be forward, reverse, random, or all of fc1"):
        Progressive(float_net(), order=["fc1"])
    with pytest.raises(UsageError, match="at least one float layer"):
        Progressive(mlp(4, [4], 2, weight=q.Sign(), activation=q.UInt(2), input=PIXELS))
    with pytest.raises(UsageError, match="every must be at least 1"):
        Progressive(float_net(), every=0)


def test_a_network_made_binary_layer_by_layer_is_built_as_torch_computes_it(tmp_path: Path):
    model = float_net(q.Float(clip=1.0), relu=False)
    method = Progressive(model, activation=q.Binary(), every=1)
    fit(model, digits(), FitConfig(epochs=8, lr=0.01), [method])
    assert accuracy(model, digits().test) > 0.6
    graph = check_golden(model, digits().test[0], tmp_path)
    assert graph["fc2"].alphabet.kind == "binary"
