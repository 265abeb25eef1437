"""One operator of an imported graph, with its arguments bound to what earlier ones gave."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NoReturn, TypedDict

import numpy as np
import numpy.typing as npt

from hwgen.errors import ModelError, Origin, UnsupportedError
from hwgen.frontend.archive import ArchiveNode, TensorRef, TensorType, Value
from hwgen.ir.real import RealNode
from hwgen.ops.affine import constants
from hwgen.ops.linear import Weight

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Real:
    """A real tensor of the network: the node that makes it, and its shape without the batch."""

    node: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Codes:
    """A quantizer's integers before they are scaled back: ``source`` is ``code − zero``, as reals,
    with one zero point or one per channel."""

    source: Real
    zero: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Transposed:
    """A weight matrix (out, in) seen as (in, out)."""

    weight: Weight


Bound = Real | Codes | Weight | Transposed | Array
"""What a value of the archive is here: a tensor of the network, its codes, a quantized weight (or
its transpose), a constant."""


class Common(TypedDict):
    """What every real node takes."""

    name: str
    inputs: tuple[str, ...]
    origin: Origin


@dataclass(frozen=True, slots=True)
class Call:
    """An operator to import; ``type`` is that of its first output, batch included.

    ``append`` enters a real node that comes before the operator's own, under the operator's name
    and a suffix, and gives its name.
    """

    node: ArchiveNode
    bound: Mapping[str, Bound]
    type: TensorType
    append: Callable[[RealNode, str], str]

    @property
    def shape(self) -> tuple[int, ...]:
        """The first output's shape without the batch."""
        return self.type.shape[1:]

    @property
    def constant_only(self) -> bool:
        """Whether no tensor of the network takes part."""
        values = (self.argument(key) for key in self.node.inputs)
        return all(value is None or isinstance(value, np.ndarray) for value in values)

    def common(self, *inputs: Real) -> Common:
        """Name, inputs and origin for the real node that this call becomes."""
        names = tuple(x.node for x in inputs)
        return Common(name=self.node.name, inputs=names, origin=self.node.origin)

    def emit(self, node: RealNode, shape: tuple[int, ...], suffix: str = "") -> Real:
        """Enters a node of an operator that becomes several."""
        return Real(self.append(node, suffix), shape)

    def raw(self, key: str, default: Value = None) -> Value:
        """An argument that is not a tensor; ``default`` where torch left it at its default."""
        return self.node.inputs.get(key, default)

    def integer(self, key: str, default: int | None = None) -> int:
        value = self.raw(key, default)
        if not isinstance(value, int):
            self.unsupported(f"{key} must be an integer, not {value}")
        return int(value)

    def number(self, key: str, default: float | None = None) -> float:
        value = self.raw(key, default)
        if not isinstance(value, int | float) or not math.isfinite(value):
            self.unsupported(f"{key} must be a finite number, not {value}")
        return float(value)

    def argument(self, *keys: str) -> Bound | None:
        """The first of ``keys`` that is a tensor, or None."""
        for key in keys:
            value = self.node.inputs.get(key)
            if isinstance(value, TensorRef):
                return self.bound[value.name]
        return None

    def real(self, *keys: str) -> Real:
        """A tensor of the network; ``keys`` are alternative names of the argument."""
        value = self.argument(*keys)
        if isinstance(value, Real):
            return value
        if isinstance(value, Codes):
            self.unsupported(
                f"{keys[0]} must be real numbers, not a quantizer's codes",
                "dequantize before this operator",
            )
        what = "a weight" if isinstance(value, Weight | Transposed) else "a constant"
        return self.unsupported(
            f"{keys[0]} must be a tensor of the network, not {what}",
            "compute constants once, in __init__, and keep them as buffers",
        )

    def constant(self, key: str) -> Array | None:
        """A constant array, or None where the argument is absent.

        Raises:
            ModelError: if it holds NaN or infinite values.
        """
        value = self.argument(key)
        if value is None:
            return None
        if not isinstance(value, np.ndarray):
            self.unsupported(f"{key} must be a constant, not a tensor of the network")
        if value.dtype.kind == "f" and not np.isfinite(value).all():
            raise ModelError(
                f"{key} must be finite, not NaN or infinite",
                origin=self.node.origin,
                hint="training diverged: lower the learning rate or load an earlier checkpoint",
            )
        return value

    def required(self, key: str) -> Array:
        """A constant array that must be there."""
        value = self.constant(key)
        return self.unsupported(f"{key} must be given") if value is None else value

    def single(self, key: str) -> Array:
        """A constant array of one element."""
        value = self.required(key)
        if value.size != 1:
            self.unsupported(f"{key} must be one value, not of shape {value.shape}")
        return value

    def per_feature(self, key: str, x: Real) -> Array | None:
        """A constant vector with one value per channel of ``x``, or None where it is absent."""
        value = self.constant(key)
        if value is not None and value.shape != x.shape[:1]:
            self.unsupported(f"{key} must have shape {x.shape[:1]}, not {value.shape}")
        return value

    def rationals(self, key: str) -> tuple[Fraction, ...]:
        """A constant's elements as exact rationals; () where the argument is absent."""
        value = self.constant(key)
        return () if value is None else constants(value)

    def per_channel(self, constant: Array, x: Real) -> tuple[Fraction, ...]:
        """A constant that broadcasts to ``x``, as one rational or one per channel."""
        if constant.size == 1:
            return constants(constant)
        full = (1, *x.shape)
        try:
            spread = np.broadcast_to(constant, full)
        except ValueError:
            self.unsupported(f"a constant of shape {constant.shape} must broadcast to {full}")
        rows = spread.reshape(x.shape[0], -1)
        if (rows != rows[:, :1]).any():
            self.unsupported(
                f"a constant of shape {constant.shape} must have one value per channel (axis 1)",
                "flatten before the operation, or use one value per channel",
            )
        return constants(rows[:, 0])

    def unsupported(self, why: str, hint: str = "") -> NoReturn:
        """Raise UnsupportedError for this call."""
        raise UnsupportedError(why, origin=self.node.origin, hint=hint)


Rows = RealNode | Weight | Array | Bound | tuple[RealNode | None, ...]
"""What a row gives: a real node, a constant, an earlier value, or one node per output."""
