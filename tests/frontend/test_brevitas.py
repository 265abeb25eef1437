"""Models of Brevitas layers, written by Brevitas' own exporter, mean what Brevitas computes.

Needs the packages brevitas and onnxoptimizer.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from hwgen.frontend.models import read_model
from hwgen.ir.graph import Graph
from hwgen.passes.integerize import integerize
from tests.frontend.onnx_nets import golden

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def brevitas() -> Any:
    """Brevitas and what its exporter needs, or a skip."""
    pytest.importorskip("onnxoptimizer", reason="onnxoptimizer is not installed")
    return pytest.importorskip("brevitas", reason="brevitas is not installed")


def exported(model: nn.Module, x: torch.Tensor, folder: Path) -> tuple[Graph, np.ndarray]:
    """The integer graph, and Brevitas' outputs."""
    from brevitas.export import export_qonnx

    path = folder / "net.onnx"
    export_qonnx(model, args=x[:1], export_path=str(path), dynamo=False)
    graph = integerize(read_model(path)).graph
    with torch.no_grad():
        outputs = model(x)
    return graph, np.asarray(getattr(outputs, "value", outputs))


def agrees(model: nn.Module, x: torch.Tensor, folder: Path) -> Graph:
    """Trains statistics, exports, and compares: float32 may round single ties another way."""
    model.train()
    with torch.no_grad():
        for _ in range(3):
            model(x)
    graph, want = exported(model.eval(), x, folder)
    found = golden(graph, x.numpy()).reshape(want.shape)
    equal = np.isclose(found, want, rtol=1e-4, atol=1e-4).reshape(len(x), -1).all(axis=1)
    assert equal.mean() >= 0.95
    return graph


WEIGHTS = ["binary", "ternary", "int", "channels", "power of two", "power of two per channel"]


def weight_quantizer(name: str) -> dict[str, Any]:
    from brevitas.quant import (
        Int8WeightPerChannelFloat,
        Int8WeightPerTensorFixedPoint,
        Int8WeightPerTensorFloat,
        SignedBinaryWeightPerTensorConst,
        SignedTernaryWeightPerTensorConst,
    )
    from brevitas.quant.fixed_point import Int8WeightPerChannelFixedPoint

    return {
        "binary": {"weight_quant": SignedBinaryWeightPerTensorConst},
        "ternary": {"weight_quant": SignedTernaryWeightPerTensorConst},
        "int": {"weight_quant": Int8WeightPerTensorFloat, "weight_bit_width": 4},
        "channels": {"weight_quant": Int8WeightPerChannelFloat, "weight_bit_width": 4},
        "power of two": {"weight_quant": Int8WeightPerTensorFixedPoint, "weight_bit_width": 4},
        "power of two per channel": {
            "weight_quant": Int8WeightPerChannelFixedPoint,
            "weight_bit_width": 4,
        },
    }[name]


@pytest.mark.parametrize("weights", WEIGHTS)
def test_fully_connected_networks(brevitas: Any, weights: str, tmp_path: Path) -> None:
    import brevitas.nn as qnn

    torch.manual_seed(0)
    kind = weight_quantizer(weights)
    model = nn.Sequential(
        qnn.QuantIdentity(bit_width=8),
        qnn.QuantLinear(8, 6, bias=True, **kind),
        nn.BatchNorm1d(6),
        qnn.QuantReLU(bit_width=3),
        qnn.QuantLinear(6, 3, bias=False, **kind),
    )
    agrees(model, torch.randn(60, 8), tmp_path)


def test_binary_and_ternary_activations(brevitas: Any, tmp_path: Path) -> None:
    import brevitas.nn as qnn
    from brevitas.quant import SignedBinaryActPerTensorConst, SignedTernaryActPerTensorConst

    torch.manual_seed(1)
    model = nn.Sequential(
        qnn.QuantIdentity(act_quant=SignedBinaryActPerTensorConst),
        qnn.QuantLinear(8, 6, bias=False, weight_bit_width=2),
        nn.BatchNorm1d(6),
        qnn.QuantIdentity(act_quant=SignedTernaryActPerTensorConst),
        qnn.QuantLinear(6, 3, bias=False, weight_bit_width=2),
    )
    agrees(model, torch.randn(60, 8), tmp_path)


class Residual(nn.Module):
    """A block whose two summands share one quantizer, as Brevitas' examples have it."""

    def __init__(self) -> None:
        super().__init__()
        import brevitas.nn as qnn

        self.start = qnn.QuantIdentity(bit_width=6)
        self.first = qnn.QuantConv2d(2, 4, 3, padding=1, bias=False, weight_bit_width=4)
        self.norm = nn.BatchNorm2d(4)
        self.second = qnn.QuantConv2d(2, 4, 1, bias=False, weight_bit_width=4)
        self.shared = qnn.QuantIdentity(bit_width=4)
        self.relu = qnn.QuantReLU(bit_width=4)
        self.pool = nn.MaxPool2d(2)
        self.classes = qnn.QuantLinear(16, 3, bias=False, weight_bit_width=4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.start(x)
        y = self.shared(self.norm(self.first(x))) + self.shared(self.second(x))
        out: torch.Tensor = self.classes(self.pool(self.relu(y)).flatten(1))
        return out


def test_residual_networks_that_share_a_quantizer(brevitas: Any, tmp_path: Path) -> None:
    torch.manual_seed(2)
    graph = agrees(Residual(), torch.randn(40, 2, 4, 4), tmp_path)
    assert "add" in {node.op for node in graph.nodes}
