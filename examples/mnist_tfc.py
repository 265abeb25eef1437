"""Train FINN's TFC shape, 784-64-64-64-10, on MNIST, quantized for hwgen.

    python examples/mnist_tfc.py --out out/tfc                                  # ±1 weights, 2-bit
    python examples/mnist_tfc.py --out out/tfc --activation-bits 1 --input binary
    python examples/mnist_tfc.py --out out/tfc --weights shift --activation-bits 4

writes ``model.pt`` and ``test.npz`` (all 10,000 test images) into the folder. The four idx files of
MNIST are looked for in ``--data``, by default ``$HWGEN_SHARED/data/mnist``.
"""

from __future__ import annotations

import argparse
import gzip
import os
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import nn

import hwgen
from hwgen import nn as q

WIDTHS = (784, 64, 64, 64)
BATCH = 128


def weight_spec(kind: str) -> q.WeightSpec:
    """±1, or zero-free powers of two ±1 … ±8 in 3 bits."""
    return q.Binary() if kind == "binary" else q.Shift(bits=3, zero=False)


def activation(bits: int) -> nn.Module:
    """A sign for one bit, else a quantized ReLU with a learned step."""
    return q.QuantAct(q.Binary()) if bits == 1 else q.QuantReLU(q.UInt(bits))


def network(weights: str, activation_bits: int, binary_input: bool) -> nn.Sequential:
    """Pixels 0 … 255 as they are, or 0 and 1 above half; batch-norm behind every layer."""
    first = q.UInt(bits=1, step=255.0) if binary_input else q.UInt(bits=8, step=1.0)
    layers: list[nn.Module] = [q.QuantIdentity(first)]
    for fan_in, fan_out in pairwise(WIDTHS):
        layers += [
            q.QuantLinear(fan_in, fan_out, bias=False, weight=weight_spec(weights)),
            nn.BatchNorm1d(fan_out),
            activation(activation_bits),
        ]
    layers += [
        q.QuantLinear(WIDTHS[-1], 10, bias=False, weight=weight_spec(weights)),
        nn.BatchNorm1d(10),
    ]
    return nn.Sequential(*layers)


def read_mnist(folder: Path, part: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Images as float32 (n, 784) in 0 … 255, and labels; ``part`` is ``train`` or ``t10k``."""
    with gzip.open(folder / f"{part}-images-idx3-ubyte.gz") as file:
        x = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 784)
    with gzip.open(folder / f"{part}-labels-idx1-ubyte.gz") as file:
        y = np.frombuffer(file.read(), np.uint8, offset=8)
    return torch.from_numpy(x.astype(np.float32)), torch.from_numpy(y.astype(np.int64))


def train(model: nn.Module, x: torch.Tensor, y: torch.Tensor, epochs: int, rate: float) -> None:
    """Adam with a cosine schedule; ±1 weights stay within the straight-through range."""
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    steps = len(x) // BATCH
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * steps)
    binary = [m.weight for m in model if isinstance(m, q.QuantLinear) and m.alphabet == (-1, 1)]
    for epoch in range(epochs):
        start, total = time.perf_counter(), 0.0
        for rows in torch.randperm(len(x))[: steps * BATCH].split(BATCH):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
            schedule.step()
            with torch.no_grad():
                for weight in binary:
                    weight.clamp_(-1, 1)
            total += loss.item()
        seconds = time.perf_counter() - start
        text = f"epoch {epoch + 1}/{epochs}: loss {total / steps:.4f}, {seconds:.1f} s"
        print(text, file=sys.stderr)


def accuracy(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> float:
    """The share of frames whose largest logit is the label's."""
    model.eval()
    with torch.no_grad():
        return float((model(x).argmax(1) == y).float().mean())


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="train, test and save a quantized MNIST network")
    shared = Path(os.environ.get("HWGEN_SHARED", Path(__file__).parents[2] / "shared"))
    parser.add_argument("--out", type=Path, default=Path("tfc"))
    parser.add_argument("--data", type=Path, default=shared / "data" / "mnist")
    parser.add_argument("--weights", choices=("binary", "shift"), default="binary")
    parser.add_argument("--activation-bits", type=int, choices=range(1, 9), default=2)
    parser.add_argument("--input", choices=("8bit", "binary"), default="8bit")
    parser.add_argument("--epochs", type=int, default=20)
    text = "default 0.01 for binary weights, 0.002 for shift weights"
    parser.add_argument("--learning-rate", type=float, help=text)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def main() -> None:
    options = parse()
    if not options.data.is_dir():
        sys.exit(f"{options.data} must hold MNIST's idx files: give --data or set HWGEN_SHARED")
    torch.manual_seed(options.seed)
    torch.set_num_threads(1)  # little slower than two, and the same figures on every machine
    x, y = read_mnist(options.data, "train")
    x_test, y_test = read_mnist(options.data, "t10k")
    model = network(options.weights, options.activation_bits, options.input == "binary")
    rate = options.learning_rate or (0.01 if options.weights == "binary" else 0.002)
    train(model, x, y, options.epochs, rate)
    score = accuracy(model, x_test, y_test)
    options.out.mkdir(parents=True, exist_ok=True)
    hwgen.save(model, options.out / "model.pt", x_test[:64])
    np.savez_compressed(options.out / "test.npz", x=x_test.numpy().astype(np.uint8), y=y_test)
    print(f"test accuracy {score:.2%}; wrote {options.out}/model.pt and {options.out}/test.npz")


if __name__ == "__main__":
    main()
