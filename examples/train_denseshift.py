"""DenseShift: weights ±1, ±2, ±4, ±8, from a sign and three latents.

python examples/train_denseshift.py train_denseshift.pt
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
from hwgen.train.oscillation import Freezing

torch.manual_seed(0)
x, y = load_digits(return_X_y=True)
data = split((torch.tensor(x / 16, dtype=torch.float32), torch.tensor(y)))

pixels = q.UInt(5, step=1 / 16)
model = mlp(64, [32], 10, weight=q.DenseShift(3), activation=q.UInt(3), input=pixels)
freezing = Freezing(model)

fit(model, data, FitConfig(epochs=20, lr=0.003), [freezing])
frozen = 100 * freezing.report()["frozen"]
print(
    f"test accuracy {100 * accuracy(model, data.test):.1f} %, {frozen:.0f} % of the weights frozen"
)
hwgen.save(model, Path(sys.argv[1]), data.test[0][:1])
