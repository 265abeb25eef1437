"""hwgen.save: what the file holds, that it is reproducible, and each thing it refuses."""

from __future__ import annotations

import copy
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import hwgen
from hwgen import nn as q
from hwgen.errors import ModelError, UnsupportedError, UsageError
from hwgen.frontend import archive
from tests.models import settle, small_mlp


def load(path: Path) -> nn.Module:
    """The archive as torch reads it. Through a buffer, since torch wants files called .pt2."""
    return torch.export.load(io.BytesIO(path.read_bytes())).module()


def test_torch_loads_the_archive_and_it_computes_what_the_model_does(tmp_path: Path):
    model = small_mlp()
    hwgen.save(model, tmp_path / "model.pt", torch.zeros(5, 12))
    x = torch.randn(5, 12)
    assert torch.equal(load(tmp_path / "model.pt")(x), model.eval()(x))


def test_convolutions_are_saved_too(tmp_path: Path):
    model = nn.Sequential(
        q.QuantIdentity(q.UInt(4)),
        q.QuantConv2d(3, 6, 3, padding=1, groups=3, weight=q.Ternary()),
        nn.BatchNorm2d(6),
        q.QuantReLU(q.UInt(4)),
        nn.Flatten(),
        q.QuantLinear(96, 3, weight=q.Int(8)),
    )
    x = torch.rand(2, 3, 4, 4)
    settle(model, x)
    hwgen.save(model, tmp_path / "model.pt", x)
    assert torch.equal(load(tmp_path / "model.pt")(x), model.eval()(x))


def test_each_quantizer_is_one_operator(tmp_path: Path):
    hwgen.save(small_mlp(), tmp_path / "model.pt", torch.zeros(1, 12))
    program = torch.export.load(io.BytesIO((tmp_path / "model.pt").read_bytes()))
    calls = [str(n.target) for n in program.graph.nodes if n.op == "call_function"]
    layer = ["hwgen.weight.default", "aten.linear.default"]
    norm = ["aten.batch_norm.default"]
    assert calls == [
        "hwgen.quantize.default",
        *(layer + norm + ["aten.relu.default", "hwgen.quantize.default"]),
        *(layer + norm + ["hwgen.sign.default"]),
        *layer,
    ]


def test_the_model_is_left_as_it_was(tmp_path: Path):
    model = small_mlp()
    before = copy.deepcopy(model.state_dict())
    hwgen.save(model, tmp_path / "model.pt", torch.zeros(1, 12))
    assert model.training
    assert all(p.requires_grad for p in model.parameters())
    after = model.state_dict()
    assert list(before) == list(after)
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_saving_twice_gives_the_same_bytes(tmp_path: Path):
    model = small_mlp()
    hwgen.save(model, tmp_path / "a.pt", torch.zeros(1, 12))
    hwgen.save(model.eval(), tmp_path / "b.pt", torch.zeros(1, 12))
    assert (tmp_path / "a.pt").read_bytes() == (tmp_path / "b.pt").read_bytes()


def test_the_file_holds_the_codes_of_its_examples(tmp_path: Path):
    model = small_mlp().eval()
    x = torch.randn(5, 12)
    hwgen.save(model, tmp_path / "a.pt", x)
    examples = archive.read(tmp_path / "a.pt").examples
    assert np.array_equal(examples[""], x.numpy())
    want = torch.clamp(torch.round(x * 16), -128, 127).to(torch.int64)
    codes = [v for k, v in examples.items() if k and v.shape == (5, 12)]
    assert np.array_equal(codes[0], want.numpy())


def test_another_process_gives_the_same_bytes(tmp_path: Path):
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); import torch, hwgen\n"
        "torch.set_num_threads(1)  # as this test has: sums of more threads round otherwise\n"
        "from tests.models import small_mlp\n"
        "hwgen.save(small_mlp(), sys.argv[2], torch.zeros(1, 12))"
    )
    files = [tmp_path / "a.pt", tmp_path / "b.pt"]
    here = str(Path(__file__).parents[2])
    subprocess.run([sys.executable, "-c", script, here, str(files[0])], check=True)
    hwgen.save(small_mlp(), files[1], torch.zeros(1, 12))
    assert files[0].read_bytes() == files[1].read_bytes()


class Written(nn.Module):
    """A module with a forward of its own, so that a line of this file is in the trace."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = q.QuantLinear(4, 2, weight=q.Binary())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x)


def test_the_file_holds_no_path_of_this_machine_and_no_pickled_code(tmp_path: Path):
    hwgen.save(Written(), tmp_path / "model.pt", torch.zeros(1, 4))
    with zipfile.ZipFile(tmp_path / "model.pt") as archive:
        text = b"".join(archive.read(name) for name in archive.namelist())
        header = json.loads(archive.read("archive/extra/hwgen.json"))
    assert b"test_save.py" in text
    for folder in (Path(__file__).parent, Path(torch.__file__).parent):
        assert str(folder).encode() not in text
    assert header == {"format": 1, "hwgen": hwgen.__version__, "input": [1, 4]}


def test_memory_layout_does_not_change_the_bytes(tmp_path: Path):
    model = small_mlp()
    hwgen.save(model, tmp_path / "a.pt", torch.zeros(1, 12))
    bias = torch.zeros(99)
    bias[7:15] = model[4].bias.detach()
    model[4].bias = nn.Parameter(bias[7:15])
    hwgen.save(model, tmp_path / "b.pt", torch.zeros(1, 12))
    assert (tmp_path / "a.pt").read_bytes() == (tmp_path / "b.pt").read_bytes()


def test_a_shared_layer_is_frozen_in_both_places(tmp_path: Path):
    act = q.QuantAct(q.SInt(4))
    linear = q.QuantLinear(4, 4, weight=q.Int(3))
    model = settle(nn.Sequential(act, linear, act, linear), torch.randn(8, 4))
    hwgen.save(model, tmp_path / "model.pt", torch.zeros(1, 4))
    x = torch.randn(1, 4)
    assert torch.equal(load(tmp_path / "model.pt")(x), model.eval()(x))


def with_nan() -> nn.Module:
    model = small_mlp()
    model[4].bias.data[1] = float("nan")
    return model


def with_infinite_statistics() -> nn.Module:
    model = small_mlp()
    model[2].running_var[0] = float("inf")
    return model


class Branching(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x if x.sum() > 0 else -x


class Holding(nn.Module):
    """Holds a tensor with a history, which torch refuses to copy."""

    def __init__(self) -> None:
        super().__init__()
        self.cached = torch.ones(1, requires_grad=True) * 2


@pytest.mark.parametrize(
    ("make", "kind", "text"),
    [
        (with_nan, ModelError, r"finite, not NaN or infinite\n  at: 4\.bias\n  fix: training"),
        (with_infinite_statistics, ModelError, r"finite[\s\S]*at: 2\.running_var"),
        (lambda: small_mlp().double(), ModelError, r"must be float32, not float64[\s\S]*fix: call"),
        (lambda: nn.LazyLinear(3), ModelError, "a lazy module must have its shape"),
        (
            lambda: nn.Sequential(q.QuantIdentity(q.UInt(4))),
            ModelError,
            r"learned step must be initialized[\s\S]*at: 0\n  fix: run one batch",
        ),
        (Branching, UnsupportedError, r"torch.export cannot trace the model"),
        (Holding, UnsupportedError, "model must be copyable"),
        (lambda: nn.DataParallel(small_mlp()), UnsupportedError, "not a DataParallel"),
        (lambda: small_mlp().state_dict(), UnsupportedError, "torch.nn.Module, not OrderedDict"),
        (lambda: small_mlp().forward, UnsupportedError, "torch.nn.Module, not method"),
    ],
)
def test_a_model_that_cannot_be_saved_is_refused(tmp_path: Path, make, kind: type, text: str):
    path = tmp_path / "model.pt"
    with pytest.raises(kind, match=text):
        hwgen.save(make(), path, torch.zeros(1, 12))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("example", "kind", "text"),
    [
        (torch.zeros(1, 11), ModelError, r"does not take an input of shape \(1, 11\)"),
        (torch.zeros(12), UsageError, r"not float32 of shape \(12,\)"),
        (torch.zeros(0, 12), UsageError, "with at least one frame"),
        (torch.zeros(1, 12, dtype=torch.uint8), UsageError, "not uint8 of shape"),
        ([1.0], UsageError, "example_input must be one tensor, not list"),
    ],
)
def test_a_wrong_example_input_is_refused(tmp_path: Path, example, kind: type, text: str):
    with pytest.raises(kind, match=text):
        hwgen.save(small_mlp(), tmp_path / "model.pt", example)


def test_a_path_that_cannot_be_written_is_refused_and_leaves_nothing(tmp_path: Path):
    for path in (tmp_path / "no" / "model.pt", tmp_path):
        with pytest.raises(UsageError, match="cannot be written"):
            hwgen.save(small_mlp(), path, torch.zeros(1, 12))
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_is_replaced_whole(tmp_path: Path):
    path = tmp_path / "model.pt"
    path.write_bytes(b"old" * 100_000)
    hwgen.save(small_mlp(), path, torch.zeros(1, 12))
    assert zipfile.is_zipfile(path)
    assert list(tmp_path.iterdir()) == [path]
