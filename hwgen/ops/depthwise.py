"""Depthwise convolutions: every channel has a kernel of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import sqrt
from typing import ClassVar

import numpy as np

from hwgen.families.base import Family, Resources
from hwgen.inttype import IntType
from hwgen.ir.types import Alphabet, IntArray, Ints, TensorType
from hwgen.ops.base import Config
from hwgen.ops.linear import SPATIAL_FLOOR
from hwgen.ops.product import adder_graph
from hwgen.ops.spatial import Kernel, check, image, like, taps
from hwgen.ops.walked import WalkedNode, place, window_walk
from hwgen.ops.window import Window
from hwgen.rtl.adder_graph import Datapath
from hwgen.rtl.lines import Lines
from hwgen.rtl.reduce import ReduceUnit
from hwgen.rtl.ring import Taps
from hwgen.rtl.walk import Walk
from hwgen.rtl.window_reduce import WindowReduceUnit


@dataclass(frozen=True, kw_only=True)
class Depthwise(WalkedNode):
    """``y[c] = Σ_tap weight[c, tap]·(gain·x[c, tap] + shift)``, ``pad`` for taps beyond the border.

    ``weight`` is (C, taps), the kernel's rows outermost.
    """

    kernel: Kernel
    weight: IntArray
    alphabet: Alphabet
    pad: int = 0
    gain: int = 1
    shift: int = 0

    op: ClassVar[str] = "depthwise"

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        check(self.kernel, x.shape, self.origin)
        channels, height, width = image(x.shape)
        shape = like(x.shape, channels, *self.kernel.outputs(height, width))
        return TensorType.of(shape, self._ranges(x))

    def _ranges(self, x: TensorType) -> list[IntType]:
        """Tight where a border tap's ``pad`` lies within what the others can be; else safe."""
        ends = np.stack([self.gain * x.lo + self.shift, self.gain * x.hi + self.shift])
        lo, hi = ends.min(axis=0), ends.max(axis=0)
        if self.kernel.padded:
            lo, hi = np.minimum(lo, self.pad), np.maximum(hi, self.pad)
        weight = self.weight.values
        positive = np.maximum(weight, 0).sum(axis=1)
        negative = np.minimum(weight, 0).sum(axis=1)
        low, high = positive * lo + negative * hi, positive * hi + negative * lo
        return [IntType(int(a), int(b)) for a, b in zip(low, high, strict=True)]

    def evaluate(self, *inputs: Ints) -> Ints:
        (x,) = inputs
        found = taps(self.gain * x + self.shift, self.kernel, self.pad)
        y = np.einsum("bcthw,ct->bchw", found, self.weight.values)
        return np.asarray(y.reshape(len(x), *like(x.shape[1:], *y.shape[1:])))

    def walk(self, x: TensorType, lanes: int) -> Walk:
        return window_walk(self.kernel, x.shape, x.channels // lanes, inner=False)

    def windows(self) -> Kernel:
        return self.kernel

    def configs(self, inputs: tuple[TensorType, ...], family: Family) -> Iterator[Config]:
        """Whole windows are multiplied by constants in the fabric."""
        for config in super().configs(inputs, family):
            yield replace(config, style="spatial") if config.pixels else config

    def floor(self, config: Config, inputs: tuple[TensorType, ...], family: Family) -> Resources:
        width = inputs[0].element.width
        graph = SPATIAL_FLOOR * np.count_nonzero(self.weight.values) * sqrt(width)
        pixels = self.grid(inputs[0], config).pixels
        return self._lines(config, inputs[0]).resources(family) + Resources(lut=pixels * graph)

    def _taps(self, x: TensorType) -> Taps:
        return Taps(dtype=x.element, pad=self.pad, gain=self.gain, shift=self.shift)

    def _lines(self, config: Config, x: TensorType) -> Lines:
        grid, taps = self.grid(x, config), self._taps(x)
        return Lines(grid, taps, x.channels, place(config), bordered=self.kernel.padded)

    def _graph(self, config: Config, x: TensorType, family: Family) -> WindowReduceUnit:
        """The kernels of all channels as one matrix over a window's elements."""
        taps, channels = self.weight.shape[1], x.channels
        matrix = np.zeros((channels, taps, channels), dtype=np.int64)
        matrix[np.arange(channels), :, np.arange(channels)] = self.weight.values
        weight = IntArray(matrix.reshape(channels, -1))
        kinds = Window(name="", kernel=self.kernel, pad=self.pad, gain=self.gain, shift=self.shift)
        bias = IntArray(np.zeros(channels, dtype=np.int64))
        design = adder_graph(weight, bias, kinds.infer(x).per_channel(), family)
        return WindowReduceUnit(
            self.grid(x, config),
            self._taps(x),
            channels,
            "sum",
            self.infer(x).element,
            memory=place(config),
            bordered=self.kernel.padded,
            datapath=Datapath(design, family, f"{self.name}_adders"),
        )

    def circuit(
        self, config: Config, inputs: tuple[TensorType, ...], family: Family
    ) -> ReduceUnit | WindowReduceUnit:
        (x,) = inputs
        if config.pixels:
            return self._graph(config, x, family)
        return ReduceUnit(
            self.walk(x, config.pe),
            x.element,
            config.pe,
            "sum",
            self.infer(x).element,
            pad=self.pad,
            gain=self.gain,
            shift=self.shift,
            weights=self.weight.values,
            memory=place(config),
        )
