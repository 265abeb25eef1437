"""The network's input: real numbers on the host, integers in the hardware."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

import numpy as np

from hwgen.errors import UsageError
from hwgen.inttype import IntType
from hwgen.ir.meaning import Floats, HostValue, RealValue, ScalarFunction, channelwise
from hwgen.ir.real import Lowering, RealNode
from hwgen.ir.serialize import register
from hwgen.ir.types import Ints, TensorType
from hwgen.ops.base import WireNode


@register
@dataclass(frozen=True)
class Encoding:
    """How the host turns real inputs into the stream's integers, in float32 exactly as torch does.

    ``code = clip(round(f(x)/step) + zero_point, lo, hi)``, rounding half to even; with ``sign``,
    ``code = f(x) ≥ 0``.
    """

    functions: tuple[ScalarFunction, ...]
    step: tuple[Fraction, ...]
    zero_point: tuple[int, ...]
    lo: int
    hi: int
    sign: bool = False
    rounding: str = "half_even"

    def encode(self, x: Floats) -> Ints:
        """Real inputs (batch, channels, …) to integer codes of the same shape."""
        value = np.asarray(x, dtype=np.float32)
        for function in self.functions:
            value = function.float32(value)
        if self.sign:
            return (value >= 0).astype(np.int64)
        scaled = ROUND[self.rounding](value / channelwise(self.step, value.ndim))
        codes = scaled + channelwise(self.zero_point, value.ndim)
        return np.asarray(np.clip(codes, self.lo, self.hi).astype(np.int64))


ROUND: dict[str, Callable[[Floats], Floats]] = {
    "half_even": np.rint,
    "half_up": lambda v: np.floor(v + np.float32(0.5)),
    "half_away_from_zero": lambda v: np.sign(v) * np.floor(np.abs(v) + np.float32(0.5)),
    "half_toward_zero": lambda v: np.sign(v) * np.ceil(np.abs(v) - np.float32(0.5)),
    "floor": np.floor,
    "ceil": np.ceil,
    "toward_zero": np.trunc,
    "away_from_zero": lambda v: np.sign(v) * np.ceil(np.abs(v)),
}


@dataclass(frozen=True, kw_only=True)
class Input(WireNode):
    """The integer input stream, ``shape`` without the batch; with ``channels_last`` the user's
    frames have the first axis of ``shape`` as their last."""

    shape: tuple[int, ...]
    lo: int
    hi: int
    encoding: Encoding
    channels_last: bool = False

    op: ClassVar[str] = "input"

    def infer(self, *inputs: TensorType) -> TensorType:
        return TensorType(self.shape, (IntType(self.lo, self.hi),))

    def encode(self, x: Floats) -> Ints:
        """Real frames to integers.

        Raises:
            UsageError: frames of another size, or values that are NaN or infinite.
        """
        data = np.asarray(x, dtype=np.float32)
        count = int(np.prod(self.shape))
        given = (*self.shape[1:], self.shape[0]) if self.channels_last else self.shape
        if data.ndim < 1 or data[0:1].size not in (0, count):
            message = f"a frame must hold {count} values ({given}), not {data.shape[1:]}"
            raise UsageError(
                message, hint="x in the .npz is (frames, …) in the model's input shape"
            )
        if not np.isfinite(data).all():
            frame = int(np.argwhere(~np.isfinite(data))[0][0])
            raise UsageError(f"frame {frame} of x holds NaN or infinite values")
        frames = data.reshape(len(data), *given)
        return self.encoding.encode(np.moveaxis(frames, -1, 1) if self.channels_last else frames)


@dataclass(frozen=True, kw_only=True)
class RealInput(RealNode):
    """The network's real input, ``shape`` without the batch, channels first; with
    ``channels_last`` the user's frames have them last."""

    shape: tuple[int, ...]
    channels_last: bool = False

    def lower(self, target: Lowering, *inputs: RealValue) -> RealValue:
        return HostValue(self.shape, channels_last=self.channels_last)
