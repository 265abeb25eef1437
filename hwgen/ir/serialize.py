"""The integer graph as JSON, so that a built project can be simulated without its model file."""

from __future__ import annotations

import base64
import json
from dataclasses import fields, is_dataclass
from fractions import Fraction
from typing import Any, TypeVar

import numpy as np

from hwgen.errors import ModelFileError, Origin
from hwgen.ir.graph import Graph
from hwgen.ir.meaning import Affine, Clamp
from hwgen.ir.node import Node
from hwgen.ir.types import Alphabet, IntArray

FORMAT = 1
C = TypeVar("C", bound=type)
_classes: dict[str, type] = {}


def register(cls: C) -> C:
    """Lets a frozen dataclass stand among a node's attributes."""
    _classes[cls.__name__] = cls
    return cls


for _cls in (Affine, Clamp, Alphabet):
    register(_cls)


def to_json(graph: Graph) -> str:
    """The graph as text; equal graphs give equal text."""
    nodes = [
        {
            "op": node.op,
            "name": node.name,
            "inputs": list(node.inputs),
            "origin": [node.origin.path, node.origin.source],
            **{key: _encode(value) for key, value in node.attributes().items()},
        }
        for node in graph
    ]
    return json.dumps({"format": FORMAT, "name": graph.name, "nodes": nodes}, indent=1) + "\n"


def from_json(text: str) -> Graph:
    """The graph of ``to_json``.

    Raises:
        ModelFileError: text that is not such a graph.
    """
    try:
        data = json.loads(text)
        if data["format"] != FORMAT:
            raise ModelFileError(
                f"graph.json must have format {FORMAT}, not {data['format']}",
                hint="build the project again with this version of hwgen",
            )
        return Graph(data["name"], tuple(_node(item) for item in data["nodes"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        message = f"graph.json is not a graph of hwgen: {error}"
        raise ModelFileError(message, hint="build the project again") from None


def _node(item: dict[str, Any]) -> Node:
    cls = Node.registry[item["op"]]
    common = {"op", "name", "inputs", "origin"}
    rest = {key: _decode(value) for key, value in item.items() if key not in common}
    origin = Origin(*item["origin"])
    return cls(name=item["name"], inputs=tuple(item["inputs"]), origin=origin, **rest)


def _encode(value: object) -> object:
    if isinstance(value, IntArray):
        return {"ints": list(value.shape), **_packed(value)}
    if isinstance(value, Fraction):
        return {"fraction": f"{value.numerator:x}/{value.denominator:x}"}
    if is_dataclass(value) and not isinstance(value, type):
        name = type(value).__name__
        if name not in _classes:
            raise AssertionError(f"{name} is not registered for graph.json")
        return {"class": name, **{f.name: _encode(getattr(value, f.name)) for f in fields(value)}}
    if isinstance(value, tuple):
        return [_encode(v) for v in value]
    return value


def _decode(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_decode(v) for v in value)
    if not isinstance(value, dict):
        return value
    if "ints" in value:
        raw = np.frombuffer(base64.b64decode(value["data"]), dtype=np.dtype(value["dtype"]))
        return IntArray(raw.reshape(value["ints"]))
    if "fraction" in value:
        numerator, denominator = value["fraction"].split("/")
        return Fraction(int(numerator, 16), int(denominator, 16))
    cls = _classes[value["class"]]
    return cls(**{key: _decode(v) for key, v in value.items() if key != "class"})


def _packed(array: IntArray) -> dict[str, str]:
    values = array.values
    for dtype in ("<i1", "<i2", "<i4", "<i8"):
        small = values.astype(dtype)
        if np.array_equal(small, values):
            break
    return {"dtype": dtype, "data": base64.b64encode(small.tobytes()).decode()}
