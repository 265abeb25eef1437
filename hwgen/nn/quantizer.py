"""What every quantizer keeps to, and the two hooks by which a new one is added.

A *spec* is a small frozen dataclass that a user writes (``q.Shift(bits=3)``); it makes a
*quantizer*, an `nn.Module` with the state. A new method subclasses `WeightSpec` or `ActSpec` and
`WeightQuantizer` or `ActQuantizer` in a file of its own; the layers know only these four classes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from hwgen.nn import graph_ops

_CODE_TYPES = (torch.int8, torch.int16, torch.int32)


@dataclass(frozen=True, slots=True)
class IntegerView:
    """A tensor as integers: ``codes`` (int64), a ``scale`` (float32, broadcasts to codes) and the
    ascending ``alphabet`` of all levels that a code may have."""

    codes: Tensor
    scale: Tensor
    alphabet: tuple[int, ...]

    @property
    def dequantized(self) -> Tensor:
        """Exactly the value that the layer computes with: one float32 product per element."""
        return self.codes.to(torch.float32) * self.scale


class WeightQuantizer(nn.Module, ABC):
    """Maps a float weight to ``codes * scale``.

    ``forward(weight)`` is differentiable and equals ``view(weight).dequantized`` bit for bit.
    A quantizer with latents of its own sets ``keeps_weight = False``; the layer then has no
    ``weight`` parameter and passes None.
    """

    keeps_weight: ClassVar[bool] = True

    @property
    @abstractmethod
    def alphabet(self) -> tuple[int, ...]:
        """All integer levels, ascending."""

    @abstractmethod
    def integers(self, weight: Tensor | None) -> tuple[Tensor, Tensor]:
        """Codes as int64 in the weight's shape, and the scale as float32 that broadcasts to it."""

    def view(self, weight: Tensor | None) -> IntegerView:
        """The integer view of ``weight``, detached from it."""
        with torch.no_grad():
            codes, scale = self.integers(weight)
        return IntegerView(codes, scale.detach().clone(), self.alphabet)

    def frozen(self, weight: Tensor | None) -> FrozenWeight:
        """A module that gives this very weight as constants, for `hwgen.save`."""
        return FrozenWeight(self.view(weight))


class ActQuantizer(nn.Module, ABC):
    """Maps an activation of any shape to one of few values, elementwise."""

    @property
    @abstractmethod
    def alphabet(self) -> tuple[int, ...]:
        """All integer levels, ascending; the value is ``level * scale``."""

    @abstractmethod
    def integers(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Codes of ``x`` as int64, and the scale as a float32 tensor of no dimension."""

    @abstractmethod
    def frozen(self) -> nn.Module:
        """A module that makes one `hwgen` operator of the graph, for `hwgen.save`.

        Raises:
            ModelError: if a learned step has never seen data.
        """

    def view(self, x: Tensor) -> IntegerView:
        """The integer view of this quantizer's output for ``x``."""
        with torch.no_grad():
            codes, scale = self.integers(x)
        return IntegerView(codes, scale.detach().clone(), self.alphabet)


class WeightSpec(ABC):
    """A weight quantizer's settings."""

    @abstractmethod
    def weight_quantizer(self, weight: Tensor) -> WeightQuantizer:
        """A new quantizer for a weight like this one; axis 0 is the output channel."""


class ActSpec(ABC):
    """An activation quantizer's settings."""

    @abstractmethod
    def act_quantizer(self) -> ActQuantizer:
        """A new quantizer."""


class FrozenWeight(WeightQuantizer):
    """Constant codes, in the smallest integer type that holds the alphabet."""

    keeps_weight = False
    codes: Tensor
    scale: Tensor

    def __init__(self, view: IntegerView) -> None:
        super().__init__()
        greatest = max(abs(level) for level in view.alphabet)
        dtype = next(t for t in _CODE_TYPES if greatest <= torch.iinfo(t).max)
        self.levels = view.alphabet
        self.register_buffer("codes", view.codes.to(dtype).contiguous())
        self.register_buffer("scale", view.scale.to(torch.float32).contiguous())

    @property
    def alphabet(self) -> tuple[int, ...]:
        return self.levels

    def integers(self, weight: Tensor | None) -> tuple[Tensor, Tensor]:
        return self.codes.to(torch.int64), self.scale

    def forward(self, weight: Tensor | None = None) -> Tensor:
        value: Tensor = torch.ops.hwgen.weight(self.codes, self.scale, list(self.levels))
        return value


class FrozenUniform(nn.Module):
    """One `hwgen::quantize`."""

    step: Tensor
    zero_point: Tensor

    def __init__(self, step: Tensor, zero_point: int, lo: int, hi: int) -> None:
        super().__init__()
        self.lo, self.hi = lo, hi
        self.register_buffer("step", step.detach().clone().to(torch.float32))
        self.register_buffer("zero_point", torch.tensor(float(zero_point)))

    def forward(self, x: Tensor) -> Tensor:
        value: Tensor = torch.ops.hwgen.quantize(
            x, self.step, self.zero_point, self.lo, self.hi, graph_ops.HALF_EVEN
        )
        return value


class FrozenSign(nn.Module):
    """One `hwgen::sign`."""

    scale: Tensor

    def __init__(self, scale: Tensor) -> None:
        super().__init__()
        self.register_buffer("scale", scale.detach().clone().to(torch.float32))

    def forward(self, x: Tensor) -> Tensor:
        value: Tensor = torch.ops.hwgen.sign(x, self.scale)
        return value
