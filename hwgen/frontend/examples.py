"""What a trained network itself gave for its example frames, as text beside the model."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

EXAMPLES_FILE = "extra/examples.json"
"""An entry: for ``input`` float32 frames, and integer codes by the quantizer's value name."""

MAX_FRAMES = 64
_TYPES = ("<f4", "<i2")


def to_text(arrays: Mapping[str, npt.NDArray[Any]]) -> str:
    """Arrays, float32 or small integers, as JSON; equal arrays give equal text."""
    return json.dumps({name: _encoded(array) for name, array in arrays.items()}, sort_keys=True)


def from_json(data: Any) -> dict[str, npt.NDArray[Any]]:
    """The arrays of ``to_text``, once its JSON is read; integers as int64.

    Raises:
        ValueError: not such arrays.
    """
    try:
        return {str(name): _decoded(item) for name, item in data.items()}
    except (KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise ValueError(f"examples are damaged: {error}") from None


def _encoded(array: npt.NDArray[Any]) -> dict[str, Any]:
    kind = "<f4" if array.dtype.kind == "f" else "<i2"
    raw = np.ascontiguousarray(array).astype(kind).tobytes()
    return {"type": kind, "shape": list(array.shape), "data": base64.b64encode(raw).decode()}


def _decoded(item: Mapping[str, Any]) -> npt.NDArray[Any]:
    if item["type"] not in _TYPES:
        raise ValueError(f"examples are damaged: type {item['type']!r}")
    raw = np.frombuffer(base64.b64decode(item["data"], validate=True), dtype=item["type"])
    shape = tuple(int(n) for n in item["shape"])
    array = raw.reshape(shape)
    return array if item["type"] == "<f4" else array.astype(np.int64)
