"""DenseShift: zero-free powers of two, trained through one sign and a chain of binary latents.

Source: Li et al. 2023, "DenseShift: Towards Accurate and Efficient Low-Bit Power-of-Two
Quantization" (ICCV, arXiv 2208.09708). A weight of b bits is ``sgn(w_s)·2**S`` with S in
``0 … 2**(b-1) - 1`` from a chain of ``2**(b-1) - 1`` latents (see `hwgen.nn.latents`); at 3 bits
``S = H(t3)·(1 + H(t2)·(1 + H(t1)))``. There is no scale: a batch-norm behind the layer absorbs it.

Backward: the gradient is that of ``sgn(w_s)·√(S + 1)`` instead of ``sgn(w_s)·2**S``, straight
through sgn and every H, so ``∂w/∂w_s = √(S + 1)`` and ``∂w/∂S = sgn(w_s) / (2·√(S + 1))``. That is
the rule of the authors' published code; it keeps large shifts from drowning the small ones.

Initialization: all latents are drawn from a normal distribution around 0 with standard deviation
``std = 1e-3``, the paper's low variance, whatever the layer's size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from hwgen.errors import UsageError
from hwgen.nn.latents import chain, chain_gradient, sign
from hwgen.nn.quantizer import WeightQuantizer, WeightSpec
from hwgen.nn.shift import shift_alphabet
from hwgen.nn.uniform import check_bits

STD = 1e-3


@dataclass(frozen=True, slots=True)
class DenseShift(WeightSpec):
    """``±2**p``, p = 0 … 2**(bits-1) - 1, from latents that start at N(0, std²)."""

    bits: int = 3
    std: float = STD

    def __post_init__(self) -> None:
        check_bits("DenseShift", self.bits, 2, 4)
        if not (math.isfinite(self.std) and self.std > 0):
            raise UsageError(f"std of DenseShift must be positive and finite, not {self.std}")

    def weight_quantizer(self, weight: Tensor) -> DenseShiftWeight:
        """Fresh latents of the weight's shape; the weight's values are not used."""
        return DenseShiftWeight(weight.shape, self.bits, self.std)


class DenseShiftWeight(WeightQuantizer):
    """State: ``sign``, of the weight's shape, and ``shift``, (2**(bits-1) - 1, *shape)."""

    keeps_weight = False

    def __init__(self, shape: torch.Size, bits: int, std: float) -> None:
        super().__init__()
        self.bits = bits
        self.sign = nn.Parameter(torch.randn(shape) * std)
        self.shift = nn.Parameter(torch.randn((1 << (bits - 1)) - 1, *shape) * std)

    @property
    def alphabet(self) -> tuple[int, ...]:
        return shift_alphabet(self.bits, zero=False)

    def integers(self, weight: Tensor | None) -> tuple[Tensor, Tensor]:
        codes = sign(self.sign) * torch.exp2(chain(self.shift))
        return codes.to(torch.int64), self.sign.new_ones(())

    def forward(self, weight: Tensor | None = None) -> Tensor:
        value: Tensor = _DenseShift.apply(self.sign, self.shift)  # type: ignore[no-untyped-call]
        return value


class _DenseShift(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, sign_latent: Tensor, shift_latents: Tensor) -> Tensor:
        ctx.save_for_backward(sign_latent, shift_latents)
        return sign(sign_latent) * torch.exp2(chain(shift_latents))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor]:
        sign_latent, shift_latents = ctx.saved_tensors
        root = (chain(shift_latents) + 1).sqrt()
        to_shift = gradients[0] * sign(sign_latent) / (2 * root)
        return gradients[0] * root, chain_gradient(shift_latents, to_shift)
