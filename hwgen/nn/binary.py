"""Two levels: ±1 for weights and activations.

Sources: Courbariaux et al. 2016 (arXiv 1602.02830) for the sign and its clipped gradient;
Rastegari et al. 2016, "XNOR-Net" (arXiv 1603.05279), equation 6 for the mean as scale.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from hwgen.errors import UsageError
from hwgen.nn.quantizer import (
    ActQuantizer,
    ActSpec,
    FrozenSign,
    WeightQuantizer,
    WeightSpec,
)
from hwgen.nn.ste import sign_ste
from hwgen.nn.step import LEAST_SCALE, channel_shape
from hwgen.nn.uniform import require

ScaleSpec = float | Literal["mean"]


@dataclass(frozen=True, slots=True)
class Binary(WeightSpec, ActSpec):
    """±scale, by sign; the sign of zero is plus.

    ``scale`` is a number, or for weights ``"mean"``: the mean magnitude, of the tensor or of each
    output channel (``per_channel``).
    """

    scale: ScaleSpec = 1.0
    per_channel: bool = False

    def __post_init__(self) -> None:
        check_scale("Binary", self.scale)

    def weight_quantizer(self, weight: Tensor) -> BinaryWeight:
        return BinaryWeight(self.scale, self.per_channel)

    def act_quantizer(self) -> BinaryAct:
        """Raises UsageError if the scale is to come from a mean: activations have a fixed one."""
        if isinstance(self.scale, str):
            raise UsageError(
                'scale of a Binary activation must be a number, not "mean"',
                hint="use Binary(); a batch-norm behind the next layer absorbs any scale",
            )
        return BinaryAct(self.scale)


class BinaryWeight(WeightQuantizer):
    """``sign(w) * scale``."""

    def __init__(self, scale: ScaleSpec, per_channel: bool) -> None:
        super().__init__()
        self.scale = scale
        self.per_channel = per_channel

    @property
    def alphabet(self) -> tuple[int, ...]:
        return (-1, 1)

    def integers(self, weight: Tensor | None) -> tuple[Tensor, Tensor]:
        weight = require(weight)
        return torch.where(weight >= 0, 1, -1), self._scale(weight)

    def forward(self, weight: Tensor) -> Tensor:
        return sign_ste(weight) * self._scale(weight)

    def _scale(self, weight: Tensor) -> Tensor:
        if not isinstance(self.scale, str):
            return weight.new_full(channel_shape(weight, self.per_channel), self.scale)
        return masked_mean(weight.abs(), torch.ones_like(weight), self.per_channel)


class BinaryAct(ActQuantizer):
    """``sign(x) * scale``."""

    scale: Tensor

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.register_buffer("scale", torch.tensor(float(scale)))

    @property
    def alphabet(self) -> tuple[int, ...]:
        return (-1, 1)

    def integers(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return torch.where(x >= 0, 1, -1), self.scale

    def forward(self, x: Tensor) -> Tensor:
        return sign_ste(x) * self.scale

    def frozen(self) -> FrozenSign:
        return FrozenSign(self.scale)


def check_scale(kind: str, scale: ScaleSpec) -> None:
    """Refuse a scale that is neither a positive finite number nor ``"mean"``.

    Raises:
        UsageError: see above.
    """
    if isinstance(scale, str):
        if scale != "mean":
            raise UsageError(f'scale of {kind} must be a number or "mean", not {scale!r}')
    elif not (math.isfinite(scale) and scale > 0):
        raise UsageError(f"scale of {kind} must be positive and finite, not {scale}")


def masked_mean(magnitude: Tensor, mask: Tensor, per_channel: bool) -> Tensor:
    """The mean of ``magnitude`` where ``mask`` is 1, per tensor or per output channel.

    It is at least 2**-40, so that a channel of zeros still has a scale.
    """
    axes = list(range(1 if per_channel else 0, magnitude.dim()))
    total = (magnitude * mask).sum(dim=axes, keepdim=per_channel)
    mean = total / mask.sum(dim=axes, keepdim=per_channel).clamp(min=1)
    return mean.clamp(min=LEAST_SCALE)
