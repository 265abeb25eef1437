"""Plain values as text: their digest, by which things are found again, and a way back from it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from fractions import Fraction
from typing import Any

import numpy as np

PRIMITIVES = (str, int, float, bool, type(None))


def digest(*values: object) -> str:
    """SHA-256 of values made of numbers, texts, arrays, dataclasses and collections.

    Equal values have equal digests, in every process; a dataclass's fields that do not count for
    equality do not count here either.

    Raises:
        TypeError: a value of another type, which has no content that could be told.
    """
    sink = hashlib.sha256()
    for piece in _pieces(values):
        sink.update(piece)
    return sink.hexdigest()


def _pieces(value: object) -> Iterator[bytes]:
    """``value`` as bytes that no other value has: every piece is led by its kind and length."""
    if isinstance(value, np.ndarray):
        yield f"array {value.dtype.str} {value.shape}\n".encode()
        yield np.ascontiguousarray(value).tobytes()
    elif isinstance(value, Enum):
        yield f"enum {type(value).__qualname__} {value.name}\n".encode()
    elif isinstance(value, np.generic):
        yield from _pieces(value.item())
    elif isinstance(value, PRIMITIVES):
        yield f"{type(value).__name__} {value!r}\n".encode()
    elif isinstance(value, Fraction):
        yield f"fraction {value}\n".encode()
    elif isinstance(value, Mapping):
        yield f"mapping {len(value)}\n".encode()
        for key in sorted(value):
            yield from _pieces((key, value[key]))
    elif isinstance(value, Sequence):
        yield f"sequence {len(value)}\n".encode()
        for item in value:
            yield from _pieces(item)
    elif is_dataclass(value) and not isinstance(value, type):
        counted = [f.name for f in fields(value) if f.compare]
        yield f"{type(value).__module__}.{type(value).__qualname__} {len(counted)}\n".encode()
        for name in counted:
            yield from _pieces(getattr(value, name))
    else:
        raise TypeError(f"{type(value).__qualname__} has no content that could be told")


def dumps(value: object) -> str:
    """JSON of numbers, texts, tuples and dataclasses of them, for ``loads``."""
    return json.dumps(value, default=_named, separators=(",", ":"))


def _named(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    if not is_dataclass(value) or isinstance(value, type):
        raise TypeError(f"{type(value).__qualname__} cannot be written")
    return {type(value).__name__: [getattr(value, f.name) for f in fields(value)]}


def loads(text: str, classes: Sequence[type]) -> Any:
    """The value that ``dumps`` was given; only ``classes`` are made, lists become tuples.

    Raises:
        ValueError: text that ``dumps`` did not write, or another class.
    """
    known = {kind.__name__: kind for kind in classes}

    def made(pairs: dict[str, Any]) -> Any:
        (name, values) = next(iter(pairs.items()))
        if len(pairs) != 1 or name not in known:
            raise TypeError(f"{sorted(pairs)} is none of {sorted(known)}")
        return known[name](*(_frozen(v) for v in values))

    try:
        return _frozen(json.loads(text, object_hook=made))
    except (StopIteration, TypeError, ValueError) as error:
        raise ValueError(f"this is not a stored value: {error}") from None


def _frozen(value: Any) -> Any:
    return tuple(_frozen(v) for v in value) if isinstance(value, list) else value
