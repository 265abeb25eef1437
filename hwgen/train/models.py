"""Networks of the standard cases, batch-norm after every layer, the classifier's too."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from torch import nn

from hwgen import nn as q


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
    widths = [inputs, *hidden]
    specs = [weight] * (len(hidden) + 1) if isinstance(weight, q.WeightSpec) else list(weight)
    acts = [activation] * len(hidden) if isinstance(activation, q.ActSpec) else list(activation)
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    layers["flatten"] = nn.Flatten()
    layers["encoding"] = q.QuantIdentity(input)
    for number, (columns, rows) in enumerate(zip(widths, hidden, strict=False), start=1):
        layers[f"fc{number}"] = q.QuantLinear(columns, rows, bias=False, weight=specs[number - 1])
        layers[f"bn{number}"] = nn.BatchNorm1d(rows)
        kind = q.QuantReLU if relu else q.QuantAct
        layers[f"act{number}"] = kind(acts[number - 1])
    layers["classifier"] = q.QuantLinear(widths[-1], classes, bias=False, weight=specs[-1])
    layers["norm"] = nn.BatchNorm1d(classes)
    return nn.Sequential(layers)
