"""Learned bit lengths: the mix of two whole lengths, its gradient, and what is built."""

import pytest
import torch

from hwgen import nn as q
from hwgen.errors import ModelError, UsageError


def weight_of(bits: float, values: list[float], **options) -> tuple[torch.nn.Module, torch.Tensor]:
    weight = torch.tensor([values], requires_grad=True)
    return q.LearnedBits(bits, **options).weight_quantizer(weight), weight


def whole(bits: int, values: list[float]) -> torch.Tensor:
    """±max in 2**bits - 1 levels, by hand."""
    x = torch.tensor([values])
    step = x.abs().max() / (2 ** (bits - 1) - 1)
    return torch.round(x / step) * step


VALUES = [0.9, -0.35, 0.11, -1.0, 0.48]


def test_a_length_between_two_mixes_their_quantizers():
    quantizer, weight = weight_of(3.25, VALUES)
    mixed = 0.75 * whole(3, VALUES) + 0.25 * whole(4, VALUES)
    assert torch.allclose(quantizer(weight), mixed)


@pytest.mark.parametrize("bits", [3.25, 3.0, 7.9])
def test_the_gradient_to_the_length_is_the_difference_of_the_two(bits: float):
    quantizer, weight = weight_of(bits, VALUES)
    upstream = torch.tensor([[1.0, -2.0, 0.5, 3.0, 0.25]])
    quantizer(weight).backward(upstream)
    low = int(bits)
    expected = (upstream * (whole(low + 1, VALUES) - whole(low, VALUES))).sum()
    assert quantizer.length.value.grad.item() == pytest.approx(expected.item(), rel=1e-4)
    assert torch.allclose(weight.grad, upstream)


def test_what_is_built_is_the_length_rounded_up():
    quantizer, weight = weight_of(3.25, VALUES)
    quantizer.eval()
    view = quantizer.view(weight)
    assert view.alphabet == tuple(range(-7, 8))
    assert torch.equal(quantizer(weight), view.dequantized)
    quantizer.train()
    quantizer.length.freeze()
    assert quantizer.length.value.item() == 4
    assert torch.equal(quantizer(weight), view.dequantized)
    assert not quantizer.length.value.requires_grad


def test_channels_may_have_lengths_of_their_own():
    torch.manual_seed(0)
    weight = torch.randn(3, 8)
    quantizer = q.LearnedBits(4, per_channel=True).weight_quantizer(weight)
    quantizer.length.set(torch.tensor([[2.0], [3.0], [5.0]]))
    quantizer.eval()
    view = quantizer.view(weight)
    assert view.codes.abs().amax(dim=1).tolist() == [1, 3, 15]
    assert torch.equal(quantizer(weight), view.dequantized)
    quantizer.train()
    quantizer(weight).sum().backward()
    assert quantizer.length.value.grad.shape == (3, 1)


def test_activations_follow_the_running_maximum_and_start_at_zero():
    act = q.QuantReLU(q.LearnedBits(2))
    with pytest.raises(ModelError, match="must see data before it is evaluated or saved"):
        act.eval()(torch.ones(2))
    act.train()
    act.quantizer.length.value.requires_grad_(False)
    assert act(torch.tensor([-1.0, 0.9, 3.0])).tolist() == pytest.approx([0, 1, 3])
    act(torch.tensor([13.0]))
    assert act.quantizer.limit.item() == pytest.approx(4.0)
    act.eval()
    x = torch.tensor([-1.0, 0.9, 3.0, 9.0])
    assert torch.equal(act.quantizer.frozen()(torch.relu(x)), act(x))
    assert torch.equal(act.integers(x).dequantized, act(x))


def test_one_bit_activations_are_two_levels():
    act = q.QuantReLU(q.LearnedBits(1))
    act.quantizer.length.value.requires_grad_(False)
    assert act(torch.tensor([0.2, 0.7, 1.0])).tolist() == [0, 1, 1]
    assert act.alphabet == (0, 1)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: q.LearnedBits(0.5), "bits of LearnedBits must be within 1 … 12, not 0.5"),
        (lambda: q.LearnedBits(4, most=3), "must be within 1 … 3"),
        (lambda: q.QuantAct(q.LearnedBits(per_channel=True)), "must not be per channel"),
    ],
)
def test_settings_out_of_range_are_refused(make, text: str):
    with pytest.raises(UsageError, match=text):
        make()
