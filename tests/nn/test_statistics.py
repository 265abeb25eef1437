"""SAWB, StatsQ and SYQ: scales from statistics or groups, and their published gradients."""

import pytest
import torch

from hwgen import nn as q
from hwgen.errors import UsageError
from hwgen.nn.odd import nearest_odd, odd_alphabet

SPECS = [
    q.SAWB(2),
    q.SAWB(4),
    q.SAWB(8),
    q.StatsQ(2),
    q.StatsQ(4),
    q.SYQ("tensor", ternary=False),
    q.SYQ("channel"),
    q.SYQ("pixel", columns=1),
    q.SYQ("row", columns=3, scale_bits=2),
    q.Sign(),
]


@pytest.mark.parametrize("spec", SPECS, ids=str)
@pytest.mark.parametrize("shape", [(5, 6), (4, 3, 3, 3), (4, 2, 5)])
def test_codes_times_scale_is_the_weight_bit_for_bit(spec: q.WeightSpec, shape: tuple[int, ...]):
    torch.manual_seed(1)
    weight = torch.randn(shape)
    quantizer = spec.weight_quantizer(weight)
    view = quantizer.view(weight)
    assert view.codes.shape == weight.shape
    assert set(view.codes.unique().tolist()) <= set(view.alphabet)
    assert list(view.alphabet) == sorted(set(view.alphabet))
    assert torch.equal(quantizer(weight), view.dequantized)
    assert torch.equal(quantizer.frozen(weight)(None), view.dequantized)


def test_odd_levels_use_every_code_and_no_zero():
    assert odd_alphabet(2) == (-3, -1, 1, 3)
    v = torch.tensor([-9.0, -2.5, -2.0, -0.1, 0.0, 1.9, 2.0, 2.1, 9.0])
    assert nearest_odd(v, 2).tolist() == [-3, -3, -1, -1, 1, 1, 3, 3, 3]


@pytest.mark.parametrize(
    ("bits", "gaussian"), [(2, 1.473), (3, 2.010), (4, 2.467), (5, 2.867), (8, 3.802)]
)
def test_the_clip_of_sawb_is_its_two_moments(bits: int, gaussian: float):
    """Of a standard normal: c1 + c2·√(2/π), from the coefficients by hand."""
    torch.manual_seed(0)
    weight = torch.randn(400_000)
    clip = q.SAWB(bits).weight_quantizer(weight).clip(weight)
    assert float(clip) == pytest.approx(gaussian, abs=0.03)


def test_sawb_passes_the_gradient_inside_the_clip_only():
    weight = torch.tensor([1.0, -0.9, 1.1, 2.0], requires_grad=True)
    quantizer = q.SAWB(2).weight_quantizer(weight)
    assert 1.1 < float(quantizer.clip(weight)) < 2
    quantizer(weight).backward(torch.tensor([1.0, 2.0, 3.0, 4.0]))
    assert weight.grad.tolist() == [1, 2, 3, 0]


def test_sawb_of_equal_magnitudes_has_a_usable_clip():
    weight = torch.tensor([[1.0, -1.0], [1.0, 1.0]])
    assert q.SAWB(4).weight_quantizer(weight).view(weight).codes.tolist() == [[15, -15], [15, 15]]


def test_statsq_scales_each_row_by_twice_its_mean_magnitude():
    weight = torch.tensor([[1.0, -3.0, 0.5, 3.5], [0.25, 0.25, -0.25, 0.25]])
    view = q.StatsQ(2).weight_quantizer(weight).view(weight)
    assert view.scale.flatten().tolist() == [2 * 2.0 / 4, 2 * 0.25 / 4]
    assert view.codes.tolist() == [[1, -3, 1, 3], [3, 3, -1, 3]]


def test_statsq_gives_every_weight_its_gradient_until_it_anneals():
    weight = torch.tensor([[1.0, -3.0, 0.001, 3.5, 2.0, 9.0]], requires_grad=True)
    quantizer = q.StatsQ(2).weight_quantizer(weight)
    quantizer(weight).sum().backward()
    assert weight.grad.tolist() == [[1] * 6]
    quantizer.boundary = 0.005
    weight.grad = None
    quantizer(weight).sum().backward()
    assert weight.grad.tolist() == [[0, 0, 1, 0, 0, 0]]


def test_annealing_ignores_even_levels_beyond_the_outermost_threshold():
    """A weight at four scales is next to no threshold of two bits: those are -2, 0 and 2."""
    weight = torch.tensor([[4.0, 2.0, 0.0, -2.0, -4.0, 0.0]])
    weight[0, 5] = 4 * 0.0
    quantizer = q.StatsQ(2).weight_quantizer(weight)
    quantizer.boundary = 0.005
    scale = float(quantizer.scale(weight))
    at = torch.tensor([[4 * scale, 2 * scale, 0.0, -2 * scale, -4 * scale, 0.0]])
    assert float(quantizer.scale(at)) == pytest.approx(scale)
    assert quantizer.trains(at).tolist() == [[0, 1, 1, 1, 0, 1]]


def test_syq_starts_each_scale_at_its_groups_mean_magnitude():
    weight = torch.randn(4, 3, 3, 2)
    pixel = q.SYQ("pixel").weight_quantizer(weight)
    row = q.SYQ("row").weight_quantizer(weight)
    assert torch.allclose(pixel.alpha, weight.abs().mean(dim=(0, 1), keepdim=True))
    assert row.alpha.shape == (1, 1, 3, 1)
    assert torch.allclose(row.alpha.flatten(), weight.abs().mean(dim=(0, 1, 3)))


def test_syq_is_ternary_by_a_twentieth_of_the_greatest_magnitude():
    weight = torch.tensor([[1.0, -0.049, 0.051, 0.0]])
    ternary = q.SYQ("tensor").weight_quantizer(weight)
    binary = q.SYQ("tensor", ternary=False).weight_quantizer(weight)
    assert ternary.view(weight).codes.tolist() == [[1, 0, 1, 0]]
    assert binary.view(weight).codes.tolist() == [[1, -1, 1, 1]]


def test_syq_gradients_are_the_papers():
    torch.manual_seed(3)
    weight = torch.randn(2, 4, requires_grad=True)
    quantizer = q.SYQ("pixel", columns=2, scale_bits=8).weight_quantizer(weight)
    value = quantizer(weight)
    upstream = torch.randn(2, 4)
    value.backward(upstream)
    codes = quantizer.codes(weight.detach())
    scale = (value / codes).detach()
    expected = (upstream * codes).reshape(2, 2, 2).sum(dim=(0, 2))[None]
    kept = codes != 0
    assert torch.allclose(weight.grad[kept], (upstream * scale)[kept])
    assert torch.allclose(quantizer.alpha.grad, expected)
    assert weight.grad.abs().min() > 0


def test_grouped_scales_are_whole_multiples_of_one_unit():
    weight = torch.randn(6, 8) * torch.tensor([1.0, 1, 2, 2, 4, 4, 8, 8])
    quantizer = q.SYQ("pixel", columns=4, ternary=False).weight_quantizer(weight)
    with torch.no_grad():
        quantizer.alpha.copy_(torch.tensor([[15.0, 7.0, 0.2, 1.0]]))
    view = quantizer.view(weight)
    assert view.scale.item() == 1.0
    assert view.codes.abs()[0].tolist() == [15, 15, 7, 7, 1, 1, 1, 1]


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: q.SAWB(6), "SAWB must have 2, 3, 4, 5, 8 bits, not 6"),
        (lambda: q.StatsQ(1), "StatsQ must have 2 to 8 bits"),
        (lambda: q.SYQ("none"), "groups of SYQ must be"),
        (lambda: q.SYQ(eta=1.5), "eta of SYQ"),
        (
            lambda: q.QuantLinear(10, 4, weight=q.SYQ(columns=4)),
            "columns of SYQ must divide the 10 inputs",
        ),
    ],
)
def test_settings_out_of_range_are_refused(make, text: str):
    with pytest.raises(UsageError, match=text):
        make()
