"""Typed access to the JSON of a torch.export archive: whatever is wrong in it is a clear error."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath
from typing import cast

from hwgen.errors import NOWHERE, ModelFileError, Origin
from hwgen.frontend.container import Container

_FRAME = re.compile(r'File "([^"]*)", line (\d+), in ')
_LIBRARY = re.compile(r"[\\/](torch|hwgen[\\/](nn|train|ptq))[\\/]")
_STORED = {
    "parameter": "parameter_name",
    "buffer": "buffer_name",
    "tensor_constant": "tensor_constant_name",
}

_SPECIAL = ("Infinity", "-Infinity", "NaN")

Scalar = bool | int | float | str


@dataclass(frozen=True, slots=True)
class Reader:
    """A JSON object of the archive; methods raise ModelFileError if a field is not as asked."""

    container: Container
    where: str
    fields: dict[str, object]

    def raw(self, key: str) -> object:
        """Whatever is there."""
        if key not in self.fields:
            raise self.container.damaged(f"{self.where} has no {key}")
        return self.fields[key]

    def child(self, key: str) -> Reader:
        """An object."""
        return self._wrap(key, self.raw(key))

    def items(self, key: str) -> Iterator[Reader]:
        """A list of objects."""
        for index, item in enumerate(self._list(key)):
            yield self._wrap(f"{key}[{index}]", item)

    def children(self, key: str) -> Iterator[tuple[str, Reader]]:
        """An object of objects."""
        for name, item in self.child(key).fields.items():
            yield name, self._wrap(f"{key}.{name}", item)

    def string(self, key: str) -> str:
        """A string."""
        value = self.raw(key)
        if not isinstance(value, str):
            raise self._wrong(key, "a string")
        return value

    def optional_string(self, key: str) -> str:
        """A string, or '' where it is absent or null."""
        return self.string(key) if self.fields.get(key) is not None else ""

    def integer(self, key: str) -> int:
        """An integer."""
        value = self.raw(key)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._wrong(key, "an integer")
        return value

    def boolean(self, key: str) -> bool:
        """A truth value."""
        value = self.raw(key)
        if not isinstance(value, bool):
            raise self._wrong(key, "true or false")
        return value

    def scalar(self, key: str) -> Scalar:
        """A truth value, number or string."""
        value = self.raw(key)
        if not isinstance(value, bool | int | float | str):
            raise self._wrong(key, "a scalar")
        return value

    def real(self, key: str) -> float:
        """A number; torch spells infinities and NaN as strings."""
        value = self.scalar(key)
        if isinstance(value, str) and value not in _SPECIAL:
            raise self._wrong(key, "a number")
        return float(value)

    def scalars(self, key: str) -> tuple[Scalar, ...]:
        """A list of scalars."""
        values = self._list(key)
        if not all(isinstance(value, bool | int | float | str) for value in values):
            raise self._wrong(key, "a list of scalars")
        return tuple(cast(list[Scalar], values))

    def sizes(self, key: str) -> tuple[int, ...]:
        """A list of dimensions, strides or the like: integers of at least 0."""
        return tuple(item.size() for item in self.items(key))

    def shape(self, key: str) -> tuple[int, ...]:
        """Dimensions of which the first, the batch, may be symbolic: the one of the export then."""
        items = list(self.items(key))
        if not items:
            return ()
        first, *rest = items
        if "as_expr" in first.fields:
            first = first.child("as_expr").child("hint")
        symbolic = [item.where for item in rest if "as_expr" in item.fields]
        if symbolic:
            raise ModelFileError(
                f"{self.container.path}: {symbolic[0]} is of no fixed size",
                hint="export with fixed sizes; only that of the batch (axis 0) may be dynamic",
            )
        return (first.size(), *(item.size() for item in rest))

    def size(self) -> int:
        """A `SymInt` union that must be a plain integer of at least 0."""
        if "as_int" not in self.fields:
            raise self.container.damaged(f"{self.where} is a symbolic size")
        value = self.integer("as_int")
        if value < 0:
            raise self._wrong("as_int", "at least 0")
        return value

    def only_key(self) -> str:
        """The key of a union: an object with one field."""
        if len(self.fields) != 1:
            raise self.container.damaged(f"{self.where} must have one field")
        return next(iter(self.fields))

    def _list(self, key: str) -> list[object]:
        value = self.raw(key)
        if not isinstance(value, list):
            raise self._wrong(key, "a list")
        return value

    def _wrap(self, key: str, value: object) -> Reader:
        if not isinstance(value, dict):
            raise self._wrong(key, "an object")
        return Reader(self.container, f"{self.where}.{key}", value)

    def _wrong(self, key: str, kind: str) -> Exception:
        return self.container.damaged(f"{self.where}.{key} must be {kind}")


@dataclass(frozen=True, slots=True)
class Signature:
    """Names of user inputs and outputs, and value name -> path of each stored tensor."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    stored: dict[str, str]


def root(container: Container, entry: str) -> Reader:
    """The object at the top of a JSON entry.

    Raises:
        ModelFileError: if the entry is missing, damaged or no object.
    """
    value = container.json(entry)
    if not isinstance(value, dict):
        raise container.damaged(f"{entry} must be an object")
    return Reader(container, entry, value)


def signature(reader: Reader) -> Signature:
    """A `GraphSignature` of the schema; inputs that are no tensors are left out."""
    inputs: list[str] = []
    stored: dict[str, str] = {}
    for spec in reader.items("input_specs"):
        kind = spec.only_key()
        if kind in _STORED:
            name = spec.child(kind).child("arg").string("name")
            stored[name] = spec.child(kind).string(_STORED[kind])
        elif kind == "user_input" and "as_tensor" in spec.child(kind).child("arg").fields:
            inputs.append(spec.child(kind).child("arg").child("as_tensor").string("name"))
    outputs = [
        spec.child("user_output").child("arg").child("as_tensor").string("name")
        for spec in reader.items("output_specs")
        if "user_output" in spec.fields
        and "as_tensor" in spec.child("user_output").child("arg").fields
    ]
    return Signature(tuple(inputs), tuple(outputs), stored)


def origin(metadata: Reader) -> Origin:
    """The innermost module's path, and the innermost line of the user's own code."""
    stack = metadata.optional_string("nn_module_stack")
    path = _module_path(stack) if stack else ""
    frames = _FRAME.findall(metadata.optional_string("stack_trace"))
    own = [(file, line) for file, line in frames if not _LIBRARY.search(file)]
    if not own:
        return Origin(path) if path else NOWHERE
    file, line = own[-1]
    return Origin(path, f"{_base_name(file)}:{line}")


def _module_path(stack: str) -> str:
    """The path in the last entry of ``key,path,class;key,path,class``."""
    entries = stack.split(";")
    parts = entries[-1].split(",")
    return parts[1] if len(parts) >= 3 else ""


def _base_name(file: str) -> str:
    return PureWindowsPath(file).name if "\\" in file else PurePosixPath(file).name
