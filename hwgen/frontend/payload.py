"""The tensors of a torch.export archive: raw little-endian bytes described by a JSON index."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from hwgen.errors import ModelFileError
from hwgen.frontend.container import SAVE_HINT, TOTAL_LIMIT, Container
from hwgen.frontend.serialized import Reader, root

DTYPES = {
    1: "uint8",
    2: "int8",
    3: "int16",
    4: "int32",
    5: "int64",
    6: "float16",
    7: "float32",
    8: "float64",
    12: "bool",
    13: "bfloat16",
    28: "uint16",
    34: "uint32",
    35: "uint64",
}
"""torch's `ScalarType` numbers (schema.py) that have an exact numpy meaning."""

_STRIDED = 7
_INDEXES = (
    ("data/weights/", "data/weights/{}_weights_config.json"),
    ("data/constants/", "data/constants/{}_constants_config.json"),
)


def dtype_name(meta: Reader) -> str:
    """The type's name, ``unknown`` where numpy has none."""
    return DTYPES.get(meta.integer("dtype"), "unknown")


def tensors(container: Container, model: str, wanted: set[str]) -> dict[str, npt.NDArray[Any]]:
    """The tensors named in ``wanted``, read-only; float16 and bfloat16 become float32 (exactly).

    Raises:
        ModelFileError: if one is pickled, of an unknown type, or its bytes do not fit its shape.
    """
    found: dict[str, npt.NDArray[Any]] = {}
    stored: dict[tuple[str, str], npt.NDArray[Any]] = {}
    total = 0
    for folder, index in _INDEXES:
        if index.format(model) not in container:
            continue
        for name, entry in root(container, index.format(model)).children("config"):
            if name in wanted:
                found[name] = _tensor(container, folder, name, entry, stored)
                total += found[name].nbytes
            if total > TOTAL_LIMIT:
                raise container.damaged(f"its tensors exceed {TOTAL_LIMIT >> 30} GiB")
    return found


def _tensor(
    container: Container,
    folder: str,
    name: str,
    entry: Reader,
    stored: dict[tuple[str, str], npt.NDArray[Any]],
) -> npt.NDArray[Any]:
    """One tensor; ``stored`` keeps what was read, as several tensors may share an entry."""
    if entry.boolean("use_pickle"):
        raise ModelFileError(
            f"{container.path} holds {name} as a pickle, which hwgen never loads",
            hint=f"the tensor must be a plain torch.Tensor: {SAVE_HINT}",
        )
    meta = entry.child("tensor_meta")
    dtype = dtype_name(meta)
    if dtype == "unknown" or meta.integer("layout") != _STRIDED:
        raise ModelFileError(
            f"{container.path}: tensor {name} has type {meta.integer('dtype')} and layout "
            f"{meta.integer('layout')}, which hwgen does not read",
            hint="use dense tensors of floats, integers or bool",
        )
    path = folder + entry.string("path_name")
    if (path, dtype) not in stored:
        stored[path, dtype] = _elements(container, path, dtype)
    return _view(container, name, stored[path, dtype], meta)


def _elements(container: Container, path: str, dtype: str) -> npt.NDArray[Any]:
    """The stored elements, not yet shaped."""
    raw = np.dtype("<u2" if dtype == "bfloat16" else dtype).newbyteorder("<")
    if container.size(path) % raw.itemsize:
        raise container.damaged(f"entry {path} is no whole number of {dtype}")
    data = np.frombuffer(container.read(path), raw)
    if dtype == "bfloat16":
        return (data.astype(np.uint32) << 16).view(np.float32)
    if dtype == "float16":
        return data.astype(np.float32)
    if dtype == "bool" and data.size and data.view(np.uint8).max() > 1:
        raise container.damaged(f"entry {path} holds truth values other than 0 and 1")
    return data.astype(raw.newbyteorder("="), copy=False)


def _view(
    container: Container, name: str, flat: npt.NDArray[Any], meta: Reader
) -> npt.NDArray[Any]:
    shape, strides = meta.sizes("sizes"), meta.sizes("strides")
    offset = meta.child("storage_offset").size()
    if len(shape) != len(strides):
        raise container.damaged(f"tensor {name} has {len(shape)} sizes and {len(strides)} strides")
    if 0 in shape:
        return _sealed(np.zeros(shape, flat.dtype))
    last = offset + sum((n - 1) * stride for n, stride in zip(shape, strides, strict=True))
    if last >= flat.size:
        raise container.damaged(f"tensor {name} of shape {shape} exceeds its {flat.size} elements")
    if prod(shape) > flat.size:
        raise container.damaged(f"tensor {name} of shape {shape} repeats its elements")
    steps = tuple(stride * flat.itemsize for stride in strides)
    window = np.lib.stride_tricks.as_strided(flat[offset:], shape, steps, writeable=False)
    return _sealed(np.ascontiguousarray(window).reshape(shape))


def _sealed(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    array = array if array.flags.owndata or not array.flags.writeable else array.copy()
    array.flags.writeable = False
    return array
