"""Bounded reading of ONNX files: protobuf to plain nodes, constants and shapes.

The only file of the importer that knows protobuf. What it gives is checked: every value is made
once, the nodes are in topological order, constants have the size that they declare.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from hwgen.errors import ModelFileError, Origin, ToolError, UnsupportedError
from hwgen.frontend import qonnx_wire
from hwgen.frontend.qonnx_order import sorted_nodes

Array = npt.NDArray[Any]

MAX_BYTES = 256 << 20
MAX_ELEMENTS = 1 << 26
_SHOWN_NAME = 80
_PROTOBUF_HINT = "copy it again, or export the model once more"


@dataclass(frozen=True, slots=True)
class OnnxNode:
    """One operator. ``inputs`` are names, empty where an optional one is left out."""

    op: str
    domain: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]

    @property
    def origin(self) -> Origin:
        """The node's name, and what it gives."""
        return Origin(self.name or self.op, f"{self.op} -> {', '.join(self.outputs)}")


@dataclass(frozen=True, slots=True)
class OnnxInput:
    """The network's input: dimensions (None where symbolic) with the batch, element type, and
    the integer type that a FINN annotation states."""

    name: str
    dims: tuple[int | None, ...]
    dtype: str
    annotation: str


@dataclass(frozen=True, slots=True)
class OnnxModel:
    """A graph of one input and one output, its nodes in topological order."""

    path: Path
    nodes: tuple[OnnxNode, ...]
    constants: Mapping[str, Array]
    input: OnnxInput
    output: str
    opsets: Mapping[str, int]


def read(path: str | os.PathLike[str]) -> OnnxModel:
    """Read and check an ONNX file.

    Raises:
        ModelFileError: missing, truncated, too large, cyclic, or contradicting itself.
        UnsupportedError: more than one input or output, functions or sparse constants.
        ToolError: the package onnx is not installed.
    """
    file = Path(path)
    model = _parsed(file, _bytes(file))
    graph = model.graph
    if len(model.functions) or len(graph.sparse_initializer):
        what = "functions of its own" if len(model.functions) else "sparse constants"
        raise UnsupportedError(
            f"{file} must hold no {what}",
            hint="inline them: onnx.inliner.inline_local_functions, or export without them",
        )
    constants = {_text(t.name): _tensor(file, t) for t in graph.initializer}
    nodes = [_node(file, node) for node in graph.node]
    inputs = [v for v in graph.input if _text(v.name) not in constants]
    order = sorted_nodes(file, nodes, {*constants, *(_text(v.name) for v in inputs)})
    output = _output(file, graph, order)
    return OnnxModel(
        path=file,
        nodes=order,
        constants=MappingProxyType(constants),
        input=_input(file, graph, inputs, order),
        output=output,
        opsets=MappingProxyType({_text(o.domain): o.version for o in model.opset_import}),
    )


def damaged(file: Path, what: str, hint: str = _PROTOBUF_HINT) -> ModelFileError:
    """The error for a file that contradicts itself."""
    return ModelFileError(f"{file} is a damaged model file: {what}", hint=hint)


def _text(value: str | bytes) -> str:
    """A name; protobuf gives bytes where it is not UTF-8."""
    return value if isinstance(value, str) else value.decode("utf-8", "replace")


def _bytes(file: Path) -> bytes:
    try:
        size = file.stat().st_size
        if size > MAX_BYTES:
            raise ModelFileError(
                f"{file} must have at most {MAX_BYTES >> 20} MiB, not {size >> 20}",
                hint="no board holds a larger network: check that this is the right file",
            )
        return file.read_bytes()
    except OSError as error:
        raise ModelFileError(
            f"{file} cannot be read: {error.strerror or error}",
            hint="check the path, and that it is a file and not a folder",
        ) from error


def _parsed(file: Path, data: bytes) -> Any:
    try:
        import onnx
        from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
    except ImportError as error:
        raise ToolError("reading .onnx needs onnx", hint="pip install 'hwgen[onnx]'") from error
    if not data:
        raise damaged(file, "it is empty")
    try:
        messages = qonnx_wire.count(memoryview(data))
    except qonnx_wire.WireError as error:
        raise damaged(file, str(error)) from None
    if messages > qonnx_wire.MAX_MESSAGES:
        raise damaged(file, f"it holds more than {qonnx_wire.MAX_MESSAGES:,} parts")
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except (DecodeError, UnicodeDecodeError, ValueError) as error:
        raise damaged(file, "it is not an ONNX model") from error
    if not model.HasField("graph") or not model.graph.node:
        raise damaged(file, "it holds no graph")
    return model


def _node(file: Path, node: Any) -> OnnxNode:
    return OnnxNode(
        op=_text(node.op_type),
        domain=_text(node.domain),
        name=_text(node.name)[:_SHOWN_NAME],
        inputs=tuple(_text(name) for name in node.input),
        outputs=tuple(_text(name) for name in node.output),
        attributes={_text(a.name): _attribute(file, a) for a in node.attribute},
    )


def _attribute(file: Path, attribute: Any) -> Any:
    """The value: number, str, array, tuple of these; of a graph only that it is one."""
    from onnx import AttributeProto as Kind

    match attribute.type:
        case Kind.FLOAT:
            return float(attribute.f)
        case Kind.INT:
            return int(attribute.i)
        case Kind.STRING:
            return attribute.s.decode("utf-8", "replace")
        case Kind.TENSOR:
            return _tensor(file, attribute.t)
        case Kind.FLOATS:
            return tuple(float(v) for v in attribute.floats)
        case Kind.INTS:
            return tuple(int(v) for v in attribute.ints)
        case Kind.STRINGS:
            return tuple(v.decode("utf-8", "replace") for v in attribute.strings)
        case _:
            return NotImplemented


def _tensor(file: Path, tensor: Any) -> Array:
    """A constant, of exactly the bytes that its dimensions need."""
    from onnx import TensorProto, helper, numpy_helper

    shape, name = tuple(tensor.dims), _text(tensor.name)[:_SHOWN_NAME]
    if any(d < 0 for d in shape) or prod(shape) > MAX_ELEMENTS:
        raise damaged(
            file, f"constant {name!r} has the shape {shape}, more than {MAX_ELEMENTS:,} elements"
        )
    if tensor.HasField("segment"):
        raise damaged(file, f"constant {name!r} is in segments")
    if tensor.data_location == TensorProto.EXTERNAL:
        tensor = _external(file, tensor)
    try:
        dtype = helper.tensor_dtype_to_np_dtype(tensor.data_type)
        if tensor.HasField("raw_data"):
            bits = 4 if "4" in TensorProto.DataType.Name(tensor.data_type)[-3:] else None
            need = (prod(shape) + 1) // 2 if bits == 4 and dtype.itemsize == 1 else None
            if len(tensor.raw_data) != (need or prod(shape) * dtype.itemsize):
                raise ValueError("its bytes do not fill its shape")
        return np.asarray(numpy_helper.to_array(tensor))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise damaged(file, f"constant {name!r} cannot be read: {error}") from error


def _external(file: Path, tensor: Any) -> Any:
    """The tensor with its data read from beside the model."""
    from onnx import TensorProto

    name = _text(tensor.name)[:_SHOWN_NAME]
    entries = {_text(e.key): _text(e.value) for e in tensor.external_data}
    folder = file.resolve().parent
    where = (folder / entries.get("location", "")).resolve()
    if not entries.get("location") or not where.is_relative_to(folder):
        raise ModelFileError(
            f"{file}: the data of constant {name!r} must lie beside the model, not at "
            f"{entries.get('location', '')[:_SHOWN_NAME]!r}",
            hint="load and save the model with onnx, which puts all constants into one file",
        )
    try:
        offset, length = int(entries.get("offset", "0")), int(entries.get("length", "-1"))
        size = where.stat().st_size
        length = size - offset if length < 0 else length
        if offset < 0 or offset + length > size or length > MAX_BYTES:
            raise damaged(file, f"the data of constant {name!r} reach past the end of {where.name}")
        with where.open("rb") as source:
            source.seek(offset)
            data = source.read(length)
    except (OSError, ValueError) as error:
        raise ModelFileError(
            f"{file}: the data of constant {name!r} cannot be read: {error}",
            hint=f"copy {where.name} beside the model",
        ) from error
    return TensorProto(dims=tensor.dims, data_type=tensor.data_type, raw_data=data)


def _output(file: Path, graph: Any, nodes: tuple[OnnxNode, ...]) -> str:
    names = [_text(v.name) for v in graph.output]
    if len(names) != 1:
        raise UnsupportedError(
            f"{file} must have one output, not {len(names)}",
            hint="keep the output that matters: onnx.utils.extract_model",
        )
    if not any(names[0] in node.outputs for node in nodes):
        raise damaged(file, f"no node makes the output {names[0]!r}")
    return names[0]


def _input(file: Path, graph: Any, inputs: list[Any], nodes: tuple[OnnxNode, ...]) -> OnnxInput:
    from onnx import TensorProto

    types = {number: name.lower() for name, number in TensorProto.DataType.items()}
    read_names = {name for node in nodes for name in node.inputs}
    used = [v for v in inputs if _text(v.name) in read_names]
    if len(used) != 1:
        raise UnsupportedError(
            f"{file} must have one input, not {len(used)}",
            hint="bind the others to constants, or concatenate them into one",
        )
    (value,) = used
    kind = value.type.tensor_type
    dims = tuple(d.dim_value if d.HasField("dim_value") else None for d in kind.shape.dim)
    annotations = {
        _text(a.tensor_name): {_text(p.key): _text(p.value) for p in a.quant_parameter_tensor_names}
        for a in graph.quantization_annotation
    }
    return OnnxInput(
        name=_text(value.name),
        dims=dims,
        dtype=types.get(kind.elem_type, "undefined"),
        annotation=annotations.get(_text(value.name), {}).get("finn_datatype", ""),
    )
