"""Train a small quantized network on scikit-learn's bundled digits, in some ten seconds.

    python examples/digits.py out/digits.pt

writes the model for ``hwgen build`` and, beside it, ``out/digits.npz`` with the 450 test images for
``hwgen sim --dataset``. The network: 64 pixels of 4 bits, 24 neurons with ±1 weights and 2-bit
activations, 10 outputs with zero-free 3-bit shift weights.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import hwgen
from hwgen import nn as q

EPOCHS = 60
BATCH = 64
LEARNING_RATE = 0.01


def network() -> torch.nn.Sequential:
    """64 -> 24 -> 10."""
    return torch.nn.Sequential(
        q.QuantIdentity(q.UInt(bits=4, step=1.0)),  # pixels are 0 … 16
        q.QuantLinear(64, 24, bias=False, weight=q.Binary()),
        torch.nn.BatchNorm1d(24),
        q.QuantReLU(q.UInt(bits=2)),
        q.QuantLinear(24, 10, bias=False, weight=q.Shift(bits=3, zero=False)),
    )


def train(model: torch.nn.Module, x: torch.Tensor, y: torch.Tensor) -> None:
    """An ordinary torch training loop."""
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    steps = EPOCHS * (len(x) // BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(x))[: len(x) // BATCH * BATCH].split(BATCH):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
            optimizer.step()
            schedule.step()


def accuracy(model: torch.nn.Module, x: torch.Tensor, y: torch.Tensor) -> float:
    """The share of frames whose largest logit is the label's."""
    model.eval()
    with torch.no_grad():
        return float((model(x).argmax(1) == y).float().mean())


def main() -> None:
    parser = argparse.ArgumentParser(description="train, test and save a digits network")
    parser.add_argument("model", nargs="?", type=Path, default=Path("digits.pt"))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    torch.set_num_threads(1)  # the fastest for so small a network
    digits = load_digits()
    x, x_test, y, y_test = train_test_split(
        digits.data.astype(np.float32),
        digits.target,
        test_size=450,
        stratify=digits.target,
        random_state=0,
    )
    model = network()
    train(model, torch.from_numpy(x), torch.from_numpy(y))
    score = accuracy(model, torch.from_numpy(x_test), torch.from_numpy(y_test))
    hwgen.save(model, options.model, torch.from_numpy(x_test[:64]))
    data = options.model.with_suffix(".npz")
    np.savez_compressed(data, x=x_test, y=y_test)
    print(f"test accuracy {score:.1%}; wrote {options.model} and {data}")


if __name__ == "__main__":
    main()
