"""The step of an activation from the values that one batch gives.

``max`` covers the greatest magnitude. ``percentile`` covers that share of the values (99.9 %).
``mse`` takes the step of least squared error. ``kl`` takes the clip whose quantized histogram
diverges least from the histogram itself (Migacz 2017, "8-bit Inference with TensorRT": 2048 bins,
what is clipped counts to the last bin). ``power_of_two`` rounds the step to the one of the two
neighbouring powers of two with the lesser squared error, so that requantizing is a shift.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from hwgen.errors import UsageError

Rule = Literal["max", "percentile", "mse", "kl"]
BINS = 2048
GRID = 100


@dataclass(frozen=True, slots=True)
class Calibration:
    """How many bits, and how the step is found; ``percentile`` in percent."""

    bits: int = 4
    rule: Rule = "mse"
    percentile: float = 99.9
    power_of_two: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= 16:
            raise UsageError(f"activations must have 1 to 16 bits, not {self.bits}")
        if self.rule not in ("max", "percentile", "mse", "kl"):
            raise UsageError(f"rule must be max, percentile, mse or kl, not {self.rule!r}")
        if not 0 < self.percentile <= 100:
            raise UsageError(f"percentile must be above 0 and at most 100, not {self.percentile}")

    def step(self, values: Tensor, *, signed: bool) -> float:
        """The step for these values; 1 where all are zero.

        Raises:
            UsageError: if a value is NaN or infinite.
        """
        flat = values.detach().flatten().to(torch.float32)
        if not bool(torch.isfinite(flat).all()):
            raise UsageError("the calibration batch gives NaN or infinite activations")
        greatest = (1 << (self.bits - signed)) - 1 or 1
        most = float(flat.abs().max())
        if most == 0:
            return 1.0
        step = self._clip(flat, most, greatest) / greatest
        return _power_of_two(flat, step, greatest, signed) if self.power_of_two else step

    def _clip(self, flat: Tensor, most: float, greatest: int) -> float:
        if self.rule == "percentile":
            clip = float(torch.quantile(_thinned(flat.abs()), self.percentile / 100))
            return clip or most
        if self.rule == "mse":
            clips = [most * (i + 1) / GRID for i in range(GRID)]
            return min(clips, key=lambda clip: _error(flat, clip / greatest, greatest))
        return _least_divergence(flat.abs(), most, greatest) if self.rule == "kl" else most


def _thinned(values: Tensor) -> Tensor:
    """At most a million values, evenly taken from the sorted ones, for `torch.quantile`."""
    ordered = values.sort().values
    return ordered[:: -(-len(ordered) // 1_000_000)]


def _error(flat: Tensor, step: float, greatest: int) -> float:
    magnitude = flat.abs()
    return float((magnitude - (magnitude / step).round().clamp(max=greatest) * step).square().sum())


def _power_of_two(flat: Tensor, step: float, greatest: int, signed: bool) -> float:
    exponent = int(torch.tensor(step).log2().floor())
    steps = (2.0**exponent, 2.0 ** (exponent + 1))
    return min(steps, key=lambda candidate: _error(flat, candidate, greatest))


def _least_divergence(magnitude: Tensor, most: float, greatest: int) -> float:
    counts = torch.histc(magnitude, BINS, 0, most)
    counts[0] = 0.0  # zeros are exact at every step
    first = min(max(greatest + 1, 2), BINS)
    found = {bins: _divergence(counts, bins, greatest + 1) for bins in range(first, BINS + 1, 8)}
    best = min(found, key=lambda bins: found[bins])
    return most * best / BINS


def _divergence(counts: Tensor, bins: int, levels: int) -> float:
    """KL divergence of the first ``bins``, clipped, from their quantized form."""
    p = counts[:bins].clone()
    p[-1] += counts[bins:].sum()
    group = (torch.arange(bins) * levels).div(bins, rounding_mode="floor")
    used = (counts[:bins] > 0).to(p.dtype)
    sums = torch.zeros(levels).index_add(0, group, counts[:bins])
    sizes = torch.zeros(levels).index_add(0, group, used)
    q = used * (sums / sizes.clamp(min=1))[group]
    p, q = p / p.sum().clamp(min=1e-12), q / q.sum().clamp(min=1e-12)
    inside = p > 0
    return float((p[inside] * (p[inside] / q[inside].clamp(min=1e-12)).log()).sum())
