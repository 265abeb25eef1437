"""Activation quantizers: integer views, first steps, state, and what they refuse."""

import copy

import pytest
import torch

from hwgen import nn as q
from hwgen.errors import ModelError, UsageError

SPECS = [
    q.Binary(),
    q.Binary(scale=0.5),
    q.UInt(1),
    q.UInt(4),
    q.UInt(8, step=1.0, zero_point=128),
    q.UInt(4, step="power_of_two", narrow=True),
    q.SInt(2),
    q.SInt(8, step=0.1, zero_point=-3),
    q.SInt(4, narrow=True),
]


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_codes_times_scale_is_the_output_bit_for_bit(spec: q.ActSpec):
    torch.manual_seed(0)
    layer = q.QuantAct(spec)
    x = torch.randn(16, 9) * 3
    y = layer(x)
    view = layer.integers(x)
    assert torch.equal(view.dequantized, y)
    assert set(view.codes.unique().tolist()) <= set(layer.alphabet)
    layer.eval()
    assert torch.equal(layer(x), y)
    assert torch.equal(layer.quantizer.frozen()(x), y)


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_state_dict_and_deepcopy_keep_learned_steps(spec: q.ActSpec):
    layer = q.QuantAct(spec)
    x = torch.randn(16, 9, requires_grad=True)
    layer(x).sum().backward()
    assert x.grad.abs().sum() > 0
    twin = q.QuantAct(spec)
    twin.load_state_dict(layer.state_dict())
    for other in (twin.eval(), copy.deepcopy(layer).eval()):
        assert torch.equal(other(x), layer(x))


def test_the_first_batch_sets_the_step_and_later_ones_do_not():
    layer = q.QuantAct(q.UInt(4))
    layer(torch.full((2, 3), 1.5))
    expected = 2 * 1.5 / 15**0.5
    assert layer.quantizer.step.settled().item() == pytest.approx(expected)
    layer(torch.full((2, 3), 99.0))
    assert layer.quantizer.step.settled().item() == pytest.approx(expected)


def test_a_first_batch_of_zeros_waits_for_the_next():
    layer = q.QuantAct(q.UInt(4))
    assert torch.equal(layer(torch.zeros(2, 3)), torch.zeros(2, 3))
    assert not layer.quantizer.step.ready
    layer(torch.ones(2, 3))
    assert layer.quantizer.step.ready


def test_evaluating_before_training_says_what_to_do():
    layer = q.QuantReLU(q.UInt(4)).eval()
    with pytest.raises(ModelError, match="fix: run one batch"):
        layer(torch.ones(1, 3))


def test_a_fixed_step_is_not_trained():
    layer = q.QuantAct(q.SInt(8, step=1.0))
    assert list(layer.parameters()) == []
    assert layer(torch.tensor([[0.5, 1.5, -200.0, 200.0]])).tolist() == [[0, 2, -128, 127]]


def test_relu_comes_before_the_quantizer():
    layer = q.QuantReLU(q.SInt(4, step=1.0))
    assert layer(torch.tensor([[-5.0, 3.2]])).tolist() == [[0, 3]]
    assert layer.integers(torch.tensor([[-5.0, 3.2]])).codes.tolist() == [[0, 3]]


def test_a_learned_step_follows_its_gradient():
    """A step that starts far too small grows until the data fit."""
    torch.manual_seed(3)
    layer = q.QuantAct(q.UInt(3))
    layer(torch.full((1, 8), 0.05))
    x = torch.rand(256, 8)
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.03)
    for _ in range(200):
        optimizer.zero_grad()
        (layer(x) - x).square().mean().backward()
        optimizer.step()
    assert 0.1 < layer.quantizer.step.settled().item() < 0.2


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: q.UInt(0), "UInt must have 1 to 16 bits, not 0"),
        (lambda: q.SInt(1), "SInt must have 2 to 16 bits, not 1"),
        (lambda: q.UInt(1, narrow=True), "UInt must have 2 to 16 bits"),
        (lambda: q.UInt(4, zero_point=16), r"zero_point of UInt must be an integer in 0\.\.15"),
        (lambda: q.QuantReLU(q.Binary()), "QuantReLU must not be binary"),
        (lambda: q.QuantAct(q.Binary("mean")), "scale of a Binary activation must be a number"),
        (lambda: q.QuantAct(q.Int(4)), "QuantAct needs an activation quantizer, not Int"),
        (lambda: q.QuantAct(torch.nn.ReLU()), "QuantAct needs an activation quantizer, not ReLU"),
    ],
)
def test_what_makes_no_sense_is_refused(make, text: str):
    with pytest.raises(UsageError, match=text):
        make()
