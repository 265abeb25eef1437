"""Learned truth tables: what they compute, their gradients, and both ways to compute them."""

from __future__ import annotations

import pytest
import torch

from hwgen import nn as q
from hwgen.errors import UsageError
from hwgen.nn import tables


def signs(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 2, shape, generator=generator) * 2.0 - 1.0


def xor() -> q.TruthTables:
    layer = q.TruthTables(3, 1, fan_in=2)
    layer.connect(torch.tensor([[2, 0]]))
    layer.tables.data = torch.tensor([[-0.5, 0.5, 0.25, -0.25]])
    return layer


def test_bit_k_of_an_entrys_number_is_input_k() -> None:
    layer = q.TruthTables(3, 1, fan_in=2)
    layer.connect(torch.tensor([[2, 0]]))
    layer.tables.data = torch.tensor([[-1.0, 1.0, -1.0, -1.0]])  # +1 where input 2 is, 0 is not
    x = torch.tensor([[-1.0, 1.0, 1.0], [1.0, 1.0, 1.0], [-1.0, 1.0, -1.0], [0.0, 0.0, 0.5]])
    assert layer(x).flatten().tolist() == [1.0, -1.0, -1.0, 1.0]


def test_levels_are_what_an_output_is() -> None:
    layer = q.TruthTables(4, 5, fan_in=3, levels=(0.1, 2.5))
    assert set(layer(signs(50, 4)).unique().tolist()) == {
        float(torch.tensor(0.1)),
        float(torch.tensor(2.5)),
    }


def test_an_entry_gets_the_gradients_of_the_frames_that_read_it() -> None:
    layer = xor()
    x = torch.tensor([[1.0, 0.0, 1.0], [1.0, 0.0, 1.0], [-1.0, 0.0, 1.0]])
    layer(x).backward(torch.tensor([[1.0], [2.0], [4.0]]))
    assert layer.tables.grad is not None
    assert layer.tables.grad.tolist() == [[0.0, 4.0, 0.0, 3.0]]


def test_an_input_gets_half_the_difference_of_its_two_entries() -> None:
    layer = xor()
    x = torch.tensor([[1.0, 0.0, -1.0]], requires_grad=True)  # entry 2, beside 3 and 0
    layer(x).backward(torch.tensor([[8.0]]))
    assert x.grad is not None
    assert x.grad.tolist() == [[8 * (0.25 + 0.5) / 2, 0.0, 8 * (-0.25 - 0.25) / 2]]


def test_entries_beyond_one_pass_no_gradient() -> None:
    layer = xor()
    layer.tables.data[0, 3] = -1.5
    x = torch.ones(1, 3, requires_grad=True)
    layer(x).backward(torch.ones(1, 1))
    assert x.grad is not None
    assert layer.tables.grad is not None
    assert x.grad.abs().sum() + layer.tables.grad.abs().sum() == 0


@pytest.mark.parametrize("fan_in", [1, 4, 6, 9])
def test_compiled_loops_and_torchs_operators_agree(fan_in: int) -> None:
    torch.manual_seed(fan_in)
    layer = q.TruthTables(20, 30, fan_in=fan_in)
    bits = (signs(20, 40) > 0).to(torch.uint8)
    own = tables._looked_up(bits, layer.connections, layer.tables)
    other = tables._gathered(bits, layer.connections, layer.tables)
    assert torch.equal(own[0].long(), other[0])
    assert torch.equal(own[1], other[1])
    g = torch.randint(-4, 5, own[1].shape).float()
    fixed = (layer.tables.detach() * 8).round()
    sums = []
    for add, address in (
        (tables._add_compiled, own[0]),
        (tables._add_scattered, other[0]),
    ):
        found = torch.zeros(20, 40), torch.zeros_like(fixed)
        add(g, address, layer.connections, fixed, *found)
        sums.append(found)
    assert torch.equal(sums[0][0], sums[1][0])
    assert torch.equal(sums[0][1], sums[1][1])


def test_training_finds_a_function_that_no_sum_of_the_inputs_is() -> None:
    torch.manual_seed(1)
    layer = q.TruthTables(2, 1, fan_in=2)
    x = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]])
    wanted = x[:, :1] * x[:, 1:]
    optimizer = torch.optim.Adam(layer.parameters(), 0.1)
    for _ in range(60):
        optimizer.zero_grad()
        (layer(x) - wanted).square().mean().backward()
        optimizer.step()
    assert torch.equal(layer(x), wanted)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(UsageError, match="fan_in must be 1 to 4, not 6"):
        q.TruthTables(4, 2)
    with pytest.raises(UsageError, match="fan_in must be 1 to 12, not 13"):
        q.TruthTables(40, 2, fan_in=13)
    with pytest.raises(UsageError, match="levels must be two finite numbers, ascending"):
        q.TruthTables(4, 2, fan_in=2, levels=(1.0, 1.0))
    layer = q.TruthTables(4, 2, fan_in=2)
    with pytest.raises(UsageError, match="connections must be integers of shape"):
        layer.connect(torch.zeros(2, 3, dtype=torch.int64))
    with pytest.raises(UsageError, match="connections must be inputs 0 to 3"):
        layer.connect(torch.tensor([[0, 4], [1, 2]]))
