"""From neurons of few inputs to tables of the same function, and on to circuits."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import hwgen
from hwgen import nn as q
from hwgen.errors import HwgenError, UsageError
from hwgen.frontend.models import read_model
from hwgen.ops.truth_table import TruthTable
from hwgen.passes.integerize import integerize
from hwgen.train.data import Data
from hwgen.train.fit import FitConfig, fit
from hwgen.train.tables import LearnedTables, as_tables


def network(seed: int, *, first: q.ActSpec, last: q.ActSpec) -> nn.Sequential:
    """Two layers of three inputs each, with batch-norms that have seen some frames."""
    torch.manual_seed(seed)
    spec = q.FewInputs(q.Int(5, step=1 / 16), fan_in=3)
    layers = [
        q.QuantIdentity(q.UInt(8, step=1 / 255)),
        q.QuantAct(first),
        q.QuantLinear(12, 16, weight=spec),
        nn.BatchNorm1d(16),
        q.QuantAct(q.Binary(0.5)),
        q.QuantLinear(16, 8, bias=False, weight=spec),
        nn.BatchNorm1d(8),
        q.QuantAct(last),
        q.QuantLinear(8, 3, bias=False, weight=q.Ternary(scale=1.0)),
    ]
    net = nn.Sequential(*layers)
    for layer in (net[2], net[5]):
        nn.init.normal_(layer.weight, std=0.3)
    for norm in (net[3], net[6]):
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)
    net.train()(torch.rand(100, 12))
    return net.eval()


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (q.UInt(1, step=1.0), q.Binary()),
        (q.UInt(1, step=0.7), q.UInt(1, step=2.0)),
    ],
    ids=["unit", "steps"],
)
@pytest.mark.parametrize("seed", range(3))
def test_tables_compute_the_same(first: q.ActSpec, last: q.ActSpec, seed: int) -> None:
    net = network(seed, first=first, last=last)
    x = torch.rand(500, 12)
    wanted = net(x)
    assert as_tables(net) == [net[2], net[5]]
    assert torch.equal(net(x), wanted)


def test_a_network_without_such_layers_is_refused() -> None:
    with pytest.raises(UsageError, match="must hold a layer of few binary inputs"):
        as_tables(nn.Sequential(q.QuantLinear(4, 2, weight=q.Binary())))


def test_a_layer_of_other_inputs_is_left() -> None:
    net = network(0, first=q.UInt(2, step=1.0), last=q.Binary())
    assert as_tables(net) == [net[5]]


def trained(folder: Path, epochs: int) -> nn.Sequential:
    """The digits, tables from the third epoch on, in so many epochs of four."""
    net = network(0, first=q.UInt(1, step=1.0), last=q.Binary())
    method = LearnedTables(net, at=2)
    x = torch.rand(64, 12, generator=torch.Generator().manual_seed(0))
    pair = x, (x[:, 0] > x[:, 1]).long()
    config = FitConfig(epochs=4, batch=16)
    with pytest.MonkeyPatch.context() as patch:
        if epochs < 4:
            patch.setattr(method, "end_epoch", stop_after(epochs))
        with contextlib.suppress(KeyboardInterrupt):
            fit(net, Data(pair, pair, pair), config, [method], checkpoint=folder / "c.ckpt")
    return net


def stop_after(epochs: int) -> Callable[[int], None]:
    def end_epoch(epoch: int) -> None:
        if epoch == epochs:
            raise KeyboardInterrupt

    return end_epoch


@pytest.mark.parametrize("epochs", [1, 3])
def test_a_training_that_was_stopped_goes_on_to_the_same_tables(
    tmp_path: Path, epochs: int
) -> None:
    (tmp_path / "whole").mkdir()
    whole = trained(tmp_path / "whole", 4)
    trained(tmp_path, epochs)
    resumed = trained(tmp_path, 4)
    assert [type(whole[k]) for k in (2, 5)] == [q.TruthTables] * 2
    assert float(whole[2].tables.detach().abs().max()) <= 1
    for name, tensor in whole.state_dict().items():
        assert torch.equal(resumed.state_dict()[name], tensor), name


@pytest.mark.parametrize("seed", range(4))
def test_saved_tables_become_integers_exactly(tmp_path: Path, seed: int) -> None:
    torch.manual_seed(seed)
    first = q.QuantAct([q.Binary(), q.UInt(1, step=1.0), q.UInt(1, zero_point=1), q.UInt(1)][seed])
    net = nn.Sequential(
        first,
        q.TruthTables(9, 20, fan_in=5, levels=(0.0, 1.5)),
        q.TruthTables(20, 7, fan_in=4, levels=(0.0, 1.0)),
        q.QuantLinear(7, 3, bias=False, weight=q.Int(4)),
    )
    x = torch.randn(200, 9)
    net.train()(x)
    net.eval()
    hwgen.save(net, tmp_path / "model.pt", x[:8])
    made = integerize(read_model(tmp_path / "model.pt"))
    found = [n for n in made.graph if isinstance(n, TruthTable)]
    assert len(found) == 2
    codes = made.graph.evaluate(made.graph.input.encode(x.numpy()))
    scale = net[3].scale.detach().numpy()
    assert np.array_equal(np.rint(net(x).detach().numpy() / scale), codes)


def test_tables_of_more_than_bits_are_refused(tmp_path: Path) -> None:
    net = nn.Sequential(q.QuantAct(q.UInt(2, step=1.0)), q.TruthTables(9, 4, fan_in=3))
    hwgen.save(net.eval(), tmp_path / "model.pt", torch.randn(2, 9))
    with pytest.raises(HwgenError, match="inputs of truth tables must be binary"):
        integerize(read_model(tmp_path / "model.pt"))
