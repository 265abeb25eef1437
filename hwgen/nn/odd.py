"""Odd integer levels, ±1, ±3 … ±(2**bits - 1): all codes of ``bits`` bits used, and none is zero.

`hwgen.nn.sawb` and `hwgen.nn.statsq` give them a scale from the statistics of the weights.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def odd_alphabet(bits: int) -> tuple[int, ...]:
    """Ascending odd levels of ``bits`` bits."""
    greatest = (1 << bits) - 1
    return tuple(range(-greatest, greatest + 1, 2))


def nearest_odd(v: Tensor, bits: int) -> Tensor:
    """The nearest odd level to each of ``v``, as float; ties, at even numbers, go up."""
    greatest = (1 << bits) - 1
    return torch.clamp(2 * torch.floor(v / 2) + 1, -greatest, greatest)


def odd_ste(weight: Tensor, scale: Tensor, bits: int, passes: Tensor) -> Tensor:
    """``nearest_odd(weight / scale) * scale``; the gradient goes to ``weight`` where ``passes``.

    ``scale`` comes from the weights' statistics and is a constant for the gradient.
    """
    value: Tensor = _OddSTE.apply(weight, scale, bits, passes)  # type: ignore[no-untyped-call]
    return value


class _OddSTE(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weight: Tensor, scale: Tensor, bits: int, passes: Tensor) -> Tensor:
        ctx.save_for_backward(passes)
        return nearest_odd(weight / scale, bits) * scale

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        (passes,) = ctx.saved_tensors
        return gradients[0] * passes, None, None, None
