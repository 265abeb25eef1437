"""ResNet-8, MLPerf Tiny's network for CIFAR-10, with zero-free shift weights (DenseShift).

    python examples/resnet8.py --out out/resnet8 --epochs 20

Weights are ±1 … ±8 in 3 bits, activations have 4 bits, and what is added has 5 and a sign, in
steps that are powers of two. Writes ``model.pt`` and ``test.npz``; see `convnets.run`.
"""

from __future__ import annotations

import torch
from convnets import Trained, arguments, cifar10, mirrored_and_moved, run
from torch import Tensor, nn

from hwgen import nn as q
from hwgen.train.fit import FitConfig

WEIGHT = q.DenseShift(3)


def relu() -> nn.Module:
    return q.QuantReLU(q.UInt(4, step="power_of_two"))


def convolution(inputs: int, outputs: int, kernel: int, stride: int = 1) -> list[nn.Module]:
    """A convolution that keeps the size, or divides it by the stride, and its batch-norm."""
    conv = q.QuantConv2d(
        inputs, outputs, kernel, stride, padding=kernel // 2, bias=False, weight=WEIGHT
    )
    return [conv, nn.BatchNorm2d(outputs)]


class Block(nn.Module):
    """Two convolutions beside the identity, or beside a strided 1×1 convolution."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        first = convolution(inputs, outputs, 3, stride)
        last = [*convolution(outputs, outputs, 3), q.QuantAct(q.SInt(6, step="power_of_two"))]
        self.main = nn.Sequential(*first, relu(), *last)
        side = convolution(inputs, outputs, 1, stride) if stride > 1 else []
        act = [q.QuantAct(q.SInt(6, step="power_of_two"))] if side else []
        self.side = nn.Sequential(*side, *act)
        self.relu = relu()

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.relu(self.main(x) + self.side(x))
        return y


def network() -> nn.Sequential:
    """16 channels, then blocks of 16, 32 and 64, the mean over all pixels, ten classes."""
    blocks = [Block(16, 16, 1), Block(16, 32, 2), Block(32, 64, 2)]
    start = [q.QuantIdentity(q.SInt(8, step=1 / 128)), *convolution(3, 16, 3), relu()]
    head = [nn.AvgPool2d(8), q.QuantAct(q.UInt(6)), nn.Flatten()]
    last = [q.QuantLinear(64, 10, bias=False, weight=WEIGHT), nn.BatchNorm1d(10)]
    return nn.Sequential(*start, *blocks, *head, *last)


def main() -> None:
    options = arguments(__doc__, "cifar10").parse_args()
    torch.manual_seed(0)
    model = Trained(network(), 1 / 128, mirrored_and_moved)
    config = FitConfig(epochs=max(options.epochs, 1), batch=100, lr=0.003)
    print(run(model, cifar10(options.data), options, config))


if __name__ == "__main__":
    main()
