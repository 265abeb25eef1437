"""The way out: networks trained with `hwgen.nn` as QONNX files, for onnxruntime-like executors.

Quantizers become QONNX's Quant and BipolarQuant; those that QONNX has no form for (odd zero
points, ranges of no whole number of bits) become QuantizeLinear, Clip and DequantizeLinear.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from hwgen.errors import ToolError, UnsupportedError, UsageError
from hwgen.frontend.archive import Archive, ArchiveNode, TensorRef, Value, read
from hwgen.frontend.qonnx_file import Array

OPSET = 20
DOMAIN = "qonnx.custom_op.general"
Row = Callable[["Export"], None]
TABLE: dict[str, Row] = {}
"""Operator of torch to the function that writes it."""


def export_qonnx(
    model: Any, path: str | os.PathLike[str], example_input: Any | None = None
) -> None:
    """Write a model, or a file of `hwgen.save`, as a QONNX file.

    ``model`` is a module, which needs ``example_input`` as `hwgen.save` does, or a path to a .pt
    file. The batch of the written file is free.

    Raises:
        UnsupportedError: an operator that has no form in ONNX here.
        UsageError: a module without an example input, or a file that cannot be written.
        ModelError: as `hwgen.save`.
    """
    try:
        import onnx
    except ImportError as error:
        raise ToolError("writing .onnx needs onnx", hint="pip install 'hwgen[onnx]'") from error
    written = _written(_archive(model, example_input), Path(path).stem)
    onnx.checker.check_model(written)
    try:
        Path(path).write_bytes(written.SerializeToString(deterministic=True))
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}") from error


def _archive(model: Any, example_input: Any | None) -> Archive:
    if isinstance(model, str | os.PathLike):
        return read(model)
    if example_input is None:
        raise UsageError(
            "a module needs an example input to be exported",
            hint="hwgen.export_qonnx(model, path, torch.zeros(1, …))",
        )
    from hwgen.frontend.save import save

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.pt"
        save(model, file, example_input)
        return read(file)


def row(*targets: str) -> Callable[[Row], Row]:
    """Enter a function in the table for these operators."""

    def enter(function: Row) -> Row:
        TABLE.update(dict.fromkeys(targets, function))
        return function

    return enter


@dataclass
class File:
    """The ONNX nodes and constants so far."""

    nodes: list[Any] = field(default_factory=list)
    constants: dict[str, Array] = field(default_factory=dict)

    def constant(self, name: str, value: Any) -> str:
        """An initializer of this name; floats are float32."""
        array = np.asarray(value)
        self.constants[name] = array.astype(np.float32) if array.dtype.kind == "f" else array
        return name


@dataclass(frozen=True)
class Export:
    """One operator to write."""

    node: ArchiveNode
    archive: Archive
    file: File

    @property
    def output(self) -> str:
        return self.node.outputs[0]

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the first output, batch included."""
        return self.archive.types[self.output].shape

    def raw(self, key: str, default: Any = None) -> Any:
        value = self.node.inputs.get(key)
        return default if value is None else value

    def array(self, key: str) -> Array:
        """A constant tensor argument."""
        value = self.node.inputs.get(key)
        found = self.archive.tensors.get(value.name) if isinstance(value, TensorRef) else None
        if found is None:
            self.unsupported(f"{key} must be a constant")
        return found

    def tensor(self, *keys: str) -> str:
        """The value's name of a tensor argument; numbers and constants become initializers."""
        for key in keys:
            value = self.node.inputs.get(key)
            if isinstance(value, TensorRef):
                if value.name in self.archive.tensors:
                    array = np.asarray(self.archive.tensors[value.name])
                    return self.file.constant(value.name, array)
                return value.name
            if isinstance(value, int | float):
                return self.constant(key, np.float32(value))
        return ""

    def constant(self, key: str, value: Any) -> str:
        """A constant of this operator's own."""
        return self.file.constant(f"{self.output}_{key}", value)

    def ints(self, key: str, default: tuple[int, ...], axes: int) -> list[int]:
        value = self.raw(key, default)
        listed = list(value) if isinstance(value, tuple) else [value]
        listed = listed or list(default)
        return listed * axes if len(listed) == 1 else listed

    def emit(
        self, op: str, *inputs: str, to: str = "", own: bool = False, **attributes: Any
    ) -> str:
        """Append a node; its output is this operator's, or ``to`` on the way there."""
        from onnx import helper

        output = f"{self.output}_{to}" if to else self.output
        given = list(inputs)
        while given and not given[-1]:
            given.pop()
        name = f"{self.node.origin.path or self.node.name}.{output}"
        domain = DOMAIN if own else ""
        self.file.nodes.append(
            helper.make_node(op, given, [output], name, domain=domain, **attributes)
        )
        return output

    def unsupported(self, why: str) -> NoReturn:
        raise UnsupportedError(why, origin=self.node.origin)


def _written(archive: Archive, name: str) -> Any:
    from onnx import TensorProto, helper, numpy_helper

    file = File()
    for node in archive.nodes:
        function = TABLE.get(node.target)
        if function is None:
            raise UnsupportedError(
                f"{node.target} has no form in the ONNX files that hwgen writes",
                origin=node.origin,
            )
        function(Export(node, archive, file))
    values = [
        helper.make_tensor_value_info(n, TensorProto.FLOAT, ["batch", *archive.types[n].shape[1:]])
        for n in (*archive.inputs[:1],)
    ]
    kind = archive.types[archive.outputs[0]]
    element = TensorProto.INT64 if kind.dtype == "int64" else TensorProto.FLOAT
    out = helper.make_tensor_value_info(archive.outputs[0], element, ["batch", *kind.shape[1:]])
    constants = [numpy_helper.from_array(a.copy(), n) for n, a in
                 file.constants.items()]  # fmt: skip
    graph = helper.make_graph(file.nodes, name, values, [out], constants)
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(DOMAIN, 1)]
    return helper.make_model(graph, opset_imports=opsets, producer_name="hwgen", ir_version=9)


@row("hwgen.weight.default")
def weight(e: Export) -> None:
    codes, scale = e.array("codes"), e.constant("scale", e.array("scale").astype(np.float32))
    alphabet: tuple[int, ...] = e.raw("alphabet", ())
    real = codes.astype(np.float32)
    if alphabet == (-1, 1):
        e.emit("BipolarQuant", e.constant("codes", real), scale, own=True)
        return
    bits, signed, narrow = _width(min(alphabet), max(alphabet)) or _holding(alphabet)
    values = e.constant("values", real * e.array("scale").astype(np.float32))
    zero, width = e.constant("zero", np.float32(0)), e.constant("bits", np.float32(bits))
    e.emit("Quant", values, scale, zero, width, own=True, signed=signed, narrow=narrow,
           rounding_mode="ROUND")  # fmt: skip


def _width(lo: int, hi: int) -> tuple[int, int, int] | None:
    """(bits, signed, narrow) of exactly this range."""
    for bits in range(1, 33):
        for signed, narrow in ((0, 0), (0, 1), (1, 0), (1, 1)):
            low = -(1 << (bits - 1)) + narrow if signed else 0
            high = (1 << (bits - 1)) - 1 if signed else (1 << bits) - 1 - narrow
            if (low, high) == (lo, hi) and not (bits == 1 and signed):
                return bits, signed, narrow
    return None


def _holding(levels: tuple[int, ...]) -> tuple[int, int, int]:
    """(bits, signed, narrow) of a range that holds all levels."""
    reach = max(abs(min(levels)), abs(max(levels)))
    return (reach.bit_length() + 1, 1, 0) if min(levels) < 0 else (reach.bit_length(), 0, 0)


@row("hwgen.quantize.default")
def quantize(e: Export) -> None:
    step, zeros = e.array("step").astype(np.float32), e.array("zero_point")
    lo, hi = int(e.raw("lo")), int(e.raw("hi"))
    form = _width(lo, hi)
    if form is not None and not (zeros % 2).any():  # QONNX rounds after adding the zero point
        bits, signed, narrow = form
        constants = [
            e.constant("step", step),
            e.constant("zero", zeros.astype(np.float32)),
            e.constant("bits", np.float32(bits)),
        ]
        e.emit("Quant", e.tensor("x"), *constants, own=True, signed=signed, narrow=narrow,
               rounding_mode="ROUND")  # fmt: skip
        return
    dtype = np.uint8 if lo >= 0 else np.int8
    if lo < np.iinfo(dtype).min or hi > np.iinfo(dtype).max or step.size > 1:
        e.unsupported(f"codes from {lo} to {hi} with this zero point have no form in ONNX")
    scale = e.constant("step", step.reshape(()))
    zero = e.constant("zero", zeros.astype(dtype).reshape(()))
    codes = e.emit("QuantizeLinear", e.tensor("x"), scale, zero, to="codes")
    lo_name, hi_name = e.constant("lo", dtype(lo)), e.constant("hi", dtype(hi))
    clipped = e.emit("Clip", codes, lo_name, hi_name, to="clipped")
    e.emit("DequantizeLinear", clipped, scale, zero)


@row("hwgen.sign.default")
def sign(e: Export) -> None:
    e.emit("BipolarQuant", e.tensor("x"), e.tensor("scale"), own=True)


@row("aten.linear.default")
def linear(e: Export) -> None:
    e.emit("Gemm", e.tensor("input"), e.tensor("weight"), e.tensor("bias"), transB=1)


@row("aten.conv1d.default", "aten.conv2d.default", "aten.conv1d.padding", "aten.conv2d.padding")
def conv(e: Export) -> None:
    axes = len(e.shape) - 2
    padding = e.raw("padding", 0)
    attributes: dict[str, Any] = {
        "strides": e.ints("stride", (1,), axes),
        "dilations": e.ints("dilation", (1,), axes),
        "group": e.raw("groups", 1),
    }
    if isinstance(padding, str):
        attributes["auto_pad"] = {"same": "SAME_UPPER", "valid": "VALID"}[padding]
    else:
        attributes["pads"] = e.ints("padding", (0,), axes) * 2
    e.emit("Conv", e.tensor("input"), e.tensor("weight"), e.tensor("bias"), **attributes)


@row("aten.batch_norm.default")
def batch_norm(e: Export) -> None:
    mean = e.array("running_mean")
    gamma = e.tensor("weight") or e.constant("gamma", np.ones(mean.shape, np.float32))
    beta = e.tensor("bias") or e.constant("beta", np.zeros(mean.shape, np.float32))
    statistics = e.tensor("running_mean"), e.tensor("running_var")
    e.emit("BatchNormalization", e.tensor("input"), gamma, beta, *statistics, epsilon=e.raw("eps"))


@row("aten.max_pool1d.default", "aten.max_pool2d.default")
def max_pool(e: Export) -> None:
    _pool(e, "MaxPool", {"dilations": e.ints("dilation", (1,), len(e.shape) - 2)})


@row("aten.avg_pool1d.default", "aten.avg_pool2d.default")
def avg_pool(e: Export) -> None:
    if e.raw("divisor_override") is not None:
        e.unsupported("divisor_override has no form in ONNX")
    _pool(e, "AveragePool", {"count_include_pad": int(e.raw("count_include_pad", True))})


def _pool(e: Export, op: str, attributes: dict[str, Any]) -> None:
    axes = len(e.shape) - 2
    size = e.ints("kernel_size", (1,), axes)
    e.emit(
        op,
        e.tensor("self"),
        kernel_shape=size,
        strides=e.ints("stride", tuple(size), axes),
        pads=e.ints("padding", (0,), axes) * 2,
        ceil_mode=int(e.raw("ceil_mode", False)),
        **attributes,
    )


@row("aten.adaptive_avg_pool1d.default", "aten.adaptive_avg_pool2d.default")
def adaptive_avg_pool(e: Export) -> None:
    source = e.archive.types[e.tensor("self")].shape[2:]
    if any(a % b for a, b in zip(source, e.shape[2:], strict=True)):
        e.unsupported("adaptive pooling must divide the image evenly")
    size = [a // b for a, b in zip(source, e.shape[2:], strict=True)]
    e.emit("AveragePool", e.tensor("self"), kernel_shape=size, strides=size)


@row("aten.mean.dim")
def mean(e: Export) -> None:
    axes = e.constant("axes", np.array(e.raw("dim"), dtype=np.int64))
    e.emit("ReduceMean", e.tensor("self"), axes, keepdims=int(e.raw("keepdim", False)))


@row("aten.cat.default")
def cat(e: Export) -> None:
    tensors: tuple[Value, ...] = e.raw("tensors", ())
    e.emit("Concat", *(t.name for t in tensors if isinstance(t, TensorRef)), axis=e.raw("dim", 0))


@row(
    "aten.flatten.using_ints",
    "aten.view.default",
    "aten.reshape.default",
    "aten.unsqueeze.default",
    "aten.squeeze.dim",
    "aten.squeeze.dims",
)
def reshape(e: Export) -> None:
    shape = e.constant("shape", np.array([-1, *e.shape[1:]], dtype=np.int64))
    e.emit("Reshape", e.tensor("self"), shape)


@row("aten.hardtanh.default", "aten.clamp.default", "aten.relu6.default")
def clamp(e: Export) -> None:
    limits = {"aten.hardtanh.default": ("min_val", "max_val", -1.0, 1.0)}.get(
        e.node.target, ("min", "max", None, None)
    )
    lo, hi = e.raw(limits[0], limits[2]), e.raw(limits[1], limits[3])
    if e.node.target.startswith("aten.relu6"):
        lo, hi = 0.0, 6.0
    names = [
        "" if v is None else e.constant(key, np.float32(v)) for key, v in (("lo", lo), ("hi", hi))
    ]
    e.emit("Clip", e.tensor("self"), *names)


def _binary(op: str) -> Row:
    def write(e: Export) -> None:
        if e.raw("alpha", 1) != 1:
            e.unsupported("alpha must be 1")
        e.emit(op, e.tensor("self"), e.tensor("other"))

    return write


def _unary(op: str) -> Row:
    def write(e: Export) -> None:
        e.emit(op, e.tensor("self", "input"))

    return write


for _name, _op in (("add", "Add"), ("sub", "Sub"), ("mul", "Mul"), ("div", "Div")):
    row(f"aten.{_name}.Tensor", f"aten.{_name}.Scalar", f"aten.{_name}_.Tensor")(_binary(_op))
for _name, _op in (
    ("relu", "Relu"),
    ("relu_", "Relu"),
    ("neg", "Neg"),
    ("sigmoid", "Sigmoid"),
    ("tanh", "Tanh"),
    ("hardswish", "HardSwish"),
    ("dropout", "Identity"),
    ("dropout2d", "Identity"),
    ("contiguous", "Identity"),
    ("clone", "Identity"),
):
    row(f"aten.{_name}.default")(_unary(_op))


@row("aten.pixel_shuffle.default")
def pixel_shuffle(e: Export) -> None:
    e.emit("DepthToSpace", e.tensor("self"), blocksize=e.raw("upscale_factor"), mode="CRD")


@row("aten.leaky_relu.default")
def leaky_relu(e: Export) -> None:
    e.emit("LeakyRelu", e.tensor("self"), alpha=float(e.raw("negative_slope", 0.01)))


@row("aten.gelu.default")
def gelu(e: Export) -> None:
    e.emit("Gelu", e.tensor("self"), approximate=e.raw("approximate", "none"))


@row("aten.argmax.default")
def argmax(e: Export) -> None:
    e.emit("ArgMax", e.tensor("self"), axis=e.raw("dim", 1), keepdims=int(e.raw("keepdim", False)))


@row("aten.upsample_nearest2d.vec", "aten.upsample_nearest1d.vec")
def upsample(e: Export) -> None:
    source = e.archive.types[e.tensor("input")].shape
    scales = [1.0, *(b / a for a, b in zip(source[1:], e.shape[1:], strict=True))]
    e.emit("Resize", e.tensor("input"), "", e.constant("scales", np.array(scales)),
           coordinate_transformation_mode="asymmetric", nearest_mode="floor")  # fmt: skip


@row("aten.pad.default", "aten.constant_pad_nd.default")
def pad(e: Export) -> None:
    sides, rank = list(e.raw("pad", ())), len(e.shape)
    begins, ends = [0] * rank, [0] * rank
    for axis, at in enumerate(range(0, len(sides), 2)):
        begins[rank - 1 - axis], ends[rank - 1 - axis] = sides[at], sides[at + 1]
    pads = e.constant("pads", np.array(begins + ends, dtype=np.int64))
    e.emit("Pad", e.tensor("self"), pads, e.constant("value", np.float32(e.raw("value", 0.0))))
