"""Random small convolutional networks in torch: residual sums, concatenations, all kinds of layers.

Every choice comes from the seed, so a network is known by it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import hwgen
from hwgen import nn as q
from tests.models import settle

WEIGHTS: tuple[q.WeightSpec, ...] = (
    q.Binary("mean"),
    q.Ternary(),
    q.Shift(3),
    q.DenseShift(2),
    q.Int(3),
    q.Int(4, per_channel=True),
)


class RandomCnn(nn.Module):
    """Two to four stages of convolutions, branches or pools over one or two axes, and a head.

    Attributes:
        shape: of one frame, without the batch.
        parts: kinds of stages that were drawn.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.rng = np.random.default_rng(seed)
        torch.manual_seed(seed)
        self.axes = 1 if self.draw(4) == 0 else 2
        self.size = [5 + self.draw(4) for _ in range(self.axes)]
        self.channels = 1 + self.draw(4)
        self.shape = (self.channels, *self.size)
        self.offset = False  # whether another integer than 0 may stand for 0
        kinds = (self._plain, self._residual, self._concat, self._pool)
        self.parts: list[str] = []
        stages: list[nn.Module] = [q.QuantIdentity(q.SInt(2 + self.draw(5), step=0.25))]
        for k in range(2 + self.draw(3)):
            kind = self._plain if k == 0 else kinds[self.draw(len(kinds))]
            self.parts.append(kind.__name__.strip("_"))
            stages.append(kind())
        self.stages = nn.Sequential(*stages, *self._head())

    def draw(self, n: int) -> int:
        """A number below ``n``."""
        return int(self.rng.integers(n))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.stages(x)
        return y

    def _weight(self) -> q.WeightSpec:
        return WEIGHTS[self.draw(len(WEIGHTS))]

    def _activation(self) -> nn.Module:
        """Any quantizer; the steps are powers of two, so that any two can be added."""
        step = 2.0 ** -self.draw(3)
        kind = self.draw(4)
        self.offset = kind < 2
        if kind == 0:
            return q.QuantAct(q.Binary(step))
        if kind == 1:
            return q.QuantAct(q.UInt(2 + self.draw(3), step=step, zero_point=1))
        if kind == 2:
            return q.QuantReLU(q.UInt(1 + self.draw(4), step=step))
        return q.QuantAct(q.SInt(2 + self.draw(4), step=step))

    def _groups(self, outputs: int) -> int:
        both = int(np.gcd(self.channels, outputs))
        options = [g for g in range(1, both + 1) if both % g == 0]
        return options[self.draw(len(options))]

    def _conv(self, outputs: int, *, same: bool = False) -> nn.Module:
        """A convolution, batch-norm and quantizer; ``same`` keeps the size of the image."""
        kernel = [1 + (2 * self.draw(2) if same else min(self.draw(3), n - 1)) for n in self.size]
        stride = [1 if same or n < 4 else 1 + self.draw(2) for n in self.size]
        dilation = [1 + (self.draw(2) if n > 4 else 0) for n in self.size]
        padding = [
            d * (k // 2) if same else self.draw(k) for d, k in zip(dilation, kernel, strict=True)
        ]
        options: dict[str, Any] = {"padding": padding, "dilation": dilation}
        options |= {"groups": self._groups(outputs), "bias": bool(self.draw(2))}
        kind = q.QuantConv2d if self.axes == 2 else q.QuantConv1d
        conv = kind(self.channels, outputs, kernel, stride, weight=self._weight(), **options)
        norm = nn.BatchNorm2d if self.axes == 2 else nn.BatchNorm1d
        self.size = [
            (n + 2 * p - d * (k - 1) - 1) // s + 1
            for n, p, d, k, s in zip(self.size, padding, dilation, kernel, stride, strict=True)
        ]
        self.channels = outputs
        return nn.Sequential(conv, *([norm(outputs)] if self.draw(3) else []), self._activation())

    def _plain(self) -> nn.Module:
        return self._conv((2, 3, 4, 6)[self.draw(4)])

    def _branches(self, channels: list[int]) -> list[nn.Module]:
        """Branches of so many channels over one input, of one image size; perhaps the identity."""
        before, offset, offsets, found = self.channels, self.offset, [], []
        for outputs in channels:
            self.channels, self.offset = before, offset
            depth = self.draw(3) if outputs == before else 1 + self.draw(2)
            found.append(nn.Sequential(*(self._conv(outputs, same=True) for _ in range(depth))))
            offsets.append(self.offset)
        self.offset = any(offsets)
        return found

    def _residual(self) -> nn.Module:
        outputs = self.channels if self.draw(3) else 4
        first, second = self._branches([outputs, outputs])
        sign = (1, 1, -1)[self.draw(3)]
        return Joined([first, second], lambda a, b: a + sign * b, self._activation())

    def _concat(self) -> nn.Module:
        widths = [self.channels, *(1 + self.draw(4) for _ in range(1 + self.draw(2)))]
        parts = self._branches(widths)
        self.channels = sum(widths)
        act = self._activation() if self.offset or self.draw(2) else nn.Identity()
        return Joined(parts, lambda *y: torch.cat(y, 1), act)

    def _pool(self) -> nn.Module:
        if min(self.size) < 2:
            return nn.Identity()
        stride = 1 + self.draw(2)
        kind = ("MaxPool", "AvgPool")[self.draw(2)]
        self.size = [(n - 2) // stride + 1 for n in self.size]
        self.offset = False
        pool = getattr(nn, f"{kind}{self.axes}d")(2, stride)
        return nn.Sequential(pool, q.QuantAct(q.SInt(5, step=0.125)))

    def _head(self) -> list[nn.Module]:
        pooled = self.draw(2)
        features = self.channels * (1 if pooled else int(np.prod(self.size)))
        mean = nn.AdaptiveAvgPool2d(1) if self.axes == 2 else nn.AdaptiveAvgPool1d(1)
        act = q.QuantAct(q.SInt(6, step=0.0625))
        last = q.QuantLinear(features, 3, weight=self._weight())
        return [*([mean, act] if pooled else []), nn.Flatten(), last]


class Joined(nn.Module):
    """Branches over one input, joined to one tensor."""

    def __init__(
        self, branches: list[nn.Module], join: Callable[..., Tensor], act: nn.Module
    ) -> None:
        super().__init__()
        self.branches, self.join, self.act = nn.ModuleList(branches), join, act

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.act(self.join(*(branch(x) for branch in self.branches)))
        return y


def saved(seed: int, folder: Path) -> Path:
    """The model file of the network of that seed."""
    model = RandomCnn(seed)
    settle(model, torch.randn(16, *model.shape)).eval()
    path = folder / f"cnn{seed}.pt"
    hwgen.save(model, path, torch.randn(4, *model.shape))
    return path
