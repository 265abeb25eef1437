"""The loop: it learns, resumes to the byte, and reports what goes wrong by the layer's name."""

from pathlib import Path

import pytest
import torch

from hwgen import nn as q
from hwgen.errors import ModelError, UsageError
from hwgen.train.data import load, split
from hwgen.train.fit import FitConfig, accuracy, fit
from hwgen.train.method import Method
from tests.train.golden import digits, tiny


def states_equal(a: torch.nn.Module, b: torch.nn.Module) -> bool:
    left, right = a.state_dict(), b.state_dict()
    return left.keys() == right.keys() and all(torch.equal(left[k], right[k]) for k in left)


def test_it_learns_the_digits():
    torch.manual_seed(0)
    model = tiny(q.Int(4))
    history = fit(model, digits(), FitConfig(epochs=4, lr=0.01))
    assert len(history.rows) == 4
    assert history.rows[-1]["loss"] < history.rows[0]["loss"] / 2
    assert accuracy(model, digits().test) > 0.85


class Killed(Exception):
    pass


class KillAfter(Method):
    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def begin_epoch(self, epoch: int) -> None:
        if epoch == self.epoch:
            raise Killed


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_run_that_was_killed_ends_as_one_that_was_not(tmp_path: Path, optimizer: str):
    config = FitConfig(epochs=3, lr=0.01, optimizer=optimizer)
    torch.manual_seed(0)
    whole = tiny(q.Int(3))
    history = fit(whole, digits(400), config, [Method()])
    torch.manual_seed(0)
    part = tiny(q.Int(3))
    checkpoint = tmp_path / "run.ckpt"
    with pytest.raises(Killed):
        fit(part, digits(400), config, [KillAfter(2)], checkpoint=checkpoint)
    torch.manual_seed(99)
    resumed = tiny(q.Int(3))
    again = fit(resumed, digits(400), config, [Method()], checkpoint=checkpoint)
    assert again.rows == history.rows
    assert states_equal(resumed, whole)


def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path):
    checkpoint = tmp_path / "run.ckpt"
    fit(tiny(q.Int(3)), digits(400), FitConfig(epochs=1), checkpoint=checkpoint)
    with pytest.raises(UsageError, match="of this very run"):
        fit(tiny(q.Int(3)), digits(400), FitConfig(epochs=2), checkpoint=checkpoint)
    checkpoint.write_bytes(b"no checkpoint")
    with pytest.raises(UsageError, match="must be a checkpoint of this model"):
        fit(tiny(q.Int(3)), digits(400), FitConfig(epochs=2), checkpoint=checkpoint)


def test_divergence_names_the_layer():
    model = tiny(q.Int(4))
    with torch.no_grad():
        model.classifier.weight[0, 0] = torch.nan
    with pytest.raises(ModelError, match=r"training diverged: .*epoch 1\n  at: classifier.weight"):
        fit(model, digits(400), FitConfig(epochs=1))


def test_a_frozen_layer_is_reported_by_name():
    model = tiny(q.Int(4, step=0.05))
    model.fc1.weight.requires_grad_(False)
    history = fit(model, digits(400), FitConfig(epochs=2, lr=0.01))
    assert [f for f in history.findings if "fc1 is frozen" in f] == [
        "epoch 1: fc1 is frozen: none of its 1024 weights changed level in this epoch"
    ]
    assert not any("classifier" in f for f in history.findings)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"epochs": 0}, "epochs must be at least 1, not 0"),
        ({"lr": -1.0}, "lr must be positive"),
        ({"optimizer": "lion"}, "optimizer must be adam or sgd, not 'lion'"),
        ({"schedule": "step"}, "schedule must be cosine or constant"),
    ],
)
def test_settings_out_of_range_are_refused(options: dict, text: str):
    with pytest.raises(UsageError, match=text):
        FitConfig(**options)


def test_a_split_has_no_frame_twice_and_keeps_a_given_test_set():
    x = torch.arange(100.0)[:, None]
    y = torch.zeros(100, dtype=torch.int64)
    data = split((x, y), seed=3)
    parts = [set(p[0].flatten().tolist()) for p in (data.train, data.validation, data.test)]
    assert [len(p) for p in parts] == [72, 8, 20]
    assert set.union(*parts) == set(range(100))
    held = (x[:7], y[:7])
    assert split((x, y), held).test is held


def test_files_that_are_no_data_set_are_refused(tmp_path: Path):
    import numpy as np

    with pytest.raises(UsageError, match="there is no data set"):
        load(tmp_path / "none.npz")
    np.savez(tmp_path / "a.npz", images=np.zeros((4, 2)))
    with pytest.raises(UsageError, match="must hold arrays x and y, not images"):
        load(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", x=np.zeros((4, 2)), y=np.zeros((4, 2)))
    with pytest.raises(UsageError, match="one label per frame"):
        load(tmp_path / "b.npz")
