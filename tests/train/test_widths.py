"""The benchmark's batched trainings with learned widths are, member by member, those of `fit`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
import torch
from torch import nn

from benchmarks.training import width_rules as rules
from benchmarks.training.widths import Network, Rule, train
from hwgen import nn as q
from hwgen.train.adaqat import AdaQAT
from hwgen.train.bitpruning import BitPruning, bit_lengths
from hwgen.train.bmpq import BMPQ
from hwgen.train.data import Data, split
from hwgen.train.fit import FitConfig, fit
from hwgen.train.method import Method, weight_layers
from hwgen.train.models import mlp
from hwgen.train.prune import Pruning

EPOCHS, SEEDS, LRS, BIT_RATE = 4, (0, 1), (0.0003, 0.001), 0.15


def frames(seed: int) -> Data:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randint(0, 17, (90, 12), generator=generator) / 16
    return split((x, (x[:, :4].argmax(1))), seed=seed)


def network(seed: int, weight: q.WeightSpec, act: q.ActSpec) -> nn.Sequential:
    torch.manual_seed(seed)
    return mlp(12, [8, 8], 4, weight=weight, activation=act, input=q.UInt(5, step=1 / 16))


def at(model: nn.Module, bits: int, kind: str) -> None:
    for name, length in bit_lengths(model).items():
        if kind in name:
            length.set(float(bits))
            length.freeze()


def pruned(model: nn.Module, lr: float) -> list[Method]:
    at(model, 3, "")
    return [Pruning(model, 0.5, start=1, end=3)]


def bmpq(model: nn.Module, lr: float) -> list[Method]:
    at(model, 3, "act")
    return [BMPQ(model, budget=3.0, widths=(2, 3, 4, 6), interval=1, last=2)]


Own = Callable[[nn.Module, float], Sequence[Method]]
Batched = Callable[[Network], list[Rule]]
CASES: dict[str, tuple[Own, Batched]] = {
    "bitpruning": (
        lambda m, lr: [BitPruning(m, strength=0.5, freeze_at=2, rate_factor=BIT_RATE / lr)],
        lambda n: [rules.BitPruning(n, 0.5, 2)],
    ),
    "adaqat": (
        lambda m, lr: [AdaQAT(m, rate=6.0, strength=1.0, every=2, layers=True, freeze_at=3)],
        lambda n: [rules.AdaQAT(n, 6.0, 2, 3)],
    ),
    "bmpq": (bmpq, lambda n: [rules.BMPQ(n, 3.0, (2, 3, 4, 6), 1, 2)]),
    "pruned": (
        pruned,
        lambda n: [rules.Fixed(n, {k: [3] * n.count for k in n.names}),
                   rules.Pruning(n, 0.5, 1, 3)],
    ),
    "learned step": (lambda m, lr: [], lambda n: []),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_members_are_the_trainings_of_fit(case: str) -> None:
    """Widths are equal, weights to within rounding, for two seeds and rates."""
    own, batched = CASES[case]
    lsq = case == "learned step"
    specs = (q.Int(3, narrow=True), q.UInt(3)) if lsq else (q.LearnedBits(8), q.LearnedBits(8))
    pairs = [(seed, lr) for seed in SEEDS for lr in LRS]
    models = [network(seed, *specs) for seed, _ in pairs]
    data = [frames(seed) for seed, _ in pairs]
    coded = [replace(d, train=(m.encoding(d.train[0]), d.train[1]))
             for m, d in zip(models, data, strict=True)]  # fmt: skip
    config = FitConfig(epochs=EPOCHS, batch=16)
    net = Network(models, [lr for _, lr in pairs], step_bits=3 if lsq else 0, bit_rate=BIT_RATE)
    train(net, coded, [seed for seed, _ in pairs], config, batched(net))
    for k, (seed, lr) in enumerate(pairs):
        model = network(seed, *specs)
        fit(model, data[k], replace(config, lr=lr, seed=seed), own(model, lr))
        for ours, layer in zip(net.weights, weight_layers(model).values(), strict=True):
            apart = (ours[k].detach() - layer.weight.detach()).abs()
            assert float((apart > 1e-3).float().mean()) < 0.05
        if not lsq:
            lengths = bit_lengths(model).items()
            assert {n: b[k] for n, b in net.bits().items()} == {
                n: int(b.whole()) for n, b in lengths
            }
