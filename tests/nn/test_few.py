"""Neurons of few inputs: which weights they keep, and that the others go on learning."""

from __future__ import annotations

import pytest
import torch

from hwgen import nn as q
from hwgen.errors import UsageError

SPEC = q.FewInputs(q.Int(5, step=1 / 16), fan_in=2)


def test_every_row_keeps_its_greatest_magnitudes() -> None:
    layer = q.QuantLinear(4, 2, bias=False, weight=SPEC)
    layer.weight.data = torch.tensor([[0.5, -0.25, 0.125, 0.0625], [0.0625, 0.125, -0.25, 0.5]])
    assert layer.codes.tolist() == [[8, -4, 0, 0], [0, 0, -4, 8]]


def test_a_kernel_counts_all_its_pixels() -> None:
    layer = q.QuantConv2d(3, 4, 3, bias=False, weight=SPEC)
    torch.nn.init.uniform_(layer.weight, 0.25, 0.9)
    assert (layer.codes != 0).flatten(1).sum(dim=1).tolist() == [2, 2, 2, 2]


def test_masked_weights_learn_as_if_they_were_used() -> None:
    layer = q.QuantLinear(3, 1, bias=False, weight=SPEC)
    layer.weight.data = torch.tensor([[0.5, 0.25, 0.125]])
    layer(torch.tensor([[1.0, 1.0, 1.0]])).sum().backward()
    assert layer.weight.grad is not None
    assert layer.weight.grad.tolist() == [[1.0, 1.0, 1.0]]


def test_a_better_input_takes_anothers_place() -> None:
    layer = q.QuantLinear(3, 1, bias=False, weight=SPEC)
    layer.weight.data = torch.tensor([[0.5, 0.25, 0.125]])
    layer.weight.data[0, 2] = 0.75
    assert layer.codes.tolist() == [[8, 0, 12]]


def test_weights_without_a_zero_are_refused() -> None:
    with pytest.raises(UsageError, match="needs weights that can be 0"):
        q.QuantLinear(3, 1, weight=q.FewInputs(q.Binary(), fan_in=2))
    with pytest.raises(UsageError, match="fan_in must be a whole number"):
        q.FewInputs(q.Ternary(), fan_in=0)
