"""DS-CNN, MLPerf Tiny's depthwise-separable network for keyword spotting, with 4-bit weights.

    python examples/dscnn.py --out out/dscnn --epochs 40

Trained on 800 frames of MLPerf Tiny's accuracy set and tested on its other 200: a demonstration of
the hardware, no comparison with networks trained on all of Speech Commands. Writes ``model.pt`` and
``test.npz``; see `convnets.run`.
"""

from __future__ import annotations

import torch
from convnets import Trained, arguments, moved_and_noisy, run, speech
from torch import nn

from hwgen import nn as q
from hwgen.train.fit import FitConfig

CHANNELS = 64
WEIGHT = q.Int(4, per_channel=True)


def layer(conv: nn.Module) -> list[nn.Module]:
    return [conv, nn.BatchNorm2d(CHANNELS), q.QuantReLU(q.UInt(4))]


def separable() -> list[nn.Module]:
    """A 3×3 convolution of each channel, then a 1×1 convolution over all of them."""
    deep = q.QuantConv2d(
        CHANNELS, CHANNELS, 3, padding=1, groups=CHANNELS, bias=False, weight=WEIGHT
    )
    point = q.QuantConv2d(CHANNELS, CHANNELS, 1, bias=False, weight=WEIGHT)
    return [*layer(deep), *layer(point)]


def network() -> nn.Sequential:
    """A 10×4 convolution of stride 2, four separable layers, the mean over all pixels."""
    first = q.QuantConv2d(1, CHANNELS, (10, 4), 2, padding=(5, 1), bias=False, weight=WEIGHT)
    layers: list[nn.Module] = [q.QuantIdentity(q.SInt(8, step=1 / 64)), *layer(first)]
    for _ in range(4):
        layers += separable()
    head = [nn.AvgPool2d((25, 5)), q.QuantAct(q.UInt(6)), nn.Flatten()]
    return nn.Sequential(*layers, *head, q.QuantLinear(CHANNELS, 12, weight=WEIGHT))


def main() -> None:
    options = arguments(__doc__, "kws").parse_args()
    torch.manual_seed(0)
    model = Trained(network(), 1 / 64, moved_and_noisy)
    config = FitConfig(epochs=max(options.epochs, 1), batch=40, lr=0.003)
    print(run(model, speech(options.data), options, config))


if __name__ == "__main__":
    main()
