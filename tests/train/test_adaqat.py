"""AdaQAT: finite differences, the hardware term, turning points, freezing."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from hwgen import nn as q
from hwgen.errors import UsageError
from hwgen.train.adaqat import AdaQAT
from hwgen.train.bitpruning import bit_lengths
from hwgen.train.fit import FitConfig, accuracy, fit
from tests.train.golden import check_golden, digits, tiny

BATCH = tuple(part[:64] for part in digits().train)


def net(bits: float = 6) -> torch.nn.Sequential:
    torch.manual_seed(0)
    model = tiny(q.LearnedBits(bits), q.LearnedBits(bits))
    with torch.no_grad():
        model(BATCH[0])
    return model


def loss_at(model: torch.nn.Module, weights: int, activations: int) -> float:
    for name, length in bit_lengths(model).items():
        length.set(float(activations if name == "act1" else weights))
    with torch.no_grad():
        value = F.cross_entropy(model.eval()(BATCH[0]), BATCH[1]).item()
    model.train()
    return value


def test_a_width_moves_down_the_difference_of_losses_and_the_hardware_term():
    model = net(3)
    method = AdaQAT(model, rate=0.5, strength=0.2, every=1)
    method.widths[0].value = 2.5
    method.step(BATCH)
    difference = loss_at(model, 3, 3) - loss_at(model, 2, 3)
    hardware = (3 * 3 - 2 * 3) / 9
    expected = 2.5 - 0.5 * (difference + 0.2 * hardware)
    assert method.widths[0].value == pytest.approx(expected, abs=1e-5)


def test_training_computes_with_the_width_rounded_up():
    model = net()
    method = AdaQAT(model, every=1000)
    for width in method.widths:
        width.value = 3.4
        method._set(width, 3.4)
    assert method.allocation() == {"fc1": 4, "classifier": 4, "act1": 4}
    assert set(model.fc1.codes.unique().tolist()) <= set(range(-7, 8))


def test_a_width_that_turns_too_often_stays_at_the_greater():
    model = net()
    method = AdaQAT(model, rate=1.0, patience=3)
    width = method.widths[0]
    width.value = 4.5
    for gradient in (1.0, -1.0, 1.0, -1.0, 1.0):
        if not width.frozen:
            method._move(width, gradient)
    assert width.frozen
    assert width.value == 5
    assert all(bool(bit_lengths(model)[n].frozen) for n in ("fc1", "classifier"))


def test_widths_stop_at_their_bounds():
    model = net(2)
    method = AdaQAT(model, rate=100.0, strength=10.0, every=1)
    method.step(BATCH)
    assert method.widths[0].value >= 2
    assert method.widths[1].value >= 1


@pytest.mark.parametrize("layers", [False, True])
def test_the_hardware_term_shrinks_the_widths(layers: bool):
    model = net()
    method = AdaQAT(model, rate=0.5, strength=2.0, layers=layers, freeze_at=3, every=1)
    history = fit(model, digits(600), FitConfig(epochs=4, lr=0.01), [method])
    names = ["fc1", "classifier", "act1"] if layers else ["weights", "activations"]
    assert all(history.rows[-1][f"bits {name}"] < 6 for name in names)
    assert all(w.frozen for w in method.widths)


def test_the_method_survives_a_restart():
    method = AdaQAT(net())
    method.widths[1].turns, method.steps = 4, 7
    twin = AdaQAT(net())
    twin.restore(method.state())
    assert (twin.widths[1].turns, twin.steps) == (4, 7)


def test_settings_out_of_range_are_refused():
    with pytest.raises(UsageError, match="must be positive"):
        AdaQAT(net(), rate=0)


def test_its_network_is_built_as_torch_computes_it(tmp_path: Path):
    model = net()
    method = AdaQAT(model, rate=0.5, strength=1.0, freeze_at=4)
    fit(model, digits(), FitConfig(epochs=6, lr=0.01), [method])
    assert accuracy(model, digits().test) > 0.75
    check_golden(model, digits().test[0], tmp_path)
