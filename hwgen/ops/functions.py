"""Scalar functions between quantizers, evaluated far beyond any quantizer's resolution.

Values are exact where they are rational, else within a relative 2^-190. By Lindemann and
Weierstrass ``exp`` of a rational other than 0 is transcendental, so no such value lies on a
quantizer's boundary, and 190 bits decide the side. A value nearer than 2^-200 to a limit (0 or ±1)
is taken at that distance. All monotone functions here rise.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import erf, isqrt
from typing import ClassVar

import numpy as np

from hwgen.ir.meaning import Floats
from hwgen.ir.serialize import register

BITS = 640
TINY = Fraction(1, 1 << 200)
FAR = 138
"""e^-138 is just above 2^-200: beyond, sigmoids are taken at ``TINY`` from their limit."""
FAR_NORMAL = 16
"""The normal distribution's tail beyond 16 deviations is about 2^-190."""
HALF = Fraction(1, 2)
GELU_CUBIC = Fraction(44715, 1_000_000)


def exp(x: Fraction) -> Fraction:
    """e^x to a relative 2^-500, for |x| up to a few hundred."""
    if x < 0:
        return 1 / exp(-x)
    halvings = 8 + int(x).bit_length()
    one = 1 << BITS
    r = (x.numerator << (BITS - halvings)) // x.denominator
    total, term, count = one, one, 0
    while term:
        count += 1
        term = term * r // (one * count)
        total += term
    for _ in range(halvings):
        total = total * total // one
    return Fraction(total, one)


@lru_cache(maxsize=1)
def pi() -> Fraction:
    """π to 2^-600, by Machin's formula of 1706: 16 arctan 1/5 − 4 arctan 1/239."""
    one = 1 << BITS

    def arctan_inverse(n: int) -> int:
        total, term, k = 0, one // n, 0
        while term:
            total += (-1) ** k * (term // (2 * k + 1))
            term //= n * n
            k += 1
        return total

    return Fraction(16 * arctan_inverse(5) - 4 * arctan_inverse(239), one)


def square_root(x: Fraction) -> Fraction:
    """√x to 2^-640."""
    return Fraction(isqrt((x.numerator << (2 * BITS)) // x.denominator), 1 << BITS)


def sigmoid(x: Fraction) -> Fraction:
    """1/(1 + e^-x)."""
    if abs(x) > FAR:
        return TINY if x < 0 else 1 - TINY
    return 1 / (1 + exp(-x))


def normal(x: Fraction) -> Fraction:
    """The distribution function of the standard normal distribution, by its series
    ``1/2 + e^(−x²/2)/√(2π)·(x + x³/3 + x⁵/15 + …)`` (Abramowitz & Stegun 26.2.11)."""
    if abs(x) > FAR_NORMAL:
        return TINY if x < 0 else 1 - TINY
    one = 1 << BITS
    square = (x * x * one).__floor__()
    total = term = (abs(x) * one).__floor__()
    k = 1
    while term:
        k += 2
        term = term * square // (one * k)
        total += term
    half = exp(-x * x / 2) / square_root(2 * pi()) * Fraction(total, one)
    return HALF + half if x >= 0 else HALF - half


@register
@dataclass(frozen=True)
class Sigmoid:
    """``1/(1 + e^-x)``."""

    monotone: ClassVar[bool] = True

    def at(self, x: Fraction, channel: int) -> Fraction:
        return sigmoid(x)

    def float32(self, x: Floats) -> Floats:
        return np.asarray(1 / (1 + np.exp(-x)), dtype=np.float32)


@register
@dataclass(frozen=True)
class Tanh:
    """The hyperbolic tangent."""

    monotone: ClassVar[bool] = True

    def at(self, x: Fraction, channel: int) -> Fraction:
        return 2 * sigmoid(2 * x) - 1

    def float32(self, x: Floats) -> Floats:
        return np.tanh(x)


@register
@dataclass(frozen=True)
class HardSigmoid:
    """``min(max(x/6 + 1/2, 0), 1)``, exact."""

    monotone: ClassVar[bool] = True

    def at(self, x: Fraction, channel: int) -> Fraction:
        return min(max(x / 6 + HALF, Fraction(0)), Fraction(1))

    def float32(self, x: Floats) -> Floats:
        return np.asarray(np.clip(x + 3, 0, 6) / 6, dtype=np.float32)


@register
@dataclass(frozen=True)
class LeakyRelu:
    """``x`` where it is positive, else ``slope·x``, exact."""

    slope: Fraction

    @property
    def monotone(self) -> bool:
        return self.slope >= 0

    def at(self, x: Fraction, channel: int) -> Fraction:
        return x if x > 0 else self.slope * x

    def float32(self, x: Floats) -> Floats:
        return np.where(x > 0, x, np.float32(float(self.slope)) * x)


@register
@dataclass(frozen=True)
class Elu:
    """``x`` where it is positive, else ``alpha·(e^x − 1)``; ``alpha`` is not negative."""

    alpha: Fraction
    monotone: ClassVar[bool] = True

    def at(self, x: Fraction, channel: int) -> Fraction:
        if x > 0:
            return x
        return self.alpha * ((TINY if x < -FAR else exp(x)) - 1)

    def float32(self, x: Floats) -> Floats:
        alpha = np.float32(float(self.alpha))
        return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


@register
@dataclass(frozen=True)
class Silu:
    """``x/(1 + e^-x)``, also called swish."""

    monotone: ClassVar[bool] = False

    def at(self, x: Fraction, channel: int) -> Fraction:
        return x * sigmoid(x)

    def float32(self, x: Floats) -> Floats:
        return np.asarray(x / (1 + np.exp(-x)), dtype=np.float32)


@register
@dataclass(frozen=True)
class HardSwish:
    """``x·min(max(x + 3, 0), 6)/6``, exact."""

    monotone: ClassVar[bool] = False

    def at(self, x: Fraction, channel: int) -> Fraction:
        return x * min(max(x / 6 + HALF, Fraction(0)), Fraction(1))

    def float32(self, x: Floats) -> Floats:
        return np.asarray(x * np.clip(x + 3, 0, 6) / 6, dtype=np.float32)


@register
@dataclass(frozen=True)
class Gelu:
    """``x·Φ(x)``, or with ``tanh`` the approximation that torch calls so (Hendrycks & Gimpel
    2016)."""

    tanh: bool = False
    monotone: ClassVar[bool] = False

    def at(self, x: Fraction, channel: int) -> Fraction:
        if not self.tanh:
            return x * normal(x)
        return x * sigmoid(2 * square_root(2 / pi()) * (x + GELU_CUBIC * x**3))

    def float32(self, x: Floats) -> Floats:
        if self.tanh:
            inner = np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)
            return np.asarray(x * (1 + np.tanh(inner)) / 2, dtype=np.float32)
        share = np.vectorize(erf, otypes=[np.float64])(x / np.sqrt(2))
        return np.asarray(x * (1 + share) / 2, dtype=np.float32)
