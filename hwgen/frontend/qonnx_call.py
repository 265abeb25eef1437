"""One ONNX operator with its arguments bound to what earlier ones gave."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from math import prod
from typing import Any, NoReturn, TypeVar, cast

import numpy as np

from hwgen.errors import ModelError, UnsupportedError
from hwgen.frontend.qonnx_file import MAX_ELEMENTS, Array, OnnxNode
from hwgen.frontend.qonnx_value import Coded, Constant, Real, Value
from hwgen.ir.meaning import exact
from hwgen.ir.real import RealNode
from hwgen.ops.affine import RealAffine, constants
from hwgen.ops.quantize import RealQuantize
from hwgen.ops.reshape import RealReshape

T = TypeVar("T")
STANDARD = ("", "ai.onnx")


@dataclass(frozen=True, slots=True)
class Call:
    """An operator to import.

    ``emit_node`` appends a real node under a free name and returns the name that it got;
    ``batch`` is the batch of the file's own shapes; ``opset`` the version of the operator's set;
    ``uses`` how often a value is read; ``made`` what need not be made twice.
    """

    node: OnnxNode
    values: Mapping[str, Value]
    batch: int
    opset: int
    emit_node: Callable[[RealNode, str], str]
    uses: Mapping[str, int]
    made: dict[Hashable, Real]

    def emit(
        self,
        kind: Callable[..., RealNode],
        *inputs: Real,
        becomes: tuple[int, ...] | None = None,
        suffix: str = "",
        **fields: Any,
    ) -> Real:
        """Append a real node of ``kind``: it ``becomes`` a tensor of that shape, or it works on
        elements and its output is seen as its first input is."""
        names = tuple(x.node for x in inputs)
        made = kind(name="new", inputs=names, origin=self.node.origin, **fields)
        name = self.emit_node(made, suffix)
        return replace(inputs[0], node=name) if becomes is None else Real.of(name, becomes)

    def given(self, index: int) -> bool:
        """Whether the input is there."""
        return index < len(self.node.inputs) and bool(self.node.inputs[index])

    def value(self, index: int) -> Value:
        if not self.given(index):
            self.unsupported(f"input {index} must be given")
        return self.values[self.node.inputs[index]]

    def elements(self, index: int = 0) -> Real:
        """A tensor of the network for an operator on single elements, in any order and shape."""
        value = self.value(index)
        if isinstance(value, Constant):
            self.unsupported(f"input {index} must be a tensor of the network, not a constant")
        return self.codes(value) if isinstance(value, Coded) else value

    def real(self, index: int = 0) -> Real:
        """A tensor of the network in the shape and order that the file gives it."""
        return self.plain(self.elements(index))

    def plain(self, x: Real) -> Real:
        """The tensor with its elements flattened or shaped as the file has them."""
        if x.plain:
            return x
        if not x.in_order:
            self.unsupported(
                f"a stream cannot have its axes exchanged: {x.native} in the order {x.perm}",
                "export with channels first (NCHW)",
            )
        key = (x.node, x.shape)
        if key not in self.made:
            self.made[key] = self.emit(
                RealReshape, x, becomes=x.shape, suffix="_shape", shape=x.shape
            )
        return self.made[key]

    def dequantized(self, codes: Coded) -> Real:
        """What codes stand for, ``(code − zero)·step``; the node is made once."""
        if codes not in self.made:
            self.made[codes] = self.emit(
                RealQuantize,
                codes.source,
                step=codes.step,
                zero_point=codes.zero,
                lo=codes.lo,
                hi=codes.hi,
            )
        return self.made[codes]

    def codes(self, codes: Coded) -> Real:
        """Codes as real numbers."""
        scale = tuple(1 / s for s in codes.step)
        offset = tuple(Fraction(z) for z in codes.zero)
        x = self.dequantized(codes)
        return self.emit(RealAffine, x, suffix="_codes", scale=scale, offset=offset)

    def constant(self, index: int, what: str = "") -> Constant:
        """An input that must be constant and finite."""
        value = self.value(index)
        what = what or f"input {index}"
        if not isinstance(value, Constant):
            self.unsupported(f"{what} must be constant, not computed from the network's input")
        if value.values.dtype.kind == "f" and not np.isfinite(value.values).all():
            raise ModelError(
                f"{what} must be finite, not NaN or infinite",
                origin=self.node.origin,
                hint="training diverged: lower the learning rate or take an earlier checkpoint",
            )
        return value

    def array(self, index: int, what: str = "") -> Array:
        return self.constant(index, what).values

    def number(self, index: int, what: str) -> Fraction:
        """A constant input of one element, exactly."""
        array = self.array(index, what)
        if array.size != 1:
            self.unsupported(f"{what} must be one number, not of shape {array.shape}")
        return exact(array.reshape(()).item())

    def integers(self, index: int, what: str) -> tuple[int, ...]:
        """A short constant input of integers."""
        array = self.array(index, what).ravel()
        if array.size > 64 or array.dtype.kind not in "iu":
            self.unsupported(f"{what} must be a few integers")
        return tuple(int(v) for v in array)

    def attribute(self, name: str, default: T) -> T:
        """An attribute of the type of its default.

        Raises:
            ModelError: the file gives it another type.
        """
        value = self.node.attributes.get(name, default)
        if default is not None and value is not default and type(value) is not type(default):
            raise ModelError(
                f"attribute {name} must be {type(default).__name__}, not {type(value).__name__}",
                origin=self.node.origin,
                hint="export the model once more",
            )
        return cast(T, value)

    def axes(self, index: int = 1, name: str = "axes") -> tuple[int, ...] | None:
        """Axes from the attribute, or from the input that newer operator sets have for them."""
        if self.given(index):
            return self.integers(index, name)
        return self.whole(name)

    def whole(self, name: str) -> tuple[int, ...] | None:
        """An attribute of integers, or None where it is left out."""
        return self.attribute(name, ()) if name in self.node.attributes else None

    def per_channel(self, constant: Array, x: Real, what: str = "the constant") -> Array:
        """A constant that broadcasts to ``x``, as float64 values: one, or one per channel."""
        if constant.size == 1:
            return np.asarray(constant, dtype=np.float64).reshape(1)
        full = (1, *x.shape)
        try:
            spread = np.broadcast_to(constant, full)
        except ValueError:
            self.unsupported(f"{what} of shape {constant.shape} must broadcast to {full}")
        rows = x.native_order(spread).reshape(x.native[0], -1)
        if (rows != rows[:, :1]).any():
            self.unsupported(
                f"{what} of shape {constant.shape} must have one value per channel",
                "flatten before the operation, or use one value per channel",
            )
        return np.asarray(rows[:, 0], dtype=np.float64)

    def rationals(self, index: int, x: Real, what: str = "the constant") -> tuple[Fraction, ...]:
        """A constant input as exact rationals per channel of ``x``, or one."""
        return constants(self.per_channel(self.array(index, what), x, what))

    def shape_of(self, value: Value) -> tuple[int, ...]:
        """The shape in the file, batch included."""
        return value.values.shape if isinstance(value, Constant) else (self.batch, *value.shape)

    def bounded(self, *shape: int) -> None:
        """Refuse to make a constant of this shape if it is unreasonably large."""
        if prod(shape) > MAX_ELEMENTS:
            self.unsupported(f"a constant must have at most {MAX_ELEMENTS:,} elements, not {shape}")

    def unsupported(self, why: str, hint: str = "") -> NoReturn:
        """Raise UnsupportedError for this operator."""
        raise UnsupportedError(f"{self.node.op}: {why}", origin=self.node.origin, hint=hint)
