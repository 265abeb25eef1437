"""Greedy path following: the recursion, and that it beats rounding where data is correlated."""

import pytest
import torch

from hwgen.ptq.gpfq import gpfq, path_following
from hwgen.ptq.scale import least_error

TERNARY = (-1, 0, 1)


def by_the_paper(w, x, y, scale: float, alphabet) -> list[float]:
    """The recursion of one neuron, one step at a time."""
    error = torch.zeros(len(x))
    codes = []
    for t in range(len(w)):
        wanted = error + w[t] * x[:, t]
        along = (y[:, t] @ wanted) / (y[:, t] @ y[:, t])
        code = min(alphabet, key=lambda a: (abs(along - a * scale), -a))
        codes.append(code)
        error = wanted - code * scale * y[:, t]
    return codes


def test_codes_are_the_papers_recursion():
    torch.manual_seed(0)
    x = torch.rand(30, 12)
    y = x + 0.05 * torch.randn(30, 12)
    weight = torch.randn(5, 12)
    scale = torch.full((5, 1), 0.8)
    codes = path_following(weight, x, y, scale, (-2, -1, 1, 2))
    for row, w in enumerate(weight):
        assert codes[row].tolist() == by_the_paper(w, x, y, 0.8, (-2, -1, 1, 2))


def test_the_output_is_nearer_than_that_of_rounded_weights():
    torch.manual_seed(1)
    x = torch.rand(200, 4) @ torch.rand(4, 60)
    weight = torch.randn(8, 60)
    found, nearest = gpfq(weight, x, x, TERNARY), least_error(weight, TERNARY)
    target = x @ weight.T
    own = (target - x @ found.dequantized.T).square().sum()
    other = (target - x @ nearest.dequantized.T).square().sum()
    assert own < 0.1 * other


def test_an_input_that_is_always_zero_takes_the_nearest_level():
    x = torch.tensor([[1.0, 0.0], [2.0, 0.0]])
    codes = path_following(torch.tensor([[1.0, -0.9]]), x, x, torch.ones(1, 1), TERNARY)
    assert codes.tolist() == [[1, -1]]


@pytest.mark.parametrize("per_channel", [True, False])
def test_one_scale_for_the_tensor_or_one_per_neuron(per_channel: bool):
    torch.manual_seed(2)
    x = torch.rand(50, 20)
    found = gpfq(torch.randn(6, 20), x, x, TERNARY, per_channel=per_channel)
    assert found.scale.shape == (6, 1)
    assert (len(found.scale.unique()) == 1) is not per_channel
