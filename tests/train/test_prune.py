"""Pruning: the schedule, masks that hold, zeros that are true."""

from pathlib import Path

import pytest
import torch

from hwgen import nn as q
from hwgen.errors import UsageError
from hwgen.train.fit import FitConfig, accuracy, fit
from hwgen.train.prune import Pruning
from tests.train.golden import check_golden, digits, tiny


def zeros(layer: torch.nn.Module) -> float:
    return float((layer.codes == 0).float().mean())


def test_the_share_rises_as_the_papers_cube():
    method = Pruning(tiny(q.Int(4)), 0.8, start=2, end=6)
    shares = [method.share(epoch) for epoch in range(8)]
    assert shares[:2] == [0, 0]
    assert shares[2:] == pytest.approx(
        [0.8 * (1 - (1 - t) ** 3) for t in (0.25, 0.5, 0.75, 1, 1, 1)]
    )


@pytest.mark.parametrize("network_wide", [False, True])
def test_the_least_weights_are_zero_and_stay_zero(network_wide: bool):
    torch.manual_seed(0)
    model = tiny(q.Int(6))
    small = model.fc1.weight.detach().abs() < model.fc1.weight.detach().abs().quantile(0.3)
    method = Pruning(model, 0.5, start=0, end=1, network_wide=network_wide)
    history = fit(model, digits(400), FitConfig(epochs=2, lr=0.01), [method])
    total = method.masks["fc1"].numel() + method.masks["classifier"].numel()
    gone = sum(float((mask == 0).sum()) for mask in method.masks.values())
    assert gone / total == pytest.approx(0.5, abs=0.002)
    assert history.rows[-1]["pruned"] == gone / total
    assert zeros(model.fc1) >= float((method.masks["fc1"] == 0).float().mean())
    assert (model.fc1.weight.detach()[method.masks["fc1"] == 0] == 0).all()
    assert bool(small.any())


def test_masks_survive_a_restart(tmp_path: Path):
    config = FitConfig(epochs=2, lr=0.01)
    torch.manual_seed(0)
    model = tiny(q.Int(4))
    fit(
        model, digits(400), config, [Pruning(model, 0.5, start=0, end=1)], checkpoint=tmp_path / "c"
    )
    again = tiny(q.Int(4))
    method = Pruning(again, 0.5, start=0, end=1)
    fit(again, digits(400), config, [method], checkpoint=tmp_path / "c")
    assert float((method.masks["fc1"] == 0).float().mean()) == 0.5


def test_alphabets_without_a_zero_are_refused_by_layer():
    with pytest.raises(UsageError, match="has no zero cannot be pruned\n  at: fc1"):
        Pruning(tiny(q.DenseShift(2)), 0.5)
    with pytest.raises(UsageError, match="cannot be pruned"):
        Pruning(tiny(q.StatsQ(2)), 0.5)
    with pytest.raises(UsageError, match="sparsity must be at least 0 and below 1"):
        Pruning(tiny(q.Int(2)), 1.0)
    with pytest.raises(UsageError, match="must start before it ends"):
        Pruning(tiny(q.Int(2)), 0.5, start=3, end=3)


def test_a_pruned_network_is_built_with_its_zeros(tmp_path: Path):
    torch.manual_seed(0)
    model = tiny(q.Int(4))
    fit(model, digits(), FitConfig(epochs=6, lr=0.01), [Pruning(model, 0.7, start=1, end=3)])
    assert accuracy(model, digits().test) > 0.8
    graph = check_golden(model, digits().test[0], tmp_path)
    assert (graph["fc1"].weight.values == 0).mean() >= 0.7
