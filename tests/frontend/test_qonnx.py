"""Every row of the ONNX importer against ONNX's reference executor.

Scales are powers of two and inputs lie on their grid, ties included, so that float32 is exact and
outputs must be equal.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto

from hwgen.errors import ModelError, ProblemsError, UnsupportedError, UsageError
from hwgen.frontend import qonnx
from hwgen.frontend.qonnx_input import Stated, parse
from tests.frontend.onnx_nets import ROUND, imported, network, node, same

RNG = np.random.default_rng(7)
START = node("Quant", "x s0 z0 b0", "q")
"""8 bits of step 1/16 on the input."""
GIVEN = {"s0": 1 / 16, "z0": 0.0, "b0": 8.0}


def grid(*shape: int, frames: int = 40) -> np.ndarray:
    return (RNG.integers(-140, 140, (frames, *shape)) / 16).astype(np.float32)


def every_level() -> np.ndarray:
    """Frames of four values over the whole 8-bit range."""
    return (np.arange(-128, 128).reshape(-1, 4) / 16).astype(np.float32)


QUANTIZERS = [
    {"signed": s, "narrow": n, "bits": float(b), "zero": z}
    for s, n, b, z in product((0, 1), (0, 1), (1, 2, 4), (0.0, 1.0, -3.0, 0.5))
    if not (b == 1 and not s and n)
]


@pytest.mark.parametrize("rounding", ROUND)
@pytest.mark.parametrize("case", QUANTIZERS, ids=str)
def test_quantizers_of_activations(case: dict[str, Any], rounding: str, tmp_path: Path) -> None:
    flags = {"signed": case["signed"], "narrow": case["narrow"], "rounding_mode": rounding}
    nodes = [START, node("Quant", "q s z b", "y", **flags)]
    model = network(nodes, (4,), s=0.25, z=case["zero"], b=case["bits"], **GIVEN)
    same(model, every_level(), tmp_path)


@pytest.mark.parametrize("rounding", ROUND)
@pytest.mark.parametrize("case", QUANTIZERS[::3], ids=str)
def test_quantizers_of_inputs(case: dict[str, Any], rounding: str, tmp_path: Path) -> None:
    """On the host, in float32."""
    flags = {"signed": case["signed"], "narrow": case["narrow"], "rounding_mode": rounding}
    nodes = [node("Quant", "x s z b", "y", **flags)]
    model = network(nodes, (4,), s=0.25, z=case["zero"], b=case["bits"])
    same(model, every_level(), tmp_path)


@pytest.mark.parametrize("rounding", ROUND)
@pytest.mark.parametrize("case", QUANTIZERS, ids=str)
def test_quantizers_of_weights(case: dict[str, Any], rounding: str, tmp_path: Path) -> None:
    flags = {"signed": case["signed"], "narrow": case["narrow"], "rounding_mode": rounding}
    weight = RNG.integers(-20, 20, (4, 3)) / 8
    nodes = [START, node("Quant", "w s z b", "wq", **flags), node("MatMul", "q wq", "y")]
    model = network(nodes, (4,), w=weight, s=0.25, z=case["zero"], b=case["bits"], **GIVEN)
    same(model, grid(4), tmp_path)


def test_scales_and_zero_points_of_channels(tmp_path: Path) -> None:
    steps = np.array([[0.25, 0.5, 1, 2]])
    nodes = [START, node("Quant", "q s z b", "y", signed=0)]
    model = network(nodes, (4,), s=steps, z=np.array([[3.0, 0, 2, 4]]), b=3.0, **GIVEN)
    same(model, every_level(), tmp_path)
    weights = [
        START,
        node("Quant", "w s z b", "wq"),
        node("Transpose", "wq", "wt", perm=[1, 0]),
        node("MatMul", "q wt", "y"),
    ]
    weight = RNG.integers(-20, 20, (3, 4)) / 8
    model = network(weights, (4,), w=weight, s=steps[:, :3].T, z=0.0, b=4.0, **GIVEN)
    graph = same(model, grid(4), tmp_path)
    assert len(graph.output.scale) == 3  # type: ignore[attr-defined]


def test_weights_whose_scale_differs_between_inputs(tmp_path: Path) -> None:
    steps = np.array([[0.25], [0.5], [1], [2]])
    weight = RNG.integers(-20, 20, (4, 3)) / 8
    nodes = [START, node("Quant", "w s z b", "wq"), node("MatMul", "q wq", "y")]
    same(network(nodes, (4,), w=weight, s=steps, z=0.0, b=4.0, **GIVEN), grid(4), tmp_path)


@pytest.mark.parametrize("scale", [0.5, np.array([0.5, -1, 2, 0.25])], ids=["one", "channels"])
def test_bipolar_quantizers(scale: Any, tmp_path: Path) -> None:
    nodes = [START, node("BipolarQuant", "q s", "y")]
    same(network(nodes, (4,), s=scale, **GIVEN), every_level(), tmp_path)
    nodes = [node("BipolarQuant", "x s", "y")]
    same(network(nodes, (4,), s=scale), every_level(), tmp_path)
    nodes = [START, node("BipolarQuant", "w s", "wq"), node("MatMul", "q wq", "y")]
    weight = RNG.normal(size=(4, 4))
    graph = same(network(nodes, (4,), w=weight, s=scale, **GIVEN), grid(4), tmp_path)
    assert graph["n_y"].alphabet.kind == "binary"  # type: ignore[attr-defined]


@pytest.mark.parametrize("zero", [0.0, 3.0])
@pytest.mark.parametrize("rounding", ROUND)
def test_truncation(rounding: str, zero: float, tmp_path: Path) -> None:
    mode = {"rounding_mode": rounding}
    known = GIVEN | {"z": zero, "s": 1 / 16}
    nodes = [START, node("Trunc", "q s z b0 b1", "y", **mode)]
    same(network(nodes, (4,), b1=5.0, **known), every_level(), tmp_path)
    nodes = [START, node("Trunc", "q s z b0 s1 b1", "y", **mode)]
    same(network(nodes, (4,), s1=0.25, b1=4.0, **known), every_level(), tmp_path)


@pytest.mark.parametrize("channels", [1, 4])
def test_thresholds(channels: int, tmp_path: Path) -> None:
    rows = RNG.integers(-90, 90, (channels, 7)) / 16
    attributes = {"out_scale": 0.5, "out_bias": -1.5, "out_dtype": "INT4"}
    nodes = [START, node("MultiThreshold", "q t", "y", **attributes)]
    same(network(nodes, (4,), t=rows, **GIVEN), every_level(), tmp_path)


def test_thresholds_on_stated_integers(tmp_path: Path) -> None:
    nodes = [node("MultiThreshold", "x t", "y", out_dtype="UINT2")]
    model = network(nodes, (4,), t=np.array([[3.0, 70, 200]]))
    with pytest.raises(ModelError, match="must be quantized before this layer"):
        imported(model, tmp_path)
    x = RNG.integers(0, 256, (20, 4)).astype(np.float32)
    same(model, x, tmp_path, input_type="UINT8")
    entry = model.graph.quantization_annotation.add(tensor_name="x")
    entry.quant_parameter_tensor_names.add(key="finn_datatype", value="UINT8")
    assert same(model, x, tmp_path).input.hi == 255  # type: ignore[attr-defined]


def test_integer_inputs_state_their_range(tmp_path: Path) -> None:
    nodes = [node("Cast", "x", "f", to=1), node("MultiThreshold", "f t", "y", out_dtype="UINT2")]
    model = network(nodes, (4,), dtype=TensorProto.INT8, t=np.array([[-50.0, 70, 100]]))
    same(model, RNG.integers(-128, 128, (20, 4)).astype(np.int8), tmp_path)


QDQ = [(np.int8, 3), (np.uint8, 100)]


@pytest.mark.parametrize(("dtype", "zero"), QDQ, ids=str)
def test_pairs_of_quantize_and_dequantize(dtype: type, zero: int, tmp_path: Path) -> None:
    nodes = [
        node("QuantizeLinear", "x s0 z", "c"),
        node("DequantizeLinear", "c s0 z", "d"),
        node("DequantizeLinear", "w sw zw", "dw", axis=1),
        node("Gemm", "d dw bias", "g"),
        node("Relu", "g", "r"),
        node("QuantizeLinear", "r s1 z", "c1"),
        node("DequantizeLinear", "c1 s1 z", "y"),
    ]
    model = network(
        nodes,
        (4,),
        21,
        z=np.asarray(zero, dtype),
        s0=1 / 16,
        s1=0.5,
        w=RNG.integers(-128, 128, (4, 3)).astype(np.int8),
        sw=np.array([1, 0.25, 0.5]) / 16,
        zw=np.array([0, 2, -5], np.int8),
        bias=np.array([0.5, 1, -2]),
    )
    same(model, grid(4), tmp_path)


def test_pairs_per_channel_of_activations_and_clipped_codes(tmp_path: Path) -> None:
    nodes = [
        node("QuantizeLinear", "x s z", "c", axis=1),
        node("Clip", "c lo hi", "k"),
        node("DequantizeLinear", "k s z", "y", axis=1),
    ]
    model = network(
        nodes,
        (4,),
        21,
        s=np.array([0.25, 0.5, 1, 2]),
        z=np.array([0, 1, 2, -1], np.int8),
        lo=np.int8(-8),
        hi=np.int8(7),
    )
    graph = same(model, every_level(), tmp_path)
    assert [n.op for n in graph.nodes] == ["input", "output"]
    assert (graph.input.lo, graph.input.hi) == (-8, 7)  # type: ignore[attr-defined]


def test_quantized_constants_and_requantized_codes(tmp_path: Path) -> None:
    """A weight that is quantized in the file, and codes scaled back by another scale."""
    nodes = [
        node("QuantizeLinear", "x s z", "c"),
        node("DequantizeLinear", "c s2 z2", "d"),
        node("QuantizeLinear", "w s z", "cw"),
        node("DequantizeLinear", "cw s z", "dw"),
        node("MatMul", "d dw", "y"),
    ]
    model = network(
        nodes, (4,), 21, s=0.25, z=np.int8(0), s2=0.5, z2=np.int8(2), w=RNG.normal(size=(4, 3))
    )
    same(model, grid(4), tmp_path)


@pytest.mark.parametrize(("alpha", "beta", "flip"), [(1.0, 1.0, 0), (0.5, 2.0, 1)])
def test_gemm(alpha: float, beta: float, flip: int, tmp_path: Path) -> None:
    weight = RNG.integers(-7, 8, (3, 4) if flip else (4, 3)) / 4
    nodes = [START, node("Gemm", "q w b", "y", alpha=alpha, beta=beta, transB=flip)]
    model = network(nodes, (4,), w=weight, b=np.array([[0.25, 1, -3]]), **GIVEN)
    same(model, grid(4), tmp_path)
    nodes = [START, node("Gemm", "q w", "y", alpha=alpha, transB=flip)]
    same(network(nodes, (4,), w=weight, **GIVEN), grid(4), tmp_path)


def test_plain_weights_must_lie_on_a_grid(tmp_path: Path) -> None:
    nodes = [START, node("MatMul", "q w", "y")]
    same(network(nodes, (4,), w=RNG.integers(-9, 9, (4, 3)) * 1.0, **GIVEN), grid(4), tmp_path)
    with pytest.raises(UnsupportedError, match="the weight must be quantized"):
        imported(network(nodes, (4,), w=RNG.normal(size=(4, 3)), **GIVEN), tmp_path)


def test_batch_norm_and_functions(tmp_path: Path) -> None:
    nodes = [
        START,
        node("BatchNormalization", "q g b m v", "n", epsilon=0.25),
        node("Relu", "n", "r"),
        node("Quant", "r s1 z0 b1", "y", signed=0),
    ]
    parts = {"g": [1.0, -2, 0.5, 0], "b": [0.5, 1, 0, 3], "m": [0, 1.0, -1, 0]}
    arrays = {k: np.array(v) for k, v in parts.items()}
    variance = np.array([3.75, 0.75, 15.75, 0.75])
    model = network(nodes, (4,), 15, v=variance, s1=0.5, b1=3.0, **arrays, **GIVEN)
    same(model, every_level(), tmp_path)


CONSTANT_ROWS = {
    "add": [("Add", "q k", {})],
    "add first": [("Add", "k q", {})],
    "sub": [("Sub", "q k", {})],
    "sub from": [("Sub", "k q", {})],
    "mul": [("Mul", "q k", {})],
    "mul first": [("Mul", "k q", {})],
    "div": [("Div", "q k", {})],
    "neg": [("Neg", "q", {})],
    "identity": [("Identity", "q", {})],
    "dropout": [("Dropout", "q", {})],
}


@pytest.mark.parametrize("name", CONSTANT_ROWS)
@pytest.mark.parametrize("k", [2.0, np.array([[0.5, -4, 1, 2]])], ids=["one", "channels"])
def test_arithmetic_with_constants(name: str, k: Any, tmp_path: Path) -> None:
    ((op, inputs, attributes),) = CONSTANT_ROWS[name]
    nodes = [START, node(op, inputs, "a", **attributes), node("Quant", "a s1 z0 b0", "y")]
    same(network(nodes, (4,), k=k, s1=0.5, **GIVEN), every_level(), tmp_path)


@pytest.mark.parametrize("op", ["Add", "Sub"])
def test_sums_of_two_streams(op: str, tmp_path: Path) -> None:
    nodes = [
        START,
        node("Quant", "q s1 z0 b1", "a"),
        node("Relu", "q", "r"),
        node("Quant", "r s2 z0 b1", "c"),
        node(op, "a c", "y"),
    ]
    model = network(nodes, (4,), s1=1.0, s2=0.5, b1=4.0, **GIVEN)
    same(model, every_level(), tmp_path)


@pytest.mark.parametrize("opset", [9, 13])
def test_clip_and_hard_sigmoid(opset: int, tmp_path: Path) -> None:
    limited = (
        node("Clip", "q", "k", min=-1.0, max=2.5) if opset < 11 else node("Clip", "q lo hi", "k")
    )
    nodes = [
        START,
        limited,
        node("HardSigmoid", "k", "h", alpha=0.25, beta=0.5),
        node("Quant", "h s1 z0 b1", "y", signed=0),
    ]
    given = GIVEN | ({} if opset < 11 else {"lo": -1.0, "hi": 2.5})
    model = network(nodes, (4,), opset, s1=0.125, b1=4.0, **given)
    same(model, every_level(), tmp_path)


def test_a_clip_may_leave_one_side_open(tmp_path: Path) -> None:
    nodes = [START, node("Clip", "q - hi", "k"), node("Quant", "k s1 z0 b1", "y")]
    same(network(nodes, (4,), s1=1.0, b1=4.0, hi=2.5, **GIVEN), every_level(), tmp_path)


def test_shape_graphs_of_exporters_are_constants(tmp_path: Path) -> None:
    """Reshape to what Shape, Gather, Unsqueeze and Concat computed, as old exporters write it."""
    nodes = [
        START,
        node("Shape", "q", "shape"),
        node("Gather", "shape first", "batch", axis=0),
        node("Unsqueeze", "batch zero", "batch1"),
        node("Slice", "shape one three", "rest"),
        node("ReduceProd", "rest", "count", keepdims=1),
        node("Concat", "batch1 count", "target", axis=0),
        node("Reshape", "q target", "flat"),
        node("MatMul", "flat w", "y"),
    ]
    numbers = {
        k: np.array(v) for k, v in {"first": 0, "zero": [0], "one": [1], "three": [3]}.items()
    }
    weight = RNG.integers(-3, 4, (8, 3)) * 1.0
    model = network(nodes, (4, 2), w=weight, **numbers, **GIVEN)
    same(model, grid(4, 2), tmp_path)


def test_computed_constants(tmp_path: Path) -> None:
    nodes = [
        START,
        node("Pow", "four half", "two"),
        node("Sqrt", "four", "two_also"),
        node("Div", "two two_also", "unit"),
        node("Constant", "", "k", value_float=0.25),
        node("Mul", "unit k", "s"),
        node("Quant", "q s z0 b0", "y"),
    ]
    same(network(nodes, (4,), four=4.0, half=0.5, **GIVEN), every_level(), tmp_path)


def test_axes_of_size_one_come_and_go(tmp_path: Path) -> None:
    nodes = [
        START,
        node("Unsqueeze", "q a", "u"),
        node("Transpose", "u", "t", perm=[0, 2, 1]),
        node("Squeeze", "t a", "f"),
        node("Flatten", "f", "v"),
        node("MatMul", "v w", "y"),
    ]
    model = network(nodes, (4,), a=np.array([1]), w=np.eye(4)[:, :3], **GIVEN)
    with pytest.raises(ModelError):  # the axis that was squeezed is the features' own
        imported(model, tmp_path)
    nodes[3] = node("Squeeze", "t b", "f")
    model = network(nodes, (4,), a=np.array([1]), b=np.array([2]), w=np.eye(4)[:, :3], **GIVEN)
    same(model, grid(4), tmp_path)


def test_exchanged_axes_are_refused(tmp_path: Path) -> None:
    nodes = [START, node("Transpose", "q", "y", perm=[0, 1, 3, 2])]
    with pytest.raises(UnsupportedError, match="cannot have its axes exchanged"):
        imported(network(nodes, (2, 3, 4), **GIVEN), tmp_path)


def test_indices_of_the_largest(tmp_path: Path) -> None:
    x = np.stack([RNG.permutation(16)[:6] / 16 for _ in range(30)]).astype(np.float32)
    same(network([START, node("ArgMax", "q", "y", axis=1)], (6,), **GIVEN), x, tmp_path)
    nodes = [START, node("TopK", "q k", "v y", axis=1)]
    same(network(nodes, (6,), k=np.array([3]), **GIVEN), x, tmp_path)


def test_a_softmax_stays_on_the_host_at_the_output_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger="hwgen"):
        imported(network([START, node("Softmax", "q", "y")], (4,), **GIVEN), tmp_path)
    assert "Softmax stays on the host" in caplog.text
    inside = [START, node("Softmax", "q", "p"), node("Quant", "p s0 z0 b0", "y")]
    with pytest.raises(UnsupportedError, match="must be at the output"):
        imported(network(inside, (4,), **GIVEN), tmp_path)


def test_all_unsupported_nodes_are_named_at_once(tmp_path: Path) -> None:
    nodes = [
        START,
        node("Sin", "q", "a"),
        node("LSTM", "q w w", "b"),
        node("Add", "a b", "after"),
        node("Quant", "q s0 z0 half", "c"),
        node("Relu", "q", "y"),
    ]
    model = network(nodes, (4,), half=2.5, w=np.zeros((1, 4, 4)), **GIVEN)
    with pytest.raises(ProblemsError, match="3 operations") as caught:
        imported(model, tmp_path)
    problems = caught.value.problems
    assert [p.origin.path for p in problems] == ["n_a", "n_b", "n_c"]
    assert "feed-forward" in problems[1].hint
    assert "bit width" in problems[2].message


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_constants_that_are_no_numbers_are_refused(value: float, tmp_path: Path) -> None:
    nodes = [START, node("Mul", "q k", "y")]
    with pytest.raises(ModelError, match="must be finite"):
        imported(network(nodes, (4,), k=value, **GIVEN), tmp_path)


def test_a_weight_that_depends_on_the_input_is_refused(tmp_path: Path) -> None:
    nodes = [START, node("MatMul", "q q", "y")]
    with pytest.raises(UnsupportedError, match="the weight must be constant"):
        imported(network(nodes, (4,), **GIVEN), tmp_path)


@pytest.mark.parametrize(
    ("text", "step", "lo", "hi"),
    [
        ("UINT8", 1, 0, 255),
        ("int4", 1, -8, 7),
        ("FIXED<16,6>", 2**-10, -(2**15), 2**15 - 1),
        ("ap_fixed<8,8>", 1, -128, 127),
        ("UFIXED<4,-1>", 2**-5, 0, 15),
        ("BINARY", 1, 0, 1),
        ("TERNARY", 1, -1, 1),
    ],
)
def test_types_of_inputs(text: str, step: float, lo: int, hi: int) -> None:
    found = parse(text)
    assert isinstance(found, Stated)
    assert (float(found.step), found.lo, found.hi) == (step, lo, hi)


@pytest.mark.parametrize("text", ["", "INT", "FIXED16", "INT<8,2>", "INT64", "FIXED<0,0>", "cat"])
def test_other_texts_are_no_types(text: str) -> None:
    with pytest.raises(UsageError, match="must be INT8"):
        parse(text)


def test_names_that_are_no_identifiers_or_taken_are_changed(tmp_path: Path) -> None:
    first, second = node("Relu", "q", "a"), node("Quant", "a s0 z0 b0", "y")
    first.name, second.name = "/layer.1/act", "layer_1_act"
    path = tmp_path / "3-net.onnx"
    path.write_bytes(network([START, first, second], (4,), **GIVEN).SerializeToString())
    graph = qonnx.load(path)
    assert graph.name == "network_3_net"
    assert [n.name for n in graph.nodes[2:4]] == ["layer_1_act", "layer_1_act_2"]
