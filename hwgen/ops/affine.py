"""Batch-norm, biases, products with constants, clamps: they only change what integers stand for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from hwgen.errors import ModelError
from hwgen.ir.meaning import (
    Affine,
    Clamp,
    HostValue,
    RealValue,
    ScalarFunction,
    exact,
    inverse_sqrt,
)
from hwgen.ir.real import Lowering, RealNode


@dataclass(frozen=True, kw_only=True)
class RealAffine(RealNode):
    """``x ↦ scale·x + offset`` per channel, or with one constant for all."""

    passes: ClassVar[bool] = True

    scale: tuple[Fraction, ...] = (Fraction(1),)
    offset: tuple[Fraction, ...] = (Fraction(0),)

    def lower(self, target: Lowering, *inputs: RealValue) -> RealValue:
        (x,) = inputs
        channels = x.shape[0] if x.shape else 1
        for values in (self.scale, self.offset):
            if len(values) not in (1, channels):
                text = f"constants must number 1 or {channels} (channels), not {len(values)}"
                raise ModelError(text, origin=self.origin)
        if isinstance(x, HostValue):
            return x.then(Affine(self.scale, self.offset))
        return x.affine(self.scale, self.offset)

    @classmethod
    def batch_norm(
        cls,
        name: str,
        inputs: tuple[str, ...],
        *,
        mean: npt.ArrayLike,
        variance: npt.ArrayLike,
        gamma: npt.ArrayLike | None,
        beta: npt.ArrayLike | None,
        eps: float,
        **common: object,
    ) -> RealAffine:
        """Batch-norm in evaluation: ``γ·(x − μ)/√(σ² + ε) + β`` (Ioffe & Szegedy 2015, eq. 4)."""
        centres = _rationals(mean)
        ones = [Fraction(1)] * len(centres)
        gains = ones if gamma is None else _rationals(gamma)
        shifts = [Fraction(0)] * len(centres) if beta is None else _rationals(beta)
        spreads = [inverse_sqrt(v + exact(eps)) for v in _rationals(variance)]
        scale = [g * s for g, s in zip(gains, spreads, strict=True)]
        offset = [b - c * s for b, c, s in zip(shifts, centres, scale, strict=True)]
        return cls(name=name, inputs=inputs, scale=tuple(scale), offset=tuple(offset), **common)  # type: ignore[arg-type]


def _rationals(values: npt.ArrayLike) -> list[Fraction]:
    return [exact(v) for v in np.asarray(values, dtype=np.float64).ravel()]


@dataclass(frozen=True, kw_only=True)
class RealFunction(RealNode):
    """A scalar function that waits for the next quantizer: ReLU, hardtanh, …"""

    passes: ClassVar[bool] = True

    function: ScalarFunction

    def lower(self, target: Lowering, *inputs: RealValue) -> RealValue:
        (x,) = inputs
        return x.then(self.function)


@dataclass(frozen=True, kw_only=True)
class RealIdentity(RealNode):
    """Dropout in evaluation, contiguous, and the like."""

    passes: ClassVar[bool] = True

    def lower(self, target: Lowering, *inputs: RealValue) -> RealValue:
        return inputs[0]


RELU = Clamp(lo=Fraction(0))


def hardtanh(lo: float, hi: float) -> Clamp:
    """Clamp to [lo, hi]; ReLU6 is ``hardtanh(0, 6)``."""
    return Clamp(exact(lo), exact(hi))


def constants(values: Sequence[float] | npt.ArrayLike) -> tuple[Fraction, ...]:
    """Float constants as exact rationals."""
    return tuple(_rationals(values))
