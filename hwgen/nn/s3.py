"""S³: powers of two and zero, trained through a sign, a sparsity latent and a chain of shifts.

Source: Li et al. 2021, "S³: Sign-Sparse-Shift Reparametrization for Effective Training of Low-bit
Shift Networks" (NeurIPS, arXiv 2107.03453). At 3 bits a weight is
``w = sgn(w_s)·H(w_z)·2**(H(t1)·(1 + H(t2)))``, levels 0, ±1, ±2, ±4; at 2 bits there is no shift,
levels 0, ±1. Gradients are the product rule, straight through sgn and every H. There is no scale.

The paper's dense-weight regularizer, ``1e-5·Σ max(-w_z, 0)``, pulls weights away from zero: add
`dense_regularizer` to the loss. Latents start as torch starts a layer's weight, or normally
distributed with a given ``std``.
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

STRENGTH = 1e-5


@dataclass(frozen=True, slots=True)
class S3(WeightSpec):
    """0 and ``±2**p``, p = 0 … 2**(bits-1) - 2; ``std`` None is torch's own initialization."""

    bits: int = 3
    std: float | None = None

    def __post_init__(self) -> None:
        check_bits("S3", self.bits, 2, 4)
        if self.std is not None and not (math.isfinite(self.std) and self.std > 0):
            raise UsageError(f"std of S3 must be positive and finite, not {self.std}")

    def weight_quantizer(self, weight: Tensor) -> S3Weight:
        """Fresh latents of the weight's shape; the weight's values are not used."""
        return S3Weight(weight.shape, self.bits, self.std)


class S3Weight(WeightQuantizer):
    """State: ``sign`` and ``dense``, of the weight's shape, ``shift``, (2**(bits-1) - 2, *shape).

    ``shift`` holds the innermost latent first, so at 3 bits t2, then t1.
    """

    keeps_weight = False

    def __init__(self, shape: torch.Size, bits: int, std: float | None) -> None:
        super().__init__()
        self.bits = bits
        self.sign = nn.Parameter(_start(shape, shape, std))
        self.dense = nn.Parameter(_start(shape, shape, std))
        self.shift = nn.Parameter(_start((max((1 << (bits - 1)) - 2, 0), *shape), shape, std))

    @property
    def alphabet(self) -> tuple[int, ...]:
        return shift_alphabet(self.bits, zero=True)

    def integers(self, weight: Tensor | None) -> tuple[Tensor, Tensor]:
        codes = sign(self.sign) * (self.dense > 0) * torch.exp2(chain(self.shift))
        return codes.to(torch.int64), self.sign.new_ones(())

    def forward(self, weight: Tensor | None = None) -> Tensor:
        arguments = (self.sign, self.dense, self.shift)
        value: Tensor = _S3.apply(*arguments)  # type: ignore[no-untyped-call]
        return value


def dense_regularizer(model: nn.Module, strength: float = STRENGTH) -> Tensor:
    """``strength·Σ max(-w_z, 0)`` over all S³ weights of a model; 0 where there are none."""
    total = torch.zeros(())
    for module in model.modules():
        if isinstance(module, S3Weight):
            total = total + torch.relu(-module.dense).sum()
    return strength * total


def _start(shape: tuple[int, ...], like: torch.Size, std: float | None) -> Tensor:
    if std is not None:
        return torch.randn(shape) * std
    bound = 1 / math.sqrt(max(math.prod(like[1:]), 1))
    return (torch.rand(shape) * 2 - 1) * bound


class _S3(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, sign_latent: Tensor, dense: Tensor, shift: Tensor) -> Tensor:
        ctx.save_for_backward(sign_latent, dense, shift)
        return sign(sign_latent) * (dense > 0) * torch.exp2(chain(shift))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        sign_latent, dense, shift = ctx.saved_tensors
        magnitude = torch.exp2(chain(shift))
        kept = (dense > 0).to(magnitude.dtype)
        signed = gradients[0] * sign(sign_latent) * magnitude
        to_shift = signed * kept * math.log(2)
        return gradients[0] * kept * magnitude, signed, chain_gradient(shift, to_shift)
