"""SYQ: binary or ternary codes with one learned scale per group of weights.

Source: Faraone et al. 2018, "SYQ: Learning Symmetric Quantization for Efficient Deep Neural
Networks" (CVPR, arXiv 1807.00301). Codes are ``sign(w)``, and in the ternary case 0 where
``|w| < η`` with ``η = 0.05·max|w|``. Each group i has a scale αᵢ that starts at the group's mean
magnitude. With the code q: ``∂L/∂w = αᵢ·∂L/∂(αᵢq)`` everywhere (straight through) and
``∂L/∂αᵢ = Σ q·∂L/∂(αᵢq)`` over the group.

Groups: ``pixel`` and ``row`` of a convolution's kernel (K² and K scales, the paper's), ``channel``
(one per output) and ``tensor`` (the paper's for fully connected layers). In a fully connected
layer ``pixel`` is one scale for each of ``columns`` equal runs of inputs.

Hardware: an accumulator has one unit, so the scales of ``pixel`` and ``row`` are kept as integer
multiples of a common one, ``αᵢ = unit·kᵢ`` with ``kᵢ`` in ``1 … 2**scale_bits - 1`` and
``unit = max αᵢ / (2**scale_bits - 1)``; the integer weights are ``q·kᵢ`` and the adder graph shares
the partial sums of each group. The scales of ``channel`` and ``tensor`` stay real numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from hwgen.errors import UsageError
from hwgen.nn.quantizer import WeightQuantizer, WeightSpec
from hwgen.nn.step import LEAST_SCALE
from hwgen.nn.uniform import check_bits, require

Groups = Literal["pixel", "row", "channel", "tensor"]
ETA = 0.05
"""The paper's threshold of a ternary zero, as a part of the greatest magnitude."""


@dataclass(frozen=True, slots=True)
class SYQ(WeightSpec):
    """Binary codes, or ternary with ``ternary``, with a learned scale per group."""

    groups: Groups = "pixel"
    ternary: bool = True
    columns: int = 8
    scale_bits: int = 4
    eta: float = ETA

    def __post_init__(self) -> None:
        check_bits("scale_bits of SYQ", self.scale_bits, 1, 8)
        if self.groups not in ("pixel", "row", "channel", "tensor"):
            raise UsageError(
                f"groups of SYQ must be pixel, row, channel or tensor, not {self.groups!r}"
            )
        if not 0 <= self.eta < 1:
            raise UsageError(f"eta of SYQ must be at least 0 and below 1, not {self.eta}")

    def weight_quantizer(self, weight: Tensor) -> SYQWeight:
        """Raises UsageError where ``columns`` does not divide the inputs of a linear layer."""
        return SYQWeight(self, weight)


class SYQWeight(WeightQuantizer):
    """``code * scale of its group``. State: ``alpha``, a parameter with one value per group."""

    def __init__(self, spec: SYQ, weight: Tensor) -> None:
        super().__init__()
        self.spec = spec
        self.shared_unit = spec.groups in ("pixel", "row")
        magnitude = _group_means(weight.detach().abs(), spec)
        self.alpha = nn.Parameter(magnitude.clamp(min=LEAST_SCALE).clone())

    @property
    def alphabet(self) -> tuple[int, ...]:
        most = (1 << self.spec.scale_bits) - 1 if self.shared_unit else 1
        zero = (0,) if self.spec.ternary else ()
        return (*range(-most, 0), *zero, *range(1, most + 1))

    def codes(self, weight: Tensor) -> Tensor:
        """±1, and 0 below the ternary threshold, as float."""
        sign = torch.where(weight >= 0, 1.0, -1.0)
        if not self.spec.ternary:
            return sign
        return sign * (weight.abs() >= self.spec.eta * weight.abs().max())

    def integers(self, weight: Tensor | None) -> tuple[Tensor, Tensor]:
        multiple, unit = self._scales(require(weight))
        return (self.codes(require(weight)) * multiple).to(torch.int64), unit

    def forward(self, weight: Tensor) -> Tensor:
        multiple, unit = self._scales(weight)
        arguments = (weight, self.alpha, self.codes(weight), multiple, unit)
        value: Tensor = _SYQ.apply(*arguments)  # type: ignore[no-untyped-call]
        return value

    def _scales(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Integer multiples that broadcast to the weight, and their unit."""
        alpha = self.alpha.detach().clamp(min=LEAST_SCALE)
        if not self.shared_unit:
            return torch.ones_like(alpha), alpha
        most = (1 << self.spec.scale_bits) - 1
        unit = alpha.max() / most
        multiples = torch.clamp(torch.round(alpha / unit), 1, most)
        if weight.dim() == 2:
            multiples = multiples.repeat_interleave(weight.shape[1] // self.spec.columns, dim=1)
        return multiples, unit


class _SYQ(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, weight: Tensor, alpha: Tensor, codes: Tensor, multiple: Tensor, unit: Tensor
    ) -> Tensor:
        ctx.save_for_backward(codes, multiple * unit)
        ctx.groups = alpha.shape
        return codes * multiple * unit

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None, None, None]:
        codes, scale = ctx.saved_tensors
        to_alpha = _group_sums(gradients[0] * codes, ctx.groups)
        return gradients[0] * scale, to_alpha, None, None, None


def _group_means(magnitude: Tensor, spec: SYQ) -> Tensor:
    """The mean of each group, in a shape that broadcasts (linear ``pixel``: (1, columns))."""
    if spec.groups == "tensor":
        return magnitude.mean()
    if spec.groups == "channel":
        return magnitude.mean(dim=list(range(1, magnitude.dim())), keepdim=True)
    if magnitude.dim() == 2:
        if spec.columns < 1 or magnitude.shape[1] % spec.columns:
            raise UsageError(
                f"columns of SYQ must divide the {magnitude.shape[1]} inputs of the layer, "
                f"not be {spec.columns}",
                hint="SYQ(columns=…), or groups='channel'",
            )
        return magnitude.reshape(len(magnitude), spec.columns, -1).mean(dim=(0, 2))[None]
    axes = [0, 1] if spec.groups == "pixel" else [0, 1, *range(3, magnitude.dim())]
    return magnitude.mean(dim=axes, keepdim=True)


def _group_sums(values: Tensor, groups: torch.Size) -> Tensor:
    if len(groups) == 2 and groups[0] == 1 and values.dim() == 2 and groups[1] > 1:
        return values.reshape(len(values), groups[1], -1).sum(dim=(0, 2))[None]
    return values.sum_to_size(groups)
