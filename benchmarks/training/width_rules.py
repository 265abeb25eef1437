"""The methods of `hwgen.train` on the members of `widths.Network`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.training.widths import Network, Rule
from hwgen.train.bmpq import allocate


class Fixed(Rule):
    """Widths by layer and member from the first epoch."""

    def __init__(self, net: Network, widths: Mapping[str, Sequence[int]]) -> None:
        for name, bits in widths.items():
            net.lengths[name].set([float(b) for b in bits])


class Pruning(Rule):
    """The cubic schedule; the least weights of each layer."""

    def __init__(self, net: Network, sparsity: float, start: int, end: int) -> None:
        self.sparsity, self.first, self.end = sparsity, start, end
        self.masks = [torch.ones_like(w) for w in net.weights]

    def begin_epoch(self, net: Network, epoch: int) -> None:
        if epoch >= self.first:
            t = min(max((epoch - self.first + 1) / (self.end - self.first), 0.0), 1.0)
            share = self.sparsity * (1 - (1 - t) ** 3)
            for k, w in enumerate(net.weights):
                scores = w.detach().abs().flatten(1)
                least = scores.kthvalue(max(int(share * scores.shape[1]), 1), dim=1).values
                self.masks[k] = (w.detach().abs() > least.view(-1, 1, 1)).to(w.dtype)
        self.step(net, ())

    @torch.no_grad()
    def step(self, net: Network, batch: object) -> None:
        for w, mask in zip(net.weights, self.masks, strict=True):
            w.mul_(mask)


class BitPruning(Rule):
    """``cost`` prices one member's lengths; None takes their mean."""

    def __init__(
        self, net: Network, strength: float, freeze_at: int,
        cost: Callable[[dict[str, Tensor]], Tensor] | None = None,
    ) -> None:  # fmt: skip
        self.strength, self.freeze_at, self.cost = strength, freeze_at, cost
        for length in net.lengths.values():
            length.learns = True

    def begin_epoch(self, net: Network, epoch: int) -> None:
        if epoch == self.freeze_at:
            for length in net.lengths.values():
                length.freeze()

    def loss(self, net: Network) -> Tensor | float:
        if not all(length.learns for length in net.lengths.values()):
            return 0.0
        values = {n: length.value.flatten() for n, length in net.lengths.items()}
        if self.cost is None:
            return self.strength * torch.stack(list(values.values())).mean(0).sum()
        prices = [self.cost({n: v[e] for n, v in values.items()}) for e in range(net.count)]
        return self.strength * torch.stack(prices).sum()

    @torch.no_grad()
    def step(self, net: Network, batch: object) -> None:
        for length in net.lengths.values():
            length.value.clamp_(length.least, length.most)


class AdaQAT(Rule):
    """A width per layer."""

    def __init__(self, net: Network, rate: float, every: int, freeze_at: int) -> None:
        self.rate, self.every, self.freeze_at, self.steps = rate, every, freeze_at, 0
        self.values = {n: torch.full((net.count,), 8.0) for n in net.names}
        self.direction = {n: torch.zeros(net.count) for n in net.names}
        self.turns = {n: torch.zeros(net.count) for n in net.names}
        self.frozen = {n: torch.zeros(net.count, dtype=torch.bool) for n in net.names}
        self.unit = self._product(net)

    def begin_epoch(self, net: Network, epoch: int) -> None:
        if epoch >= self.freeze_at:
            for name in net.names:
                self.frozen[name][:] = True

    @torch.no_grad()
    def step(self, net: Network, batch: tuple[Tensor, Tensor]) -> None:
        self.steps += 1
        if self.steps % self.every or all(bool(f.all()) for f in self.frozen.values()):
            return
        for name in net.names:
            length, value = net.lengths[name], self.values[name]
            above = self._price(net, name, value, batch)
            below = self._price(net, name, (value - 1).clamp(min=length.least), batch)
            moved = (value - self.rate * (above - below)).clamp(length.least, length.most)
            moved = torch.where(self.frozen[name], value, moved)
            turn = torch.ceil(moved) - torch.ceil(value)
            self.turns[name] += turn * self.direction[name] < 0
            self.direction[name] = torch.where(turn != 0, turn.sign(), self.direction[name])
            stays = (self.turns[name] >= 10) & (turn != 0)
            most = torch.maximum(torch.ceil(value), torch.ceil(moved))
            self.values[name] = torch.where(stays, most, moved)
            self.frozen[name] |= stays
            length.set(self.values[name].tolist())

    def _price(self, net: Network, name: str, bits: Tensor, batch: tuple[Tensor, Tensor]) -> Tensor:
        net.lengths[name].set(bits.tolist())
        logits = net.forward(batch[0], training=False)
        losses = F.cross_entropy(logits.flatten(0, 1), batch[1].flatten(), reduction="none")
        hardware = self._product(net) / self.unit
        net.lengths[name].set(self.values[name].tolist())
        return losses.view(net.count, -1).mean(1) + hardware

    def _product(self, net: Network) -> Tensor:
        whole = {n: length.whole().flatten() for n, length in net.lengths.items()}
        acts = [n for n in net.names if n not in net.parts]
        means = [torch.stack([whole[n] for n in own]).mean(0) for own in (net.parts, acts)]
        return means[0] * means[1]


class BMPQ(Rule):
    """Weights' widths under a mean; activations stay at 3 bits."""

    def __init__(self, net: Network, budget: float, widths: Sequence[int], interval: int,
                 last: int) -> None:  # fmt: skip
        self.widths, self.interval, self.last = widths, interval, last
        self.counts = {n: w[0].numel() for n, w in zip(net.parts, net.weights, strict=True)}
        self.budget = budget * sum(self.counts.values())
        for name, length in net.lengths.items():
            length.set([float(max(widths)) if name in net.parts else 3.0] * net.count)
        self._clear(net)

    def gradients(self, net: Network, grads: Sequence[Tensor]) -> None:
        self.grads = grads[: len(net.weights)]

    def step(self, net: Network, batch: object) -> None:
        self.batches += 1
        for k, name in enumerate(net.parts):
            bits = net.lengths[name].whole()
            scale = net.range(k) / (torch.exp2(bits - 1) - 1)
            mean = (self.grads[k].abs() * scale).mean((1, 2))
            bits = bits.flatten()
            self.sums[name] += mean * (torch.exp2(bits) - 1) / bits

    def end_epoch(self, net: Network, epoch: int) -> None:
        if (epoch + 1) % self.interval or epoch + 1 > self.last:
            return
        choices = {n: tuple(self.widths) for n in net.parts}
        found = [
            allocate({n: float(s[e]) / self.batches for n, s in self.sums.items()}, choices,
                     lambda n, b: float(b * self.counts[n]), self.budget)
            for e in range(net.count)
        ]  # fmt: skip
        for name in net.parts:
            net.lengths[name].set([float(f[name]) for f in found])
        self._clear(net)

    def _clear(self, net: Network) -> None:
        self.sums, self.batches = {n: torch.zeros(net.count) for n in net.parts}, 0
