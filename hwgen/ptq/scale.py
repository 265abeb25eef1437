"""Scales of least squared error, and the sum of two tensors where one is too coarse.

Source: Choukroun et al. 2019, "Low-bit Quantization of Neural Networks for Efficient Inference"
(arXiv 1902.06822): the scale of a tensor or kernel is the one that minimises ``‖w - s·Q(w/s)‖²``
(OMSE), found here by a grid and one refinement, and key layers are approximated by two low-bit
tensors. The paper gives the two tensors free scales; here the ratio is a power of two, so that
their sum is again one integer tensor, ``T1·2**r + T2``, and needs no other circuit than a layer's
adder graph, which adds the two.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from hwgen.nn.step import LEAST_SCALE
from hwgen.ptq.alphabets import rounded

GRID = 64
REFINE = 16
MAX_SHIFT = 6


@dataclass(frozen=True)
class Codes:
    """Integers (int64, rows as given), one float32 scale per row, and the levels that occur."""

    values: Tensor
    scale: Tensor
    alphabet: tuple[int, ...]

    @property
    def dequantized(self) -> Tensor:
        return self.values.to(torch.float32) * self.scale

    def error(self, weight: Tensor) -> float:
        """``‖w - ŵ‖² / ‖w‖²``; 0 for a weight of zeros."""
        power = float(weight.square().sum())
        return float((weight - self.dequantized).square().sum()) / power if power else 0.0


def least_error(weight: Tensor, alphabet: tuple[int, ...], *, per_channel: bool = True) -> Codes:
    """The nearest levels at the scale of least squared error; ``weight`` is (out, elements)."""
    rows = weight if per_channel else weight.reshape(1, -1)
    most = rows.abs().amax(dim=1, keepdim=True).clamp(min=LEAST_SCALE)
    scale = _search(rows, alphabet, most)
    values = rounded(rows / scale, alphabet)
    scale = scale if per_channel else scale.expand(len(weight), 1)
    return Codes(values.reshape(weight.shape).to(torch.int64), scale.contiguous(), alphabet)


def two_tensors(weight: Tensor, alphabet: tuple[int, ...]) -> Codes:
    """``T1·2**r + T2`` with both tensors in the alphabet; one r, and one scale per row."""
    most = weight.abs().amax(dim=1, keepdim=True).clamp(min=LEAST_SCALE)
    best: tuple[float, Tensor, Tensor, int] | None = None
    for shift in range(1, MAX_SHIFT + 1):
        reach = alphabet[-1] * ((1 << shift) + 1)
        scale, error = most.clone(), torch.full_like(most, torch.inf)
        for candidate in torch.linspace(0.3, 1.2, GRID):
            trial = most * candidate / reach
            wrong = (weight - _sum_of_two(weight, trial, alphabet, shift) * trial).square()
            wrong = wrong.sum(dim=1, keepdim=True)
            scale = torch.where(wrong < error, trial, scale)
            error = torch.minimum(error, wrong)
        total = float(error.sum())
        if best is None or total < best[0]:
            best = (total, scale, _sum_of_two(weight, scale, alphabet, shift), shift)
    assert best is not None, "there is at least one shift"
    _, scale, values, shift = best
    sums = {(a << shift) + b for a in alphabet for b in alphabet}
    return Codes(values.to(torch.int64), scale, tuple(sorted(sums)))


def _sum_of_two(weight: Tensor, scale: Tensor, alphabet: tuple[int, ...], shift: int) -> Tensor:
    coarse = rounded(weight / (scale * (1 << shift)), alphabet) * (1 << shift)
    return coarse + rounded(weight / scale - coarse, alphabet)


def _search(rows: Tensor, alphabet: tuple[int, ...], most: Tensor) -> Tensor:
    unit = most / alphabet[-1]
    coarse, _ = _best(rows, alphabet, [unit * float(f) for f in torch.linspace(0.02, 1.2, GRID)])
    width = 1.18 / (GRID - 1)
    steps = torch.linspace(-width, width, REFINE)
    fine = [(coarse + unit * float(f)).clamp(min=LEAST_SCALE) for f in steps]
    return _best(rows, alphabet, [coarse, *fine])[0]


def _best(rows: Tensor, alphabet: tuple[int, ...], scales: list[Tensor]) -> tuple[Tensor, Tensor]:
    best, least = scales[0], torch.full_like(scales[0], torch.inf)
    for scale in scales:
        error = (rows - rounded(rows / scale, alphabet) * scale).square().sum(dim=1, keepdim=True)
        best = torch.where(error < least, scale, best)
        least = torch.minimum(error, least)
    return best, least
