"""Many trainings of `order.convolutions` at once: all seeds, orders and rates as one network.

A small network's training is mostly the overhead of its operations; here each operation has a
leading axis of members, and a convolution over so small a map is a product with a matrix. Member by
member it is the training of `hwgen.train.fit` with `hwgen.train.progressive` (same start, batches,
gradients and Adam), but for rounding: products are taken in bfloat16.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hwgen import nn as q
from hwgen.nn.ste import relative_ste, signs, uniform_lsq
from hwgen.nn.step import initial_step
from hwgen.train.data import Data, Pair
from hwgen.train.fit import batches
from hwgen.train.progressive import float_layers, ordered

BETAS = (0.9, 0.999)
MOMENTUM, EPS, LEVELS = 0.1, 1e-5, 7


@dataclass(frozen=True)
class Member:
    """One training."""

    order: str
    lr: float
    seed: int


class Ensemble:
    """``models`` are one per seed, all float, of square convolutions; ``members`` seed by seed."""

    def __init__(
        self, models: Sequence[nn.Sequential], members: Sequence[Member], *, binary: bool,
        size: int, dtype: torch.dtype = torch.bfloat16,
    ) -> None:  # fmt: skip
        self.members, self.binary, self.dtype = members, binary, dtype
        self.each = len(members) // len(models)
        act = q.Binary() if binary else None
        self.names = float_layers(models[0], q.Sign(), act)
        self.orders = [
            self.names if m.order == "all at once" else ordered(self.names, m.order, m.seed)
            for m in members
        ]
        convs = [(n, m) for n, m in models[0].named_modules() if isinstance(m, nn.Conv2d)]
        self.layers = [n for n, _ in convs] + ["classifier"]
        self.maps = []
        for _, conv in convs:
            self.maps.append(_taps(size, conv.kernel_size[0], conv.stride[0], conv.padding[0]))
            size //= conv.stride[0]
        self.weights = [
            self._stacked([m.get_submodule(n).weight for m in models]) for n in self.layers
        ]
        wide = [w.shape[1] for w in self.weights]
        count = len(members)
        self.gains = [torch.ones(count, 1, c, 1, requires_grad=True) for c in wide]
        self.shifts = [torch.zeros(count, 1, c, 1, requires_grad=True) for c in wide]
        self.steps = [torch.ones(count, 1, 1, 1, requires_grad=not binary) for _ in convs]
        self.units: list[Tensor] = []
        self.means = [torch.zeros(count, 1, c, 1) for c in wide]
        self.variances = [torch.ones(count, 1, c, 1) for c in wide]
        trained = [*self.weights, *self.gains, *self.shifts, *([] if binary else self.steps)]
        self.adam = _Adam(trained, torch.tensor([m.lr for m in members]))
        self.done = {n: torch.zeros(count, 1, 1, 1, dtype=torch.bool) for n in self.names}

    def train(
        self, data: Sequence[Data], *, epochs: int, batch: int, compiled: bool = False,
        progress: bool = False,
    ) -> None:  # fmt: skip
        """All members; ``data`` is one set per seed, its frames cut by `patches`.

        ``compiled`` halves the time, after two minutes of torch's compiler.
        """
        seeds = [self.members[k * self.each].seed for k in range(len(data))]
        forward = self.forward
        every = epochs // (len(self.names) + 1)
        for epoch in range(epochs):
            self.quantize(epoch // every)
            parts = [batches(d.train, batch, s * 1_000_003 + epoch)
                     for d, s in zip(data, seeds, strict=True)]  # fmt: skip
            for given in zip(*parts, strict=True):
                x, y = (torch.stack([pair[k] for pair in given]) for k in (0, 1))
                logits = forward(x, training=True).flatten(0, 1)
                labels = y.repeat_interleave(self.each, dim=0).flatten()
                losses = F.cross_entropy(logits, labels, reduction="none")
                self.adam.step(losses.view(len(self.members), -1).mean(1).sum())
                if compiled and forward == self.forward:  # learned steps have their start now
                    forward = torch.compile(self.forward)
            if progress:
                print(f"epoch {epoch + 1}: loss {float(losses.detach().mean()):.3f}", flush=True)

    def quantize(self, stages: int) -> None:
        """Which layers of which members are binary after so many stages."""
        for name in self.names:
            done = [m.order == "all at once" or order.index(name) < stages
                    for m, order in zip(self.members, self.orders, strict=True)]  # fmt: skip
            self.done[name].copy_(torch.tensor(done).view(-1, 1, 1, 1))

    @torch.no_grad()
    def accuracy(self, pairs: Sequence[Pair]) -> list[float]:
        """By member, on its seed's frames."""
        x, y = (torch.stack([pair[k] for pair in pairs]) for k in (0, 1))
        parts = [self.forward(part, training=False) for part in x.split(200, dim=1)]
        found = torch.cat(parts, dim=1).argmax(2) == y.repeat_interleave(self.each, dim=0)
        return [float(v) for v in found.float().mean(1)]

    def forward(self, x: Tensor, *, training: bool) -> Tensor:
        """(seeds, frames, pixels, inputs) to (members, frames, classes)."""
        dtype = self.dtype if training else torch.float32
        for k, name in enumerate(self.layers):
            w = self.weights[k]
            w = _Sign.apply(w, self.done[name].view(-1, *[1] * (w.dim() - 1)))
            if k == 0:
                y = self._first(x, w, dtype)
            else:
                matrix = (
                    w.flatten(2).transpose(1, 2)
                    if w.dim() == 3
                    else _matrix(w.to(dtype), self.maps[k])
                )
                y = torch.bmm(y.flatten(2).to(dtype), matrix.to(dtype)).float()
                y = y.view(*y.shape[:2], w.shape[1], -1)
            y = self._normed(y, k, training)
            if k < len(self.steps):
                y = self._activation(y, k, training)
        return y.flatten(2)

    def _first(self, x: Tensor, w: Tensor, dtype: torch.dtype) -> Tensor:
        seeds, frames, pixels, _ = x.shape
        matrix = w.view(seeds, self.each * w.shape[1], -1).transpose(1, 2)
        y = torch.bmm(x.flatten(1, 2).to(dtype), matrix.to(dtype)).float()
        y = y.view(seeds, frames, pixels, self.each, -1).permute(0, 3, 1, 4, 2)
        return y.reshape(len(self.members), frames, -1, pixels)

    def _normed(self, y: Tensor, k: int, training: bool) -> Tensor:
        if training:
            mean = y.mean(dim=(1, 3), keepdim=True)
            variance = (y - mean).square().mean(dim=(1, 3), keepdim=True)
            with torch.no_grad():
                count = y.shape[1] * y.shape[3]
                self.means[k].lerp_(mean, MOMENTUM)
                self.variances[k].lerp_(variance * (count / (count - 1)), MOMENTUM)
        else:
            mean, variance = self.means[k], self.variances[k]
        gain = self.gains[k] * torch.rsqrt(variance + EPS)
        return torch.addcmul(self.shifts[k] - mean * gain, y, gain)

    def _activation(self, y: Tensor, k: int, training: bool) -> Tensor:
        if self.binary:
            return _Clipped.apply(y, self.done[f"act{k + 1}"])
        y = F.relu(y)
        if len(self.units) == k:
            firsts = [initial_step(own, LEVELS).view(1, 1, 1) for own in y]
            self.units.append(torch.stack(firsts))
        scale = 1 / math.sqrt(y[0, 0].numel() * LEVELS)
        return uniform_lsq(y, relative_ste(self.steps[k], self.units[k]), 0, (0, LEVELS), scale)

    def _stacked(self, weights: Sequence[Tensor]) -> Tensor:
        both = torch.stack([w.detach() for w in weights]).repeat_interleave(self.each, dim=0)
        return (both.flatten(3) if both.dim() > 3 else both).requires_grad_()


class _Adam:
    """torch's Adam, with a rate per member."""

    def __init__(self, parameters: Sequence[Tensor], lrs: Tensor) -> None:
        self.parameters, self.lrs, self.steps = parameters, lrs, 0
        self.means = [torch.zeros_like(p) for p in parameters]
        self.squares = [torch.zeros_like(p) for p in parameters]

    def step(self, loss: Tensor) -> None:
        self.steps += 1
        gradients = torch.autograd.grad(loss, self.parameters)
        first, second = (1 - b**self.steps for b in BETAS)
        with torch.no_grad():
            for p, g, m, v in zip(
                self.parameters, gradients, self.means, self.squares, strict=True
            ):
                m.lerp_(g, 1 - BETAS[0])
                v.mul_(BETAS[1]).addcmul_(g, g, value=1 - BETAS[1])
                rate = (self.lrs / first).view(-1, *[1] * (p.dim() - 1))
                p.sub_(rate * m / (v.sqrt().div_(math.sqrt(second)).add_(1e-8)))


class _Sign(torch.autograd.Function):
    """The sign where ``done``, else the value; the gradient as it is."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, done: Tensor) -> Tensor:
        return torch.where(done, signs(x), x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0], None


class _Clipped(torch.autograd.Function):
    """The sign where ``done``, else the value within ±1; the gradient within ±1."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, done: Tensor) -> Tensor:
        clipped = x.clamp(-1, 1)
        ctx.save_for_backward(clipped == x)
        return torch.where(done, signs(x), clipped)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (inside,) = ctx.saved_tensors
        return gradients[0] * inside, None


def patches(data: Data, conv: nn.Conv2d, quantize: nn.Module) -> Data:
    """Images as (frames, pixels, inputs): what each output pixel of the first layer sees."""

    def cut(pair: Pair) -> Pair:
        x = quantize(pair[0])
        seen = F.unfold(x, conv.kernel_size, stride=conv.stride)
        return seen.transpose(1, 2).contiguous(), pair[1]

    return Data(cut(data.train), cut(data.validation), cut(data.test))


def _taps(size: int, kernel: int, stride: int, padding: int) -> Tensor:
    """(taps, input pixels, output pixels): 1 where an output sees an input at a tap."""
    side = (size + 2 * padding - kernel) // stride + 1
    axis = torch.zeros(kernel, size, side)
    for tap in range(kernel):
        for to in range(side):
            at = to * stride + tap - padding
            if 0 <= at < size:
                axis[tap, at, to] = 1
    both = torch.einsum("aip,bjq->abijpq", axis, axis)
    return both.reshape(kernel**2, size**2, side**2)


def _matrix(weight: Tensor, taps: Tensor) -> Tensor:
    """A convolution of (members, outputs, inputs, taps) as the matrix of its flattened maps."""
    members, outputs, inputs, count = weight.shape
    _, before, after = taps.shape
    spread = weight.reshape(-1, count) @ taps.flatten(1).to(weight.dtype)
    spread = spread.view(members, outputs, inputs, before, after).permute(0, 2, 3, 1, 4)
    return spread.reshape(members, inputs * before, outputs * after)
