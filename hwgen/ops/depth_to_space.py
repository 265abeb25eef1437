"""Channels to pixels: ``torch.nn.PixelShuffle`` and ONNX's DepthToSpace."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from hwgen.errors import ModelError, UnsupportedError
from hwgen.families.base import Family
from hwgen.ir.meaning import HostValue, RealValue
from hwgen.ir.real import Lowering, RealNode
from hwgen.ir.types import Ints, TensorType
from hwgen.ops.base import Config
from hwgen.ops.walked import WalkedNode, place
from hwgen.rtl.walk import Loop, Walk
from hwgen.rtl.window import WalkUnit


@dataclass(frozen=True, kw_only=True)
class DepthToSpace(WalkedNode):
    """(C·b², H, W) to (C, H·b, W·b).

    ``blocks_first``: input channel ``(ry·b + rx)·C + c`` (ONNX "DCR"), else ``c·b² + ry·b + rx``
    ("CRD", PixelShuffle) goes to channel c, row ry and column rx of the block.
    """

    block: int
    blocks_first: bool = False

    op: ClassVar[str] = "depth_to_space"

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        square = self.block**2
        if len(x.shape) != 3 or x.channels % square:
            text = f"channels of (C, H, W) must be a multiple of {square}, not shape {x.shape}"
            raise ModelError(text, origin=self.origin)
        channels, height, width = x.shape
        shape = (channels // square, height * self.block, width * self.block)
        return TensorType(shape, (x.element,))

    def evaluate(self, *inputs: Ints) -> Ints:
        (x,) = inputs
        batch, channels, height, width = x.shape
        b, c = self.block, channels // self.block**2
        if self.blocks_first:
            y = x.reshape(batch, b, b, c, height, width).transpose(0, 3, 4, 1, 5, 2)
        else:
            y = x.reshape(batch, c, b, b, height, width).transpose(0, 1, 4, 2, 5, 3)
        return np.asarray(y.reshape(batch, c, height * b, width * b))

    def lane_limit(self, x: TensorType) -> int:
        return x.channels // self.block**2 if self.blocks_first else 1

    def walk(self, x: TensorType, lanes: int) -> Walk:
        channels, height, width = x.shape
        b, words = self.block, channels // self.block**2 // lanes
        row, column, step = (b * words, words, 1) if self.blocks_first else (b, 1, b * b)
        loops = (
            Loop(height, rows=1),
            Loop(b, words=row),
            Loop(width, columns=1),
            Loop(b, words=column),
            Loop(words, words=step),
        )
        return Walk(loops, height, width, channels // lanes)

    def circuit(self, config: Config, inputs: tuple[TensorType, ...], family: Family) -> WalkUnit:
        (x,) = inputs
        return WalkUnit(self.walk(x, config.pe), x.element, config.pe, memory=place(config))


@dataclass(frozen=True, kw_only=True)
class RealDepthToSpace(RealNode):
    """``torch.pixel_shuffle(x, block)``."""

    block: int
    blocks_first: bool = False

    def lower(self, target: Lowering, *inputs: RealValue) -> RealValue:
        (x,) = inputs
        if isinstance(x, HostValue) or len(x.scale) > 1 or len(x.offset) > 1 or x.functions:
            raise UnsupportedError(
                "channels can become pixels only with one scale for all of them",
                origin=self.origin,
                hint="put a quantizer with one step before it",
            )
        node = DepthToSpace(
            name=self.name,
            inputs=(x.value,),
            origin=self.origin,
            block=self.block,
            blocks_first=self.blocks_first,
        )
        meaning = replace(x, value=self.name, type=target.add(node))
        target.note(self.name, meaning)
        return meaning
