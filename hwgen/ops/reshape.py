"""Flatten and reshape: no hardware, only the order in which later weights are stored."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import ClassVar

import numpy as np

from hwgen.errors import UnsupportedError
from hwgen.ir.meaning import HostValue, Meaning, RealValue
from hwgen.ir.real import Lowering, RealNode
from hwgen.ir.types import IntArray, Ints, TensorType
from hwgen.ops.base import WireNode


@dataclass(frozen=True, kw_only=True)
class Flatten(WireNode):
    """(C, …) to (elements,) in stream order: pixel-major, channel fastest."""

    op: ClassVar[str] = "flatten"

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        return TensorType.of((x.elements,), x.per_channel() * x.pixels)

    def evaluate(self, *inputs: Ints) -> Ints:
        (x,) = inputs
        return np.moveaxis(x, 1, -1).reshape(len(x), prod(x.shape[1:]))


@dataclass(frozen=True, kw_only=True)
class RealReshape(RealNode):
    """Reshape to ``shape`` (without the batch): flattening, or adding and dropping axes of size
    1."""

    shape: tuple[int, ...]

    def lower(self, target: Lowering, *inputs: RealValue) -> RealValue:
        (x,) = inputs
        if isinstance(x, HostValue):
            if any(_per_channel(f) for f in x.functions):
                raise self._unsupported(x.shape)
            return replace(x, shape=self.shape)
        if x.shape == self.shape:
            return x
        if len(self.shape) != 1 or x.order is not None:
            raise self._unsupported(x.shape)
        node = Flatten(name=self.name, inputs=(x.value,), origin=self.origin)
        kind = target.add(node)
        channels, pixels = x.type.channels, x.type.pixels
        order = np.arange(channels * pixels).reshape(channels, pixels).T.ravel()

        def per_element(values: tuple) -> tuple:  # type: ignore[type-arg]
            return values * pixels if len(values) > 1 else values

        if any(_per_channel(f) for f in x.functions):
            raise self._unsupported(x.shape)
        return Meaning(
            self.name,
            kind,
            per_element(x.scale),
            per_element(x.offset),
            x.functions,
            order=IntArray(order) if channels > 1 and pixels > 1 else None,
        )

    def _unsupported(self, shape: tuple[int, ...]) -> UnsupportedError:
        return UnsupportedError(
            f"a reshape must flatten a frame or keep its shape, not turn {shape} into {self.shape}",
            origin=self.origin,
            hint="use torch.flatten(x, 1) right after a quantizer",
        )


def _per_channel(function: object) -> bool:
    return any(len(v) > 1 for v in vars(function).values() if isinstance(v, tuple))
