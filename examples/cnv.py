"""CNV, FINN's VGG-like network for 32×32 images, with ±1 weights and 1- or 2-bit activations.

    python examples/cnv.py --out out/cnv --activation-bits 1 --epochs 2

writes ``model.pt`` and ``test.npz`` into the folder, from the exact subset of CIFAR-10 in
``--data``, by default ``$HWGEN_SHARED/data/cifar10``. With ``--epochs 0`` only batch-norm's
statistics are settled: enough for figures of the hardware, useless as a classifier.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

import hwgen
from hwgen import nn as q

BATCH = 50
FILE = "cifar10_lossless_subset.npz"


def activation(bits: int) -> nn.Module:
    """A sign for one bit, else the codes −2 … 1 of step 1."""
    return q.QuantAct(q.Binary() if bits == 1 else q.SInt(bits, step=1.0))


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


def read_images(folder: Path, part: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Images (n, 3, 32, 32) in −1 … 127/128 and labels; ``part`` is ``train`` or ``test``."""
    with np.load(folder / FILE, allow_pickle=False) as data:
        pixels, labels = data[f"x_{part}"], data[f"y_{part}"]
    x = torch.from_numpy(pixels.astype(np.float32) / 128 - 1).permute(0, 3, 1, 2).contiguous()
    return x, torch.from_numpy(labels.astype(np.int64))


def train(model: nn.Module, x: torch.Tensor, y: torch.Tensor, epochs: int) -> None:
    """Adam with a cosine schedule and mirrored images."""
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    steps = max(epochs * (len(x) // BATCH), 1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for epoch in range(epochs):
        order = torch.randperm(len(x))
        for start in range(0, len(x) - BATCH + 1, BATCH):
            chosen = order[start : start + BATCH]
            images = torch.where(torch.rand(BATCH, 1, 1, 1) < 0.5, x[chosen], x[chosen].flip(3))
            loss = nn.functional.cross_entropy(model(images) / 16, y[chosen])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
        print(f"epoch {epoch}: loss {loss.item():.3f}", file=sys.stderr)


def main() -> int:
    shared = Path(os.environ.get("HWGEN_SHARED", "../shared"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=shared / "data" / "cifar10")
    parser.add_argument("--activation-bits", type=int, choices=(1, 2), default=1)
    parser.add_argument("--epochs", type=int, default=0)
    options = parser.parse_args()
    torch.manual_seed(0)
    model = network(options.activation_bits)
    x, y = read_images(options.data, "train")
    model.train()
    with torch.no_grad():
        for start in range(0, 5 * BATCH, BATCH):
            model(x[start : start + BATCH])
    train(model, x, y, options.epochs)
    model.eval()
    test_x, test_y = read_images(options.data, "test")
    options.out.mkdir(parents=True, exist_ok=True)
    hwgen.save(model, options.out / "model.pt", test_x[:1])
    np.savez(options.out / "test.npz", x=test_x.numpy(), y=test_y.numpy())
    with torch.no_grad():
        right = (model(test_x).argmax(1) == test_y).float().mean().item()
    print(f"accuracy {right:.1%} on the {len(test_y)} test images, {options.epochs} epochs")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
