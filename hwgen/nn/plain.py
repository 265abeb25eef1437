"""Layers that are not quantized yet, and the plain sign: what progressive training moves between.

Source: Lan 2021, "Iterative Training: Finding Binary Weight Deep Neural Networks with Layer
Binarization" (arXiv 2111.07046): weights become ``sign(w)`` without a scale, and the gradient at
the binary weight updates the float one as it is, with no clipping.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

import torch
from torch import Tensor, nn

from hwgen.errors import ModelError
from hwgen.nn.quantizer import ActQuantizer, ActSpec, WeightQuantizer, WeightSpec
from hwgen.nn.ste import signs
from hwgen.nn.uniform import require


@dataclass(frozen=True, slots=True)
class Float(WeightSpec, ActSpec):
    """No quantization yet: training goes on in float, and saving is refused.

    ``clip`` is the bound of an activation that stands in for a later quantizer: Hardtanh at
    ±clip, the float counterpart of a sign; None passes values unchanged.
    """

    clip: float | None = None

    def weight_quantizer(self, weight: Tensor) -> FloatWeight:
        return FloatWeight()

    def act_quantizer(self) -> FloatAct:
        return FloatAct(self.clip)


class FloatWeight(WeightQuantizer):
    """The weight itself."""

    @property
    def alphabet(self) -> tuple[int, ...]:
        return ()

    def integers(self, weight: Tensor | None) -> tuple[Tensor, Tensor]:
        _refuse("weight")

    def forward(self, weight: Tensor) -> Tensor:
        return weight


class FloatAct(ActQuantizer):
    """The activation itself, or clipped to ±clip."""

    def __init__(self, clip: float | None) -> None:
        super().__init__()
        self.clip = clip

    @property
    def alphabet(self) -> tuple[int, ...]:
        return ()

    def integers(self, x: Tensor) -> tuple[Tensor, Tensor]:
        _refuse("activation")

    def forward(self, x: Tensor) -> Tensor:
        return x if self.clip is None else torch.clamp(x, -self.clip, self.clip)

    def frozen(self) -> nn.Module:
        _refuse("activation")


@dataclass(frozen=True, slots=True)
class Sign(WeightSpec):
    """``sign(w)``, sign(0) = +1, scale 1; the gradient passes unchanged everywhere."""

    def weight_quantizer(self, weight: Tensor) -> SignWeight:
        return SignWeight()


class SignWeight(WeightQuantizer):
    """±1."""

    @property
    def alphabet(self) -> tuple[int, ...]:
        return (-1, 1)

    def integers(self, weight: Tensor | None) -> tuple[Tensor, Tensor]:
        weight = require(weight)
        return torch.where(weight >= 0, 1, -1), weight.new_ones(())

    def forward(self, weight: Tensor) -> Tensor:
        value: Tensor = _Sign.apply(weight)  # type: ignore[no-untyped-call]
        return value


class _Sign(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weight: Tensor) -> Tensor:
        return signs(weight)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return gradients[0]


def _refuse(kind: str) -> NoReturn:
    raise ModelError(
        f"every {kind} must be quantized before a model is saved, and this one is still float",
        hint="train to the end of the schedule, or give the layer a quantizer",
    )
