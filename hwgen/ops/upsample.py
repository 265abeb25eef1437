"""Nearest-neighbour upsampling by whole factors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from hwgen.errors import UnsupportedError
from hwgen.families.base import Family
from hwgen.ir.meaning import HostValue, RealValue
from hwgen.ir.real import Lowering, RealNode
from hwgen.ir.types import Ints, TensorType
from hwgen.ops.base import Config
from hwgen.ops.spatial import Pair, image, like
from hwgen.ops.walked import WalkedNode, place
from hwgen.rtl.walk import Loop, Walk
from hwgen.rtl.window import WalkUnit


@dataclass(frozen=True, kw_only=True)
class Upsample(WalkedNode):
    """Every pixel ``factor[0]`` × ``factor[1]`` times."""

    factor: Pair

    op: ClassVar[str] = "upsample"

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        channels, height, width = image(x.shape)
        fy, fx = self.factor
        return TensorType(like(x.shape, channels, height * fy, width * fx), x.ranges)

    def evaluate(self, *inputs: Ints) -> Ints:
        (x,) = inputs
        y = np.repeat(x, self.factor[1], axis=-1)
        return np.repeat(y, self.factor[0], axis=-2) if x.ndim == 4 else y

    def walk(self, x: TensorType, lanes: int) -> Walk:
        _, height, width = image(x.shape)
        words = x.channels // lanes
        (fy, fx), word = self.factor, Loop(words, words=1)
        if height * fy == 1:
            return Walk((Loop(width, rows=1), Loop(fx), word), width, 1, words)
        loops = (Loop(height, rows=1), Loop(fy), Loop(width, columns=1), Loop(fx), word)
        return Walk(loops, height, width, words)

    def circuit(self, config: Config, inputs: tuple[TensorType, ...], family: Family) -> WalkUnit:
        (x,) = inputs
        return WalkUnit(self.walk(x, config.pe), x.element, config.pe, memory=place(config))


@dataclass(frozen=True, kw_only=True)
class RealUpsample(RealNode):
    """Nearest-neighbour upsampling; it commutes with every function of elements."""

    factor: Pair

    def lower(self, target: Lowering, *inputs: RealValue) -> RealValue:
        (x,) = inputs
        if isinstance(x, HostValue) or len(x.shape) not in (2, 3):
            raise UnsupportedError(
                "upsampling must act on quantized (C, L) or (C, H, W)",
                origin=self.origin,
                hint="put a quantizer before it",
            )
        if self.factor == (1, 1):
            return x
        node = Upsample(name=self.name, inputs=(x.value,), factor=self.factor, origin=self.origin)
        meaning = replace(x, value=self.name, type=target.add(node))
        target.note(self.name, meaning)
        return meaning
