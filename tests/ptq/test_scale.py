"""Scales of least error, sums of two tensors, and alphabets by name."""

import pytest
import torch

from hwgen.errors import UsageError
from hwgen.ptq.alphabets import levels, rounded
from hwgen.ptq.scale import least_error, two_tensors


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("binary", (-1, 1)),
        ("ternary", (-1, 0, 1)),
        ("int3", (-3, -2, -1, 0, 1, 2, 3)),
        ("shift3", (-4, -2, -1, 0, 1, 2, 4)),
        ("dense2", (-2, -1, 1, 2)),
    ],
)
def test_alphabets_have_names(name: str, expected: tuple[int, ...]):
    assert levels(name) == expected


@pytest.mark.parametrize("name", ["int9", "int1", "shift6", "float", ""])
def test_other_names_are_refused(name: str):
    with pytest.raises(UsageError, match="an alphabet must be binary, ternary"):
        levels(name)


def test_the_scale_of_a_sign_is_the_mean_magnitude():
    """The least squared error of s·sign(w) is at s = mean|w|, in closed form."""
    torch.manual_seed(0)
    weight = torch.randn(6, 200)
    found = least_error(weight, (-1, 1))
    assert torch.allclose(found.scale[:, 0], weight.abs().mean(dim=1), rtol=0.01)


@pytest.mark.parametrize("alphabet", [(-1, 0, 1), (-2, -1, 1, 2), tuple(range(-7, 8))])
@pytest.mark.parametrize("per_channel", [True, False])
def test_no_scale_of_a_fine_grid_is_better(alphabet: tuple[int, ...], per_channel: bool):
    torch.manual_seed(1)
    weight = torch.randn(3, 50) * torch.tensor([[0.1], [1.0], [10.0]])
    found = least_error(weight, alphabet, per_channel=per_channel)
    rows = weight if per_channel else weight.reshape(1, -1)
    own = (weight - found.dequantized).square().reshape(rows.shape).sum(dim=1)
    most = rows.abs().amax(dim=1, keepdim=True) / alphabet[-1]
    for factor in torch.linspace(0.02, 1.2, 500):
        scale = most * factor
        error = (rows - rounded(rows / scale, alphabet) * scale).square().sum(dim=1)
        assert (own <= error * 1.01).all()


def test_levels_of_a_known_lattice_are_found_again():
    weight = torch.tensor([[0.75, -0.5, 0.25, 0.0], [3.0, 1.0, -2.0, -3.0]])
    found = least_error(weight, levels("int3"))
    assert found.values.tolist() == [[3, -2, 1, 0], [3, 1, -2, -3]]
    assert found.error(weight) < 1e-3


def test_two_tensors_are_one_integer_tensor_of_sums_and_closer():
    torch.manual_seed(2)
    weight = torch.randn(4, 100)
    one, two = least_error(weight, (-1, 0, 1)), two_tensors(weight, (-1, 0, 1))
    assert two.error(weight) < 0.5 * one.error(weight)
    most = two.alphabet[-1]
    assert two.alphabet == tuple(
        sorted({a * (most - 1) + b for a in (-1, 0, 1) for b in (-1, 0, 1)})
    )
    assert set(two.values.unique().tolist()) <= set(two.alphabet)


def test_a_tensor_of_zeros_has_a_scale():
    zeros = torch.zeros(2, 3)
    for found in (least_error(zeros, (-1, 0, 1)), two_tensors(zeros, (-1, 0, 1))):
        assert (found.scale > 0).all()
        assert found.error(zeros) == 0
