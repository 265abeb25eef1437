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
