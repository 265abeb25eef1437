"""Quantizers whose bit length is a number that training moves.

Source: Nikolić et al. 2020, "BitPruning: Learning Bitlengths for Aggressive and Accurate
Quantization" (arXiv 2002.03090), equations 1 to 4. With Q(x, b) the uniform quantizer of b whole
bits, a bit length n between ⌊n⌋ and ⌊n⌋ + 1 gives ``(1 - α)·Q(x, ⌊n⌋) + α·Q(x, ⌊n⌋ + 1)`` with
``α = n - ⌊n⌋``; so ``∂/∂n = Q(x, ⌊n⌋ + 1) - Q(x, ⌊n⌋)``, and the gradient to x passes unchanged.
In eval mode, and when frozen, the bit length is ⌈n⌉: that is what is built.

The paper takes each tensor's least and greatest value as its range. Here ranges are symmetric, as a
zero point would cost a further Σx in hardware: weights are ``±max|w|`` in ``2**b - 1`` levels
(b >= 2), activations ``0 … max`` in ``2**b`` levels (b >= 1), for use behind a ReLU; the maximum of
activations is a running mean of batch maxima. Bit lengths start at 8.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from hwgen.errors import ModelError, UsageError
from hwgen.nn.quantizer import ActQuantizer, ActSpec, FrozenUniform, WeightQuantizer, WeightSpec
from hwgen.nn.step import LEAST_SCALE, channel_shape
from hwgen.nn.uniform import require

MOST = 12
MOMENTUM = 0.1


@dataclass(frozen=True, slots=True)
class LearnedBits(WeightSpec, ActSpec):
    """A bit length that starts at ``bits``; for weights also one per output channel."""

    bits: float = 8.0
    per_channel: bool = False
    least: int | None = None
    most: int = MOST

    def __post_init__(self) -> None:
        least = 1 if self.least is None else self.least
        if not 1 <= least <= self.bits <= self.most <= 16:
            raise UsageError(
                f"bits of LearnedBits must be within {least} … {self.most}, not {self.bits}"
            )

    def weight_quantizer(self, weight: Tensor) -> LearnedBitsWeight:
        """Weights have at least 2 bits: levels -1, 0 and 1."""
        least = 2 if self.least is None else max(self.least, 2)
        shape = channel_shape(weight, self.per_channel)
        return LearnedBitsWeight(BitLength(max(self.bits, least), least, self.most, shape))

    def act_quantizer(self) -> LearnedBitsAct:
        """Raises UsageError where ``per_channel`` is asked for: activations have one length."""
        if self.per_channel:
            raise UsageError("LearnedBits of an activation must not be per channel")
        return LearnedBitsAct(BitLength(self.bits, self.least or 1, self.most))


class BitLength(nn.Module):
    """A real bit length within bounds. State: ``value`` and whether it is ``frozen``."""

    frozen: Tensor

    def __init__(self, bits: float, least: int, most: int, shape: tuple[int, ...] = ()) -> None:
        super().__init__()
        self.least, self.most = least, most
        self.value = nn.Parameter(torch.full(shape, float(bits)))
        self.register_buffer("frozen", torch.tensor(False))

    def bounds(self) -> tuple[float, float, float]:
        """The least of the present lengths, and the bounds."""
        return float(self.value.detach().min()), self.least, self.most

    def whole(self) -> Tensor:
        """⌈n⌉ within the bounds, detached."""
        return torch.ceil(self.value.detach()).clamp(self.least, self.most)

    def project(self) -> None:
        """Bring the value back into the bounds, as after a step of the optimizer."""
        with torch.no_grad():
            self.value.clamp_(self.least, self.most)

    def set(self, bits: Tensor | float) -> None:
        """Change the value; the bounds are kept."""
        with torch.no_grad():
            self.value.copy_(torch.as_tensor(bits).expand(self.value.shape))
        self.project()

    def freeze(self) -> None:
        """Round up, for good."""
        self.set(self.whole())
        self.value.requires_grad_(False)
        self.frozen.fill_(True)

    @property
    def interpolates(self) -> bool:
        """Whether a forward pass mixes two whole bit lengths."""
        return self.training and self.value.requires_grad and not bool(self.frozen)


class LearnedBitsWeight(WeightQuantizer):
    """``±max|w|`` in ``2**b - 1`` levels."""

    def __init__(self, length: BitLength) -> None:
        super().__init__()
        self.length = length

    @property
    def alphabet(self) -> tuple[int, ...]:
        most = (1 << (int(self.length.whole().max()) - 1)) - 1
        return tuple(range(-most, most + 1))

    def integers(self, weight: Tensor | None) -> tuple[Tensor, Tensor]:
        greatest = torch.exp2(self.length.whole() - 1) - 1
        step = self.range(require(weight)) / greatest
        return _codes(require(weight), step, -greatest, greatest).to(torch.int64), step

    def forward(self, weight: Tensor) -> Tensor:
        limit = self.range(weight)
        if not self.length.interpolates:
            greatest = torch.exp2(self.length.whole() - 1) - 1
            return _quantized(weight, limit / greatest, -greatest, greatest)
        return _mixed(weight, limit, self.length, signed=True)

    def range(self, weight: Tensor) -> Tensor:
        """``max|w|`` of the tensor, or of each channel that has a length of its own."""
        if not self.length.value.dim():
            return weight.detach().abs().max().clamp(min=LEAST_SCALE * (1 << MOST))
        axes = list(range(1, weight.dim()))
        most = weight.detach().abs().amax(dim=axes, keepdim=True)
        return most.clamp(min=LEAST_SCALE * (1 << MOST))


class LearnedBitsAct(ActQuantizer):
    """``0 … limit`` in ``2**b`` levels. State: ``limit``, the running maximum; 0 before data."""

    limit: Tensor

    def __init__(self, length: BitLength) -> None:
        super().__init__()
        self.length = length
        self.register_buffer("limit", torch.tensor(0.0))

    @property
    def alphabet(self) -> tuple[int, ...]:
        return tuple(range(1 << int(self.length.whole())))

    def step(self) -> Tensor:
        """The step of ⌈n⌉ bits.

        Raises:
            ModelError: if no data was seen.
        """
        if not float(self.limit) > 0:
            raise ModelError(
                "an activation of learned bit length must see data before it is evaluated or saved",
                hint="run one batch through the model in train() mode",
            )
        return self.limit / (torch.exp2(self.length.whole()) - 1)

    def integers(self, x: Tensor) -> tuple[Tensor, Tensor]:
        step, greatest = self.step(), torch.exp2(self.length.whole()) - 1
        return _codes(x, step, torch.zeros_like(greatest), greatest).to(torch.int64), step

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self._follow(x)
        if self.length.interpolates:
            return _mixed(x, self.limit, self.length, signed=False)
        greatest = torch.exp2(self.length.whole()) - 1
        return _quantized(x, self.step(), torch.zeros_like(greatest), greatest)

    def frozen(self) -> FrozenUniform:
        return FrozenUniform(self.step(), 0, 0, (1 << int(self.length.whole())) - 1)

    def _follow(self, x: Tensor) -> None:
        most = x.detach().max()
        if bool(most > 0):
            old = self.limit if float(self.limit) > 0 else most
            self.limit.copy_(torch.lerp(old, most, MOMENTUM))


def _codes(x: Tensor, step: Tensor, lo: Tensor, hi: Tensor) -> Tensor:
    return torch.minimum(torch.maximum(torch.round(x / step), lo), hi)


def _quantized(x: Tensor, step: Tensor, lo: Tensor, hi: Tensor) -> Tensor:
    value: Tensor = _STE.apply(x, step, lo, hi)  # type: ignore[no-untyped-call]
    return value


def _mixed(x: Tensor, limit: Tensor, length: BitLength, *, signed: bool) -> Tensor:
    """Q at ⌊n⌋ and ⌊n⌋ + 1 bits, mixed; the gradient of the mix goes to n."""
    n = length.value.clamp(length.least, length.most)
    floor = torch.floor(n.detach()).clamp(max=length.most - 1)
    low, high = (_at_bits(x, limit, floor + more, signed=signed) for more in (0, 1))
    alpha = n - floor
    return (1 - alpha) * low + alpha * high


def _at_bits(x: Tensor, limit: Tensor, bits: Tensor, *, signed: bool) -> Tensor:
    greatest = torch.exp2(bits - int(signed)) - 1
    lo = -greatest if signed else torch.zeros_like(greatest)
    return _quantized(x, limit / greatest, lo, greatest)


class _STE(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, step: Tensor, lo: Tensor, hi: Tensor) -> Tensor:
        ctx.save_for_backward((x >= lo * step) & (x <= hi * step))
        return _codes(x, step, lo, hi) * step

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        (inside,) = ctx.saved_tensors
        return gradients[0] * inside, None, None, None
