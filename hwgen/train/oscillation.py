"""Two meters of how discrete weights move: how many oscillate, and how many are frozen.

Oscillation. Source: Nagel et al. 2022, "Overcoming Oscillations in Quantization-Aware Training"
(arXiv 2203.11086), section 2.3: a weight oscillates in a step when its integer changes in the
direction opposite to its previous change; a running mean over steps (momentum 0.01) is its
frequency, and a frequency above 0.005 counts as oscillating.

Freezing. DenseShift (arXiv 2208.09708) observes that latents of low-bit shift weights stop
crossing their thresholds. The metric here is the share of weights whose level, and whose sign, is
the same at the end of an epoch as at its beginning, per layer. (The paper's own formula could not
be checked against its text; this one has the same purpose.)
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hwgen.train.method import Method, State, weight_layers

MOMENTUM = 0.01
FREQUENCY = 0.005


class Oscillation(Method):
    """Follows every weight over training; reports the share that oscillates as ``oscillating``."""

    def __init__(
        self, model: nn.Module, momentum: float = MOMENTUM, threshold: float = FREQUENCY
    ) -> None:
        self.model, self.momentum, self.threshold = model, momentum, threshold
        self.last: dict[str, Tensor] = {}
        self.direction: dict[str, Tensor] = {}
        self.frequency: dict[str, Tensor] = {}

    def step(self, batch: tuple[Tensor, Tensor]) -> None:
        for name, layer in weight_layers(self.model).items():
            if not layer.alphabet:
                continue
            codes = layer.codes
            if name not in self.last:
                self.last[name] = codes
                self.direction[name] = torch.zeros_like(codes)
                self.frequency[name] = torch.zeros(codes.shape)
                continue
            moved = torch.sign(codes - self.last[name])
            reversed_ = moved * self.direction[name] == -1
            self.frequency[name].lerp_(reversed_.float(), self.momentum)
            self.direction[name] = torch.where(moved != 0, moved, self.direction[name])
            self.last[name] = codes

    def shares(self) -> dict[str, float]:
        """The share of oscillating weights of each layer."""
        return {
            name: float((frequency > self.threshold).float().mean())
            for name, frequency in self.frequency.items()
        }

    def report(self) -> dict[str, float]:
        if not self.frequency:
            return {}
        every = torch.cat([f.flatten() for f in self.frequency.values()])
        return {"oscillating": float((every > self.threshold).float().mean())}

    def state(self) -> State:
        return {"last": self.last, "direction": self.direction, "frequency": self.frequency}

    def restore(self, state: State) -> None:
        self.last, self.direction = state["last"], state["direction"]
        self.frequency = state["frequency"]


class Freezing(Method):
    """Reports ``frozen`` and ``sign frozen``, the shares over all weights; per layer in fields."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.before: dict[str, Tensor] = {}
        self.frozen: dict[str, float] = {}
        self.sign_frozen: dict[str, float] = {}

    def begin_epoch(self, epoch: int) -> None:
        self.before = {n: m.codes for n, m in weight_layers(self.model).items() if m.alphabet}

    def end_epoch(self, epoch: int) -> None:
        self.frozen, self.sign_frozen = {}, {}
        for name, layer in weight_layers(self.model).items():
            if name in self.before:
                now, before = layer.codes, self.before[name]
                self.frozen[name] = float((now == before).float().mean())
                same = torch.sign(now) == torch.sign(before)
                self.sign_frozen[name] = float(same.float().mean())

    def report(self) -> dict[str, float]:
        sizes = {name: self.before[name].numel() for name in self.frozen}
        total = sum(sizes.values())
        if not total:
            return {}
        return {
            "frozen": sum(self.frozen[n] * s for n, s in sizes.items()) / total,
            "sign frozen": sum(self.sign_frozen[n] * s for n, s in sizes.items()) / total,
        }
