"""Constant padding as a layer of its own, and cropping."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import ClassVar

import numpy as np

from hwgen.errors import UnsupportedError
from hwgen.families.base import Family
from hwgen.inttype import IntType
from hwgen.ir.meaning import Meaning, RealValue
from hwgen.ir.real import Lowering, RealNode
from hwgen.ir.types import Ints, TensorType
from hwgen.ops.base import Config
from hwgen.ops.linear import affine_input
from hwgen.ops.spatial import Kernel, check, image, like, taps
from hwgen.ops.walked import WalkedNode, place, window_walk
from hwgen.rtl.walk import Walk
from hwgen.rtl.window import WalkUnit


@dataclass(frozen=True, kw_only=True)
class Pad(WalkedNode):
    """(top, bottom, left, right) rows and columns of ``value`` around every channel."""

    padding: tuple[int, int, int, int]
    value: int = 0

    op: ClassVar[str] = "pad"

    @property
    def kernel(self) -> Kernel:
        return Kernel(padding=self.padding)

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        check(self.kernel, x.shape, self.origin)
        channels, height, width = image(x.shape)
        shape = like(x.shape, channels, *self.kernel.outputs(height, width))
        seen = [IntType(min(t.lo, self.value), max(t.hi, self.value)) for t in x.ranges]
        return TensorType.of(shape, seen)

    def evaluate(self, *inputs: Ints) -> Ints:
        (x,) = inputs
        y = taps(x, self.kernel, self.value)[:, :, 0]
        return np.asarray(y.reshape(len(x), *like(x.shape[1:], *y.shape[1:])))

    def walk(self, x: TensorType, lanes: int) -> Walk:
        return window_walk(self.kernel, x.shape, x.channels // lanes)

    def circuit(self, config: Config, inputs: tuple[TensorType, ...], family: Family) -> WalkUnit:
        (x,) = inputs
        return WalkUnit(
            self.walk(x, config.pe), x.element, config.pe, pad=self.value, memory=place(config)
        )


@dataclass(frozen=True, kw_only=True)
class RealPad(RealNode):
    """Rows and columns of the real constant ``value``."""

    padding: tuple[int, int, int, int]
    value: Fraction = Fraction(0)

    def lower(self, target: Lowering, *inputs: RealValue) -> RealValue:
        x = affine_input(inputs[0], self)
        if min(self.padding) < 0:
            raise UnsupportedError("padding must not be negative", origin=self.origin)
        node = Pad(
            name=self.name,
            inputs=(x.value,),
            origin=self.origin,
            padding=self.padding,
            value=self._code(x),
        )
        meaning = replace(x, value=self.name, type=target.add(node))
        target.note(self.name, meaning)
        return meaning

    def _code(self, x: Meaning) -> int:
        count = max(len(x.scale), len(x.offset))
        codes = {
            (self.value - x.offset_at(c)) / x.scale_at(c) if x.scale_at(c) else Fraction(1, 2)
            for c in range(count)
        }
        code = codes.pop()
        if codes or code.denominator != 1:
            raise UnsupportedError(
                f"one integer must stand for the padding {float(self.value)} in all channels",
                origin=self.origin,
                hint="give padding= to the convolution after it, which makes zeros exact",
            )
        return code.numerator
