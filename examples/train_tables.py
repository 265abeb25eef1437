"""Neurons of six 1-bit inputs: chosen while they train, then learned as truth tables, a LUT each.

python examples/train_tables.py train_tables.pt
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from sklearn.datasets import load_digits

import hwgen
from hwgen import nn as q
from hwgen.train.data import split
from hwgen.train.fan_in import FanIn
from hwgen.train.fit import FitConfig, accuracy, fit
from hwgen.train.models import mlp
from hwgen.train.tables import LearnedTables

torch.manual_seed(0)
x, y = load_digits(return_X_y=True)
data = split((torch.tensor(x / 16, dtype=torch.float32), torch.tensor(y)))

six = q.FewInputs(q.Int(5, step=1 / 16), fan_in=6)
classes = q.FewInputs(q.Ternary(scale=0.2, threshold=0.0), fan_in=40)
model = mlp(64, [150, 80], 10, weight=[six, six, classes], activation=q.Binary(),
            input=q.UInt(1, step=1.0), relu=False)  # fmt: skip
FanIn.initialize(model)

methods = [FanIn(model, end=10), LearnedTables(model, at=16)]
fit(model, data, FitConfig(epochs=40, lr=0.01), methods)
print(f"test accuracy {100 * accuracy(model, data.test):.1f} %")
hwgen.save(model, Path(sys.argv[1]), data.test[0][:1])
