"""Small trained-looking models that the front end's tests share."""

from __future__ import annotations

import torch
from torch import nn

from hwgen import nn as q


def settle(model: nn.Module, x: torch.Tensor) -> nn.Module:
    """Run training batches, so that learned steps and batch-norm statistics have values."""
    model.train()
    with torch.no_grad():
        for _ in range(3):
            model(x)
    return model


def small_mlp(seed: int = 0) -> nn.Module:
    """12 -> 10 -> 8 -> 4 with every kind of quantizer but a few; in train mode."""
    torch.manual_seed(seed)
    model = nn.Sequential(
        q.QuantIdentity(q.SInt(8, step=1 / 16)),
        q.QuantLinear(12, 10, bias=False, weight=q.Binary("mean", per_channel=True)),
        nn.BatchNorm1d(10),
        q.QuantReLU(q.UInt(2)),
        q.QuantLinear(10, 8, weight=q.Shift(3)),
        nn.BatchNorm1d(8),
        q.QuantAct(q.Binary()),
        q.QuantLinear(8, 4, weight=q.Int(4, per_channel=True)),
    )
    return settle(model, torch.randn(64, 12))


def tiny_mlp(seed: int = 0) -> nn.Module:
    """6 -> 4 -> 3 with steps that are not learned, so that any two differ in weights only."""
    torch.manual_seed(seed)
    return nn.Sequential(
        q.QuantIdentity(q.SInt(4, step=1 / 4)),
        q.QuantLinear(6, 4, bias=False, weight=q.Ternary()),
        q.QuantReLU(q.UInt(2, step=0.5)),
        q.QuantLinear(4, 3, bias=False, weight=q.Int(3)),
    )


def small_cnn(seed: int = 0) -> nn.Module:
    """2×8×8 to 3: convolutions, pooling, padding, upsampling, smooth functions; in train mode."""
    torch.manual_seed(seed)
    model = nn.Sequential(
        q.QuantIdentity(q.UInt(4)),
        q.QuantConv2d(2, 4, 3, padding=1, weight=q.Int(4)),
        nn.BatchNorm2d(4),
        q.QuantReLU(q.UInt(3, step=0.25)),
        nn.MaxPool2d(2),
        q.QuantConv2d(4, 4, 3, groups=4, padding=1, weight=q.Shift(2)),
        q.QuantAct(q.SInt(4, step=0.25)),
        nn.Upsample(scale_factor=2),
        nn.AvgPool2d(2),
        nn.LeakyReLU(0.1),
        nn.Sigmoid(),
        q.QuantAct(q.UInt(4, step=1 / 16)),
        nn.ZeroPad2d(1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        q.QuantAct(q.UInt(4, step=1 / 16)),
        q.QuantLinear(4, 3, weight=q.Ternary()),
    )
    return settle(model, torch.rand(16, 2, 8, 8))
