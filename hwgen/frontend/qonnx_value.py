"""What a value of an ONNX file is here: a tensor of the network, a constant, or waiting codes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from math import prod

import numpy as np

from hwgen.frontend.qonnx_file import Array
from hwgen.ir.types import Alphabet, Ints


@dataclass(frozen=True, slots=True)
class Real:
    """A real tensor of the network, as the file shapes it and as the hardware has it.

    The file's elements, row by row, are those of node ``node`` with its axes in the order ``perm``;
    ``native`` is the node's shape, ``shape`` the file's, both without the batch. So reshapes and
    transpositions cost nothing until a layer needs another order than the stream's.
    """

    node: str
    shape: tuple[int, ...]
    native: tuple[int, ...]
    perm: tuple[int, ...]

    @classmethod
    def of(cls, node: str, shape: tuple[int, ...]) -> Real:
        """The output of ``node`` as it is."""
        return cls(node, shape, shape, tuple(range(len(shape))))

    @property
    def permuted(self) -> tuple[int, ...]:
        """The node's shape with its axes in the file's order."""
        return tuple(self.native[axis] for axis in self.perm)

    @property
    def in_order(self) -> bool:
        """Whether the file's elements come in the node's order, axes of size 1 aside."""
        moving = [axis for axis in self.perm if self.native[axis] > 1]
        return moving == sorted(moving)

    @property
    def plain(self) -> bool:
        return self.in_order and self.shape == self.native

    def reshaped(self, shape: tuple[int, ...]) -> Real:
        """With another shape in the file; it has as many elements."""
        if prod(shape) != prod(self.native):
            raise AssertionError(f"{self.native} cannot be seen as {shape}")
        return replace(self, shape=shape)

    def transposed(self, order: tuple[int, ...]) -> Real | None:
        """With the file's axes in another order; None where they are not single axes of the
        node."""
        shape = tuple(self.shape[axis] for axis in order)
        mapping = self._axes()
        if mapping is None:
            return None
        real = [mapping[axis] for axis in order if mapping[axis] is not None]
        unit = [axis for axis in range(len(self.native)) if axis not in real]
        return replace(self, shape=shape, perm=(*unit, *(a for a in real if a is not None)))

    def _axes(self) -> list[int | None] | None:
        """For each of the file's axes the node's axis, or None for one of size 1."""
        sizes = [axis for axis in self.perm if self.native[axis] > 1]
        found: list[int | None] = []
        for size in self.shape:
            if size == 1:
                found.append(None)
            elif sizes and self.native[sizes[0]] == size:
                found.append(sizes.pop(0))
            else:
                return None
        return found

    def native_order(self, constant: Array) -> Array:
        """A constant of the file's shape (without the batch) in the node's order and shape."""
        inverse = np.argsort(self.perm)
        return constant.reshape(self.permuted).transpose(inverse)

    def places(self) -> Ints:
        """For each element of the node, flattened, its place among the file's."""
        return self.native_order(np.arange(prod(self.native))).ravel()


@dataclass(frozen=True, slots=True)
class Quantized:
    """What a quantizer made of a constant: ``value = levels·step``, ``step`` broadcastable."""

    levels: Ints
    step: Array
    alphabet: Alphabet

    def mapped(self, function: Callable[[Array], Array]) -> Quantized:
        """After an operator that only moves elements."""
        step = np.broadcast_to(self.step, self.levels.shape)
        return replace(self, levels=function(self.levels), step=function(step))


@dataclass(frozen=True, slots=True)
class Constant:
    """A constant: its values as ONNX computes them and, behind a quantizer, their levels."""

    values: Array
    quantized: Quantized | None = None


@dataclass(frozen=True, slots=True)
class Coded:
    """The codes of QuantizeLinear, before it is known whether they are clipped, or scaled back.

    ``source`` is the real tensor; codes are ``clip(round(source/step) + zero, lo, hi)``.
    """

    source: Real
    step: tuple[Fraction, ...]
    zero: tuple[int, ...]
    lo: int
    hi: int

    @property
    def shape(self) -> tuple[int, ...]:
        return self.source.shape


Value = Real | Constant | Coded
