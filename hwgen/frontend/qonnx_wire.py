"""A count of the messages in an ONNX file before protobuf builds them, so that memory is bounded.

Two bytes of a hostile file can make protobuf allocate a message of a hundred; nothing is built
here, so a file of any content costs nothing but time linear in its size.
"""

from __future__ import annotations

from collections.abc import Iterator

MAX_MESSAGES = 500_000

Field = tuple[int, memoryview]
Schema = dict[int, "Schema"]

_ATTRIBUTE: Schema = {5: {}, 10: {}}
_NODE: Schema = {5: _ATTRIBUTE, 9: {}}
_VALUE: Schema = {2: {1: {2: {1: {}}}}}
_GRAPH: Schema = {
    1: _NODE,
    5: {},
    11: _VALUE,
    12: _VALUE,
    13: _VALUE,
    14: {2: {}},
    15: {},
    16: {},
}
_ATTRIBUTE[6] = _ATTRIBUTE[11] = _GRAPH
MODEL: Schema = {7: _GRAPH, 8: {}, 14: {}, 20: {}, 25: {7: _NODE, 11: _ATTRIBUTE}}
"""Numbers of the fields of onnx.proto that hold messages, from ModelProto down."""

_MAX_DEPTH = 40


class WireError(ValueError):
    """The bytes are not a protobuf message."""


def count(data: memoryview, schema: Schema = MODEL, depth: int = 0) -> int:
    """Messages in ``data``, itself included; stops soon after ``MAX_MESSAGES``.

    Raises:
        WireError: a field that is cut off, or messages nested more than 40 deep.
    """
    if depth > _MAX_DEPTH:
        raise WireError("its messages are nested too deep")
    total = 1
    for number, content in fields(data):
        inner = schema.get(number)
        if inner is not None:
            total += count(content, inner, depth + 1) if inner else 1
        if total > MAX_MESSAGES:
            break
    return total


def fields(data: memoryview) -> Iterator[Field]:
    """Each length-delimited field's number and content; other fields are passed over."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        kind = tag & 7
        if kind == 0:
            _, at = _varint(data, at)
        elif kind in (1, 5):
            at += 8 if kind == 1 else 4
        elif kind == 2:
            size, at = _varint(data, at)
            if size > len(data) - at:
                raise WireError("it is cut off")
            yield tag >> 3, data[at : at + size]
            at += size
        else:
            raise WireError("it is not a protobuf message")
        if at > len(data):
            raise WireError("it is cut off")


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise WireError("it is cut off")
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise WireError("it is not a protobuf message")
