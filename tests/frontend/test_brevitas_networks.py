"""FINN's and Brevitas' networks, built by Brevitas' own code, exported by its own exporter.

Weights are as they are drawn, statistics those of a few random batches. QONNX's executor gives the
reference. Needs the packages brevitas, onnxoptimizer, qonnx and onnxruntime.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from hwgen.check import check

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.slow]
NEEDED = ("brevitas", "brevitas_examples", "onnxoptimizer", "qonnx", "onnxruntime")


@pytest.fixture(scope="module", autouse=True)
def packages() -> None:
    for name in NEEDED:
        pytest.importorskip(name, reason=f"{name} is not installed")


def bnn_pynq(name: str) -> nn.Module:
    """A model of Brevitas' bnn_pynq examples, which FINN's own examples are trained from."""
    from brevitas_examples.bnn_pynq.models import model_with_cfg

    model: nn.Module = model_with_cfg(name, pretrained=False)[0]
    return model


def gtsrb() -> nn.Module:
    """FINN's traffic signs: CNV_1W1A with 43 classes."""
    from brevitas_examples.bnn_pynq.models.CNV import CNV

    model: nn.Module = CNV(43, weight_bit_width=1, act_bit_width=1, in_bit_width=8, in_ch=3)
    return model


def cybersecurity() -> nn.Module:
    """FINN's detector of intrusions (UNSW-NB15): 593 bits, three layers of 64, 2-bit everything."""
    import brevitas.nn as qnn

    layers: list[nn.Module] = []
    for fan_in in (593, 64, 64):
        layers += [
            qnn.QuantLinear(fan_in, 64, bias=True, weight_bit_width=2),
            nn.BatchNorm1d(64),
            nn.Dropout(0.5),
            qnn.QuantReLU(bit_width=2),
        ]
    return nn.Sequential(*layers, qnn.QuantLinear(64, 1, bias=True, weight_bit_width=2))


def radioml() -> nn.Module:
    """VGG10 of FINN's RadioML example: seven 1-d convolutions, 4 bits, 24 modulations."""
    import brevitas.nn as qnn

    layers: list[nn.Module] = [qnn.QuantIdentity(bit_width=8)]
    for fan_in in (2, *[64] * 6):
        layers += [
            qnn.QuantConv1d(fan_in, 64, 3, padding=1, bias=False, weight_bit_width=4),
            nn.BatchNorm1d(64),
            qnn.QuantReLU(bit_width=4),
            nn.MaxPool1d(2),
        ]
    layers.append(nn.Flatten())
    for fan_in in (64 * 8, 128):
        layers += [
            qnn.QuantLinear(fan_in, 128, bias=False, weight_bit_width=4),
            nn.BatchNorm1d(128),
            qnn.QuantReLU(bit_width=4),
        ]
    return nn.Sequential(*layers, qnn.QuantLinear(128, 24, bias=True, weight_bit_width=4))


def mobilenet() -> nn.Module:
    """Brevitas' MobileNetV1 of 4 bits, behind an 8-bit input, for small images."""
    import brevitas.nn as qnn
    from brevitas_examples.imagenet_classification.models.mobilenetv1 import MobileNet

    body = MobileNet(
        channels=[[8], [16], [16, 16], [32, 32], [32, 32], [64, 64]],
        first_stage_stride=False,
        act_bit_width=4,
        weight_bit_width=4,
        last_layer_bit_width=4,
        avg_pool_kernel_size=2,
        num_classes=10,
    )
    return nn.Sequential(qnn.QuantIdentity(bit_width=8), body)


NETWORKS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    **{
        f"{size}_{bits}": (lambda name=f"{size}_{bits}": bnn_pynq(name), (1, 28, 28))  # type: ignore[misc]
        for size in ("TFC", "SFC", "LFC")
        for bits in ("1W1A", "1W2A", "2W2A")
        if (size, bits) != ("LFC", "2W2A")
    },
    **{
        f"CNV_{bits}": (lambda name=f"CNV_{bits}": bnn_pynq(name), (3, 32, 32))  # type: ignore[misc]
        for bits in ("1W1A", "1W2A", "2W2A")
    },
    "RESNET18_4W4A": (lambda: bnn_pynq("RESNET18_4W4A"), (3, 32, 32)),
    "gtsrb_1w1a": (gtsrb, (3, 32, 32)),
    "cybersecurity_w2a2": (cybersecurity, (593,)),
    "radioml_vgg10_w4a4": (radioml, (2, 1024)),
    "mobilenetv1_w4a4": (mobilenet, (3, 64, 64)),
}
INPUTS = {"cybersecurity_w2a2": "BIPOLAR", "RESNET18_4W4A": "UFIXED<8,0>"}
"""What the input is, where the network does not quantize it."""

FRAMES = 4


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_of_finn_and_brevitas(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, shape = NETWORKS[name]
    torch.manual_seed(0)
    bits = name.startswith("cybersecurity")
    model = settled(make(), shape, bits=bits)
    path = exported(model, shape, tmp_path)
    x = drawn(shape, FRAMES, bits=bits).numpy()
    found = check(path, INPUTS.get(name))
    assert found.graph is not None, found.text()
    output: Any = found.graph.output
    ours = output.logits(found.graph.evaluate(found.graph.input.encode(x)))  # type: ignore[attr-defined]
    theirs = executed(path, x, monkeypatch)
    np.testing.assert_allclose(ours.reshape(theirs.shape), theirs, rtol=1e-4, atol=1e-4)


def drawn(shape: tuple[int, ...], count: int, *, bits: bool) -> torch.Tensor:
    """Pixels as multiples of 1/256, or −1 and 1."""
    if bits:
        return torch.randint(0, 2, (count, *shape)).float() * 2 - 1
    return torch.randint(0, 256, (count, *shape)).float() / 256


def settled(model: nn.Module, shape: tuple[int, ...], *, bits: bool) -> nn.Module:
    """In evaluation, its statistics and steps found on random frames."""
    model.train()
    with torch.no_grad():
        for _ in range(3):
            model(drawn(shape, 8, bits=bits))
    return model.eval()


def exported(model: nn.Module, shape: tuple[int, ...], folder: Path) -> Path:
    from brevitas.export import export_qonnx

    path = folder / "net.onnx"
    frame = torch.zeros(1, *shape)
    export_qonnx(model, args=frame, export_path=str(path), dynamo=False)
    return path


def executed(path: Path, x: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """QONNX's executor, frame by frame; onnxruntime reads files up to version 10."""
    from onnx import helper
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx
    from qonnx.transformation.infer_shapes import InferShapes

    plain = helper.make_model

    def make_model(*args: Any, **kwargs: Any) -> Any:
        model = plain(*args, **kwargs)
        model.ir_version = 10
        return model

    monkeypatch.setattr(helper, "make_model", make_model)
    model = ModelWrapper(str(path))
    model.model.ir_version = 10
    model = model.transform(InferShapes())
    source, sink = model.graph.input[0].name, model.graph.output[0].name
    return np.concatenate([execute_onnx(model, {source: f[None]})[sink] for f in x])
