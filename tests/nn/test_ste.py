"""Straight-through functions: exact forward values, and the gradients of their sources."""

import numpy as np
import pytest
import torch

from hwgen.nn import ste


def gradient(value: torch.Tensor, *leaves: torch.Tensor) -> tuple[torch.Tensor, ...]:
    return torch.autograd.grad(value.sum(), leaves)


def test_the_sign_of_zero_is_plus_and_the_gradient_is_clipped_at_one():
    x = torch.tensor([-1.5, -1.0, -0.0, 0.0, 0.3, 1.0, 1.001], requires_grad=True)
    y = ste.sign_ste(x)
    assert y.tolist() == [-1, -1, 1, 1, 1, 1, 1]
    assert gradient(y, x)[0].tolist() == [0, 1, 1, 1, 1, 1, 0]


def test_ternary_passes_the_gradient_everywhere():
    x = torch.tensor([-0.6, -0.5, 0.0, 0.5, 0.6], requires_grad=True)
    y = ste.ternary_ste(x, torch.tensor(0.5))
    assert y.tolist() == [-1, 0, 0, 0, 1]
    assert gradient(y, x)[0].tolist() == [1] * 5


def test_uniform_rounds_ties_to_even_and_clips():
    x = torch.tensor([-9.0, -2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 9.0])
    y = ste.uniform_lsq(x, torch.tensor(1.0), 0, (-4, 3), 1.0)
    assert y.tolist() == [-4, -2, -2, 0, 0, 2, 2, 3]


def test_uniform_has_the_gradients_of_learned_step_quantization():
    """Equation 3 of the paper: round(v) - v inside, the limit outside, times the gradient scale."""
    x = torch.tensor([-3.0, 0.3, 0.9, 5.0], requires_grad=True)
    step = torch.tensor(0.5, requires_grad=True)
    to_x, to_step = gradient(ste.uniform_lsq(x, step, 0, (-2, 3), 0.25), x, step)
    assert to_x.tolist() == [0, 1, 1, 0]
    expected = 0.25 * (-2 + (1 - 0.6) + (2 - 1.8) + 3)
    assert to_step.item() == pytest.approx(expected, abs=1e-6)


def test_a_zero_point_moves_the_range_and_keeps_zero_exact():
    x = torch.tensor([-2.0, 0.0, 9.0])
    y = ste.uniform_lsq(x, torch.tensor(0.5), 3, (0, 7), 1.0)
    assert y.tolist() == [-1.5, 0.0, 2.0]


def test_the_step_gradient_is_summed_per_channel():
    x = torch.randn(3, 4)
    step = torch.full((3, 1), 0.5, requires_grad=True)
    rows = [torch.tensor(0.5, requires_grad=True) for _ in range(3)]
    (whole,) = gradient(ste.uniform_lsq(x, step, 0, (-2, 1), 1.0), step)
    parts = [gradient(ste.uniform_lsq(x[i], r, 0, (-2, 1), 1.0), r)[0] for i, r in enumerate(rows)]
    assert torch.equal(whole.flatten(), torch.stack(parts))


def test_nearest_takes_the_greater_level_at_a_tie():
    levels = torch.tensor([-4.0, -1.0, 1.0, 4.0])
    v = torch.tensor([-9.0, -2.5, -2.6, 0.0, 2.5, 2.4])
    assert ste.nearest(v, levels).tolist() == [-4, -1, -4, 1, 4, 1]


def test_nearest_lsq_agrees_with_uniform_on_even_levels():
    x = torch.randn(50, requires_grad=True)
    step = torch.tensor(0.37, requires_grad=True)
    even = ste.uniform_lsq(x, step, 0, (-2, 2), 0.1)
    free = ste.nearest_lsq(x, step, torch.arange(-2.0, 3.0), 0.1)
    assert torch.equal(even, free)
    for a, b in zip(gradient(even, x, step), gradient(free, x, step), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("exponent", [-100, -20, -1, 0, 1, 40])
def test_the_nearest_power_of_two_is_exact(exponent: int):
    power = 2.0**exponent
    x = torch.tensor([power, power * 1.41, power * 1.42, power * 0.71])
    assert ste.nearest_power_of_two(x).tolist() == [power, power, 2 * power, power]


def test_the_power_of_two_and_the_clamp_pass_their_gradient():
    x = torch.tensor([0.3, 1e-20], requires_grad=True)
    y = ste.power_of_two_ste(ste.clamp_ste(x, 0.125))
    np.testing.assert_array_equal(y.detach().numpy(), [0.25, 0.125])
    assert gradient(y, x)[0].tolist() == [1, 1]
