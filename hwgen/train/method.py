"""What a training method may do inside any loop, and the layers that it acts on."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from hwgen.nn.activations import QuantAct
from hwgen.nn.layers import QuantizedWeight

State = dict[str, Any]


class Method:
    """Hooks of a training method; a loop calls them in this order, and each does nothing here.

    ``start(optimizer)`` once, ``begin_epoch(epoch)`` before each epoch, ``loss()`` for each batch,
    to be added to the task's loss, ``step(task)`` after each optimizer step, ``end_epoch(epoch)``
    after each epoch. ``state()`` and ``restore(state)`` carry the method over a restart: restore
    comes after ``start`` and before the model and the optimizer load their own states, so it
    brings the model into the structure that it had.
    """

    model: nn.Module

    def start(self, optimizer: torch.optim.Optimizer) -> None:
        """Take the optimizer whose parameters this method may extend."""

    def begin_epoch(self, epoch: int) -> None:
        """Epochs count from 0."""

    def loss(self) -> Tensor | float:
        """What this batch adds to the loss."""
        return 0.0

    def step(self, batch: tuple[Tensor, Tensor]) -> None:
        """After the optimizer's step on this batch of inputs and labels."""

    def end_epoch(self, epoch: int) -> None:
        """Epochs count from 0."""

    def report(self) -> dict[str, float]:
        """Numbers of the epoch for the learning curve."""
        return {}

    def state(self) -> State:
        """What ``restore`` needs, of plain values and tensors."""
        return {}

    def restore(self, state: State) -> None:
        """Continue from ``state()``."""


def weight_layers(model: nn.Module) -> dict[str, QuantizedWeight]:
    """Layers with a quantized weight, in the order of definition, by their path."""
    return {n: m for n, m in model.named_modules() if isinstance(m, QuantizedWeight)}


def activation_layers(model: nn.Module) -> dict[str, QuantAct]:
    """Layers that quantize an activation, in the order of definition, by their path."""
    return {n: m for n, m in model.named_modules() if isinstance(m, QuantAct)}


def operations(layer: nn.Module, outputs: int = 1) -> int:
    """Multiplications of one frame; ``outputs`` is how many pixels a convolution makes."""
    return weight_count(layer) * outputs


def weight_count(layer: nn.Module) -> int:
    """Weights of a linear or convolution layer, from its shape alone."""
    if isinstance(layer, nn.Linear):
        return layer.in_features * layer.out_features
    if isinstance(layer, nn.Conv1d | nn.Conv2d):
        kernel = int(torch.tensor(layer.kernel_size).prod())
        return layer.in_channels // layer.groups * layer.out_channels * kernel
    return 0
