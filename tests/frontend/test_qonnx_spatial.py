"""Convolutions, pooling and layouts of the ONNX importer against ONNX's reference executor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwgen.errors import UnsupportedError
from tests.frontend.onnx_nets import imported, network, node, same

RNG = np.random.default_rng(11)
START = node("Quant", "x s z b", "q")
GIVEN = {"s": 1 / 4, "z": 0.0, "b": 4.0}
OPSET = 18


def frames(*shape: int, count: int = 6) -> np.ndarray:
    return (RNG.integers(-9, 9, (count, *shape)) / 4).astype(np.float32)


def levels(*shape: int) -> np.ndarray:
    return RNG.integers(-3, 4, shape) / 2


CONVOLUTIONS: list[tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = [
    ((3, 6, 5), (4, 3, 3, 3), {}),
    ((3, 6, 5), (4, 3, 3, 3), {"pads": [1, 1, 1, 1]}),
    ((3, 6, 5), (4, 3, 3, 2), {"pads": [2, 0, 1, 1], "strides": [2, 1]}),
    ((3, 7, 7), (4, 3, 3, 3), {"dilations": [2, 2]}),
    ((4, 6, 6), (4, 1, 3, 3), {"group": 4, "pads": [1, 1, 1, 1]}),
    ((4, 6, 6), (6, 2, 3, 3), {"group": 2}),
    ((3, 7, 6), (2, 3, 3, 3), {"auto_pad": "SAME_UPPER", "strides": [2, 2]}),
    ((3, 7, 6), (2, 3, 2, 2), {"auto_pad": "SAME_LOWER"}),
    ((3, 6, 5), (4, 3, 1, 1), {}),
    ((3, 9), (4, 3, 3), {"pads": [1, 1]}),
    ((3, 9), (4, 3, 4), {"strides": [2]}),
]


@pytest.mark.parametrize(("shape", "kernel", "attributes"), CONVOLUTIONS, ids=str)
def test_convolutions(
    shape: tuple[int, ...], kernel: tuple[int, ...], attributes: dict[str, Any], tmp_path: Path
) -> None:
    nodes = [START, node("Quant", "w s z b", "wq"), node("Conv", "q wq bias", "y", **attributes)]
    constants = {"w": levels(*kernel), "bias": np.arange(kernel[0]) / 2}
    same(network(nodes, shape, OPSET, **constants, **GIVEN), frames(*shape), tmp_path)


POOLS: list[tuple[str, tuple[int, ...], dict[str, Any]]] = [
    ("MaxPool", (3, 6, 6), {"kernel_shape": [2, 2], "strides": [2, 2]}),
    ("MaxPool", (3, 7, 5), {"kernel_shape": [3, 2], "strides": [2, 1], "pads": [1, 0, 1, 1]}),
    ("MaxPool", (3, 7, 6), {"kernel_shape": [2, 3], "strides": [2, 2], "ceil_mode": 1}),
    ("MaxPool", (3, 9), {"kernel_shape": [3], "strides": [3]}),
    ("AveragePool", (3, 6, 6), {"kernel_shape": [2, 2], "strides": [2, 2]}),
    ("AveragePool", (3, 4, 4), {"kernel_shape": [2, 2], "pads": [1] * 4, "count_include_pad": 1}),
    ("GlobalAveragePool", (3, 4, 4), {}),
    ("GlobalMaxPool", (3, 4, 4), {}),
]


@pytest.mark.parametrize(("op", "shape", "attributes"), POOLS, ids=str)
def test_pooling(
    op: str, shape: tuple[int, ...], attributes: dict[str, Any], tmp_path: Path
) -> None:
    nodes = [START, node(op, "q", "y", **attributes)]
    same(network(nodes, shape, OPSET, **GIVEN), frames(*shape), tmp_path, atol=1e-6)


@pytest.mark.parametrize("keep", [0, 1])
def test_a_mean_over_all_pixels(keep: int, tmp_path: Path) -> None:
    nodes = [START, node("ReduceMean", "q axes", "y", keepdims=keep)]
    model = network(nodes, (3, 4, 2), OPSET, axes=np.array([2, 3]), **GIVEN)
    same(model, frames(3, 4, 2), tmp_path)


def test_windows_divided_by_different_numbers_are_refused(tmp_path: Path) -> None:
    nodes = [START, node("AveragePool", "q", "y", kernel_shape=[2, 2], pads=[1, 1, 1, 1])]
    with pytest.raises(UnsupportedError, match="divided by the same number"):
        imported(network(nodes, (3, 4, 4), OPSET, **GIVEN), tmp_path)


def test_concatenation_padding_and_pixels(tmp_path: Path) -> None:
    nodes = [
        START,
        node("Relu", "q", "r"),
        node("Quant", "r s z b", "p", signed=0),
        node("Concat", "q p", "c", axis=1),
        node("Pad", "c pads", "y"),
    ]
    pads = np.array([0, 0, 1, 0, 0, 0, 2, 1])
    same(network(nodes, (2, 3, 4), OPSET, pads=pads, **GIVEN), frames(2, 3, 4), tmp_path)
    for mode in ("DCR", "CRD"):
        nodes = [START, node("DepthToSpace", "q", "y", blocksize=2, mode=mode)]
        same(network(nodes, (8, 3, 2), OPSET, **GIVEN), frames(8, 3, 2), tmp_path)


@pytest.mark.parametrize(
    ("mode", "nearest"), [("asymmetric", "floor"), ("half_pixel", "round_prefer_floor")]
)
def test_nearest_neighbours(mode: str, nearest: str, tmp_path: Path) -> None:
    how = {"mode": "nearest", "coordinate_transformation_mode": mode, "nearest_mode": nearest}
    nodes = [START, node("Resize", "q - scales", "y", **how)]
    model = network(nodes, (2, 3, 2), OPSET, scales=np.array([1.0, 1, 2, 3]), **GIVEN)
    same(model, frames(2, 3, 2), tmp_path)
    nodes = [START, node("Resize", "q - - sizes", "y", **how)]
    model = network(nodes, (2, 3, 2), OPSET, sizes=np.array([1, 2, 6, 4]), **GIVEN)
    same(model, frames(2, 3, 2), tmp_path)


def test_interpolation_is_refused(tmp_path: Path) -> None:
    nodes = [START, node("Resize", "q - scales", "y", mode="linear")]
    model = network(nodes, (2, 3, 2), OPSET, scales=np.array([1.0, 1, 2, 2]), **GIVEN)
    with pytest.raises(UnsupportedError, match="must repeat pixels"):
        imported(model, tmp_path)


FUNCTIONS = [
    ("Sigmoid", {}),
    ("Tanh", {}),
    ("HardSwish", {}),
    ("LeakyRelu", {"alpha": 0.25}),
    ("Elu", {"alpha": 0.5}),
    ("Gelu", {}),
    ("Gelu", {"approximate": "tanh"}),
]


@pytest.mark.parametrize(("op", "attributes"), FUNCTIONS, ids=str)
def test_curves_between_quantizers(op: str, attributes: dict[str, Any], tmp_path: Path) -> None:
    nodes = [START, node(op, "q", "f", **attributes), node("Quant", "f s2 z b2", "y")]
    model = network(nodes, (4,), 20, s2=1 / 16, b2=6.0, **GIVEN)
    same(model, (np.arange(-8, 8).reshape(-1, 4) / 4).astype(np.float32), tmp_path)


def test_channels_last_inside_a_network(tmp_path: Path) -> None:
    """What exporters from Keras leave: transpositions around layers that see channels last."""
    nodes = [
        START,
        node("Conv", "q w", "c"),
        node("Transpose", "c", "last", perm=[0, 2, 3, 1]),
        node("Add", "last shift", "a"),
        node("Relu", "a", "r"),
        node("Quant", "r step z b2", "u", signed=0),
        node("MatMul", "u m", "p"),
        node("Quant", "p s2 z b2", "v"),
        node("Flatten", "v", "flat"),
        node("MatMul", "flat d", "y"),
    ]
    model = network(
        nodes,
        (3, 5, 4),
        OPSET,
        w=levels(4, 3, 2, 2),
        shift=np.arange(4) / 4,
        step=np.array([0.25, 0.5, 0.25, 1]),
        m=levels(4, 5),
        s2=0.5,
        d=levels(4 * 3 * 5, 3),
        b2=5.0,
        **GIVEN,
    )
    graph = same(model, frames(3, 5, 4), tmp_path)
    assert "transpose" not in {n.op for n in graph.nodes}


def test_transposed_and_back_is_nothing(tmp_path: Path) -> None:
    nodes = [
        START,
        node("Transpose", "q", "t", perm=[0, 2, 3, 1]),
        node("Relu", "t", "r"),
        node("Transpose", "r", "back", perm=[0, 3, 1, 2]),
        node("Quant", "back s z b", "u"),
        node("MaxPool", "u", "y", kernel_shape=[2, 2]),
    ]
    same(network(nodes, (2, 3, 4), OPSET, **GIVEN), frames(2, 3, 4), tmp_path)


def test_thresholds_with_channels_last(tmp_path: Path) -> None:
    nodes = [
        START,
        node("Transpose", "q", "t", perm=[0, 2, 3, 1]),
        node("MultiThreshold", "t rows", "m", out_dtype="UINT2", data_layout="NHWC"),
        node("Transpose", "m", "y", perm=[0, 3, 1, 2]),
    ]
    rows = np.sort(RNG.integers(-8, 8, (2, 3)) / 4, axis=1)
    graph = imported(network(nodes, (2, 3, 4), OPSET, rows=rows, **GIVEN), tmp_path)
    x = frames(2, 3, 4)
    want = (x.clip(-2, 1.75)[..., None] >= rows[:, None, None, :]).sum(axis=-1)
    codes = graph.input.encode(x)  # type: ignore[attr-defined]
    assert np.array_equal(graph.output.logits(graph.evaluate(codes)), want)  # type: ignore[attr-defined]


def test_a_residual_block_keeps_its_sum(tmp_path: Path) -> None:
    nodes = [
        START,
        node("Conv", "q w", "c", pads=[1, 1, 1, 1]),
        node("BatchNormalization", "c g g m v", "n", epsilon=0.25),
        node("Relu", "n", "r"),
        node("Quant", "r s z b", "a"),
        node("Add", "q a", "sum"),
        node("Relu", "sum", "r2"),
        node("Quant", "r2 s z b", "o", signed=0),
        node("GlobalAveragePool", "o", "pool"),
        node("Flatten", "pool", "flat"),
        node("Gemm", "flat d", "y"),
    ]
    model = network(
        nodes,
        (2, 4, 4),
        OPSET,
        w=levels(2, 2, 3, 3),
        g=np.array([0.5, 2]),
        m=np.array([0.25, -1]),
        v=np.array([0.75, 3.75]),
        d=levels(2, 3),
        **GIVEN,
    )
    same(model, frames(2, 4, 4, count=20), tmp_path)


def test_each_group_has_its_own_unit(tmp_path: Path) -> None:
    """Steps without a common multiple, as MobileNets have them before depthwise convolutions."""
    nodes = [
        node("Quant", "x steps z b", "q"),
        node("Quant", "w s z b", "wq"),
        node("Conv", "q wq", "y", group=4, pads=[1, 1, 1, 1]),
    ]
    steps = np.array([0.1, 0.23, 0.071, 0.5]).reshape(1, 4, 1, 1)
    for shape in ((4, 1, 3, 3), (8, 1, 3, 3)):
        model = network(nodes, (4, 5, 5), OPSET, w=levels(*shape), steps=steps, **GIVEN)
        same(model, frames(4, 5, 5), tmp_path, atol=1e-5)
