"""Tensors with channels last in the ONNX importer, against ONNX's reference executor."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hwgen.backend import boards
from hwgen.backend.host import host_model
from hwgen.errors import UnsupportedError
from hwgen.ir.serialize import from_json, to_json
from hwgen.vectors import streamed
from tests.frontend.onnx_nets import golden, imported, network, node, same
from tests.frontend.test_qonnx_spatial import GIVEN, OPSET, START, frames, levels
from tests.verify import example

LEVELS = {"b2": 5.0, **GIVEN}


def test_wrapped_operators_take_channels_last(tmp_path: Path) -> None:
    """QONNX's Conv, MaxPool and BatchNormalization, Resize and Concat beside them, and NHWC at
    both ends: no transposition is left."""
    nodes = [
        START,
        node("Quant", "w s z b", "wq"),
        node("LastConv", "q wq bias", "c", pads=[1, 1, 1, 1], strides=[2, 2]),
        node("LastBatchNormalization", "c g o m v", "n"),
        node("LeakyRelu", "n", "r", alpha=0.25),
        node("Quant", "r s z b2", "u"),
        node("LastMaxPool", "u", "p", kernel_shape=[2, 2], strides=[2, 2]),
        node("Resize", "p - scales", "big", mode="nearest"),
        node("Concat", "u big", "y", axis=-1),
    ]
    constants = {
        "w": levels(5, 3, 3, 2),
        "bias": np.arange(5) / 2,
        "g": np.array([1.0, -0.5, 2, 0.25, 1]),
        "o": np.arange(5) / 4 + 0.03,  # no value is half-way between two codes
        "m": np.arange(5) / 8,
        "v": np.ones(5) - 1e-5,
        "scales": np.array([1.0, 2, 2, 1]),
    }
    model = network(nodes, (8, 8, 2), OPSET, **constants, **LEVELS)
    graph = same(model, frames(8, 8, 2), tmp_path)
    assert graph.input.shape == (2, 8, 8)  # type: ignore[attr-defined]
    assert "transpose" not in {n.op for n in graph.nodes}


@pytest.mark.parametrize("shape", [(6, 5, 3), (9, 3)])
def test_an_input_with_channels_last_is_transposed_by_the_host(
    shape: tuple[int, ...], tmp_path: Path
) -> None:
    """As exporters from Keras write it: real values, their quantizer, a Transpose."""
    rank = len(shape) + 1
    nodes = [
        node("Quant", "x steps z b", "q"),
        node("Transpose", "q", "first", perm=[0, rank - 1, *range(1, rank - 1)]),
        node("Quant", "w s z b", "wq"),
        node("Conv", "first wq", "y"),
    ]
    kernel = levels(4, 3, *[2] * (rank - 2))
    steps = np.array([0.25, 0.5, 0.125])
    model = network(nodes, shape, OPSET, w=kernel, steps=steps, **GIVEN)
    x = frames(*shape)
    graph = same(model, x, tmp_path)
    again = from_json(to_json(graph))
    np.testing.assert_array_equal(golden(again, x), golden(graph, x))
    codes = graph.input.encode(x)  # type: ignore[attr-defined]
    flat = np.clip(np.rint(x / steps), -8, 7).reshape(len(x), -1)
    np.testing.assert_array_equal(streamed(codes), flat)  # the stream's order is the file's own


def test_the_driver_knows_the_layout(tmp_path: Path) -> None:
    nodes = [START, node("Quant", "w s z b", "wq"), node("LastConv", "q wq", "y")]
    model = network(nodes, (4, 4, 3), OPSET, w=levels(2, 1, 1, 3), **GIVEN)
    described = host_model(imported(model, tmp_path), example.MANIFEST, boards.load("ulx3s-85f"))
    assert described["input_shape"] == [3, 4, 4]
    assert described["input_channels_last"]
    assert described["output_channels_last"]


def test_other_layouts_of_an_input_are_refused(tmp_path: Path) -> None:
    nodes = [START, node("Transpose", "q", "t", perm=[0, 2, 1, 3]), node("Conv", "t w", "y")]
    model = network(nodes, (3, 4, 5), OPSET, w=levels(2, 4, 1, 1), **GIVEN)
    with pytest.raises(UnsupportedError, match="cannot have its axes exchanged"):
        imported(model, tmp_path)


def test_bipolar_inputs_and_markers(tmp_path: Path) -> None:
    """FINN's inputs of −1 and 1, and QONNX's DebugMarker, which changes nothing."""
    nodes = [
        node("DebugMarker", "x", "d", export_debug_name="x"),
        node("MatMul", "d w", "y"),
    ]
    model = network(nodes, (6,), OPSET, w=levels(6, 3))
    x = np.random.default_rng(0).choice([-1.0, 1.0], (40, 6)).astype(np.float32)
    graph = same(model, x, tmp_path, input_type="BIPOLAR")
    assert (graph.input.lo, graph.input.hi) == (0, 1)  # type: ignore[attr-defined]
