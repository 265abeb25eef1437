"""Three levels: 0 and ±1 for weights.

Source: Li et al. 2016, "Ternary Weight Networks" (arXiv 1605.04711), equations 3 to 6.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from hwgen.errors import UsageError
from hwgen.nn.binary import ScaleSpec, check_scale, masked_mean
from hwgen.nn.quantizer import WeightQuantizer, WeightSpec
from hwgen.nn.ste import ternary_ste
from hwgen.nn.step import channel_shape
from hwgen.nn.uniform import require


@dataclass(frozen=True, slots=True)
class Ternary(WeightSpec):
    """0 where ``|w| <= threshold * mean|w|``, else ±scale.

    ``scale`` is a number or ``"mean"``: the mean magnitude of the weights that are not zero, of the
    tensor or of each output channel (``per_channel``).
    """

    scale: ScaleSpec = "mean"
    per_channel: bool = False
    threshold: float = 0.7

    def __post_init__(self) -> None:
        check_scale("Ternary", self.scale)
        if not 0 <= self.threshold < float("inf"):
            raise UsageError(f"threshold must be at least 0 and finite, not {self.threshold}")

    def weight_quantizer(self, weight: Tensor) -> TernaryWeight:
        return TernaryWeight(self)


class TernaryWeight(WeightQuantizer):
    """``sign(w) * [|w| > threshold] * scale``."""

    def __init__(self, spec: Ternary) -> None:
        super().__init__()
        self.spec = spec

    @property
    def alphabet(self) -> tuple[int, ...]:
        return (-1, 0, 1)

    def integers(self, weight: Tensor | None) -> tuple[Tensor, Tensor]:
        codes, scale = self._parts(require(weight))
        return codes.to(torch.int64), scale

    def forward(self, weight: Tensor) -> Tensor:
        codes, scale = self._parts(weight)
        return codes * scale

    def _parts(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        magnitude = weight.abs()
        everywhere = torch.ones_like(weight)
        per_channel = self.spec.per_channel
        mean = masked_mean(magnitude.detach(), everywhere, per_channel)
        threshold = self.spec.threshold * mean
        codes = ternary_ste(weight, threshold)
        if not isinstance(self.spec.scale, str):
            return codes, weight.new_full(channel_shape(weight, per_channel), self.spec.scale)
        kept = (magnitude > threshold).to(weight.dtype)
        return codes, masked_mean(magnitude, kept, per_channel)
