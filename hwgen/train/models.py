"""Networks of the standard cases, batch-norm after every layer, the classifier's too."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from itertools import pairwise, repeat

from torch import nn

from hwgen import nn as q
from hwgen.errors import UsageError

POOL = "pool"
"""Stands for a 2×2 max pooling among the widths of convolutions."""


def mlp(
    inputs: int,
    hidden: Sequence[int],
    classes: int,
    *,
    weight: q.WeightSpec | Sequence[q.WeightSpec],
    activation: q.ActSpec | Sequence[q.ActSpec],
    input: q.ActSpec,
    relu: bool = True,
) -> nn.Sequential:
    """Fully connected layers ``fc1``, ``fc2`` … ``classifier``; ``act1`` … quantize in between.

    ``weight`` is one spec, or one per layer, the classifier's last; ``activation`` one, or one per
    hidden layer. ``relu`` puts a ReLU before each quantizer; leave it out for signs.
    """
    stack = _Stack(weight, activation, relu)
    stack.layers["flatten"] = nn.Flatten()
    stack.layers["encoding"] = q.QuantIdentity(input)
    return stack.closed(inputs, hidden, classes)


def cnn(
    shape: tuple[int, ...],
    convolutions: Sequence[int | str],
    hidden: Sequence[int],
    classes: int,
    *,
    weight: q.WeightSpec | Sequence[q.WeightSpec],
    activation: q.ActSpec | Sequence[q.ActSpec],
    input: q.ActSpec,
    relu: bool = True,
) -> nn.Sequential:
    """3×3 convolutions with a border of zeros, ``conv1`` …, then layers as those of ``mlp``.

    ``shape`` is a frame's (channels, height, width); ``convolutions`` has the output channels of
    each, and ``"pool"`` where a 2×2 max pooling stands. ``weight`` and ``activation`` count the
    convolutions first.

    Raises:
        UsageError: frames that are no images, or that are pooled to nothing.
    """
    channels, height, width = _image(shape)
    stack = _Stack(weight, activation, relu)
    stack.layers["encoding"] = q.QuantIdentity(input)
    number = 0
    for place, item in enumerate(convolutions, start=1):
        if isinstance(item, str):
            height, width = height // 2, width // 2
            stack.layers[f"pool{place}"] = nn.MaxPool2d(2)
            continue
        number += 1
        conv = q.QuantConv2d(channels, item, 3, padding=1, bias=False, weight=stack.weight())
        stack.add(f"conv{number}", conv, nn.BatchNorm2d(item))
        channels = item
    if not height * width:
        raise UsageError(f"frames of {shape} are too small for so many poolings")
    stack.layers["flatten"] = nn.Flatten()
    return stack.closed(channels * height * width, hidden, classes)


def _image(shape: tuple[int, ...]) -> tuple[int, int, int]:
    if len(shape) != 3:
        raise UsageError(
            f"convolutions need frames of shape (channels, height, width), not {shape}",
            hint="reshape x to (frames, channels, height, width)",
        )
    return shape[0], shape[1], shape[2]


class _Stack:
    """Layers with their batch-norm and quantizer, in order; each takes the next specs."""

    def __init__(
        self,
        weight: q.WeightSpec | Sequence[q.WeightSpec],
        activation: q.ActSpec | Sequence[q.ActSpec],
        relu: bool,
    ) -> None:
        self.layers: OrderedDict[str, nn.Module] = OrderedDict()
        self.kind = q.QuantReLU if relu else q.QuantAct
        self.weights = repeat(weight) if isinstance(weight, q.WeightSpec) else iter(weight)
        self.acts = repeat(activation) if isinstance(activation, q.ActSpec) else iter(activation)
        self.number = 0

    def weight(self) -> q.WeightSpec:
        return next(self.weights)

    def add(self, name: str, layer: nn.Module, norm: nn.Module) -> None:
        self.number += 1
        self.layers[name] = layer
        self.layers[f"bn{self.number}"] = norm
        self.layers[f"act{self.number}"] = self.kind(next(self.acts))

    def closed(self, inputs: int, hidden: Sequence[int], classes: int) -> nn.Sequential:
        """Fully connected layers and the classifier behind what there is."""
        for number, (columns, rows) in enumerate(pairwise((inputs, *hidden)), start=1):
            layer = q.QuantLinear(columns, rows, bias=False, weight=self.weight())
            self.add(f"fc{number}", layer, nn.BatchNorm1d(rows))
        last = hidden[-1] if hidden else inputs
        self.layers["classifier"] = q.QuantLinear(last, classes, bias=False, weight=self.weight())
        self.layers["norm"] = nn.BatchNorm1d(classes)
        return nn.Sequential(self.layers)
