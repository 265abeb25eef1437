"""Sliding windows: every output pixel holds all inputs that a convolution's kernel sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from hwgen.families.base import Family
from hwgen.inttype import IntType
from hwgen.ir.types import Ints, TensorType
from hwgen.ops.base import Config
from hwgen.ops.spatial import Kernel, check, image, like, taps
from hwgen.ops.walked import WalkedNode, place, window_walk
from hwgen.rtl.walk import Walk
from hwgen.rtl.window import WalkUnit, WindowUnit


@dataclass(frozen=True, kw_only=True)
class Window(WalkedNode):
    """(C, H, W) to (C·taps, rows, columns); a tap inside is ``gain·x + shift``, one beyond the
    border ``pad``.

    Channels of the output are ordered by group, kernel row, kernel column, channel in the group.
    ``gain`` and ``shift`` make room for an exact zero where no integer stands for it: codes 0 and
    1 of ±1 become −1 and 1 with a gain of 2 and a shift of −1, and 0 is free for the border.
    """

    kernel: Kernel
    pad: int = 0
    gain: int = 1
    shift: int = 0
    groups: int = 1

    op: ClassVar[str] = "window"

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        check(self.kernel, x.shape, self.origin)
        channels, height, width = image(x.shape)
        shape = like(x.shape, channels * self.kernel.taps, *self.kernel.outputs(height, width))
        if len(x.ranges) == 1:
            return TensorType(shape, (self._seen(x.ranges[0]),))
        seen = [self._seen(t) for t in x.ranges]
        size = channels // self.groups
        blocks = [seen[g * size : (g + 1) * size] * self.kernel.taps for g in range(self.groups)]
        return TensorType.of(shape, [t for block in blocks for t in block])

    def _seen(self, kind: IntType) -> IntType:
        """What one tap of an element of ``kind`` can be."""
        ends = [self.gain * n + self.shift for n in (kind.lo, kind.hi)]
        if self.kernel.padded:
            ends.append(self.pad)
        return IntType(min(ends), max(ends))

    def evaluate(self, *inputs: Ints) -> Ints:
        (x,) = inputs
        found = taps(self.gain * x + self.shift, self.kernel, self.pad)
        batch, channels, count, rows, columns = found.shape
        size = channels // self.groups
        grouped = found.reshape(batch, self.groups, size, count, rows, columns)
        ordered = np.swapaxes(grouped, 2, 3)
        shape = like(x.shape[1:], channels * count, rows, columns)
        return ordered.reshape(batch, *shape)

    def lane_limit(self, x: TensorType) -> int:
        return x.channels // self.groups

    def walk(self, x: TensorType, lanes: int) -> Walk:
        return window_walk(self.kernel, x.shape, x.channels // lanes, self.groups)

    def windows(self) -> Kernel:
        return self.kernel

    def circuit(
        self, config: Config, inputs: tuple[TensorType, ...], family: Family
    ) -> WalkUnit | WindowUnit:
        (x,) = inputs
        taps: dict[str, Any] = {
            "pad": self.pad,
            "gain": self.gain,
            "shift": self.shift,
            "memory": place(config),
        }
        if config.pixels:
            grid = self.grid(x, config)
            taps |= {"groups": self.groups, "bordered": self.kernel.padded}
            return WindowUnit(grid, x.element, x.channels, **taps)
        return WalkUnit(self.walk(x, config.pe), x.element, config.pe, **taps)
