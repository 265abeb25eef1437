"""SAWB, statistics-aware weight binning: the clip of least error from two moments of the weights.

Source: Choi et al. 2019, "Accurate and Efficient 2-bit Quantized Neural Networks" (SysML); also
arXiv 1807.06964. The clip is ``α = c1·√E[w²] + c2·E|w|``, one for the tensor, recomputed on every
forward pass; ``c1`` and ``c2`` were fitted by the authors over six distributions of weights. The
``2**bits`` levels are evenly spaced from -α to α, so they are odd multiples of α/(2**bits - 1).
The gradient passes unchanged inside ±α and is zero outside. The coefficients of 2 to 5 and 8 bits
are those of the authors' published code.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from hwgen.errors import UsageError
from hwgen.nn.odd import nearest_odd, odd_alphabet, odd_ste
from hwgen.nn.quantizer import WeightQuantizer, WeightSpec
from hwgen.nn.step import LEAST_SCALE
from hwgen.nn.uniform import require

COEFFICIENTS = {
    2: (3.12, -2.064),
    3: (7.509, -6.892),
    4: (12.68, -12.80),
    5: (17.74, -18.64),
    8: (31.76, -35.04),
}
"""(c1, c2) by bits: the factors of the root mean square and of the mean magnitude."""


@dataclass(frozen=True, slots=True)
class SAWB(WeightSpec):
    """Odd multiples of α/(2**bits - 1), with α from the first two moments of the weights."""

    bits: int = 2

    def __post_init__(self) -> None:
        if self.bits not in COEFFICIENTS:
            raise UsageError(
                f"SAWB must have {', '.join(map(str, COEFFICIENTS))} bits, not {self.bits!r}",
                hint="the paper's coefficients exist for these only; use Int(bits) for others",
            )

    def weight_quantizer(self, weight: Tensor) -> SAWBWeight:
        return SAWBWeight(self.bits)


class SAWBWeight(WeightQuantizer):
    """The nearest of the evenly spaced levels between ±clip."""

    def __init__(self, bits: int) -> None:
        super().__init__()
        self.bits = bits

    @property
    def alphabet(self) -> tuple[int, ...]:
        return odd_alphabet(self.bits)

    def clip(self, weight: Tensor) -> Tensor:
        """α: ``c1·√E[w²] + c2·E|w|``; the greatest magnitude where that is not positive.

        It is not where nearly all weights have one magnitude, which the fits do not cover.
        """
        root_mean_square, mean = COEFFICIENTS[self.bits]
        magnitude = weight.detach().abs()
        alpha = root_mean_square * magnitude.square().mean().sqrt() + mean * magnitude.mean()
        positive = torch.where(alpha > 0, alpha, magnitude.max())
        return positive.clamp(min=LEAST_SCALE * (1 << self.bits))

    def integers(self, weight: Tensor | None) -> tuple[Tensor, Tensor]:
        scale = self.clip(require(weight)) / ((1 << self.bits) - 1)
        return nearest_odd(require(weight) / scale, self.bits).to(torch.int64), scale

    def forward(self, weight: Tensor) -> Tensor:
        clip = self.clip(weight)
        passes = (weight.detach().abs() <= clip).to(weight.dtype)
        return odd_ste(weight, clip / ((1 << self.bits) - 1), self.bits, passes)
