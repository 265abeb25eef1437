"""What nodes with a ring of rows share: their walks, configurations, cycles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hwgen.families.base import Family, Resources
from hwgen.ir.types import TensorType
from hwgen.ops.base import Config, HardwareNode, divisors
from hwgen.ops.spatial import Kernel, image
from hwgen.rtl.grid import Axis, Grid
from hwgen.rtl.walk import Loop, Walk


def window_walk(
    kernel: Kernel, shape: tuple[int, ...], words: int, groups: int = 1, *, inner: bool = True
) -> Walk:
    """The walk of a kernel over an image of ``words`` beats a pixel.

    ``inner``: within a group, the words of a pixel are innermost, else outside the taps. A single
    row is walked as a column, so that it is released pixel by pixel.
    """
    _, height, width = image(shape)
    turned = height == 1 and kernel.size[0] == 1 and not any(kernel.padding[:2])
    size, stride, dilation = kernel.size, kernel.stride, kernel.dilation
    rows, columns = kernel.outputs(height, width)
    top, left = kernel.padding[0], kernel.padding[2]
    if turned:
        size, stride, dilation = size[::-1], (stride[1], 1), dilation[::-1]
        rows, columns, height, width, top, left = columns, 1, width, 1, left, 0
    pixels = (Loop(rows, rows=stride[0]), Loop(columns, columns=stride[1]))
    taps = (Loop(size[0], rows=dilation[0]), Loop(size[1], columns=dilation[1]))
    if not inner:
        loops: tuple[Loop, ...] = (*pixels, Loop(words, words=1), *taps)
    else:
        share = words // groups
        loops = (*pixels, Loop(groups, words=share), *taps, Loop(share, words=1))
    return Walk(loops, height, width, words, top, left)


def window_grid(kernel: Kernel, shape: tuple[int, ...], pixels: int) -> Grid:
    """The whole windows that a step gives of an image of which ``pixels`` come in a beat."""
    _, height, width = image(shape)
    windows = kernel.outputs(height, width)
    rows, columns = (
        Axis(size, taps, stride, dilation, before, count)
        for size, taps, stride, dilation, before, count in zip(
            (height, width),
            kernel.size,
            kernel.stride,
            kernel.dilation,
            kernel.padding[::2],
            windows,
            strict=True,
        )
    )
    return Grid(rows, columns, pixels)


@dataclass(frozen=True, kw_only=True)
class WalkedNode(HardwareNode):
    """A node whose circuit walks over a ring of rows, ``pe`` lanes at a time, or takes ``pixels``
    whole pixels in a beat and gives whole pixels of its output."""

    def lane_limit(self, x: TensorType) -> int:
        """Lanes must divide this number of channels."""
        return x.channels

    def walk(self, x: TensorType, lanes: int) -> Walk:
        raise NotImplementedError

    def windows(self) -> Kernel | None:
        """The windows of which whole ones can be given in a step, if there are any."""
        return None

    def grid(self, x: TensorType, config: Config) -> Grid:
        """The windows that a step gives."""
        kernel = self.windows()
        assert kernel is not None
        return window_grid(kernel, x.shape, config.pixels)

    def configs(self, inputs: tuple[TensorType, ...], family: Family) -> Iterator[Config]:
        (x,) = inputs
        memories = ("lut", "block") if family.rams else ("lut",)
        for lanes in divisors(self.lane_limit(x)):
            for memory in memories:
                yield Config("stream", pe=lanes, memory=memory)
        if kernel := self.windows():
            for pixels in divisors(x.row):
                grid = window_grid(kernel, x.shape, pixels)
                if grid.legal:
                    for memory in memories if grid.rows.extent > 1 < grid.period else ("lut",):
                        yield Config("stream", pe=x.channels, memory=memory, pixels=pixels)

    def lanes(self, config: Config, inputs: tuple[TensorType, ...]) -> tuple[int, int]:
        if config.pixels:
            (x,) = inputs
            given = self.grid(x, config).pixels * self.infer(x).channels
            return config.pixels * x.channels, given
        return config.pe, config.pe

    def queue(self, config: Config, inputs: tuple[TensorType, ...]) -> int:
        """A row of beats: line buffers take none while their windows wait, a ring does."""
        return self.grid(inputs[0], config).period if config.pixels else 0

    def interval(self, config: Config, inputs: tuple[TensorType, ...]) -> int:
        if config.pixels:
            return self.grid(inputs[0], config).steps
        walk = self.walk(inputs[0], config.pe)
        return max(walk.steps, walk.beats)

    def resources(
        self, config: Config, inputs: tuple[TensorType, ...], family: Family
    ) -> Resources:
        used: Resources = self.circuit(config, inputs, family).resources(family)
        return used

    def circuit(self, config: Config, inputs: tuple[TensorType, ...], family: Family) -> Any:
        raise NotImplementedError


def place(config: Config) -> Any:
    """The memory of a configuration, as circuits name it."""
    return "block" if config.memory == "block" else "lut"
