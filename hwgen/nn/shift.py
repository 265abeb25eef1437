"""Powers of two: a multiplication by such a weight is a shift.

``zero=False`` is the zero-free alphabet of DenseShift (Li et al. 2022, arXiv 2208.09708),
``zero=True`` that of S³ (Li et al. 2021, arXiv 2107.03453). Here float weights are rounded to the
nearest level with a straight-through gradient, as DeepShift-Q does (Elhoushi et al. 2019,
arXiv 1905.13298); the papers' own reparametrizations are training methods.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from hwgen.nn.quantizer import WeightQuantizer, WeightSpec
from hwgen.nn.ste import nearest, nearest_lsq
from hwgen.nn.step import LEAST_SCALE, Step, StepSpec, channel_shape, check_step
from hwgen.nn.uniform import check_bits, require

_CANDIDATES = 32


@dataclass(frozen=True, slots=True)
class Shift(WeightSpec):
    """``±2**p * scale`` in ``bits`` bits, one of which is the sign.

    ``zero=False``: p = 0 … 2**(bits-1) - 1, no zero. ``zero=True``: one code less on each side is
    spent on zero, so p = 0 … 2**(bits-1) - 2.
    ``scale`` is a number, ``"learned"`` (with LSQ's gradient, starting where the squared error is
    least) or ``"power_of_two"``; one for the tensor or one per output channel.
    """

    bits: int
    zero: bool = False
    scale: StepSpec = "learned"
    per_channel: bool = False

    def __post_init__(self) -> None:
        check_bits("Shift", self.bits, 2 if self.zero else 1, 5)
        check_step(self.scale)

    @property
    def alphabet(self) -> tuple[int, ...]:
        """All levels, ascending."""
        return shift_alphabet(self.bits, self.zero)

    def weight_quantizer(self, weight: Tensor) -> LevelWeight:
        step = Step(self.scale, channel_shape(weight, self.per_channel))
        return LevelWeight(self.alphabet, step)


class LevelWeight(WeightQuantizer):
    """The nearest of any ascending integer levels, times a scale."""

    levels: Tensor

    def __init__(self, alphabet: tuple[int, ...], scale: Step) -> None:
        super().__init__()
        self.scale = scale
        self._alphabet = alphabet
        levels = torch.tensor(alphabet, dtype=torch.float32)
        self.register_buffer("levels", levels, persistent=False)

    @property
    def alphabet(self) -> tuple[int, ...]:
        return self._alphabet

    def integers(self, weight: Tensor | None) -> tuple[Tensor, Tensor]:
        scale = self._scale(require(weight))
        return nearest(require(weight) / scale, self.levels).to(torch.int64), scale

    def forward(self, weight: Tensor) -> Tensor:
        scale = self._scale(weight)
        elements = max(weight.numel() // scale.numel(), 1)
        gradient_scale = 1 / math.sqrt(elements * self._alphabet[-1])
        return nearest_lsq(weight, scale, self.levels, gradient_scale)

    def _scale(self, weight: Tensor) -> Tensor:
        if not self.scale.ready:
            self.scale.set(least_error_scale(weight.detach(), self.levels, self.scale.unit.shape))
        return self.scale.forward()


def shift_alphabet(bits: int, zero: bool) -> tuple[int, ...]:
    """Ascending levels ±2**p, with 0 when ``zero``."""
    powers = [1 << p for p in range((1 << (bits - 1)) - zero)]
    return (*(-p for p in reversed(powers)), *((0,) if zero else ()), *powers)


def least_error_scale(weight: Tensor, levels: Tensor, shape: tuple[int, ...]) -> Tensor:
    """The scale, among candidates from 1/8 to 1 of the greatest magnitude, of least squared error.

    ``shape`` is () or one value per output channel; an all-zero weight gets a tiny positive scale.
    """
    rows = weight.reshape(weight.shape[0], -1) if shape else weight.reshape(1, -1)
    greatest = rows.abs().amax(dim=1, keepdim=True).clamp(min=LEAST_SCALE) / levels[-1]
    candidates = torch.logspace(-3, 0, _CANDIDATES, base=2.0, device=weight.device)
    best, least = greatest.clone(), torch.full_like(greatest, torch.inf)
    for candidate in candidates:
        scale = greatest * candidate
        error = (nearest(rows / scale, levels) * scale - rows).square().sum(dim=1, keepdim=True)
        best = torch.where(error < least, scale, best)
        least = torch.minimum(error, least)
    return best.reshape(shape)
