"""The network's output: integers, and what makes logits of them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from hwgen.errors import ModelError
from hwgen.ir.meaning import HostValue, Meaning, RealValue, ScalarFunction
from hwgen.ir.real import Lowering, RealNode
from hwgen.ir.types import IntArray, Ints, TensorType
from hwgen.ops.base import WireNode


@dataclass(frozen=True, kw_only=True)
class Output(WireNode):
    """The integer output stream; ``real = functions(scale·(int + bias) + offset)`` per channel, on
    the host. ``bias`` are integers, so that equal real outputs are equal in floating point too.

    ``order``: stream element i is element ``order[i]`` of the real output. ``index`` marks class
    indices (ArgMax, TopK) rather than logits; ``channels_last`` real outputs whose channels come
    last.
    """

    scale: tuple[float, ...] = (1.0,)
    offset: tuple[float, ...] = (0.0,)
    bias: tuple[int, ...] = (0,)
    functions: tuple[ScalarFunction, ...] = ()
    order: IntArray | None = None
    index: bool = False
    channels_last: bool = False

    op: ClassVar[str] = "output"

    def infer(self, *inputs: TensorType) -> TensorType:
        return inputs[0]

    def evaluate(self, *inputs: Ints) -> Ints:
        return inputs[0]

    def logits(self, y: Ints) -> npt.NDArray[np.float64]:
        """Integers (batch, channels, …) to real outputs, in the real tensor's order."""
        shape = (1, -1) + (1,) * (y.ndim - 2)
        integers = y + np.reshape(self.bias, shape)
        real = integers * np.reshape(self.scale, shape) + np.reshape(self.offset, shape)
        for function in self.functions:
            real = function.float32(real.astype(np.float32)).astype(np.float64)
        if self.order is not None:
            real = real[:, np.argsort(self.order.values)]
        return np.asarray(np.moveaxis(real, 1, -1) if self.channels_last else real)

    def predictions(self, y: Ints) -> Ints:
        """The predicted class of every frame: the largest logit, ties to the lowest index."""
        if self.index:
            return y.reshape(len(y), -1)[:, 0]
        return np.asarray(np.argmax(self.logits(y).reshape(len(y), -1), axis=1))


@dataclass(frozen=True, kw_only=True)
class RealOutput(RealNode):
    """The network's real output; pending functions (a softmax-free head's ReLU, say) stay on
    the host. With ``channels_last`` the user sees the channels last."""

    channels_last: bool = False

    def lower(self, target: Lowering, *inputs: RealValue) -> RealValue:
        (x,) = inputs
        if isinstance(x, HostValue):
            raise ModelError(
                "the network must hold at least one quantizer",
                origin=self.origin,
                hint="start it with QuantIdentity",
            )
        bias, offset = _split(x)
        node = Output(
            name=self.name,
            inputs=(x.value,),
            scale=tuple(float(s) for s in x.scale),
            offset=tuple(float(o) for o in offset),
            bias=bias,
            functions=x.functions,
            order=x.order,
            index=_is_index(target, x),
            channels_last=self.channels_last,
            origin=self.origin,
        )
        target.add(node)
        return x


def _split(x: Meaning) -> tuple[tuple[int, ...], tuple[Fraction, ...]]:
    """Offsets as whole steps, exact in floating point, and what is left of them."""
    if len(x.offset) == 1 or len(x.scale) > 1 or not x.scale[0]:
        return (0,), x.offset
    steps = [floor((o - x.offset[0]) / x.scale[0]) for o in x.offset]
    rest = [o - n * x.scale[0] for o, n in zip(x.offset, steps, strict=True)]
    return tuple(steps), tuple(rest[:1] if len(set(rest)) == 1 else rest)


def _is_index(target: Lowering, x: Meaning) -> bool:
    return target.op_of(x.value) == "topk"
