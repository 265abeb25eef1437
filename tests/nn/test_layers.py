"""Layers: torch's own, with a quantized weight, for any quantizer of any file."""

from dataclasses import dataclass

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from hwgen import nn as q
from hwgen.errors import UsageError


def test_linear_is_torchs_linear_of_the_dequantized_weight():
    layer = q.QuantLinear(7, 5, weight=q.Int(4)).eval()
    x = torch.randn(3, 7)
    expected = F.linear(x, layer.codes.float() * layer.scale, layer.bias)
    assert torch.equal(layer(x), expected)
    assert isinstance(layer, nn.Linear)


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_conv2d_keeps_stride_padding_dilation_and_groups(groups: int):
    layer = q.QuantConv2d(
        4, 8, (3, 2), stride=2, padding=(1, 0), dilation=(1, 2), groups=groups, weight=q.Binary()
    )
    x = torch.randn(2, 4, 9, 9)
    weight = layer.codes.float() * layer.scale
    expected = F.conv2d(x, weight, layer.bias, 2, (1, 0), (1, 2), groups)
    assert torch.equal(layer(x), expected)


def test_conv1d_is_depthwise_through_groups():
    layer = q.QuantConv1d(4, 4, 3, padding="same", groups=4, bias=False, weight=q.Shift(2))
    x = torch.randn(2, 4, 9)
    weight = layer.codes.float() * layer.scale
    assert torch.equal(layer(x), F.conv1d(x, weight, padding="same", groups=4))
    assert layer.codes.shape == (4, 1, 3)


def test_a_network_trains_with_batch_norm_and_a_standard_optimizer():
    torch.manual_seed(0)
    model = nn.Sequential(
        q.QuantIdentity(q.SInt(4)),
        q.QuantLinear(8, 32, bias=False, weight=q.Binary()),
        nn.BatchNorm1d(32),
        q.QuantReLU(q.UInt(2)),
        q.QuantLinear(32, 2, weight=q.Shift(3)),
    )
    x = torch.randn(256, 8)
    y = (x[:, 0] + x[:, 1] > 0).long()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(60):
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    model.eval()
    assert (model(x).argmax(1) == y).float().mean() > 0.9


@dataclass(frozen=True)
class Signs(q.WeightSpec):
    """A quantizer as a training method would add one: its latents replace the weight."""

    def weight_quantizer(self, weight: torch.Tensor) -> q.WeightQuantizer:
        return LatentSigns(weight)


class LatentSigns(q.WeightQuantizer):
    keeps_weight = False
    alphabet = (-1, 1)

    def __init__(self, weight: torch.Tensor) -> None:
        super().__init__()
        self.latent = nn.Parameter(weight.clone())

    def integers(self, weight: None) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.where(self.latent >= 0, 1, -1), torch.tensor(1.0)

    def forward(self, weight: None) -> torch.Tensor:
        return torch.tanh(self.latent).sign()


def test_a_quantizer_from_another_file_may_bring_its_own_latents():
    layer = q.QuantLinear(5, 3, bias=False, weight=Signs())
    assert layer.weight is None
    assert [name for name, _ in layer.named_parameters()] == ["weight_quantizer.latent"]
    assert torch.equal(layer(torch.eye(5)), layer.codes.T.float())


def test_a_weight_that_is_no_quantizer_is_refused():
    with pytest.raises(UsageError, match="weight must be a weight quantizer such as Binary"):
        q.QuantLinear(3, 3, weight=q.UInt(4))


def test_hwgen_gives_its_torch_parts_lazily():
    import hwgen

    assert hwgen.nn is q
    assert hwgen.save.__module__ == "hwgen.frontend.save"
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = hwgen.nothing
