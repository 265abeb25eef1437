"""The batched trainings of the benchmarks are, member by member, the trainings of `fit`."""

from __future__ import annotations

from collections import OrderedDict

import pytest
import torch
from torch import nn

from benchmarks.training.ensemble import Ensemble, Member, patches
from hwgen import nn as q
from hwgen.train.data import Data, split
from hwgen.train.fit import FitConfig, accuracy, fit
from hwgen.train.progressive import Progressive


def frames(seed: int) -> Data:
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(60, 3, 16, 16, generator=generator) * 2 - 1
    y = torch.randint(0, 10, (60,), generator=generator)
    return split((x, y), seed=seed)


def network(seed: int, binary: bool) -> nn.Sequential:
    torch.manual_seed(seed)
    layers = OrderedDict[str, nn.Module](encoding=q.QuantIdentity(q.SInt(8, step=1 / 128)))
    channels = 3
    for n, (wide, kernel, stride) in enumerate(((4, 4, 4), (4, 3, 1), (6, 3, 2)), start=1):
        layers[f"conv{n}"] = q.QuantConv2d(channels, wide, kernel, stride, padding=kernel % 2,
                                           bias=False, weight=q.Float())  # fmt: skip
        layers[f"bn{n}"] = nn.BatchNorm2d(wide)
        act = q.QuantAct(q.Float(clip=1.0)) if binary else q.QuantReLU(q.UInt(3))
        layers[f"act{n}"], channels = act, wide
    layers["flatten"] = nn.Flatten()
    layers["classifier"] = q.QuantLinear(24, 10, bias=False, weight=q.Float())
    layers["norm"] = nn.BatchNorm1d(10)
    return nn.Sequential(layers)


@pytest.mark.parametrize("binary", [False, True])
def test_members_are_the_trainings_of_fit(binary: bool) -> None:
    """Two seeds, two orders, two rates: weights, statistics and accuracies after all stages."""
    epochs = 8 if binary else 5
    members = [
        Member(o, lr, s) for s in (0, 1) for o in ("reverse", "random") for lr in (1e-4, 1e-3)
    ]
    ensemble = Ensemble([network(s, binary) for s in (0, 1)], members, binary=binary, size=16,
                        dtype=torch.float32)  # fmt: skip
    first = network(0, binary)
    data = [patches(frames(s), first.conv1, first.encoding) for s in (0, 1)]
    ensemble.train(data, epochs=epochs, batch=16)
    found = ensemble.accuracy([d.test for d in data])
    for k, member in enumerate(members):
        own = frames(member.seed)
        model = network(member.seed, binary)
        config = FitConfig(
            epochs=epochs, lr=member.lr, seed=member.seed, batch=16, schedule="constant"
        )
        method = Progressive(model, activation=q.Binary() if binary else None, order=member.order,
                             every=1, seed=member.seed)  # fmt: skip
        fit(model, own, config, [method])
        for n, name in enumerate(ensemble.layers):
            weight = model.get_submodule(name).weight.detach()
            torch.testing.assert_close(
                ensemble.weights[n][k].reshape(weight.shape), weight, rtol=1e-3, atol=1e-4
            )
        assert found[k] == pytest.approx(accuracy(model, own.test), abs=1e-6)
