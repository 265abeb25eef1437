"""AdaQAT: relaxed bit widths, moved by finite differences of the loss and a hardware term.

Source: Gernigon et al. 2024, "AdaQAT: Adaptive Bit-Width Quantization-Aware Training"
(arXiv 2404.16876). Training computes with ⌈N⌉ bits. The gradient of the loss in a relaxed width N
is ``L(⌈N⌉) - L(⌊N⌋)``, to which λ times that of the hardware term is added, and N moves down it
with a rate of its own. The paper has two widths for the whole network, N_w and N_a, and the
hardware term ``⌈N_w⌉·⌈N_a⌉``, whose derivatives are ``⌈N_a⌉`` and ``⌈N_w⌉``; it is normalised here
to its value at the start. When ⌈N⌉ has gone back and forth ``patience`` = 10 times, N stays at the
greater of the two.

``layers=True`` gives each layer a width of its own, at one more forward pass per layer and update.
Losses are compared in eval mode, so that batch statistics are not disturbed.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hwgen.errors import UsageError
from hwgen.nn.bits import BitLength
from hwgen.train.bitpruning import Cost, bit_lengths
from hwgen.train.method import Method, State, activation_layers

RATE = 0.1
STRENGTH = 0.15
PATIENCE = 10


@dataclass
class Width:
    """A relaxed width that several bit lengths share."""

    name: str
    lengths: list[str]
    value: float
    direction: int = 0
    turns: int = 0
    frozen: bool = False


class AdaQAT(Method):
    """Moves the widths of `hwgen.nn.LearnedBits` layers every ``every`` steps.

    ``freeze_at`` fixes them from that epoch on. ``cost`` replaces the paper's hardware term; its
    derivative is a finite difference too.

    Raises:
        UsageError: if the model has no learned bit length, or a setting is out of range.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        rate: float = RATE,
        strength: float = STRENGTH,
        patience: int = PATIENCE,
        every: int = 5,
        layers: bool = False,
        freeze_at: int | None = None,
        cost: Cost | None = None,
    ) -> None:
        if rate <= 0 or strength < 0 or patience < 1 or every < 1:
            raise UsageError("rate, patience and every must be positive, and strength at least 0")
        self.model, self.rate, self.strength, self.patience = model, rate, strength, patience
        self.every, self.freeze_at = every, freeze_at
        self.lengths = bit_lengths(model)
        for length in self.lengths.values():
            length.value.requires_grad_(False)
        acts = set(activation_layers(model)) & set(self.lengths)
        self.widths = _widths(self.lengths, acts, layers)
        self.cost = cost or BitProduct(set(self.lengths) - acts, acts)
        self.unit = float(self.cost(self._bits())) or 1.0
        self.steps = 0

    def begin_epoch(self, epoch: int) -> None:
        if self.freeze_at is not None and epoch >= self.freeze_at:
            for width in self.widths:
                self._freeze(width, width.value)

    def step(self, batch: tuple[Tensor, Tensor]) -> None:
        self.steps += 1
        if self.steps % self.every == 0 and not all(w.frozen for w in self.widths):
            for width in self.widths:
                if not width.frozen:
                    self._move(width, self._gradient(width, batch))

    def report(self) -> dict[str, float]:
        return {f"bits {w.name}": w.value for w in self.widths}

    def allocation(self) -> dict[str, int]:
        """The whole bit length of each layer."""
        return {name: int(length.whole().max()) for name, length in self.lengths.items()}

    def state(self) -> State:
        return {"widths": [vars(w) for w in self.widths], "steps": self.steps}

    def restore(self, state: State) -> None:
        self.widths = [Width(**w) for w in state["widths"]]
        self.steps = state["steps"]

    def _gradient(self, width: Width, batch: tuple[Tensor, Tensor]) -> float:
        above = self._price(width, width.value, batch)
        below = self._price(width, max(width.value - 1, self._least(width)), batch)
        return above - below

    @torch.no_grad()
    def _price(self, width: Width, bits: float, batch: tuple[Tensor, Tensor]) -> float:
        """The task's loss and the hardware term with ⌈bits⌉ in this width."""
        self._set(width, bits)
        training = self.model.training
        self.model.eval()
        task = float(F.cross_entropy(self.model(batch[0]), batch[1]))
        self.model.train(training)
        hardware = float(self.cost(self._bits())) / self.unit
        self._set(width, width.value)
        return task + self.strength * hardware

    def _move(self, width: Width, gradient: float) -> None:
        before = _ceil(width.value)
        most = min(self.lengths[name].most for name in width.lengths)
        width.value = min(max(width.value - self.rate * gradient, self._least(width)), most)
        self._set(width, width.value)
        direction = _ceil(width.value) - before
        if not direction:
            return
        width.turns += direction * width.direction < 0
        width.direction = direction
        if width.turns >= self.patience:
            self._freeze(width, float(max(before, _ceil(width.value))))

    def _freeze(self, width: Width, bits: float) -> None:
        width.value, width.frozen = float(_ceil(bits)), True
        self._set(width, width.value)
        for name in width.lengths:
            self.lengths[name].freeze()

    def _set(self, width: Width, bits: float) -> None:
        for name in width.lengths:
            self.lengths[name].set(bits)

    def _least(self, width: Width) -> int:
        return max(self.lengths[name].least for name in width.lengths)

    def _bits(self) -> dict[str, Tensor]:
        return {name: length.whole() for name, length in self.lengths.items()}


class BitProduct:
    """The paper's term: mean bits of weights times mean bits of activations."""

    def __init__(self, weights: set[str], activations: set[str]) -> None:
        self.weights, self.activations = sorted(weights), sorted(activations)

    def __call__(self, bits: dict[str, Tensor]) -> Tensor:
        product = torch.ones(())
        for names in (self.weights, self.activations):
            if names:
                product = product * torch.stack([bits[name].mean() for name in names]).mean()
        return product


def _widths(lengths: dict[str, BitLength], acts: set[str], layers: bool) -> list[Width]:
    def start(names: list[str]) -> float:
        return max(float(lengths[name].value.max()) for name in names)

    if layers:
        return [Width(name, [name], start([name])) for name in lengths]
    groups = {"weights": [n for n in lengths if n not in acts], "activations": sorted(acts)}
    return [Width(kind, names, start(names)) for kind, names in groups.items() if names]


def _ceil(value: float) -> int:
    return -int(-value // 1)
