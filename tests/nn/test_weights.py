"""What every weight quantizer keeps: the integer view is exactly what the layer computes with."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen import nn as q
from hwgen.errors import UsageError
from hwgen.nn.shift import shift_alphabet

SPECS = [
    q.Binary(),
    q.Binary(scale=0.125),
    q.Binary("mean"),
    q.Binary("mean", per_channel=True),
    q.Ternary(),
    q.Ternary(per_channel=True),
    q.Ternary(scale=1.0, threshold=0.0),
    q.Shift(1),
    q.Shift(3),
    q.Shift(3, zero=True, per_channel=True),
    q.Shift(2, scale="power_of_two"),
    q.Shift(4, scale=0.01),
    q.Int(2),
    q.Int(4, per_channel=True),
    q.Int(8, narrow=False),
    q.Int(3, step="power_of_two", per_channel=True),
    q.Int(4, step=0.05),
    q.FewInputs(q.Int(5, step=1 / 16), fan_in=3),
    q.FewInputs(q.Ternary(scale=0.5, threshold=0.0), fan_in=2),
]
every_spec = pytest.mark.parametrize("spec", SPECS, ids=str)


@every_spec
@pytest.mark.parametrize("shape", [(5, 7), (4, 3, 3, 3)])
def test_codes_times_scale_is_the_weight_bit_for_bit(spec: q.WeightSpec, shape: tuple[int, ...]):
    torch.manual_seed(1)
    weight = torch.randn(shape)
    weight[0] = 0
    quantizer = spec.weight_quantizer(weight)
    view = quantizer.view(weight)
    assert view.codes.dtype == torch.int64
    assert view.codes.shape == weight.shape
    assert view.scale.dtype == torch.float32
    assert view.scale.shape in ((), (shape[0],) + (1,) * (len(shape) - 1))
    assert set(view.codes.unique().tolist()) <= set(view.alphabet)
    assert list(view.alphabet) == sorted(set(view.alphabet))
    assert bool((view.scale > 0).all())
    assert torch.equal(quantizer(weight), view.dequantized)
    assert torch.equal(quantizer.frozen(weight)(None), view.dequantized)


@every_spec
def test_the_weight_gets_a_gradient_and_a_state_dict_round_trips(spec: q.WeightSpec):
    torch.manual_seed(2)
    layer = q.QuantLinear(6, 4, weight=spec)
    optimizer = torch.optim.AdamW(layer.parameters(), lr=0.05)
    x = torch.randn(8, 6)
    for _ in range(3):
        optimizer.zero_grad()
        layer(x).square().sum().backward()
        optimizer.step()
    assert layer.weight.grad.abs().sum() > 0
    twin = q.QuantLinear(6, 4, weight=spec)
    twin.load_state_dict(layer.state_dict())
    assert torch.equal(twin(x), layer(x))
    assert torch.equal(copy.deepcopy(layer)(x), layer(x))


@every_spec
def test_a_layer_shows_codes_scale_and_alphabet(spec: q.WeightSpec):
    layer = q.QuantLinear(6, 4, bias=False, weight=spec)
    assert torch.equal(layer.codes * layer.scale, layer.quantized_weight())
    assert layer.alphabet == layer.integer_weight.alphabet
    assert str(spec) in repr(layer)


def test_binary_scales_by_the_mean_magnitude():
    weight = torch.tensor([[0.5, -1.5], [3.0, -0.0]])
    whole = q.Binary("mean").weight_quantizer(weight).view(weight)
    rows = q.Binary("mean", per_channel=True).weight_quantizer(weight).view(weight)
    assert whole.codes.tolist() == [[1, -1], [1, 1]]
    assert whole.scale.item() == 1.25
    assert rows.scale.tolist() == [[1.0], [1.5]]


def test_ternary_drops_what_is_below_the_threshold_and_scales_by_the_rest():
    weight = torch.tensor([[1.0, -3.0, 0.1, 0.3]])
    view = q.Ternary().weight_quantizer(weight).view(weight)
    assert view.codes.tolist() == [[1, -1, 0, 0]]
    assert view.scale.item() == 2.0


@pytest.mark.parametrize(
    ("bits", "zero", "levels"),
    [
        (1, False, (-1, 1)),
        (2, False, (-2, -1, 1, 2)),
        (3, False, (-8, -4, -2, -1, 1, 2, 4, 8)),
        (2, True, (-1, 0, 1)),
        (3, True, (-4, -2, -1, 0, 1, 2, 4)),
    ],
)
def test_shift_alphabets_are_those_of_denseshift_and_s3(bits: int, zero: bool, levels: tuple):
    assert shift_alphabet(bits, zero) == levels
    assert q.Shift(bits, zero=zero).alphabet == levels


def test_integers_of_a_given_step_are_rounded_half_to_even():
    weight = torch.tensor([[0.25, 0.75, -0.25, 9.0, -9.0]])
    quantizer = q.Int(3, step=0.5, narrow=False).weight_quantizer(weight)
    assert quantizer.view(weight).codes.tolist() == [[0, 2, 0, 3, -4]]


def test_learned_steps_start_at_twice_the_mean_over_the_root_of_the_greatest_level():
    weight = torch.tensor([[1.0, -3.0], [0.5, 0.5]])
    quantizer = q.Int(4, per_channel=True).weight_quantizer(weight)
    scale = quantizer.view(weight).scale.flatten()
    assert scale.tolist() == pytest.approx([4 / 7**0.5, 1 / 7**0.5])


def test_powers_of_two_stay_powers_of_two_while_training():
    torch.manual_seed(0)
    layer = q.QuantLinear(8, 4, weight=q.Int(4, step="power_of_two"))
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.3)
    seen = set()
    for _ in range(20):
        optimizer.zero_grad()
        (layer(torch.randn(16, 8)) - 3).square().mean().backward()
        optimizer.step()
        mantissa, exponent = torch.frexp(layer.scale)
        assert mantissa.item() == 0.5
        seen.add(exponent.item())
    assert len(seen) > 1


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 5), st.booleans(), st.integers(0, 1000))
def test_a_shift_weight_is_the_nearest_level(bits: int, zero: bool, seed: int):
    torch.manual_seed(seed)
    weight = torch.randn(3, 5) * 10 ** torch.randint(-3, 4, ()).item()
    view = q.Shift(bits, zero=zero).weight_quantizer(weight).view(weight)
    levels = torch.tensor(view.alphabet, dtype=torch.float32) * view.scale
    least = (weight[..., None] - levels).abs().amin(dim=-1)
    assert torch.allclose((weight - view.dequantized).abs(), least, rtol=1e-5)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: q.Int(1), "Int must have 2 to 12 bits, not 1"),
        (lambda: q.Int(4.0), "Int must have 2 to 12 bits, not 4.0"),
        (lambda: q.Shift(9), "Shift must have 1 to 5 bits, not 9"),
        (lambda: q.Shift(1, zero=True), "Shift must have 2 to 5 bits"),
        (lambda: q.Binary(scale=-1.0), "scale of Binary must be positive and finite, not -1.0"),
        (lambda: q.Ternary(scale="max"), 'scale of Ternary must be a number or "mean"'),
        (lambda: q.Ternary(threshold=-1), "threshold must be at least 0"),
        (lambda: q.Int(4, step="none"), 'step must be a number, "learned" or "power_of_two"'),
        (lambda: q.Int(4, step=1e-60), "step must be positive and finite"),
    ],
)
def test_settings_out_of_range_are_refused(make, text: str):
    with pytest.raises(UsageError, match=text):
        make()
