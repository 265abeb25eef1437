"""Iterative training: every four epochs one more layer becomes binary.

python examples/train_progressive.py train_progressive.pt
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from sklearn.datasets import load_digits

import hwgen
from hwgen import nn as q
from hwgen.train.data import split
from hwgen.train.fit import FitConfig, accuracy, fit
from hwgen.train.models import mlp
from hwgen.train.progressive import Progressive

torch.manual_seed(0)
x, y = load_digits(return_X_y=True)
data = split((torch.tensor(x / 16, dtype=torch.float32), torch.tensor(y)))

pixels = q.UInt(5, step=1 / 16)
model = mlp(64, [32, 32], 10, weight=q.Float(), activation=q.UInt(3), input=pixels)

fit(model, data, FitConfig(epochs=16, lr=0.01), [Progressive(model, order="forward", every=4)])
print(f"test accuracy {100 * accuracy(model, data.test):.1f} %")
hwgen.save(model, Path(sys.argv[1]), data.test[0][:1])
