"""Types of the integer graph: immutable integer arrays, tensors with ranges, weight alphabets."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from hwgen.inttype import IntType

Ints = npt.NDArray[np.int64]

__all__ = ["Alphabet", "IntArray", "IntType", "Ints", "TensorType"]


class IntArray:
    """An immutable int64 array that compares and hashes by content."""

    __slots__ = ("_digest", "values")
    values: Ints
    _digest: bytes

    def __init__(self, values: npt.ArrayLike) -> None:
        source = np.asarray(values)
        array = source.astype(np.int64)
        if not np.array_equal(array, source):
            raise ValueError("values must be integers that fit 64 bits")
        array.setflags(write=False)
        object.__setattr__(self, "values", array)
        digest = hashlib.sha256(repr(array.shape).encode() + np.ascontiguousarray(array).tobytes())
        object.__setattr__(self, "_digest", digest.digest())

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError("IntArray is immutable")

    @property
    def shape(self) -> tuple[int, ...]:
        return self.values.shape

    @property
    def digest(self) -> str:
        """Hex digest of shape and content."""
        return self._digest.hex()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IntArray) and self._digest == other._digest

    def __hash__(self) -> int:
        return hash(self._digest)

    def __reduce__(self) -> tuple[type[IntArray], tuple[Ints]]:
        return (IntArray, (self.values,))

    def __repr__(self) -> str:
        if self.values.size <= 8:
            return str(self.values.tolist())
        shape = "×".join(map(str, self.shape))
        return f"<{shape} in {self.values.min()}..{self.values.max()} #{self.digest[:8]}>"


@dataclass(frozen=True)
class TensorType:
    """Shape without the batch, channel axis first, and the range of every channel.

    ``ranges`` holds one range for the whole tensor or one per channel (``shape[0]``).
    """

    shape: tuple[int, ...]
    ranges: tuple[IntType, ...]

    def __post_init__(self) -> None:
        if len(self.ranges) not in (1, self.channels):
            raise ValueError(f"ranges must number 1 or {self.channels}, not {len(self.ranges)}")

    @property
    def channels(self) -> int:
        return self.shape[0] if self.shape else 1

    @property
    def elements(self) -> int:
        """Elements in one frame."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def pixels(self) -> int:
        """Elements per channel."""
        return self.elements // self.channels

    @property
    def row(self) -> int:
        """Pixels along the last axis."""
        return self.shape[-1] if len(self.shape) > 1 else 1

    @cached_property
    def element(self) -> IntType:
        """The range of one stream element: the hull over channels."""
        return IntType.hull(self.ranges)

    def channel(self, index: int) -> IntType:
        return self.ranges[index if len(self.ranges) > 1 else 0]

    @cached_property
    def lo(self) -> Ints:
        return np.array([t.lo for t in self.ranges], dtype=np.int64)

    @cached_property
    def hi(self) -> Ints:
        return np.array([t.hi for t in self.ranges], dtype=np.int64)

    def per_channel(self) -> tuple[IntType, ...]:
        """One range per channel, repeated when the tensor has a single one."""
        return self.ranges if len(self.ranges) == self.channels else self.ranges * self.channels

    @classmethod
    def of(cls, shape: Sequence[int], ranges: Iterable[IntType]) -> TensorType:
        """Collapses equal per-channel ranges to one."""
        items = tuple(ranges)
        return cls(tuple(shape), items[:1] if len(set(items)) == 1 else items)

    def __str__(self) -> str:
        spread = "" if len(self.ranges) == 1 else " per channel"
        return f"{'×'.join(map(str, self.shape))} {self.element}{spread}"


@dataclass(frozen=True)
class Alphabet:
    """The finite set of integer levels a weight can take, sorted and distinct."""

    levels: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.levels or list(self.levels) != sorted(set(self.levels)):
            raise ValueError(f"levels must be sorted and distinct, not {self.levels}")

    @classmethod
    def of(cls, values: npt.ArrayLike) -> Alphabet:
        """The levels that occur in ``values``."""
        return cls(tuple(int(v) for v in np.unique(np.asarray(values))))

    @property
    def has_zero(self) -> bool:
        return 0 in self.levels

    @property
    def kind(self) -> str:
        """``binary`` ±1, ``ternary`` 0 ±1, ``shift`` ±2^p with or without 0, else ``int``."""
        magnitudes = {abs(v) for v in self.levels} - {0}
        if magnitudes <= {1}:
            return "ternary" if self.has_zero else "binary"
        if all(m & (m - 1) == 0 for m in magnitudes):
            return "shift"
        return "int"

    @property
    def code_bits(self) -> int:
        """Bits of one stored weight: sign, sign and exponent (and zero code), or two's
        complement."""
        if self.kind == "binary":
            return 1
        if self.kind == "ternary":
            return 2
        if self.kind == "shift":
            exponents = max(abs(v) for v in self.levels).bit_length()
            return 1 + max(1, (exponents + self.has_zero - 1).bit_length())
        return IntType(self.levels[0], self.levels[-1]).width

    def holds(self, values: npt.ArrayLike) -> bool:
        return bool(np.isin(np.asarray(values), self.levels).all())

    def __str__(self) -> str:
        shown = ",".join(map(str, self.levels[:8])) + (",…" if len(self.levels) > 8 else "")
        return f"{self.kind}{{{shown}}}"
