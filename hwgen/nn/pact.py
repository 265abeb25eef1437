"""PACT, parameterized clipping activation: the clip α of a clipped ReLU is learned.

Source: Choi et al. 2018, "PACT: Parameterized Clipping Activation for Quantized Neural Networks"
(arXiv 1805.06085), equations 1 to 3: ``y = (|x| - |x - α| + α)/2 = clip(x, 0, α)``, quantized to
``round(y·(2**bits - 1)/α)·α/(2**bits - 1)``; ``∂y/∂α`` is 1 where ``x >= α`` and 0 below. α starts
at 10 and is pulled down by the same L2 decay as the weights, so it belongs in an optimizer group
with weight decay.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from hwgen.errors import ModelError, UsageError
from hwgen.nn.quantizer import ActQuantizer, ActSpec, FrozenUniform
from hwgen.nn.step import LEAST_SCALE
from hwgen.nn.uniform import check_bits


@dataclass(frozen=True, slots=True)
class PACT(ActSpec):
    """Activations at ``0 … 2**bits - 1`` steps of ``α / (2**bits - 1)``; ``alpha`` starts α."""

    bits: int
    alpha: float = 10.0

    def __post_init__(self) -> None:
        check_bits("PACT", self.bits, 1, 16)
        if not (math.isfinite(self.alpha) and self.alpha > 0):
            raise UsageError(f"alpha of PACT must be positive and finite, not {self.alpha}")

    def act_quantizer(self) -> PACTAct:
        return PACTAct(self.bits, self.alpha)


class PACTAct(ActQuantizer):
    """``round(clip(x, 0, α)/step)·step``. State: ``alpha``, a parameter of no dimension."""

    def __init__(self, bits: int, alpha: float) -> None:
        super().__init__()
        self.greatest = (1 << bits) - 1
        self.alpha = nn.Parameter(torch.tensor(float(alpha)))

    @property
    def alphabet(self) -> tuple[int, ...]:
        return tuple(range(self.greatest + 1))

    def step(self) -> Tensor:
        """``α / (2**bits - 1)``, detached, at least the tiniest scale."""
        return (self.alpha.detach() / self.greatest).clamp(min=LEAST_SCALE)

    def integers(self, x: Tensor) -> tuple[Tensor, Tensor]:
        step = self.step()
        return torch.clamp(torch.round(x / step), 0, self.greatest).to(torch.int64), step

    def forward(self, x: Tensor) -> Tensor:
        arguments = (x, self.alpha, self.step(), self.greatest)
        value: Tensor = _PACT.apply(*arguments)  # type: ignore[no-untyped-call]
        return value

    def frozen(self) -> FrozenUniform:
        alpha = float(self.alpha.detach())
        if not alpha > 0:
            raise ModelError(
                f"the clip of a PACT activation must stay positive, not {alpha:g}",
                hint="lower its weight decay or its learning rate",
            )
        return FrozenUniform(self.step(), 0, 0, self.greatest)

    def extra_repr(self) -> str:
        return f"codes 0..{self.greatest}"


class _PACT(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, alpha: Tensor, step: Tensor, greatest: int) -> Tensor:
        ctx.save_for_backward(x, alpha)
        return torch.clamp(torch.round(x / step), 0, greatest) * step

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None, None]:
        x, alpha = ctx.saved_tensors
        clipped = x >= alpha
        inside = (x >= 0) & ~clipped
        return gradients[0] * inside, (gradients[0] * clipped).sum(), None, None
