"""CNV, FINN's VGG-like network for 32×32 images, with ±1 weights and 1- or 2-bit activations.

    python examples/cnv.py --out out/cnv --activation-bits 2 --epochs 20

writes ``model.pt`` and ``test.npz`` into the folder; the same command goes on with a training that
was stopped. With ``--epochs 0`` only batch-norm's statistics are settled: enough for figures of the
hardware, useless as a classifier.
"""

from __future__ import annotations

import torch
from convnets import Trained, arguments, cifar10, mirrored_and_moved, run
from torch import nn

from hwgen import nn as q
from hwgen.train.fit import FitConfig


def activation(bits: int) -> nn.Module:
    """A sign for one bit, else a quantized ReLU with a learned step."""
    return q.QuantAct(q.Binary()) if bits == 1 else q.QuantReLU(q.UInt(bits))


def network(bits: int) -> nn.Sequential:
    """Two convolutions each of 64, 128 and 256 channels, three fully connected layers."""
    layers: list[nn.Module] = [q.QuantIdentity(q.SInt(8, step=1 / 128))]
    channels = 3
    for stage, width in enumerate((64, 128, 256)):
        layers += [nn.MaxPool2d(2)] if stage else []
        for _ in range(2):
            conv = q.QuantConv2d(channels, width, 3, bias=False, weight=q.Binary("mean"))
            layers += [conv, nn.BatchNorm2d(width), activation(bits)]
            channels = width
    layers.append(nn.Flatten())
    for _ in range(2):
        linear = q.QuantLinear(channels, 512, bias=False, weight=q.Binary("mean"))
        layers += [linear, nn.BatchNorm1d(512), activation(bits)]
        channels = 512
    return nn.Sequential(*layers, q.QuantLinear(channels, 10, bias=False, weight=q.Binary("mean")))


def main() -> None:
    parser = arguments(__doc__, "cifar10")
    parser.add_argument("--activation-bits", type=int, choices=(1, 2), default=2)
    options = parser.parse_args()
    torch.manual_seed(0)
    model = Trained(network(options.activation_bits), 1 / 128, mirrored_and_moved)
    config = FitConfig(epochs=max(options.epochs, 1), batch=100, lr=0.003)
    print(run(model, cifar10(options.data), options, config))


if __name__ == "__main__":
    main()
