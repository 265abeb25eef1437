"""Tiny trainings on the digits, and the comparison of torch's integers with the golden model's."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

import hwgen
from hwgen import nn as q
from hwgen.frontend.torch_export import load
from hwgen.ir.graph import Graph
from hwgen.passes.integerize import integerize
from hwgen.train.data import Data, split
from hwgen.train.models import mlp

PIXELS = q.UInt(5, step=1 / 16)
"""The digits' pixels, 0 … 16 sixteenths, exactly."""


@functools.cache
def digits(frames: int = 1797) -> Data:
    """The first ``frames`` digits, (64,) in 0 … 1, split with seed 0."""
    x, y = load_digits(return_X_y=True)
    pair = torch.tensor(x[:frames] / 16, dtype=torch.float32), torch.tensor(y[:frames])
    return split(pair)


def tiny(
    weight: q.WeightSpec, activation: q.ActSpec | None = None, *, relu: bool = True
) -> nn.Module:
    """64 -> 16 -> 10."""
    activation = activation or q.UInt(2)
    return mlp(64, [16], 10, weight=weight, activation=activation, input=PIXELS, relu=relu)


def imported(model: nn.Module, folder: Path) -> Graph:
    """The integer graph of a model that went through a file."""
    file = folder / "model.pt"
    hwgen.save(model, file, torch.zeros(1, 64))
    return integerize(load(file)).graph


def check_golden(model: nn.Sequential, x: torch.Tensor, folder: Path) -> Graph:
    """Assert that all codes of activations and weights, and all classes, are torch's own."""
    graph = imported(model, folder)
    model.eval()
    expected: dict[str, np.ndarray] = {}
    with torch.no_grad():
        value = x
        for name, layer in model.named_children():
            if isinstance(layer, q.QuantAct):
                codes = layer.integers(value).codes.numpy()
                expected[name] = (codes + 1) // 2 if layer.alphabet == (-1, 1) else codes
            value = layer(value)
            if isinstance(layer, q.QuantizedWeight):
                assert np.array_equal(graph[name].weight.values, layer.codes.numpy()), name
    seen: dict[str, np.ndarray] = {}
    integers = graph.input.encode(x.numpy())
    output = graph.trace(integers, lambda node, value: seen.update({node.name: value}))
    for name, codes in expected.items():
        assert np.array_equal(seen[name], codes), name
    assert np.array_equal(graph.output.predictions(output), value.argmax(dim=1).numpy())
    return graph
