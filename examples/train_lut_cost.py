"""Bit lengths priced by hwgen's own LUT estimate for a board, and half of the weights pruned.

python examples/train_lut_cost.py train_lut_cost.pt
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from sklearn.datasets import load_digits

import hwgen
from hwgen import nn as q
from hwgen.train.bitpruning import BitPruning
from hwgen.train.cost import HardwareCost
from hwgen.train.data import split
from hwgen.train.fit import FitConfig, accuracy, fit
from hwgen.train.models import mlp
from hwgen.train.prune import Pruning

torch.manual_seed(0)
x, y = load_digits(return_X_y=True)
data = split((torch.tensor(x / 16, dtype=torch.float32), torch.tensor(y)))

pixels = q.UInt(5, step=1 / 16)
bits = q.LearnedBits(8)
model = mlp(64, [32], 10, weight=bits, activation=bits, input=pixels)
cost = HardwareCost("pynq-z2", "lut").of(model, data.train[0][:2])
method = BitPruning(model, strength=1.0, freeze_at=12, cost=cost)

fit(model, data, FitConfig(epochs=20, lr=0.01), [method, Pruning(model, 0.5, start=4, end=12)])
print(f"test accuracy {100 * accuracy(model, data.test):.1f} %, bits {method.allocation()}")
hwgen.save(model, Path(sys.argv[1]), data.test[0][:1])
