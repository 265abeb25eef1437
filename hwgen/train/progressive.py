"""Iterative training: a float network whose layers become quantized one after another, for good.

Source: Lan 2021, "Iterative Training: Finding Binary Weight Deep Neural Networks with Layer
Binarization" (arXiv 2111.07046). Training begins in float; every K epochs one more layer's weights
become ``sign(w)`` without a scale (`hwgen.nn.Sign`) and all layers train on, until all are binary,
the first and the last too. There is a batch-norm after every layer, the classifier's as well
(`hwgen.train.models.mlp`). The order is forward, reverse, random, given, or by sensitivity: each
layer quantized alone for K epochs, layers sorted by the loss that remains.

Any quantizer may take the place of the sign, and activations may take part, each a stage of its
own in the order of the network.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import nn

from hwgen.errors import UsageError
from hwgen.nn.layers import QuantizedWeight
from hwgen.nn.plain import FloatAct, FloatWeight, Sign
from hwgen.nn.quantizer import ActSpec, WeightSpec
from hwgen.train.data import Data
from hwgen.train.fit import FitConfig, fit
from hwgen.train.method import Method, State, activation_layers, weight_layers

ORDERS = ("forward", "reverse", "random")


class Progressive(Method):
    """Quantizes one float layer more at the start of epochs K, 2K, 3K …

    ``weight`` and ``activation`` are the specs that float layers change to; None leaves that kind
    alone. ``order`` is one of `ORDERS` or all the layers' paths, first to change first.

    Raises:
        UsageError: if there is nothing to quantize, or ``order`` is not an order of it.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        weight: WeightSpec | None = Sign(),  # noqa: B008 (frozen)
        activation: ActSpec | None = None,
        order: str | Sequence[str] = "forward",
        every: int = 5,
        seed: int = 0,
    ) -> None:
        if every < 1:
            raise UsageError(f"every must be at least 1 epoch, not {every}")
        self.model, self.weight, self.activation = model, weight, activation
        self.every = every
        self.done: list[str] = []
        self.order = ordered(float_layers(model, weight, activation), order, seed)
        self._optimizer: torch.optim.Optimizer | None = None

    @property
    def epochs(self) -> int:
        """Epochs with which the last layer trains quantized for as long as the first was float."""
        return self.every * (len(self.order) + 1)

    def start(self, optimizer: torch.optim.Optimizer) -> None:
        self._optimizer = optimizer

    def begin_epoch(self, epoch: int) -> None:
        while len(self.done) < min(epoch // self.every, len(self.order)):
            self._quantize(self.order[len(self.done)])

    def report(self) -> dict[str, float]:
        return {"quantized layers": float(len(self.done))}

    def state(self) -> State:
        return {"order": self.order, "done": self.done}

    def restore(self, state: State) -> None:
        self.order = list(state["order"])
        for name in state["done"]:
            self._quantize(name)

    def _quantize(self, name: str) -> None:
        before = {id(p) for p in self.model.parameters()}
        quantize_layer(self.model.get_submodule(name), self.weight, self.activation)
        new = [p for p in self.model.parameters() if id(p) not in before]
        if new and self._optimizer is not None:
            self._optimizer.add_param_group({"params": new})
        self.done.append(name)


def float_layers(
    model: nn.Module, weight: WeightSpec | None, activation: ActSpec | None
) -> list[str]:
    """Paths of the layers that are still float and of a kind with a spec, first layer first.

    Raises:
        UsageError: if there are none.
    """
    weights = weight_layers(model) if weight is not None else {}
    acts = activation_layers(model) if activation is not None else {}
    found = [
        name
        for name, _ in model.named_modules()
        if (name in weights and isinstance(weights[name].weight_quantizer, FloatWeight))
        or (name in acts and isinstance(acts[name].quantizer, FloatAct))
    ]
    if not found:
        raise UsageError(
            "progressive training must have at least one float layer to quantize",
            hint="make the layers with weight=Float(), and QuantAct(Float(clip=1.0))",
        )
    return found


def quantize_layer(layer: nn.Module, weight: WeightSpec | None, activation: ActSpec | None) -> None:
    """Give one layer its quantizer; its weight stays."""
    if isinstance(layer, QuantizedWeight):
        assert weight is not None, "a weight layer is listed only with a spec"
        layer.quantize_weight_with(weight)
    else:
        assert activation is not None, "an activation is listed only with a spec"
        layer.quantizer = activation.act_quantizer()
        layer._spec = activation  # type: ignore[assignment]


def ordered(layers: list[str], order: str | Sequence[str], seed: int) -> list[str]:
    """The layers, first layer first, in another order.

    Raises:
        UsageError: if it is not one of `ORDERS` and not an order of these layers.
    """
    if order == "forward":
        return list(layers)
    if order == "reverse":
        return list(reversed(layers))
    if order == "random":
        return random.Random(seed).sample(layers, len(layers))
    if isinstance(order, str) or sorted(order) != sorted(layers):
        raise UsageError(
            f"order must be {', '.join(ORDERS)}, or all of {', '.join(layers)}, not {order!r}"
        )
    return list(order)


def sensitivities(
    model: nn.Module,
    data: Data,
    config: FitConfig,
    *,
    weight: WeightSpec | None = Sign(),  # noqa: B008 (frozen)
    activation: ActSpec | None = None,
    epochs: int = 1,
) -> dict[str, float]:
    """The validation loss after ``epochs`` of training with only this layer quantized, for each.

    The model is not changed. For an order: ``sorted(found, key=found.get)`` quantizes the least
    sensitive layer first; ``reverse=True`` the most sensitive.
    """
    found = {}
    for name in float_layers(model, weight, activation):
        trial = copy.deepcopy(model)
        quantize_layer(trial.get_submodule(name), weight, activation)
        fit(trial, data, replace(config, epochs=epochs))
        trial.eval()
        with torch.no_grad():
            found[name] = float(F.cross_entropy(trial(data.validation[0]), data.validation[1]))
    return found
