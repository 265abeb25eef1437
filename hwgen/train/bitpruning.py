"""BitPruning: bit lengths shrink under a regularizer while the network trains.

Source: Nikolić et al. 2020 (arXiv 2002.03090). The loss gains ``γ·Σ λᵢ·nᵢ`` over the bit lengths
of `hwgen.nn.LearnedBits`, with Σλ = 1: all alike (``equal``, the paper's default), or in proportion
to the multiplications that read the value (``operations``) or to how many values there are
(``memory``); or the loss gains γ times any `Cost`, such as a board's LUTs (`hwgen.train.cost`).
From epoch ``freeze_at`` on, bit lengths are rounded up and fixed, and the rest is fine-tuning.
"""

from __future__ import annotations

from typing import Literal, Protocol

import torch
from torch import Tensor, nn

from hwgen.errors import UsageError
from hwgen.nn.bits import BitLength, LearnedBitsAct, LearnedBitsWeight
from hwgen.train.method import Method, State, activation_layers, weight_layers
from hwgen.train.shapes import measure

Weighting = Literal["equal", "operations", "memory"]
STRENGTH = 0.1
RATE_FACTOR = 10.0


class Cost(Protocol):
    """A price of bit lengths, by layer path, differentiable in them."""

    def __call__(self, bits: dict[str, Tensor]) -> Tensor: ...


def bit_lengths(model: nn.Module) -> dict[str, BitLength]:
    """The learned bit lengths of weight and activation layers, by the layer's path.

    Raises:
        UsageError: if there are none.
    """
    found: dict[str, BitLength] = {}
    for name, layer in weight_layers(model).items():
        if isinstance(layer.weight_quantizer, LearnedBitsWeight):
            found[name] = layer.weight_quantizer.length
    for name, act in activation_layers(model).items():
        if isinstance(act.quantizer, LearnedBitsAct):
            found[name] = act.quantizer.length
    if not found:
        raise UsageError(
            "the model must have at least one learned bit length",
            hint="make its layers with LearnedBits()",
        )
    return found


class BitPruning(Method):
    """Adds the regularizer, keeps bit lengths within their bounds, freezes them in time.

    In `hwgen.train.fit` bit lengths learn ``rate_factor`` times as fast as weights: they have whole
    bits to go while weights move by small parts of one.
    ``example`` is a batch, which ``operations`` and ``memory`` need to know the layers' sizes.

    Raises:
        UsageError: if the model has no learned bit length, or the example is missing.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        strength: float = STRENGTH,
        weighting: Weighting = "equal",
        freeze_at: int | None = None,
        example: Tensor | None = None,
        cost: Cost | None = None,
        rate_factor: float = RATE_FACTOR,
    ) -> None:
        self.model, self.strength, self.freeze_at = model, strength, freeze_at
        self.rate_factor = rate_factor
        self.lengths = bit_lengths(model)
        self.cost = cost or WeightedBits(self._factors(weighting, example))

    def start(self, optimizer: torch.optim.Optimizer) -> None:
        own = {id(length.value): length.value for length in self.lengths.values()}
        for group in optimizer.param_groups:
            group["params"] = [p for p in group["params"] if id(p) not in own]
        optimizer.add_param_group(
            {"params": list(own.values()), "factor": self.rate_factor, "weight_decay": 0.0}
        )

    def begin_epoch(self, epoch: int) -> None:
        if self.freeze_at is not None and epoch >= self.freeze_at:
            for length in self.lengths.values():
                length.freeze()

    def loss(self) -> Tensor | float:
        if all(bool(length.frozen) for length in self.lengths.values()):
            return 0.0
        return self.strength * self.cost({n: b.value for n, b in self.lengths.items()})

    def step(self, batch: tuple[Tensor, Tensor]) -> None:
        for length in self.lengths.values():
            length.project()

    def report(self) -> dict[str, float]:
        bits = [float(length.value.detach().mean()) for length in self.lengths.values()]
        return {"mean bits": sum(bits) / len(bits)}

    def state(self) -> State:
        return {"frozen": [name for name, b in self.lengths.items() if bool(b.frozen)]}

    def restore(self, state: State) -> None:
        for name in state["frozen"]:
            self.lengths[name].freeze()

    def allocation(self) -> dict[str, int]:
        """The whole bit length of each layer; the greatest where channels differ."""
        return {name: int(length.whole().max()) for name, length in self.lengths.items()}

    def _factors(self, weighting: Weighting, example: Tensor | None) -> dict[str, float]:
        if weighting == "equal":
            return dict.fromkeys(self.lengths, 1 / len(self.lengths))
        if weighting not in ("operations", "memory"):
            raise UsageError(f"weighting must be equal, operations or memory, not {weighting!r}")
        if example is None:
            raise UsageError(f"weighting by {weighting} needs an example batch")
        sizes = measure(self.model, example)
        wanted = "operations" if weighting == "operations" else "values"
        found = {name: float(getattr(sizes[name], wanted)) for name in self.lengths}
        total = sum(found.values())
        return {name: value / total for name, value in found.items()}


class WeightedBits:
    """``Σ λᵢ·nᵢ``; a length per channel counts by its mean."""

    def __init__(self, factors: dict[str, float]) -> None:
        self.factors = factors

    def __call__(self, bits: dict[str, Tensor]) -> Tensor:
        return torch.stack([f * bits[name].mean() for name, f in self.factors.items()]).sum()
