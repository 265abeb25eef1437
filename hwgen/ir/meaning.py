"""What an integer tensor stands for: exact affine meaning per channel, then pending scalar
functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import gcd, isqrt, lcm
from typing import ClassVar, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from hwgen.ir.types import IntArray, TensorType

Floats = npt.NDArray[np.float32]
T = TypeVar("T")

SQRT_BITS = 256


def exact(value: float) -> Fraction:
    """The rational a float is (every finite float is a dyadic rational)."""
    return Fraction(float(value))


def inverse_sqrt(value: Fraction) -> Fraction:
    """1/√value, exact when rational, else rounded down to a relative 2^-256."""
    n, d = value.numerator, value.denominator
    root_n, root_d = isqrt(n), isqrt(d)
    if root_n * root_n == n and root_d * root_d == d:
        return Fraction(root_d, root_n)
    shift = 2 * (SQRT_BITS + max(0, n.bit_length() - d.bit_length()))
    return Fraction(isqrt((d << shift) // n), 1 << (shift // 2))


def common_scale(scales: Sequence[Fraction]) -> Fraction:
    """The greatest rational of which all ``scales`` are integer multiples (their rational gcd)."""
    denominator = lcm(*(s.denominator for s in scales))
    numerators = [s.numerator * (denominator // s.denominator) for s in scales]
    return Fraction(gcd(*numerators), denominator)


class ScalarFunction(Protocol):
    """A real function applied to every element, perhaps with other constants in each channel."""

    @property
    def monotone(self) -> bool:
        """Whether the function is non-decreasing or non-increasing in every channel."""
        ...

    def at(self, x: Fraction, channel: int) -> Fraction:
        """The exact value, or one rounded to far below any quantizer's resolution."""
        ...

    def float32(self, x: Floats) -> Floats:
        """The same in float32 on a batch (batch, channels, …), as torch evaluates it."""
        ...


def pick(values: Sequence[Fraction], channel: int) -> Fraction:
    return values[channel if len(values) > 1 else 0]


def collapse(values: Sequence[T]) -> tuple[T, ...]:
    """One value where all are equal."""
    return tuple(values[:1]) if len(set(values)) == 1 else tuple(values)


def channelwise(values: Sequence[Fraction | int], ndim: int) -> Floats:
    """Constants as float32, shaped to broadcast over (batch, channels, …) of ``ndim`` axes."""
    array = np.array([float(v) for v in values], dtype=np.float32)
    return array.reshape((1, -1) + (1,) * (ndim - 2)) if len(values) > 1 else array


@dataclass(frozen=True)
class Affine:
    """``x ↦ scale·x + offset``; one constant or one per channel."""

    scale: tuple[Fraction, ...]
    offset: tuple[Fraction, ...]
    monotone: ClassVar[bool] = True

    def at(self, x: Fraction, channel: int) -> Fraction:
        return pick(self.scale, channel) * x + pick(self.offset, channel)

    def float32(self, x: Floats) -> Floats:
        return x * channelwise(self.scale, x.ndim) + channelwise(self.offset, x.ndim)


@dataclass(frozen=True)
class Clamp:
    """``x ↦ min(max(x, lo), hi)``; either bound may be None."""

    lo: Fraction | None = None
    hi: Fraction | None = None
    monotone: ClassVar[bool] = True

    def at(self, x: Fraction, channel: int) -> Fraction:
        if self.lo is not None and x < self.lo:
            return self.lo
        return self.hi if self.hi is not None and x > self.hi else x

    def float32(self, x: Floats) -> Floats:
        lo = -np.inf if self.lo is None else float(self.lo)
        hi = np.inf if self.hi is None else float(self.hi)
        return np.clip(x, np.float32(lo), np.float32(hi))


@dataclass(frozen=True)
class HostValue:
    """A real tensor that only the host sees, before the first quantizer: functions of the input,
    whose frames have their channels last if ``channels_last``."""

    shape: tuple[int, ...]
    functions: tuple[ScalarFunction, ...] = ()
    channels_last: bool = False

    def then(self, function: ScalarFunction) -> HostValue:
        return replace(self, functions=(*self.functions, function))


@dataclass(frozen=True)
class Meaning:
    """Value ``value`` of the integer graph, of type ``type``, stands for ``functions(scale·int +
    offset)``.

    ``scale`` and ``offset`` hold one rational or one per channel; ``functions`` apply in order.
    ``order`` is set after a flatten: element i of the stream is element ``order[i]`` of the real
    tensor, and all per-channel constants here are already in stream order.
    """

    value: str
    type: TensorType
    scale: tuple[Fraction, ...] = (Fraction(1),)
    offset: tuple[Fraction, ...] = (Fraction(0),)
    functions: tuple[ScalarFunction, ...] = ()
    order: IntArray | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        return self.type.shape

    def scale_at(self, channel: int) -> Fraction:
        return pick(self.scale, channel)

    def offset_at(self, channel: int) -> Fraction:
        return pick(self.offset, channel)

    def at(self, integer: int, channel: int) -> Fraction:
        """The exact real value of ``integer`` in ``channel``."""
        x = self.scale_at(channel) * integer + self.offset_at(channel)
        for function in self.functions:
            x = function.at(x, channel)
        return x

    def permuted(self, values: Sequence[T]) -> tuple[T, ...]:
        """Per-channel constants of the real tensor, in the stream's order."""
        if self.order is None or len(values) == 1:
            return tuple(values)
        return tuple(values[i] for i in self.order.values)

    def affine(self, scale: Sequence[Fraction], offset: Sequence[Fraction]) -> Meaning:
        """After ``x ↦ scale·x + offset`` (one constant, or one per channel of the real tensor)."""
        scale, offset = self.permuted(scale), self.permuted(offset)
        if self.functions:
            return self.then(Affine(scale, offset))
        count = max(len(self.scale), len(self.offset), len(scale), len(offset))
        new_scale = [pick(self.scale, c) * pick(scale, c) for c in range(count)]
        new_offset = [pick(self.offset, c) * pick(scale, c) + pick(offset, c) for c in range(count)]
        return replace(self, scale=collapse(new_scale), offset=collapse(new_offset))

    def then(self, function: ScalarFunction) -> Meaning:
        """After ``function``, which waits for a quantizer."""
        return replace(self, functions=(*self.functions, function))


RealValue = Meaning | HostValue
