"""Every method's trained network: saved, imported, and equal to torch integer by integer."""

from pathlib import Path

import pytest
import torch

from hwgen import nn as q
from hwgen.train.fit import FitConfig, accuracy, fit
from tests.train.golden import check_golden, digits, tiny

QUANTIZERS = {
    "lsq": (q.Int(3), q.UInt(3), 0.01),
    "pact-sawb": (q.SAWB(2), q.PACT(3, alpha=4.0), 0.01),
    "statsq": (q.StatsQ(2), q.UInt(2), 0.01),
    "syq-pixel": (q.SYQ("pixel"), q.UInt(2), 0.01),
    "syq-channel": (q.SYQ("channel", ternary=False), q.UInt(2), 0.01),
    "denseshift": (q.DenseShift(3), q.UInt(2), 0.003),
    "s3": (q.S3(3), q.UInt(2), 0.01),
    "deepshift": (q.Shift(3, zero=True), q.UInt(2), 0.01),
    "sign": (q.Sign(), q.UInt(2), 0.01),
}


@pytest.mark.parametrize("name", QUANTIZERS)
def test_a_trained_quantizer_is_built_as_torch_computes_it(name: str, tmp_path: Path):
    weight, activation, lr = QUANTIZERS[name]
    torch.manual_seed(0)
    model = tiny(weight, activation)
    fit(model, digits(), FitConfig(epochs=3, lr=lr))
    assert accuracy(model, digits().test) > 0.75
    check_golden(model, digits().test[0], tmp_path)
