"""GPFQ: a float network and one batch become a ternary network, without training again.

python examples/quantize_after_training.py ternary.pt
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from sklearn.datasets import load_digits
from torch import nn

import hwgen
from hwgen import nn as q
from hwgen.ptq import Calibration, WeightPlan, quantize
from hwgen.train.data import split
from hwgen.train.fit import FitConfig, accuracy, fit

torch.manual_seed(0)
x, y = load_digits(return_X_y=True)
data = split((torch.tensor(x / 16, dtype=torch.float32), torch.tensor(y)))
model = nn.Sequential(nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 10))
fit(model, data, FitConfig(epochs=20, lr=0.01))
found = quantize(
    model,
    data.train[0][:512],
    weight=WeightPlan("ternary", "gpfq"),
    activation=Calibration(4, "mse"),
    input=q.UInt(5, step=1 / 16),
)
print(f"float {100 * accuracy(model, data.test):.1f} %")
print(f"ternary {100 * accuracy(found.model, data.test):.1f} %")
hwgen.save(found.model, Path(sys.argv[1]), data.test[0][:1])
