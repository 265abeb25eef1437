"""A torch.export archive as plain data, read without torch and without unpickling anything.

The archive is a zip with one root folder: ``models/model.json`` (graph and signature),
``data/weights`` and ``data/constants`` (raw little-endian tensors and a JSON index of each).
Source: torch/_export/serde/schema.py, schema version 8.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy.typing as npt

from hwgen.errors import NOWHERE, ModelFileError, Origin
from hwgen.frontend import payload, serialized
from hwgen.frontend.container import SAVE_HINT, Container, open_container
from hwgen.frontend.examples import EXAMPLES_FILE, from_json
from hwgen.frontend.format import FORMAT_FILE, FORMAT_VERSION
from hwgen.frontend.serialized import Reader

_ARCHIVE_VERSION = "0"
_SCHEMA_MAJOR = 8
_MODEL = "model"
MAX_ELEMENTS = 1 << 28
"""No value of a network that fits an FPGA has more elements."""


@dataclass(frozen=True, slots=True)
class TensorRef:
    """The use of a tensor by its value's name."""

    name: str


@dataclass(frozen=True, slots=True)
class Other:
    """An argument of a kind that no integer network uses: devices, layouts, subgraphs, symbols."""

    kind: str
    value: str


Value = TensorRef | Other | bool | int | float | str | tuple["Value", ...] | None


@dataclass(frozen=True, slots=True)
class TensorType:
    """Shape with the batch on axis 0, and a numpy type's name (``float32``, ``bfloat16``…)."""

    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True, slots=True)
class ArchiveNode:
    """One call: ``target`` such as ``aten.linear.default``; ``inputs`` by the argument's name.

    Arguments at their default are absent. ``outputs`` are value names, '' where it is no tensor.
    """

    name: str
    target: str
    inputs: Mapping[str, Value]
    outputs: tuple[str, ...]
    origin: Origin = NOWHERE


@dataclass(frozen=True, slots=True)
class Archive:
    """A graph in order of evaluation. All arrays are read-only.

    ``tensors`` and ``names`` go by the value's name; ``names`` gives the module path of a
    parameter, buffer or constant (``body.2.weight``). ``hwgen_format`` is None where plain torch
    wrote the archive. ``examples`` holds the input's frames under "" and, by value, what the
    activation quantizers' codes were for them.
    """

    path: Path
    nodes: tuple[ArchiveNode, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    tensors: Mapping[str, npt.NDArray[Any]]
    names: Mapping[str, str]
    types: Mapping[str, TensorType]
    hwgen_format: int | None
    examples: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of every value, batch first."""
        return {name: value.shape for name, value in self.types.items()}


def read(path: str | os.PathLike[str]) -> Archive:
    """Read a model file written by `hwgen.save` or `torch.export.save`.

    Raises:
        ModelFileError: if the file is missing, damaged, hostile, of another kind or version.
    """
    with open_container(Path(path)) as container:
        hwgen_format = _check_versions(container)
        model = serialized.root(container, f"models/{_MODEL}.json")
        _check_schema(container, model)
        return _archive(container, model, hwgen_format)


def _check_versions(container: Container) -> int | None:
    kind = container.text("archive_format")
    version = container.text("archive_version")
    if kind != "pt2" or version != _ARCHIVE_VERSION:
        raise _version_error(container, f"torch archive {kind!r}, version {version!r}")
    if "byteorder" in container and container.text("byteorder") != "little":
        raise _version_error(container, "a big-endian archive")
    if f"models/{_MODEL}.json" not in container:
        raise container.damaged(f"entry models/{_MODEL}.json is missing")
    if FORMAT_FILE not in container:
        return None
    own = serialized.root(container, FORMAT_FILE).integer("format")
    if own != FORMAT_VERSION:
        raise _version_error(container, f"hwgen model format {own}")
    return FORMAT_VERSION


def _check_schema(container: Container, model: Reader) -> None:
    major = model.child("schema_version").integer("major")
    if major != _SCHEMA_MAJOR:
        raise _version_error(container, f"torch.export schema {major}")


def _version_error(container: Container, found: str) -> ModelFileError:
    return ModelFileError(
        f"{container.path} must be of torch.export schema {_SCHEMA_MAJOR} and hwgen format "
        f"{FORMAT_VERSION}, not {found}",
        hint=f"with the present torch and hwgen, {SAVE_HINT}",
    )


def _archive(container: Container, model: Reader, hwgen_format: int | None) -> Archive:
    module = model.child("graph_module")
    graph = module.child("graph")
    types = {
        name: TensorType(meta.shape("sizes"), payload.dtype_name(meta))
        for name, meta in graph.children("tensor_values")
    }
    signature = serialized.signature(module.child("signature"))
    tensors = payload.tensors(container, _MODEL, set(signature.stored.values()))
    missing = sorted(set(signature.stored.values()) - set(tensors))
    if missing:
        raise container.damaged(f"tensor {missing[0]} is missing")
    nodes = tuple(_node(node) for node in graph.items("nodes"))
    _check_references(container, nodes, signature)
    _check_types(container, types, nodes, signature, tensors)
    return Archive(
        path=container.path,
        nodes=nodes,
        inputs=signature.inputs,
        outputs=signature.outputs,
        tensors=MappingProxyType({v: tensors[n] for v, n in signature.stored.items()}),
        names=MappingProxyType(dict(signature.stored)),
        types=MappingProxyType(types),
        hwgen_format=hwgen_format,
        examples=_examples(container) if hwgen_format is not None else {},
    )


def _examples(container: Container) -> Mapping[str, npt.NDArray[Any]]:
    if EXAMPLES_FILE not in container:
        return {}
    try:
        return MappingProxyType(from_json(container.json(EXAMPLES_FILE)))
    except ValueError as error:
        raise container.damaged(str(error)) from None


def _node(node: Reader) -> ArchiveNode:
    target = node.string("target").removeprefix("torch.ops.")
    inputs = {arg.string("name"): _value(arg.child("arg")) for arg in node.items("inputs")}
    outputs = tuple(_value(output) for output in node.items("outputs"))
    names = tuple(n for value in outputs for n in _output_names(value))
    return ArchiveNode(
        name=node.optional_string("name") or (names[0] if names else target),
        target=target,
        inputs=MappingProxyType(inputs),
        outputs=names,
        origin=serialized.origin(node.child("metadata")),
    )


def _output_names(value: Value) -> tuple[str, ...]:
    if isinstance(value, tuple):
        return tuple(name for element in value for name in _output_names(element))
    return (value.name if isinstance(value, TensorRef) else "",)


def _value(argument: Reader) -> Value:
    """An `Argument` union of the schema."""
    kind = argument.only_key()
    match kind:
        case "as_none":
            return None
        case "as_tensor":
            return TensorRef(argument.child(kind).string("name"))
        case "as_tensors":
            return tuple(TensorRef(item.string("name")) for item in argument.items(kind))
        case "as_optional_tensor":
            return _value(argument.child(kind))
        case "as_optional_tensors" | "as_sym_ints":
            return tuple(_value(item) for item in argument.items(kind))
        case "as_sym_int" | "as_sym_float" | "as_sym_bool":
            return _value(argument.child(kind))
        case "as_float":
            return argument.real(kind)
        case "as_int" | "as_bool" | "as_string":
            return argument.scalar(kind)
        case "as_ints" | "as_floats" | "as_bools" | "as_strings":
            return argument.scalars(kind)
        case "as_scalar_type":
            return payload.DTYPES.get(argument.integer(kind), "unknown")
        case _:
            return Other(kind, str(argument.raw(kind))[:200])


def _check_references(
    container: Container, nodes: tuple[ArchiveNode, ...], signature: serialized.Signature
) -> None:
    known = {*signature.inputs, *signature.stored}
    for node in nodes:
        for used in node.inputs.values():
            unknown = [name for name in _output_names(used) if name and name not in known]
            if unknown:
                raise container.damaged(f"node {node.name} uses the undefined value {unknown[0]}")
        known.update(node.outputs)
    for name in signature.outputs:
        if name not in known:
            raise container.damaged(f"the output {name} is undefined")


def _check_types(
    container: Container,
    types: Mapping[str, TensorType],
    nodes: tuple[ArchiveNode, ...],
    signature: serialized.Signature,
    tensors: Mapping[str, npt.NDArray[Any]],
) -> None:
    """Every value has a type, and every stored tensor the shape of its value."""
    for name in (*signature.inputs, *(output for node in nodes for output in node.outputs)):
        if name and name not in types:
            raise container.damaged(f"the value {name} has no shape")
    for name, kind in types.items():
        if prod(kind.shape) > MAX_ELEMENTS:
            raise container.damaged(f"the value {name} of shape {kind.shape} is unreasonably large")
    for value, path in signature.stored.items():
        if value not in types or types[value].shape != tensors[path].shape:
            raise container.damaged(f"tensor {path} is not of the shape of its value {value}")
