"""Exported networks run in ONNX's executor, and mean there what the golden model means."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import nn

import hwgen
from hwgen import nn as q
from hwgen.errors import UnsupportedError, UsageError
from hwgen.frontend.models import read_model
from hwgen.ir.graph import Graph
from hwgen.passes.integerize import integerize
from tests.frontend.onnx_nets import golden, reference
from tests.models import settle, small_cnn, small_mlp


def both(model: nn.Module, x: torch.Tensor, folder: Path) -> tuple[Graph, Graph, np.ndarray]:
    """The integer graphs of the .pt and of the .onnx, and ONNX's outputs."""
    hwgen.save(model, folder / "net.pt", x[:1])
    hwgen.export_qonnx(folder / "net.pt", folder / "net.onnx")
    own, imported = (integerize(read_model(folder / f"net.{s}")).graph for s in ("pt", "onnx"))
    return own, imported, reference(onnx.load(folder / "net.onnx"), x.numpy())


@pytest.mark.parametrize(("make", "shape"), [(small_mlp, (12,)), (small_cnn, (2, 8, 8))])
def test_executor_and_golden_model_agree(
    make: Callable[[], nn.Module], shape: tuple[int, ...], tmp_path: Path
) -> None:
    model, x = make(), torch.rand(40, *shape)
    own, imported, want = both(model, x[:40], tmp_path)
    found = golden(own, x[:40].numpy())
    assert np.array_equal(golden(imported, x[:40].numpy()), found)
    close = np.isclose(found.reshape(want.shape), want, rtol=1e-4, atol=1e-4)
    assert close.all(axis=tuple(range(1, close.ndim))).mean() > 0.95  # float32 may round a tie


QUANTIZERS = [
    q.QuantIdentity(q.SInt(4, step=0.25)),
    q.QuantIdentity(q.UInt(3, step=0.5)),
    q.QuantAct(q.Binary()),
]


@pytest.mark.parametrize("quantizer", QUANTIZERS, ids=str)
@pytest.mark.parametrize(
    "weight", [q.Binary(), q.Ternary(), q.Shift(bits=3), q.Int(bits=4), q.Int(8, per_channel=True)]
)
def test_every_alphabet_and_quantizer(
    quantizer: nn.Module, weight: q.Binary, tmp_path: Path
) -> None:
    model = nn.Sequential(
        q.QuantIdentity(q.SInt(8, step=1 / 16)), quantizer, q.QuantLinear(6, 3, weight=weight)
    )
    x = (torch.randint(-60, 60, (50, 6)) / 16).float()
    own, imported, want = both(settle(model, x).eval(), x, tmp_path)
    found = golden(own, x.numpy())
    assert np.array_equal(golden(imported, x.numpy()), found)
    np.testing.assert_allclose(found, want, rtol=1e-5, atol=1e-5)


def test_a_module_needs_an_example(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs an example input"):
        hwgen.export_qonnx(small_mlp(), tmp_path / "net.onnx")
    hwgen.export_qonnx(small_mlp(), tmp_path / "net.onnx", torch.zeros(1, 12))
    first = (tmp_path / "net.onnx").read_bytes()
    hwgen.export_qonnx(small_mlp(), tmp_path / "net.onnx", torch.zeros(1, 12))
    assert (tmp_path / "net.onnx").read_bytes() == first


def test_an_operator_without_a_form_is_named(tmp_path: Path) -> None:
    model = nn.Sequential(q.QuantIdentity(q.SInt(8, step=1 / 16)), nn.Softsign())
    with pytest.raises(UnsupportedError, match="has no form"):
        hwgen.export_qonnx(model, tmp_path / "net.onnx", torch.zeros(1, 4))
