"""BMPQ: layers' bit widths from bit gradients, by an integer program, within one training run.

Source: Kundu et al. 2021, "BMPQ: Bit-Gradient Sensitivity Driven Mixed-Precision Quantization of
DNNs from Scratch" (DATE 2022, arXiv 2112.13843). A weight of q bits is ``s·Σ 2^i·b_i`` (the top bit
counts negative), so its gradient in bit i is ``∂L/∂w·s·2^i``. A layer's sensitivity is the mean
over weights, bits and the batches of an interval of the magnitude of those gradients. At the end
of every interval of epochs an integer program gives each layer one of the supported widths: it
maximises ``Σ sensitivity·q`` with ``Σ cost(layer, q)`` within the budget; the default cost is
the bits of the layer's weights. The last interval starts before the learning rate falls, so the
final widths train on. The paper keeps the first and the last layer at a fixed width: ``pinned``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from torch import Tensor, nn

from hwgen.errors import UsageError
from hwgen.nn.bits import BitLength, LearnedBitsWeight
from hwgen.nn.layers import QuantizedWeight
from hwgen.train.method import Method, State, weight_count, weight_layers

Price = Callable[[str, int], float]


class BMPQ(Method):
    """Sets the widths of `hwgen.nn.LearnedBits` weights every ``interval`` epochs.

    ``budget`` counts in the unit of ``cost(layer, bits)``; without a cost, in weight bits per
    weight, averaged over the network. ``last`` is the epoch after which widths no longer change.

    Raises:
        UsageError: if no weight has a learned bit length, or the budget is below the least cost.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        budget: float,
        widths: Sequence[int] = (2, 4),
        interval: int = 5,
        last: int = 1 << 30,
        pinned: Mapping[str, int] | None = None,
        cost: Price | None = None,
    ) -> None:
        self.model, self.widths, self.interval, self.last = model, tuple(widths), interval, last
        self.layers = {
            name: layer
            for name, layer in weight_layers(model).items()
            if isinstance(layer.weight_quantizer, LearnedBitsWeight)
        }
        if not self.layers:
            raise UsageError("BMPQ needs weights with LearnedBits()")
        counts = {name: weight_count(layer) for name, layer in self.layers.items()}
        self.budget = budget if cost else budget * sum(counts.values())
        self.cost = cost or (lambda name, bits: float(bits * counts[name]))
        self.pinned = dict(pinned or {})
        self.sums = dict.fromkeys(self.layers, 0.0)
        self.batches = 0
        for name, layer in self.layers.items():
            _length(layer).value.requires_grad_(False)
            _length(layer).set(float(self.pinned.get(name, max(self.widths))))
        self._check()

    def step(self, batch: tuple[Tensor, Tensor]) -> None:
        self.batches += 1
        for name, layer in self.layers.items():
            self.sums[name] += bit_gradient(layer)

    def end_epoch(self, epoch: int) -> None:
        if (epoch + 1) % self.interval or epoch + 1 > self.last or not self.batches:
            return
        chosen = allocate(self.sensitivities(), self._choices(), self.cost, self.budget)
        for name, bits in chosen.items():
            _length(self.layers[name]).set(float(bits))
        self.sums, self.batches = dict.fromkeys(self.layers, 0.0), 0

    def sensitivities(self) -> dict[str, float]:
        """Mean bit gradients of the interval so far, by layer."""
        return {name: total / max(self.batches, 1) for name, total in self.sums.items()}

    def allocation(self) -> dict[str, int]:
        """The present width of each layer."""
        return {name: int(_length(layer).whole()) for name, layer in self.layers.items()}

    def report(self) -> dict[str, float]:
        return {f"bits {name}": float(bits) for name, bits in self.allocation().items()}

    def state(self) -> State:
        return {"sums": self.sums, "batches": self.batches}

    def restore(self, state: State) -> None:
        self.sums, self.batches = dict(state["sums"]), state["batches"]

    def _choices(self) -> dict[str, tuple[int, ...]]:
        return {n: (self.pinned[n],) if n in self.pinned else self.widths for n in self.layers}

    def _check(self) -> None:
        least = sum(min(self.cost(n, b) for b in w) for n, w in self._choices().items())
        if least > self.budget:
            raise UsageError(
                f"the budget must be at least {least:g}, the cost of the least widths, "
                f"not {self.budget:g}"
            )


def bit_gradient(layer: QuantizedWeight) -> float:
    """The mean magnitude of ``∂L/∂w·s·2^i`` over weights and bits; 0 without a gradient."""
    gradient = layer.weight.grad
    if not isinstance(gradient, Tensor):
        return 0.0
    bits = int(_length(layer).whole())
    per_weight = float((gradient.abs() * layer.scale).mean())
    return per_weight * ((1 << bits) - 1) / bits


def allocate(
    values: Mapping[str, float],
    choices: Mapping[str, Sequence[int]],
    cost: Price,
    budget: float,
) -> dict[str, int]:
    """One width per layer that maximises ``Σ value·width`` with ``Σ cost`` within the budget.

    Raises:
        UsageError: if no choice keeps to the budget.
    """
    pairs = [(name, bits) for name, widths in choices.items() for bits in widths]
    gain = np.array([values[name] * bits for name, bits in pairs])
    scale = np.abs(gain).max() or 1.0
    price = np.array([cost(name, bits) for name, bits in pairs])
    one = np.array([[float(name == own) for name, _ in pairs] for own in choices])
    found = milp(
        -gain / scale,
        integrality=np.ones(len(pairs)),
        bounds=Bounds(0, 1),
        constraints=[LinearConstraint(one, 1, 1), LinearConstraint(price[None], ub=budget)],
    )
    if found.x is None:
        raise UsageError(f"no widths keep to a budget of {budget:g}")
    return {name: bits for (name, bits), x in zip(pairs, found.x, strict=True) if x > 0.5}


def _length(layer: QuantizedWeight) -> BitLength:
    quantizer = layer.weight_quantizer
    assert isinstance(quantizer, LearnedBitsWeight), "only such layers are taken"
    return quantizer.length
