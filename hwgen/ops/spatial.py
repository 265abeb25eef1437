"""The geometry that sliding-window layers share: kernels, shapes, and the taps of every output."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from hwgen.errors import Origin, UnsupportedError
from hwgen.ir.meaning import Meaning
from hwgen.ir.serialize import register
from hwgen.ir.types import Ints

Pair = tuple[int, int]


@register
@dataclass(frozen=True)
class Kernel:
    """A window over (H, W); a one-dimensional one has height 1.

    ``padding`` is (top, bottom, left, right).
    """

    size: Pair = (1, 1)
    stride: Pair = (1, 1)
    dilation: Pair = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)

    @property
    def taps(self) -> int:
        return self.size[0] * self.size[1]

    @property
    def extent(self) -> Pair:
        """Rows and columns from the first tap to the last."""
        (kh, kw), (dh, dw) = self.size, self.dilation
        return dh * (kh - 1) + 1, dw * (kw - 1) + 1

    @property
    def padded(self) -> bool:
        return any(self.padding)

    @property
    def trivial(self) -> bool:
        """Whether every window is one pixel, in the order of the pixels."""
        return self.taps == 1 and self.stride == (1, 1) and not self.padded

    def outputs(self, height: int, width: int) -> Pair:
        """Rows and columns of windows."""
        (eh, ew), (sh, sw), (top, bottom, left, right) = self.extent, self.stride, self.padding
        return (height + top + bottom - eh) // sh + 1, (width + left + right - ew) // sw + 1


def image(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """(channels, height, width) of a shape with no, one or two spatial axes."""
    channels, *rest = shape
    height, width = [1] * (2 - len(rest)) + rest
    return channels, height, width


def like(shape: tuple[int, ...], channels: int, height: int, width: int) -> tuple[int, ...]:
    """A shape of as many axes as ``shape``; the height is dropped where it has one."""
    return (channels, width) if len(shape) == 2 else (channels, height, width)


def check(kernel: Kernel, shape: tuple[int, ...], origin: Origin) -> None:
    """
    Raises:
        UnsupportedError: ``shape`` has no spatial axis or is smaller than the kernel.
    """
    if len(shape) not in (2, 3):
        raise UnsupportedError(
            f"a window must slide over shape (C, L) or (C, H, W), not {shape}",
            origin=origin,
            hint="flatten only after the last convolution or pooling layer",
        )
    _, height, width = image(shape)
    if min(kernel.outputs(height, width)) < 1:
        text = f"a window of {kernel.extent} must fit the padded image of {height}×{width}"
        raise UnsupportedError(text, origin=origin, hint="use a smaller kernel or more padding")


def taps(x: Ints, kernel: Kernel, fill: int) -> Ints:
    """(batch, C, [H,] W) to (batch, C, taps, rows, columns) of windows, ``fill`` beyond the
    border."""
    batch, channels, height, width = len(x), *image(x.shape[1:])
    rows, columns = kernel.outputs(height, width)
    (top, bottom, left, right), (sh, sw), (dh, dw) = kernel.padding, kernel.stride, kernel.dilation
    data = x.reshape(batch, channels, height, width)
    if kernel.padded:
        edges = ((0, 0), (0, 0), (top, bottom), (left, right))
        data = np.pad(data, edges, constant_values=fill)
    found = np.empty((batch, channels, kernel.taps, rows, columns), dtype=np.int64)
    for tap in range(kernel.taps):
        ky, kx = divmod(tap, kernel.size[1])
        y, z = ky * dh, kx * dw
        found[:, :, tap] = data[:, :, y : y + sh * rows : sh, z : z + sw * columns : sw][
            :, :, :rows, :columns
        ]
    return found


def zero_code(x: Meaning) -> int | None:
    """The integer that stands for 0 in every channel, if there is one."""
    count = max(len(x.scale), len(x.offset))
    codes = {_ratio(x, c) for c in range(count)}
    if len(codes) != 1:
        return None
    (code,) = codes
    return -code.numerator if code is not None and code.denominator == 1 else None


def _ratio(x: Meaning, channel: int) -> Fraction | None:
    scale = x.scale_at(channel)
    return x.offset_at(channel) / scale if scale else None
