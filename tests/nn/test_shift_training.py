"""DenseShift and S³: alphabets, backward rules, initializations."""

import math

import pytest
import torch

from hwgen import nn as q
from hwgen.errors import ModelError
from hwgen.nn.latents import chain, chain_gradient
from hwgen.nn.s3 import dense_regularizer


def heaviside(x: torch.Tensor) -> torch.Tensor:
    """The step, straight through, as autograd sees it."""
    return x + ((x > 0).to(x.dtype) - x).detach()


def sgn(x: torch.Tensor) -> torch.Tensor:
    return x + (torch.where(x >= 0, 1.0, -1.0) - x).detach()


def test_a_chain_counts_the_positive_latents_from_the_last_one_down():
    latents = torch.tensor([[1.0, 1, -1, 1, 0], [1, -1, 1, -1, 1], [1, 1, 1, -1, 1]])
    assert chain(latents).tolist() == [3, 1, 2, 0, 2]
    assert chain(torch.empty(0, 4)).tolist() == [0, 0, 0, 0]


def test_the_chains_gradient_is_that_of_straight_through_steps():
    torch.manual_seed(0)
    latents = torch.randn(3, 40, requires_grad=True)
    t1, t2, t3 = (heaviside(t) for t in latents)
    upstream = torch.randn(40)
    (t3 * (1 + t2 * (1 + t1))).backward(upstream)
    assert torch.allclose(chain_gradient(latents.detach(), upstream), latents.grad)


@pytest.mark.parametrize("bits", [2, 3, 4])
def test_denseshift_reaches_every_level_and_no_other(bits: int):
    torch.manual_seed(1)
    quantizer = q.DenseShift(bits).weight_quantizer(torch.empty(200, 100))
    view = quantizer.view(None)
    assert set(view.codes.unique().tolist()) == set(view.alphabet)
    assert 0 not in view.alphabet
    assert view.scale.item() == 1
    assert torch.equal(quantizer(None), view.dequantized)


def test_denseshifts_backward_is_that_of_the_sign_times_the_root():
    torch.manual_seed(2)
    quantizer = q.DenseShift(3, std=1.0).weight_quantizer(torch.empty(6, 5))
    upstream = torch.randn(6, 5)
    quantizer(None).backward(upstream)
    sign = quantizer.sign.detach().clone().requires_grad_()
    shift = quantizer.shift.detach().clone().requires_grad_()
    t1, t2, t3 = (heaviside(t) for t in shift)
    root = (t3 * (1 + t2 * (1 + t1)) + 1).sqrt()
    (sgn(sign) * root).backward(upstream)
    assert torch.allclose(quantizer.sign.grad, sign.grad)
    assert torch.allclose(quantizer.shift.grad, shift.grad)


def test_denseshifts_latents_start_with_low_variance_whatever_the_layer():
    torch.manual_seed(3)
    for shape in ((300, 20), (50, 12, 3, 3)):
        quantizer = q.DenseShift(3).weight_quantizer(torch.empty(shape))
        for latent in (quantizer.sign, quantizer.shift):
            assert latent.std().item() == pytest.approx(1e-3, rel=0.05)
            assert abs(latent.mean().item()) < 5e-5
    assert quantizer.shift.shape == (3, *shape)


@pytest.mark.parametrize("bits", [2, 3, 4])
def test_s3_reaches_every_level_and_no_other(bits: int):
    torch.manual_seed(4)
    quantizer = q.S3(bits).weight_quantizer(torch.empty(200, 100))
    view = quantizer.view(None)
    assert (
        set(view.codes.unique().tolist())
        == set(view.alphabet)
        == set(q.Shift(bits, zero=True).alphabet)
    )
    assert torch.equal(quantizer(None), view.dequantized)


def test_s3s_backward_is_the_product_rule_straight_through():
    torch.manual_seed(5)
    quantizer = q.S3(3, std=1.0).weight_quantizer(torch.empty(6, 5))
    upstream = torch.randn(6, 5)
    quantizer(None).backward(upstream)
    parts = [p.detach().clone().requires_grad_() for p in quantizer.parameters()]
    sign, dense, shift = parts
    t2, t1 = (heaviside(t) for t in shift)
    weight = sgn(sign) * heaviside(dense) * torch.exp(math.log(2) * t1 * (1 + t2))
    weight.backward(upstream)
    for own, reference in zip(quantizer.parameters(), parts, strict=True):
        assert torch.allclose(own.grad, reference.grad, atol=1e-6)


def test_the_regularizer_of_s3_pulls_on_what_is_zero():
    model = torch.nn.Sequential(q.QuantLinear(4, 3, weight=q.S3(3)), torch.nn.Linear(3, 2))
    dense = model[0].weight_quantizer.dense
    with torch.no_grad():
        dense.copy_(torch.linspace(-0.6, 0.5, 12).reshape(3, 4))
    loss = dense_regularizer(model)
    assert loss.item() == pytest.approx(1e-5 * (0.6 + 0.5 + 0.4 + 0.3 + 0.2 + 0.1), rel=1e-5)
    loss.backward()
    assert torch.allclose(dense.grad, -1e-5 * (dense < 0).float())
    assert dense_regularizer(torch.nn.Linear(2, 2)).item() == 0


def test_latents_are_the_layers_only_weight_and_survive_a_state_dict():
    layer = q.QuantLinear(5, 4, bias=False, weight=q.DenseShift(3))
    assert {name for name, _ in layer.named_parameters()} == {
        "weight_quantizer.sign",
        "weight_quantizer.shift",
    }
    twin = q.QuantLinear(5, 4, bias=False, weight=q.DenseShift(3))
    twin.load_state_dict(layer.state_dict())
    x = torch.randn(3, 5)
    assert torch.equal(twin(x), layer(x))


def test_the_plain_sign_passes_every_gradient():
    weight = torch.tensor([[-3.0, -0.5, 0.0, 4.0]], requires_grad=True)
    layer = q.Sign().weight_quantizer(weight)
    layer(weight).backward(torch.tensor([[1.0, 2, 3, 4]]))
    assert layer(weight).tolist() == [[-1, -1, 1, 1]]
    assert weight.grad.tolist() == [[1, 2, 3, 4]]


def test_a_float_layer_trains_but_is_not_saved():
    layer = q.QuantLinear(3, 2, weight=q.Float())
    assert torch.equal(layer.quantized_weight(), layer.weight)
    act = q.QuantAct(q.Float(clip=1.0))
    assert act(torch.tensor([-3.0, 0.5, 3.0])).tolist() == [-1, 0.5, 1]
    for refused in (lambda: layer.integer_weight, act.quantizer.frozen):
        with pytest.raises(ModelError, match="must be quantized before a model is saved"):
            refused()
