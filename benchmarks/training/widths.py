"""Trainings with learned bit lengths, all seeds and rates of an arm at once, along a first axis.

Member by member they are those of `hwgen.train.fit` with `BitPruning`, `AdaQAT`, `BMPQ` and
`Pruning` (same start, batches, gradients, Adam and rules), at a tenth of the time: so small a
network's training is mostly the overhead of its operations.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hwgen.nn.bits import _mixed, _quantized
from hwgen.nn.ste import relative_ste, uniform_lsq
from hwgen.nn.step import initial_step
from hwgen.train.data import Data
from hwgen.train.fit import FitConfig, batches, rate

BETAS, MOMENTUM, EPS, MOST = (0.9, 0.999), 0.1, 1e-5, 12


@dataclass
class Length:
    """Bit lengths of one layer, by member: (members, 1, 1)."""

    value: Tensor
    least: int
    most: int = MOST
    learns: bool = False

    def whole(self) -> Tensor:
        return torch.ceil(self.value.detach()).clamp(self.least, self.most)

    def set(self, values: Sequence[float]) -> None:
        with torch.no_grad():
            self.value.copy_(torch.tensor(values).view(-1, 1, 1).clamp(self.least, self.most))

    def freeze(self) -> None:
        self.set(self.whole().flatten().tolist())
        self.learns = False


class Rule:
    """What a method does: as `hwgen.train.method.Method`, on a `Network`."""

    def begin_epoch(self, net: Network, epoch: int) -> None: ...

    def loss(self, net: Network) -> Tensor | float:
        return 0.0

    def gradients(self, net: Network, grads: Sequence[Tensor]) -> None: ...

    def step(self, net: Network, batch: tuple[Tensor, Tensor]) -> None: ...

    def end_epoch(self, net: Network, epoch: int) -> None: ...


@dataclass
class Network:
    """Members of equal shape, one model each; ``step_bits`` makes all layers LSQ of that width."""

    models: Sequence[nn.Sequential]
    lrs: Sequence[float]
    step_bits: int = 0
    bit_rate: float = 0.0
    weights: list[Tensor] = field(init=False)

    def __post_init__(self) -> None:
        names = [n for n, m in self.models[0].named_modules() if isinstance(m, nn.Linear)]
        self.names = names + [f"act{k}" for k in range(1, len(names))]
        self.count = len(self.models)
        self.weights = [
            torch.stack([m.get_submodule(n).weight.detach() for m in self.models]).requires_grad_()
            for n in names
        ]
        self.lengths = {
            n: Length(torch.full((self.count, 1, 1), 8.0, requires_grad=True), 1 + (n in names))
            for n in self.names
        }
        self.limits = [torch.zeros(self.count, 1, 1) for _ in names[1:]]
        wide = [w.shape[1] for w in self.weights]
        self.gains = [torch.ones(self.count, 1, c, requires_grad=True) for c in wide]
        self.shifts = [torch.zeros(self.count, 1, c, requires_grad=True) for c in wide]
        self.means = [torch.zeros(self.count, 1, c) for c in wide]
        self.variances = [torch.ones(self.count, 1, c) for c in wide]
        self.steps = {n: torch.ones(self.count, 1, 1, requires_grad=True) for n in self.names}
        self.units: dict[str, Tensor] = {}
        self.moments: dict[int, tuple[Tensor, Tensor, list[int]]] = {}

    @property
    def parts(self) -> list[str]:
        """Names of the weight layers."""
        return self.names[: len(self.weights)]

    def forward(self, x: Tensor, *, training: bool) -> Tensor:
        """(members, frames, inputs), quantized, to (members, frames, classes)."""
        for k, name in enumerate(self.parts):
            y = torch.bmm(x, self._weight(k, name, training).transpose(1, 2))
            y = self._normed(y, k, training)
            x = self._activation(F.relu(y), k, training) if k + 1 < len(self.parts) else y
        return x

    def codes(self) -> list[Tensor]:
        """Integer weights by layer: (members, outputs, inputs)."""
        found = []
        for k, name in enumerate(self.parts):
            w = self.weights[k].detach()
            if self.step_bits:
                step, most = self._step(name), torch.tensor(2.0 ** (self.step_bits - 1) - 1)
            else:
                most = torch.exp2(self.lengths[name].whole() - 1) - 1
                step = self.range(k) / most
            codes = torch.minimum(torch.maximum(torch.round(w / step.detach()), -most), most)
            found.append(codes.to(torch.int64))
        return found

    def range(self, k: int) -> Tensor:
        return self.weights[k].detach().abs().amax((1, 2), keepdim=True).clamp(min=2.0**-28)

    def bits(self) -> dict[str, list[int]]:
        """Whole bit lengths by layer and member."""
        if self.step_bits:
            return {n: [self.step_bits] * self.count for n in self.names}
        return {n: [int(b) for b in v.whole().flatten()] for n, v in self.lengths.items()}

    def update(self, loss: Tensor, rules: Sequence[Rule], factor: float) -> None:
        """One step of Adam, as torch's."""
        own = [*self.weights, *self.gains, *self.shifts]
        rates = [torch.tensor(self.lrs) * factor] * len(own)
        if self.step_bits:
            own += self.steps.values()
        else:
            learn = [v.value for v in self.lengths.values() if v.learns]
            own += learn
            rates += [torch.full((self.count,), self.bit_rate * factor)] * len(learn)
        rates += [rates[0]] * (len(own) - len(rates))
        grads = torch.autograd.grad(loss, own)
        for rule in rules:
            rule.gradients(self, grads)
        with torch.no_grad():
            for p, g, lr in zip(own, grads, rates, strict=True):
                zeros = torch.zeros_like(p), torch.zeros_like(p), [0]
                m, v, steps = self.moments.setdefault(id(p), zeros)
                steps[0] += 1
                m.lerp_(g, 1 - BETAS[0])
                v.mul_(BETAS[1]).addcmul_(g, g, value=1 - BETAS[1])
                first, second = (1 - b ** steps[0] for b in BETAS)
                each = (lr / first).view(-1, *[1] * (p.dim() - 1))
                p.sub_(each * m / (v.sqrt().div_(math.sqrt(second)).add_(1e-8)))

    def _weight(self, k: int, name: str, training: bool) -> Tensor:
        w, length = self.weights[k], self.lengths[name]
        if self.step_bits:
            most = (1 << (self.step_bits - 1)) - 1
            if name not in self.units:
                self.units[name] = _starts(w, most)
            scale = 1 / math.sqrt(w[0].numel() * most)
            return uniform_lsq(w, self._step(name), 0, (-most, most), scale)
        if training and length.learns:
            return _mixed(w, self.range(k), length, signed=True)  # type: ignore[arg-type]
        greatest = torch.exp2(length.whole() - 1) - 1
        return _quantized(w, self.range(k) / greatest, -greatest, greatest)

    def _activation(self, x: Tensor, k: int, training: bool) -> Tensor:
        name = f"act{k + 1}"
        if self.step_bits:
            most = (1 << self.step_bits) - 1
            if name not in self.units:
                self.units[name] = _starts(x, most)
            scale = 1 / math.sqrt(x.shape[2] * most)
            return uniform_lsq(x, self._step(name), 0, (0, most), scale)
        if training:
            most_seen = x.detach().amax((1, 2), keepdim=True)
            old = torch.where(self.limits[k] > 0, self.limits[k], most_seen)
            followed = torch.lerp(old, most_seen, MOMENTUM)
            self.limits[k] = torch.where(most_seen > 0, followed, self.limits[k])
        length = self.lengths[name]
        if training and length.learns:
            return _mixed(x, self.limits[k], length, signed=False)  # type: ignore[arg-type]
        greatest = torch.exp2(length.whole()) - 1
        return _quantized(x, self.limits[k] / greatest, torch.zeros_like(greatest), greatest)

    def _step(self, name: str) -> Tensor:
        return relative_ste(self.steps[name], self.units[name])

    def _normed(self, y: Tensor, k: int, training: bool) -> Tensor:
        mean, variance = self.means[k], self.variances[k]
        if training:
            mean = y.mean(1, keepdim=True)
            variance = (y - mean).square().mean(1, keepdim=True)
            with torch.no_grad():
                self.means[k].lerp_(mean, MOMENTUM)
                self.variances[k].lerp_(variance * (y.shape[1] / (y.shape[1] - 1)), MOMENTUM)
        gain = self.gains[k] * torch.rsqrt(variance + EPS)
        return torch.addcmul(self.shifts[k] - mean * gain, y, gain)


def train(
    net: Network, data: Sequence[Data], seeds: Sequence[int], config: FitConfig,
    rules: Sequence[Rule],
) -> None:  # fmt: skip
    """``data`` and ``seeds`` are each member's; frames are quantized already."""
    for epoch in range(config.epochs):
        for rule in rules:
            rule.begin_epoch(net, epoch)
        drawn = {s: list(batches(d.train, config.batch, s * 1_000_003 + epoch))
                 for s, d in dict(zip(seeds, data, strict=True)).items()}  # fmt: skip
        for parts in zip(*(drawn[s] for s in seeds), strict=True):
            x, y = (torch.stack([pair[k] for pair in parts]) for k in (0, 1))
            logits = net.forward(x, training=True)
            losses = F.cross_entropy(logits.flatten(0, 1), y.flatten(), reduction="none")
            loss = losses.view(net.count, -1).mean(1).sum() + sum(r.loss(net) for r in rules)
            net.update(loss, rules, rate(config, epoch))
            for rule in rules:
                rule.step(net, (x, y))
        for rule in rules:
            rule.end_epoch(net, epoch)


@torch.no_grad()
def accuracies(net: Network, pairs: Sequence[tuple[Tensor, Tensor]]) -> list[float]:
    """By member, in eval mode."""
    x, y = (torch.stack([pair[k] for pair in pairs]) for k in (0, 1))
    return [float(v) for v in (net.forward(x, training=False).argmax(2) == y).float().mean(1)]


def _starts(x: Tensor, most: int) -> Tensor:
    return torch.stack([initial_step(own, most).view(1, 1) for own in x])
