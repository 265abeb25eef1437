"""Confidence-guided annealing: late in training only the weights next to a threshold still move.

Source: Liu, Liu and Cheng 2023 (arXiv 2302.02210), section 4.3; for `hwgen.nn.StatsQ` weights.
"""

from __future__ import annotations

from torch import nn

from hwgen.errors import UsageError
from hwgen.nn.statsq import BOUNDARY, StatsQWeight
from hwgen.train.method import Method


class ConfidenceAnnealing(Method):
    """From epoch ``start`` on, StatsQ weights farther than ``boundary`` from a threshold stay.

    ``boundary`` counts in distances between levels. Weight decay and momentum of an optimizer
    still move weights that get no gradient, so switch decay off for this phase.

    Raises:
        UsageError: if the model has no StatsQ weight.
    """

    def __init__(self, model: nn.Module, start: int, boundary: float = BOUNDARY) -> None:
        self.model, self.first, self.boundary = model, start, boundary
        self.quantizers = [m for m in model.modules() if isinstance(m, StatsQWeight)]
        if not self.quantizers:
            raise UsageError(
                "confidence-guided annealing needs at least one StatsQ weight",
                hint="make the layers with weight=StatsQ(bits)",
            )

    def begin_epoch(self, epoch: int) -> None:
        for quantizer in self.quantizers:
            quantizer.boundary = self.boundary if epoch >= self.first else None
