"""Operators whose operands are all constants, and shapes: computed while importing, in numpy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from hwgen.errors import ModelError, UnsupportedError
from hwgen.frontend.qonnx_call import Call
from hwgen.frontend.qonnx_file import Array
from hwgen.frontend.qonnx_value import Constant, Real

Fold = Callable[[Call, Array], Array]


def fold(call: Call) -> Constant | None:
    """The value of an operator on constants, or None if its rows must see to it.

    Operators that only move elements keep the levels that a quantizer made.

    Raises:
        ModelError: operands that do not fit each other.
    """
    op = call.node.op
    if op == "Shape" and call.given(0):
        return Constant(np.array(call.shape_of(call.value(0)), dtype=np.int64))
    if op == "Constant":
        return Constant(_literal(call))
    values = [call.values[name] for name in call.node.inputs if name]
    if not all(isinstance(v, Constant) for v in values):
        return None
    try:
        with np.errstate(all="ignore"):  # what is not finite is refused where it is used
            return _folded(call)
    except UnsupportedError:
        raise
    except (ValueError, TypeError, IndexError, KeyError, OverflowError) as error:
        raise ModelError(
            f"{op}: constants that do not fit each other: {error}", origin=call.node.origin
        ) from error


def _folded(call: Call) -> Constant | None:
    op = call.node.op
    if op in MOVES:
        source = call.constant(0)
        move = MOVES[op]
        quantized = source.quantized
        return Constant(
            move(call, source.values),
            quantized and quantized.mapped(lambda a: move(call, a)),
        )
    if op in ELEMENTWISE:
        arrays = [call.constant(i).values for i in range(len(call.node.inputs))]
        call.bounded(*np.broadcast_shapes(*(a.shape for a in arrays)))
        result = ELEMENTWISE[op](*arrays)
        return Constant(np.asarray(result).astype(_type(op, arrays), copy=False))
    if op in BUILDERS:
        return Constant(np.asarray(BUILDERS[op](call)))
    return None


def _type(op: str, arrays: list[Array]) -> np.dtype[Any]:
    """ONNX keeps the operands' type, comparisons apart; numpy might widen it."""
    if op in ("Equal", "Greater", "Less", "Not", "And", "Or"):
        return np.dtype(bool)
    return arrays[1].dtype if op == "Where" else arrays[0].dtype


def _literal(call: Call) -> Array:
    names = ("value", "value_float", "value_int", "value_floats", "value_ints")
    for name, kind in zip(names, (None, "f4", "i8", "f4", "i8"), strict=True):
        value = call.node.attributes.get(name)
        if value is not None and value is not NotImplemented:
            return np.asarray(value, dtype=kind)
    return call.unsupported("it must have a value of numbers")


def _gather(call: Call, data: Array) -> Array:
    axis = call.attribute("axis", 0)
    indices = call.array(1, "indices")
    call.bounded(*indices.shape, *data.shape[:axis], *data.shape[axis + 1 :])
    return np.take(data, indices, axis=axis)


def _reshape(call: Call, data: Array) -> Array:
    target = reshaped(call, data.shape)
    return data.reshape(target)


def reshaped(call: Call, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that Reshape gives, with 0 (copied) and -1 (inferred) resolved."""
    target = list(call.integers(1, "the shape"))
    if not call.attribute("allowzero", 0):
        target = [shape[i] if d == 0 and i < len(shape) else d for i, d in enumerate(target)]
    count = int(np.prod(shape, dtype=np.int64))
    if target.count(-1) == 1:
        known = int(np.prod([d for d in target if d != -1], dtype=np.int64))
        target = [count // max(known, 1) if d == -1 else d for d in target]
    if min(target, default=1) < 0 or int(np.prod(target, dtype=np.int64)) != count:
        call.unsupported(f"{shape} cannot be reshaped to {tuple(target)}")
    return tuple(target)


def flattened(call: Call, shape: tuple[int, ...]) -> tuple[int, int]:
    """The two axes that Flatten gives."""
    axis = call.attribute("axis", 1)
    axis += len(shape) if axis < 0 else 0
    return int(np.prod(shape[:axis])), int(np.prod(shape[axis:]))


def squeezed(call: Call, shape: tuple[int, ...]) -> tuple[int, ...]:
    axes = call.axes()
    if axes is None:
        return tuple(d for d in shape if d != 1)
    drop = {a % len(shape) for a in axes}
    if any(shape[a] != 1 for a in drop):
        call.unsupported(f"axes {axes} of {shape} must be of size 1")
    return tuple(d for i, d in enumerate(shape) if i not in drop)


def unsqueezed(call: Call, shape: tuple[int, ...]) -> tuple[int, ...]:
    axes = call.axes()
    if axes is None:
        call.unsupported("axes must be given")
    rank = len(shape) + len(axes)
    new, rest = {a % rank for a in axes}, iter(shape)
    return tuple(1 if i in new else next(rest) for i in range(rank))


def _slice(call: Call, data: Array) -> Array:
    return data[slices(call, data.shape)]


def slices(call: Call, shape: tuple[int, ...]) -> tuple[slice, ...]:
    """The part that Slice takes, of every axis."""
    if "starts" in call.node.attributes:
        empty: tuple[int, ...] = ()
        starts, ends = call.attribute("starts", empty), call.attribute("ends", empty)
        axes = call.attribute("axes", tuple(range(len(starts))))
        steps: tuple[int, ...] = (1,) * len(starts)
    else:
        starts, ends = call.integers(1, "starts"), call.integers(2, "ends")
        axes = call.integers(3, "axes") if call.given(3) else tuple(range(len(starts)))
        steps = call.integers(4, "steps") if call.given(4) else (1,) * len(starts)
    found = [slice(None)] * len(shape)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        stop = None if step < 0 and end < -shape[axis] else end
        found[axis] = slice(start, stop, step)
    return tuple(found)


def _cast(call: Call, data: Array) -> Array:
    from onnx import helper

    kind = helper.tensor_dtype_to_np_dtype(call.attribute("to", 1))
    return data.astype(kind)


def _filled(call: Call) -> Array:
    shape = call.integers(0, "the shape")
    call.bounded(*shape)
    value: Array = call.node.attributes.get("value", np.zeros(1, np.float32))
    return np.full(shape, value.ravel()[0])


def _expanded(call: Call) -> Array:
    data, shape = call.array(0), call.integers(1, "the shape")
    full = np.broadcast_shapes(data.shape, shape)
    call.bounded(*full)
    return np.broadcast_to(data, full)


def _joined(call: Call) -> Array:
    parts = [call.array(i) for i in range(len(call.node.inputs))]
    return np.concatenate(parts, axis=call.attribute("axis", 0))


def _range(call: Call) -> Array:
    dtype = call.array(0).dtype
    start, limit, delta = (call.array(i).reshape(()).item() for i in range(3))
    call.bounded(int(abs((limit - start) / (delta or 1))) + 1)
    return np.asarray(np.arange(start, limit, delta), dtype=dtype)


def _reduced(function: Callable[..., Array]) -> Callable[[Call], Array]:
    def reduce(call: Call) -> Array:
        axes = call.axes()
        return function(call.array(0), axis=axes, keepdims=bool(call.attribute("keepdims", 1)))

    return reduce


def _clip(data: Array | None, lo: Array | None = None, hi: Array | None = None) -> Array:
    return np.asarray(np.clip(data, lo, hi))  # type: ignore[arg-type]


def _divide(a: Array, b: Array) -> Array:
    """Division as ONNX does it: integers towards zero."""
    if a.dtype.kind in "iu":
        return np.asarray(np.sign(a) * np.sign(b) * (np.abs(a) // np.abs(b)))
    return np.asarray(np.divide(a, b))


def _power(a: Array, b: Array) -> Array:
    return np.asarray(np.power(a, b.astype(a.dtype) if a.dtype.kind == "f" else b))


MOVES: dict[str, Fold] = {
    "Identity": lambda call, a: a,
    "Transpose": lambda call, a: np.transpose(a, call.whole("perm")),
    "Reshape": _reshape,
    "Flatten": lambda call, a: a.reshape(flattened(call, a.shape)),
    "Squeeze": lambda call, a: a.reshape(squeezed(call, a.shape)),
    "Unsqueeze": lambda call, a: a.reshape(unsqueezed(call, a.shape)),
    "Gather": _gather,
    "Slice": _slice,
}
"""Operators that only move elements."""

ELEMENTWISE: dict[str, Callable[..., Array]] = {
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": _divide,
    "Pow": _power,
    "Sqrt": np.sqrt,
    "Reciprocal": np.reciprocal,
    "Neg": np.negative,
    "Abs": np.abs,
    "Exp": np.exp,
    "Log": np.log,
    "Floor": np.floor,
    "Ceil": np.ceil,
    "Round": np.rint,
    "Sign": np.sign,
    "Relu": lambda a: np.maximum(a, 0),
    "Min": lambda *a: np.minimum.reduce(np.broadcast_arrays(*a)),
    "Max": lambda *a: np.maximum.reduce(np.broadcast_arrays(*a)),
    "Equal": np.equal,
    "Greater": np.greater,
    "Less": np.less,
    "Not": np.logical_not,
    "And": np.logical_and,
    "Or": np.logical_or,
    "Where": np.where,
}

BUILDERS: dict[str, Callable[[Call], Array]] = {
    "Cast": lambda call: _cast(call, call.array(0)),
    "Concat": _joined,
    "ConstantOfShape": _filled,
    "Expand": _expanded,
    "Range": _range,
    "ReduceProd": _reduced(np.prod),
    "ReduceSum": _reduced(np.sum),
    "ReduceMax": _reduced(np.max),
    "ReduceMin": _reduced(np.min),
    "Size": lambda call: np.asarray(call.array(0).size),
    "Clip": lambda call: _clip(
        *(call.array(i) if call.given(i) else None for i in range(len(call.node.inputs)))
    ),
}

__all__ = ["Real", "flattened", "fold", "reshaped", "slices", "squeezed", "unsqueezed"]
