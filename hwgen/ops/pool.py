"""Pooling: largest or smallest elements of windows, and their sums."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np

from hwgen.errors import UnsupportedError
from hwgen.families.base import Family
from hwgen.inttype import IntType
from hwgen.ir.meaning import Affine, HostValue, Meaning, RealValue, pick
from hwgen.ir.real import Lowering, RealNode
from hwgen.ir.types import Ints, TensorType
from hwgen.ops.base import Config, divisors
from hwgen.ops.linear import affine_input, check_accumulator
from hwgen.ops.spatial import Kernel, check, image, like, taps, zero_code
from hwgen.ops.walked import WalkedNode, place, window_walk
from hwgen.rtl.accumulate import AccumulateUnit
from hwgen.rtl.reduce import ReduceUnit, Reduction
from hwgen.rtl.ring import Taps
from hwgen.rtl.walk import Walk
from hwgen.rtl.window_reduce import WindowReduceUnit


@dataclass(frozen=True, kw_only=True)
class PoolNode(WalkedNode):
    """A reduction of windows: as elements come where windows lie side by side, else by a walk."""

    kernel: Kernel

    def side_by_side(self, x: TensorType) -> bool:
        """Whether the windows cover the image without overlap or border."""
        kernel, (_, height, width) = self.kernel, image(x.shape)
        whole = height % kernel.size[0] == 0 and width % kernel.size[1] == 0
        dense = kernel.extent == kernel.size
        return whole and dense and kernel.stride == kernel.size and not kernel.padded

    def configs(self, inputs: tuple[TensorType, ...], family: Family) -> Iterator[Config]:
        (x,) = inputs
        if not self.side_by_side(x):
            yield from super().configs(inputs, family)
            return
        for lanes in divisors(x.channels):
            yield Config("stream", pe=lanes)
        size = self.kernel.size[1]
        for pixels in divisors(x.row)[1:]:
            if pixels % size == 0 or size % pixels == 0:
                yield Config("stream", pe=x.channels, pixels=pixels)

    def windows(self) -> Kernel:
        return self.kernel

    def lanes(self, config: Config, inputs: tuple[TensorType, ...]) -> tuple[int, int]:
        if config.pixels and self.side_by_side(inputs[0]):
            given = max(config.pixels // self.kernel.size[1], 1)
            return config.lanes, given * config.pe
        return super().lanes(config, inputs)

    def walk(self, x: TensorType, lanes: int) -> Walk:
        return window_walk(self.kernel, x.shape, x.channels // lanes, inner=False)

    def interval(self, config: Config, inputs: tuple[TensorType, ...]) -> int:
        (x,) = inputs
        if self.side_by_side(x):
            return x.elements // config.lanes
        return super().interval(config, inputs)

    def queue(self, config: Config, inputs: tuple[TensorType, ...]) -> int:
        return 0 if self.side_by_side(inputs[0]) else super().queue(config, inputs)

    def reduced(
        self, x: TensorType, config: Config, reduction: Reduction, pad: int, flip: Sequence[bool]
    ) -> WindowReduceUnit:
        """The circuit of whole windows that overlap or have a border."""
        taps = Taps(dtype=x.element, pad=pad, flips=any(flip))
        grid, output = self.grid(x, config), self.infer(x).element
        return WindowReduceUnit(
            grid,
            taps,
            x.channels,
            reduction,
            output,
            flip=flip,
            memory=place(config),
            bordered=self.kernel.padded,
        )

    def accumulate(
        self, x: TensorType, config: Config, reduction: Reduction, **options: Any
    ) -> AccumulateUnit:
        """The circuit where windows lie side by side."""
        _, height, width = image(x.shape)
        windows, size = self.kernel.outputs(height, width), self.kernel.size
        output, words = self.infer(x).element, x.channels // config.pe
        lanes, group = self.lanes(config, (x,))[1], min(config.side, size[1])
        options |= {"group": group, "pixels": config.side // group}
        return AccumulateUnit(x.element, lanes, words, windows, size, reduction, output, **options)


@dataclass(frozen=True, kw_only=True)
class MaxPool(PoolNode):
    """The largest element of every window, or the smallest in channels that are ``smallest``.

    ``smallest`` holds one flag or one per channel; taps beyond the border do not take part.
    """

    smallest: tuple[bool, ...] = (False,)

    op: ClassVar[str] = "max_pool"

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        check(self.kernel, x.shape, self.origin)
        channels, height, width = image(x.shape)
        shape = like(x.shape, channels, *self.kernel.outputs(height, width))
        return TensorType(shape, x.ranges)

    def evaluate(self, *inputs: Ints) -> Ints:
        (x,) = inputs
        least = np.iinfo(np.int64).min
        down = np.reshape(np.array(self.smallest), (1, -1) + (1,) * (x.ndim - 2))
        y = taps(np.where(down, ~x, x), self.kernel, least).max(axis=2)
        y = y.reshape(len(x), *like(x.shape[1:], *y.shape[1:]))
        return np.asarray(np.where(down, ~y, y))

    def circuit(
        self, config: Config, inputs: tuple[TensorType, ...], family: Family
    ) -> AccumulateUnit | ReduceUnit | WindowReduceUnit:
        (x,) = inputs
        if self.side_by_side(x):
            return self.accumulate(x, config, "max", flip=self.smallest)
        lowest = min(x.element.lo, ~x.element.hi) if any(self.smallest) else x.element.lo
        if config.pixels:
            return self.reduced(x, config, "max", lowest, self.smallest)
        walk = self.walk(x, config.pe)
        return ReduceUnit(
            walk,
            x.element,
            config.pe,
            "max",
            x.element,
            pad=lowest,
            flip=self.smallest,
            memory=place(config),
        )


@dataclass(frozen=True, kw_only=True)
class SumPool(PoolNode):
    """The sum of every window; taps beyond the border are ``pad``.

    ``flat``: one window over all pixels gives (C,), not (C, 1, 1).
    """

    pad: int = 0
    flat: bool = False

    op: ClassVar[str] = "sum_pool"

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        check(self.kernel, x.shape, self.origin)
        channels, height, width = image(x.shape)
        rows, columns = self.kernel.outputs(height, width)
        shape = (channels,) if self.flat else like(x.shape, channels, rows, columns)
        if self.flat and rows * columns != 1:
            raise AssertionError("a flat sum has one window")
        count = self.kernel.taps
        ranges = []
        for kind in x.ranges:
            seen = [kind.lo, kind.hi, *([self.pad] if self.kernel.padded else [])]
            ranges.append(IntType(count * min(seen), count * max(seen)))
        return TensorType(shape, tuple(ranges))

    def evaluate(self, *inputs: Ints) -> Ints:
        (x,) = inputs
        y = taps(x, self.kernel, self.pad).sum(axis=2)
        shape = (y.shape[1],) if self.flat else like(x.shape[1:], *y.shape[1:])
        return np.asarray(y.reshape(len(x), *shape))

    def circuit(
        self, config: Config, inputs: tuple[TensorType, ...], family: Family
    ) -> AccumulateUnit | ReduceUnit | WindowReduceUnit:
        (x,) = inputs
        if self.side_by_side(x):
            return self.accumulate(x, config, "sum")
        if config.pixels:
            return self.reduced(x, config, "sum", self.pad, (False,))
        walk, output = self.walk(x, config.pe), self.infer(x).element
        return ReduceUnit(
            walk, x.element, config.pe, "sum", output, pad=self.pad, memory=place(config)
        )


@dataclass(frozen=True, kw_only=True)
class RealMaxPool(RealNode):
    """The largest real value of every window; it commutes with the monotone functions before it."""

    passes: ClassVar[bool] = True

    kernel: Kernel

    def lower(self, target: Lowering, *inputs: RealValue) -> RealValue:
        (x,) = inputs
        if isinstance(x, HostValue) or not all(f.monotone for f in x.functions):
            raise UnsupportedError(
                "max pooling must come after a quantizer or a monotone function",
                origin=self.origin,
                hint="put a quantizer before the pooling layer",
            )
        check(self.kernel, x.shape, self.origin)
        if self.kernel.trivial:
            return x
        node = MaxPool(
            name=self.name,
            inputs=(x.value,),
            origin=self.origin,
            kernel=self.kernel,
            smallest=_descending(x),
        )
        meaning = replace(x, value=self.name, type=target.add(node))
        target.note(self.name, meaning)
        return meaning


def _descending(x: Meaning) -> tuple[bool, ...]:
    """Whether the real value falls as the integer rises, per channel (functions that are neither
    ``Affine`` nor falling rise)."""
    affine = [f for f in x.functions if isinstance(f, Affine)]
    constants = [x.scale, *(f.scale for f in affine)]
    count = max(len(values) for values in constants)
    flags = []
    for channel in range(count):
        negative = [pick(values, channel) < 0 for values in constants]
        flags.append(sum(negative) % 2 == 1)
    return (flags[0],) if len(set(flags)) == 1 else tuple(flags)


@dataclass(frozen=True, kw_only=True)
class RealAvgPool(RealNode):
    """The sum of every window over ``divisor`` (by default its taps), border zeros counted.

    ``flat``: (C,) where one window holds all pixels.
    """

    kernel: Kernel
    divisor: int | None = None
    flat: bool = False

    def lower(self, target: Lowering, *inputs: RealValue) -> RealValue:
        x = affine_input(inputs[0], self)
        check(self.kernel, x.shape, self.origin)
        pad = zero_code(x) if self.kernel.padded else 0
        if pad is None:
            raise UnsupportedError(
                "padded average pooling needs one integer that stands for 0 in all channels",
                origin=self.origin,
                hint="use padding=0, or one step and no offset in the quantizer before it",
            )
        node = SumPool(
            name=self.name,
            inputs=(x.value,),
            origin=self.origin,
            kernel=self.kernel,
            pad=pad,
            flat=self.flat,
        )
        kind = target.add(node)
        check_accumulator(kind, self.origin)
        count = self.kernel.taps
        divisor = self.divisor or count
        scale = tuple(s / divisor for s in x.scale)
        offset = tuple(o * Fraction(count, divisor) for o in x.offset)
        meaning = Meaning(self.name, kind, scale, offset)
        target.note(self.name, meaning)
        return meaning
