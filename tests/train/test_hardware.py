"""Every method's trained weights in hardware: the core's outputs are the golden model's, on all
test frames. Networks hold several methods, one per layer, because compiling a model takes longest.
"""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import hwgen
from hwgen import nn as q
from hwgen import pipeline, simulate
from hwgen.ptq import Calibration, WeightPlan, quantize
from hwgen.request import PlanRequest
from hwgen.train.adaqat import AdaQAT
from hwgen.train.annealing import ConfidenceAnnealing
from hwgen.train.bitpruning import BitPruning
from hwgen.train.bmpq import BMPQ
from hwgen.train.fan_in import FanIn
from hwgen.train.fit import FitConfig, fit
from hwgen.train.models import mlp
from hwgen.train.progressive import Progressive
from hwgen.train.prune import Pruning
from hwgen.train.tables import LearnedTables
from tests.train.golden import PIXELS, digits

pytestmark = pytest.mark.skipif(not shutil.which("g++"), reason="Verilator's models need g++")


def layers(*weights: q.WeightSpec, acts: list[q.ActSpec] | None = None, **options) -> nn.Sequential:
    torch.manual_seed(0)
    hidden = [10] * (len(weights) - 1)
    activation = acts or [q.UInt(2)] * len(hidden)
    return mlp(64, hidden, 10, weight=weights, activation=activation, input=PIXELS, **options)


def quantizers() -> nn.Module:
    """DenseShift, S³, StatsQ annealed, SAWB behind PACT, LSQ."""
    acts = [q.UInt(2), q.UInt(2), q.PACT(2, alpha=4.0), q.UInt(2)]
    model = layers(q.DenseShift(3), q.S3(3), q.StatsQ(2), q.SAWB(2), q.Int(3), acts=acts)
    fit(model, digits(), FitConfig(epochs=3, lr=0.01), [ConfidenceAnnealing(model, 2)])
    return model


def groups_and_signs() -> nn.Module:
    """SYQ by group and by channel, rounded shifts, and signs that came one after another."""
    weights = [q.SYQ("pixel"), q.SYQ("channel", ternary=False), q.Shift(3), q.Float(), q.Float()]
    model = layers(*weights)
    methods = [Progressive(model, order="reverse", every=1)]
    fit(model, digits(), FitConfig(epochs=4, lr=0.01), methods)
    return model


def learned_bits(method: str) -> nn.Module:
    """Bit lengths from BitPruning, AdaQAT or BMPQ, with half of the weights pruned."""
    spec = q.LearnedBits(6)
    model = layers(spec, spec, acts=[spec if method != "bmpq" else q.UInt(3)])
    made = {
        "bitpruning": lambda: BitPruning(model, strength=1.0, freeze_at=3),
        "adaqat": lambda: AdaQAT(model, rate=0.5, strength=2.0, freeze_at=3),
        "bmpq": lambda: BMPQ(model, budget=3.0, widths=(2, 3, 4), interval=2),
    }[method]()
    fit(model, digits(), FitConfig(epochs=4, lr=0.01), [made, Pruning(model, 0.5, end=3)])
    return model


def few_inputs(tables: bool = False) -> nn.Module:
    """Two layers of truth tables, learned as weights or entry by entry, and sums of signs."""
    six = q.FewInputs(q.Int(5, step=1 / 16), fan_in=6)
    classes = q.FewInputs(q.Ternary(scale=0.2, threshold=0.0), fan_in=12)
    torch.manual_seed(0)
    model = mlp(64, [30, 20], 10, weight=[six, six, classes], activation=q.Binary(),
                input=q.UInt(1, step=1.0), relu=False)  # fmt: skip
    FanIn.initialize(model)
    methods = [FanIn(model, end=2), *([LearnedTables(model, at=2)] if tables else [])]
    fit(model, digits(), FitConfig(epochs=4, lr=0.01), methods)
    return model


def after_training(plan: WeightPlan) -> nn.Module:
    """A float network, quantized afterwards."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, 12), nn.BatchNorm1d(12), nn.ReLU(), nn.Linear(12, 10))
    fit(model, digits(), FitConfig(epochs=4, lr=0.01))
    calibration = Calibration(3, "mse", power_of_two=True)
    batch = digits().train[0][:256]
    return quantize(model, batch, weight=plan, activation=calibration, input=PIXELS).model


NETWORKS = {
    "quantizers": quantizers,
    "groups-signs": groups_and_signs,
    "few-inputs": few_inputs,
    "tables": lambda: few_inputs(tables=True),
    "bitpruning": lambda: learned_bits("bitpruning"),
    "gpfq": lambda: after_training(WeightPlan("ternary")),
}
MORE = {
    "adaqat": lambda: learned_bits("adaqat"),
    "bmpq": lambda: learned_bits("bmpq"),
    "two-tensors": lambda: after_training(WeightPlan("ternary", "mmse", second_above=0.01)),
}


def check_hardware(model: nn.Module, folder: Path) -> None:
    frames, labels = digits().test
    hwgen.save(model, folder / "model.pt", frames[:1])
    np.savez(folder / "test.npz", x=frames.numpy(), y=labels.numpy())
    built = pipeline.build(folder / "model.pt", folder / "out", PlanRequest())
    outcome = simulate.dataset(built.folder, folder / "test.npz", progress=False)
    assert outcome.data["frames"] == len(frames)
    assert outcome.data["mismatches"] == 0
    model.eval()
    with torch.no_grad():
        own = float((model(frames).argmax(dim=1) == labels).float().mean())
    assert outcome.data["accuracy"] == pytest.approx(own)


@pytest.mark.parametrize("name", NETWORKS)
def test_hardware_gives_the_golden_models_outputs(name: str, tmp_path: Path):
    check_hardware(NETWORKS[name](), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", MORE)
def test_the_other_methods_too(name: str, tmp_path: Path):
    check_hardware(MORE[name](), tmp_path)
