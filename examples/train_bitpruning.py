"""BitPruning: bit lengths shrink, are rounded up at epoch 12, and the rest is fine-tuning.

python examples/train_bitpruning.py train_bitpruning.pt
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from sklearn.datasets import load_digits

import hwgen
from hwgen import nn as q
from hwgen.train.bitpruning import BitPruning
from hwgen.train.data import split
from hwgen.train.fit import FitConfig, accuracy, fit
from hwgen.train.models import mlp

torch.manual_seed(0)
x, y = load_digits(return_X_y=True)
data = split((torch.tensor(x / 16, dtype=torch.float32), torch.tensor(y)))

pixels = q.UInt(5, step=1 / 16)
bits = q.LearnedBits(8)
model = mlp(64, [32], 10, weight=bits, activation=bits, input=pixels)
method = BitPruning(model, strength=0.5, freeze_at=12)

fit(model, data, FitConfig(epochs=20, lr=0.01), [method])
print(f"test accuracy {100 * accuracy(model, data.test):.1f} %, bits {method.allocation()}")
hwgen.save(model, Path(sys.argv[1]), data.test[0][:1])
