"""Neurons of few inputs, chosen while they train: what a single LUT can compute.

The ``fan_in`` weights of greatest magnitude in each row are used, all others are 0 but go on
learning: the gradient passes to them as if they were used (straight through), so an input can
take another's place at any time. Sources: Jayakumar et al. 2020, "Top-KAST" (arXiv 2106.03517),
for sparse forward passes with denser gradients; Umuroglu et al. 2020, "LogicNets" (arXiv
2004.03021), for neurons that are truth tables because their inputs are few.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from hwgen.errors import UsageError
from hwgen.nn.quantizer import WeightQuantizer, WeightSpec
from hwgen.nn.uniform import require


@dataclass(frozen=True, slots=True)
class FewInputs(WeightSpec):
    """``weights`` of which every output keeps ``fan_in`` and the rest are 0.

    ``weights``' alphabet must have a zero. A row (output channel) counts all its kernel pixels.
    """

    weights: WeightSpec
    fan_in: int

    def __post_init__(self) -> None:
        if not isinstance(self.weights, WeightSpec):
            raise UsageError(f"FewInputs must choose among weights of a spec, not {self.weights!r}")
        if not isinstance(self.fan_in, int) or self.fan_in < 1:
            raise UsageError(f"fan_in must be a whole number of inputs, not {self.fan_in!r}")

    def weight_quantizer(self, weight: Tensor) -> FewInputsWeight:
        inner = self.weights.weight_quantizer(weight)
        if not inner.keeps_weight or 0 not in inner.alphabet:
            raise UsageError(
                f"FewInputs needs weights that can be 0, not {self.weights}",
                hint="use Int, Ternary or Shift(zero=True)",
            )
        return FewInputsWeight(inner, self.fan_in)


class FewInputsWeight(WeightQuantizer):
    """``inner`` of the weight with all but the greatest ``kept`` magnitudes of each row masked.

    ``kept`` is ``fan_in`` but while a method such as `hwgen.train.FanIn` closes in on it.
    """

    kept: Tensor

    def __init__(self, inner: WeightQuantizer, fan_in: int) -> None:
        super().__init__()
        self.inner: nn.Module = inner
        self.fan_in = fan_in
        self.register_buffer("kept", torch.tensor(fan_in))

    @property
    def alphabet(self) -> tuple[int, ...]:
        return self._inner.alphabet

    @property
    def _inner(self) -> WeightQuantizer:
        assert isinstance(self.inner, WeightQuantizer)
        return self.inner

    def integers(self, weight: Tensor | None) -> tuple[Tensor, Tensor]:
        weight = require(weight)
        return self._inner.integers(weight * self._mask(weight))

    def forward(self, weight: Tensor) -> Tensor:
        masked: Tensor = _Masked.apply(weight, self._mask(weight))  # type: ignore[no-untyped-call]
        value: Tensor = self.inner(masked)
        return value

    def _mask(self, weight: Tensor) -> Tensor:
        rows = weight.detach().abs().flatten(1)
        count = min(int(self.kept), rows.shape[1])
        chosen = rows.topk(count, dim=1, sorted=False).indices
        return torch.zeros_like(rows).scatter_(1, chosen, 1.0).reshape(weight.shape)

    def extra_repr(self) -> str:
        return f"fan_in={self.fan_in}"


class _Masked(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weight: Tensor, mask: Tensor) -> Tensor:
        return weight * mask

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0], None
