"""Functions whose forward value is exact and whose gradient is a straight-through estimate.

They are autograd functions because the usual ``x + (q - x).detach()`` is not exactly ``q``.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def sign_ste(x: Tensor) -> Tensor:
    """±1 with sign(0) = +1; the gradient passes where ``|x| <= 1``.

    Source: Courbariaux et al. 2016 (arXiv 1602.02830), equation 4.
    """
    return _call(_SignSTE, x)


def ternary_ste(x: Tensor, threshold: Tensor) -> Tensor:
    """0 where ``|x| <= threshold``, else the sign; the gradient to ``x`` passes unchanged.

    Source: Li et al. 2016, "Ternary Weight Networks" (arXiv 1605.04711), equation 3.
    """
    return _call(_TernarySTE, x, threshold)


def uniform_lsq(
    x: Tensor, step: Tensor, zero_point: int, limits: tuple[int, int], gradient_scale: float
) -> Tensor:
    """``(clamp(round(x / step) + zero_point, *limits) - zero_point) * step``, ties to even.

    The gradient to ``x`` passes inside the range; the one to ``step``, which broadcasts to ``x``,
    is LSQ's times ``gradient_scale``.
    Source: Esser et al. 2020, "Learned Step Size Quantization" (arXiv 1902.08153), equations 1-3.
    """
    return _call(_UniformLSQ, x, step, zero_point, *limits, gradient_scale)


def nearest_lsq(x: Tensor, scale: Tensor, levels: Tensor, gradient_scale: float) -> Tensor:
    """The nearest of ``levels`` to ``x / scale``, times ``scale``; a tie goes to the greater level.

    ``levels`` is an ascending float tensor. Gradients as in `uniform_lsq`, which this extends to
    levels at unequal distances.
    """
    return _call(_NearestLSQ, x, scale, levels, gradient_scale)


def power_of_two_ste(x: Tensor) -> Tensor:
    """`nearest_power_of_two`; the gradient passes unchanged."""
    return _call(_PowerOfTwoSTE, x)


def clamp_ste(x: Tensor, least: float) -> Tensor:
    """``max(x, least)``; the gradient passes unchanged, so that a step can leave the bound."""
    return _call(_ClampSTE, x, least)


def relative_ste(x: Tensor, unit: Tensor) -> Tensor:
    """``x * unit``; the gradient is divided by ``unit``, not multiplied.

    Gradient descent on ``x`` then moves the product as it would move a parameter of its own.
    """
    return _call(_RelativeSTE, x, unit)


def signs(x: Tensor) -> Tensor:
    """±1 in the type of ``x``, with sign(0) = +1; a third of the time of ``torch.where``."""
    return (x >= 0).to(x.dtype).mul_(2).sub_(1)


def nearest(v: Tensor, levels: Tensor) -> Tensor:
    """The element of the ascending ``levels`` nearest to each of ``v``; ties to the greater one."""
    midpoints = (levels[:-1] + levels[1:]) / 2
    return levels[torch.bucketize(v.contiguous(), midpoints, right=True)]


def nearest_power_of_two(x: Tensor) -> Tensor:
    """Exactly ``2 ** round(log2(x))`` for positive ``x``."""
    mantissa, exponent = torch.frexp(x)
    exponent = exponent - (mantissa < 0.5**0.5).to(exponent.dtype)
    return torch.ldexp(torch.ones_like(x), exponent)


def _call(function: type[torch.autograd.Function], *arguments: object) -> Tensor:
    value: Tensor = function.apply(*arguments)  # type: ignore[no-untyped-call]
    return value


class _SignSTE(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return signs(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        passed: Tensor = gradients[0] * (x.abs() <= 1)
        return passed


class _TernarySTE(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, threshold: Tensor) -> Tensor:
        return torch.sign(x) * (x.abs() > threshold)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0], None


class _UniformLSQ(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, step: Tensor, zero_point: int, lo: int, hi: int, gradient_scale: float
    ) -> Tensor:
        v = x / step
        level = torch.clamp(torch.round(v) + zero_point, lo, hi) - zero_point
        ctx.save_for_backward(v, level, step)
        ctx.limits = (lo - zero_point, hi - zero_point)
        ctx.gradient_scale = gradient_scale
        return level * step

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        v, level, step = ctx.saved_tensors
        inside = (v >= ctx.limits[0]) & (v <= ctx.limits[1])
        if not ctx.needs_input_grad[1]:  # a step that is fixed
            return gradients[0] * inside, None, None, None, None, None
        grads = _lsq_gradients(gradients[0], v, level, inside, step, ctx.gradient_scale)
        return *grads, None, None, None, None


class _NearestLSQ(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, scale: Tensor, levels: Tensor, gradient_scale: float
    ) -> Tensor:
        v = x / scale
        level = nearest(v, levels)
        ctx.save_for_backward(v, level, scale, levels)
        ctx.gradient_scale = gradient_scale
        return level * scale

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        v, level, scale, levels = ctx.saved_tensors
        inside = (v >= levels[0]) & (v <= levels[-1])
        grads = _lsq_gradients(gradients[0], v, level, inside, scale, ctx.gradient_scale)
        return *grads, None, None


class _PowerOfTwoSTE(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return nearest_power_of_two(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return gradients[0]


class _RelativeSTE(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, unit: Tensor) -> Tensor:
        ctx.save_for_backward(unit)
        return x * unit

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (unit,) = ctx.saved_tensors
        return gradients[0] / unit, None


class _ClampSTE(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, least: float) -> Tensor:
        return x.clamp(min=least)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0], None


def _lsq_gradients(
    gradient: Tensor, v: Tensor, level: Tensor, inside: Tensor, scale: Tensor, gradient_scale: float
) -> tuple[Tensor, Tensor]:
    to_scale = gradient * torch.where(inside, level - v, level)
    return gradient * inside, to_scale.sum_to_size(scale.shape) * gradient_scale
