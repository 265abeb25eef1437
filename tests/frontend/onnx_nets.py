"""Small ONNX networks for tests, and a reference executor that shares nothing with hwgen.

The executor is ONNX's own; QONNX's operators are written down here from their specification
(docs/qonnx-custom-ops of fastmachinelearning/qonnx), in float32.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

from hwgen.frontend import qonnx
from hwgen.ir.graph import Graph
from hwgen.ir.verify import verify
from hwgen.ops.input import Input
from hwgen.ops.output import Output
from hwgen.passes.integerize import integerize

DOMAIN = "qonnx.custom_op.general"
LAST = "qonnx.custom_op.channels_last"
ROUND = {
    "ROUND": np.round,
    "CEIL": np.ceil,
    "FLOOR": np.floor,
    "UP": lambda v: np.sign(v) * np.ceil(np.abs(v)),
    "DOWN": np.trunc,
    "HALF_UP": lambda v: np.sign(v) * np.floor(np.abs(v) + 0.5),
    "HALF_DOWN": lambda v: np.sign(v) * np.ceil(np.abs(v) - 0.5),
}


def limits(bits: float, signed: int, narrow: int) -> tuple[float, float]:
    if signed:
        return -(2 ** (bits - 1)) + narrow, 2 ** (bits - 1) - 1
    return 0, 2**bits - 1 - narrow


class Quant(OpRun):
    op_domain = DOMAIN

    def _run(self, x, scale, zero, bits, signed=1, narrow=0, rounding_mode="ROUND"):  # type: ignore[no-untyped-def]
        v = x / scale + zero
        if bits == 1 and signed:
            code = np.where(v >= 0, 1, -1)
        else:
            code = ROUND[rounding_mode](np.clip(v, *limits(float(bits), signed, narrow)))
        return (((code - zero) * scale).astype(np.float32),)


class BipolarQuant(OpRun):
    op_domain = DOMAIN

    def _run(self, x, scale):  # type: ignore[no-untyped-def]
        return ((np.where(x >= 0, 1, -1) * scale).astype(np.float32),)


class Trunc(OpRun):
    op_domain = DOMAIN

    def _run(self, x, scale, zero, *widths, rounding_mode="FLOOR", signed=1, narrow=0):  # type: ignore[no-untyped-def]
        code = np.round(x / scale + zero)
        if len(widths) == 2:
            divisor = 2.0 ** (widths[0] - widths[1])
            y = (ROUND[rounding_mode](code / divisor) - zero) * scale
        else:
            _, out, bits = widths
            divisor = 2.0 ** np.round(np.log2(out / scale))
            clipped = np.clip(code / divisor, *limits(float(bits), signed, narrow))
            y = (ROUND[rounding_mode](clipped) - zero / divisor) * out
        return (y.astype(np.float32),)


class MultiThreshold(OpRun):
    op_domain = DOMAIN

    def _run(self, x, rows, out_scale=1.0, out_bias=0.0, out_dtype="", data_layout=""):  # type: ignore[no-untyped-def]
        spread = rows.reshape(1, rows.shape[0], *[1] * (x.ndim - 2), rows.shape[1])
        count = (x[..., None] >= spread).sum(axis=-1)
        return ((out_scale * count + out_bias).astype(np.float32),)


class _Wrapped(OpRun):
    """Channels first, the standard operator by ONNX's own executor, channels last."""

    op_domain = LAST

    def _run(self, x, *others, **_):  # type: ignore[no-untyped-def]
        op = self.onnx_node.op_type
        first = [np.moveaxis(x, -1, 1), *others]
        if op == "Conv":
            first[1] = np.moveaxis(others[0], -1, 1)
        names = [f"i{k}" for k in range(len(first))]
        inner = helper.make_node(op, names, ["o"])
        inner.attribute.extend(self.onnx_node.attribute)
        infos = [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in names]
        out = [helper.make_tensor_value_info("o", TensorProto.FLOAT, None)]
        model = helper.make_model(
            helper.make_graph([inner], "inner", infos, out),
            opset_imports=[helper.make_opsetid("", 18)],
        )
        (found,) = ReferenceEvaluator(model).run(None, dict(zip(names, first, strict=True)))
        return (np.moveaxis(found, 1, -1).astype(np.float32),)


class Conv(_Wrapped):
    op_schema = None


class MaxPool(_Wrapped):
    op_schema = None


class BatchNormalization(_Wrapped):
    op_schema = None


class DebugMarker(OpRun):
    op_domain = DOMAIN

    def _run(self, x, export_debug_name=""):  # type: ignore[no-untyped-def]
        return (x,)


OWN = [Quant, BipolarQuant, Trunc, MultiThreshold, DebugMarker, Conv, MaxPool, BatchNormalization]


def node(op: str, inputs: str, output: str, **attributes: Any) -> Any:
    """A node; its domain follows from its operator (``LastConv`` is the one on channels last), and
    its name is that of what it makes."""
    own = op in ("Quant", "BipolarQuant", "Trunc", "MultiThreshold", "DebugMarker")
    domain = DOMAIN if own else LAST if op.startswith("Last") else ""
    op = op.removeprefix("Last")
    names = ["" if name == "-" else name for name in inputs.split()]
    outputs = ["" if name == "-" else name for name in output.split()]
    return helper.make_node(
        op, names, outputs, f"n_{output.split()[-1]}", domain=domain, **attributes
    )


def network(
    nodes: list[Any],
    shape: tuple[int, ...],
    opset: int = 13,
    dtype: int = TensorProto.FLOAT,
    **constants: Any,
) -> ModelProto:
    """A model from ``x`` (batch, *shape) to ``y``; float constants are float32."""
    arrays = {}
    for name, value in constants.items():
        array = np.asarray(value)
        arrays[name] = array.astype(np.float32) if array.dtype == np.float64 else array
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", dtype, [1, *shape])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(a, n) for n, a in arrays.items()],
    )
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid(DOMAIN, 1)]
    opsets.append(helper.make_opsetid(LAST, 1))
    return helper.make_model(graph, opset_imports=opsets)


def imported(model: ModelProto, folder: Path, input_type: str | None = None) -> Graph:
    """The model through a file to the integer graph."""
    path = folder / "net.onnx"
    path.write_bytes(model.SerializeToString())
    return verify(integerize(qonnx.load(path, input_type)).graph)


def golden(graph: Graph, x: np.ndarray) -> np.ndarray:
    """The real outputs of the integer graph on real frames."""
    assert isinstance(graph.input, Input)
    assert isinstance(graph.output, Output)
    return graph.output.logits(graph.evaluate(graph.input.encode(x)))


def reference(model: ModelProto, x: np.ndarray) -> np.ndarray:
    """The executor's outputs, frame by frame, as the file's batch is one."""
    run = ReferenceEvaluator(model, new_ops=OWN)
    name = model.graph.input[0].name
    return np.concatenate([np.asarray(run.run(None, {name: f[None]})[0]) for f in x])


def same(
    model: ModelProto,
    x: np.ndarray,
    folder: Path,
    *,
    input_type: str | None = None,
    atol: float = 0.0,
) -> Graph:
    """Asserts that the golden model gives what the executor gives; returns the integer graph."""
    graph = imported(model, folder, input_type)
    want = reference(model, x)
    found = golden(graph, x.astype(np.float32)).reshape(want.shape)
    np.testing.assert_allclose(found, want, rtol=0, atol=atol)
    return graph
