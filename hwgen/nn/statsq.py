"""StatsQ: a scale that follows the weights instead of being learned, and annealing by confidence.

Source: Liu, Liu and Cheng 2023, "Oscillation-free Quantization for Low-bit Vision Transformers"
(arXiv 2302.02210). Each output row has ``s = 2·E|w|``; the weight is
``s·(round(clip(w/s, -1, 1)·n - 1/2) + 1/2)/n`` with ``n = 2**(bits-1)``: odd multiples of
``s/2**bits``. The gradient passes unchanged to every weight.

Confidence-guided annealing: in a second training phase only the weights within
``boundary = 0.005`` of a threshold, in units of the distance between levels, still get a gradient;
the others are confident of their level and stay. `hwgen.train.annealing` starts that phase.
(In the authors' published code the mask has no effect, because the gradient also passes beside it;
here it is the paper's text that is implemented.)
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from hwgen.nn.odd import nearest_odd, odd_alphabet, odd_ste
from hwgen.nn.quantizer import WeightQuantizer, WeightSpec
from hwgen.nn.step import LEAST_SCALE
from hwgen.nn.uniform import check_bits, require

BOUNDARY = 0.005
"""The paper's half width of the range in which weights go on training, in level distances."""


@dataclass(frozen=True, slots=True)
class StatsQ(WeightSpec):
    """Odd multiples of ``2·E|w| / 2**bits``, one scale per output row."""

    bits: int = 2

    def __post_init__(self) -> None:
        check_bits("StatsQ", self.bits, 2, 8)

    def weight_quantizer(self, weight: Tensor) -> StatsQWeight:
        return StatsQWeight(self.bits)


class StatsQWeight(WeightQuantizer):
    """The nearest odd level; ``boundary`` is None, or in annealing the width that still trains."""

    def __init__(self, bits: int) -> None:
        super().__init__()
        self.bits = bits
        self.boundary: float | None = None

    @property
    def alphabet(self) -> tuple[int, ...]:
        return odd_alphabet(self.bits)

    def scale(self, weight: Tensor) -> Tensor:
        """``2·E|w| / 2**bits`` of each output row, of shape (out, 1, …)."""
        axes = list(range(1, weight.dim()))
        mean = weight.detach().abs().mean(dim=axes, keepdim=True)
        return (2 * mean / (1 << self.bits)).clamp(min=LEAST_SCALE)

    def trains(self, weight: Tensor) -> Tensor:
        """1 where a weight gets its gradient: everywhere, or in annealing near a threshold."""
        if self.boundary is None:
            return torch.ones_like(weight)
        v = weight.detach() / self.scale(weight)
        threshold = 2 * torch.round(v / 2)
        outermost = (1 << self.bits) - 2
        near = ((v - threshold).abs() <= 2 * self.boundary) & (threshold.abs() <= outermost)
        return near.to(weight.dtype)

    def integers(self, weight: Tensor | None) -> tuple[Tensor, Tensor]:
        scale = self.scale(require(weight))
        return nearest_odd(require(weight) / scale, self.bits).to(torch.int64), scale

    def forward(self, weight: Tensor) -> Tensor:
        return odd_ste(weight, self.scale(weight), self.bits, self.trains(weight))
