"""Thresholds: an activation function and its quantizer as comparisons with integers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from hwgen.families.base import Family
from hwgen.inttype import IntType
from hwgen.ir.types import IntArray, Ints, TensorType
from hwgen.ops.base import Config, HardwareNode
from hwgen.ops.elementwise import LaneNode
from hwgen.rtl.threshold import ThresholdUnit

FAR = 1 << 62
"""A threshold that no integer of a network reaches; its negative is reached by all."""


@dataclass(frozen=True, kw_only=True)
class Threshold(LaneNode):
    """``y = base + #{k : x ≥ t[c, k]}``, or ``base + #{k : x ≤ t[c, k]}`` in descending channels.

    ``thresholds``: (1 or channels, levels), each row sorted; ``descending``: one flag or one per
    row.
    """

    thresholds: IntArray
    descending: tuple[bool, ...] = (False,)
    base: int = 0
    writable: bool = False

    op: ClassVar[str] = "threshold"

    def __post_init__(self) -> None:
        rows = self.thresholds.values
        if rows.ndim != 2 or len(self.descending) not in (1, len(rows)):
            raise ValueError("thresholds must be (channels, levels), one direction a row")
        if (np.diff(rows, axis=1) < 0).any():
            raise ValueError("thresholds must be sorted")

    @property
    def fixed(self) -> bool:
        return not self.writable

    def loadable(self) -> Threshold:
        """As many thresholds as codes of the width that they have now can count."""
        made = replace(self, writable=True)
        if self.base:
            return made
        return made._counting(0, (1 << self.levels.bit_length()) - 1)

    def refilled(self, other: HardwareNode) -> Threshold | None:
        if not isinstance(other, Threshold):
            return None
        below, above = other.base - self.base, self.base + self.levels - other.base - other.levels
        if below < 0 or above < 0 or other.thresholds.shape[0] not in (1, self.thresholds.shape[0]):
            return None
        return replace(other, writable=True)._counting(self.base, self.levels)

    def _counting(self, base: int, levels: int) -> Threshold:
        """The same function with thresholds that every integer reaches, or none, added until there
        are ``levels`` from ``base`` on."""
        below = self.base - base
        above = levels - below - self.levels
        rows = []
        for row, down in zip(self.thresholds.values, self.directions(), strict=True):
            counts = (above, below) if down else (below, above)
            parts = [np.full(counts[0], -FAR), row, np.full(counts[1], FAR)]
            rows.append(np.concatenate(parts))
        return replace(self, thresholds=IntArray(np.array(rows)), base=base)

    @property
    def levels(self) -> int:
        return self.thresholds.shape[1]

    def directions(self) -> tuple[bool, ...]:
        """One flag per row."""
        rows = self.thresholds.shape[0]
        return self.descending if len(self.descending) == rows else self.descending * rows

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        if self.writable:
            return TensorType(x.shape, (IntType(self.base, self.base + self.levels),))
        rows, down = self.thresholds.values, self.directions()
        ranges = []
        for channel, kind in enumerate(x.per_channel() if len(rows) > 1 else x.ranges):
            index = channel if len(rows) > 1 else 0
            ends = [self._count(rows[index], down[index], n) for n in (kind.lo, kind.hi)]
            ranges.append(IntType(self.base + min(ends), self.base + max(ends)))
        return TensorType.of(x.shape, ranges)

    @staticmethod
    def _count(row: Ints, descending: bool, n: int) -> int:
        return int((n <= row).sum() if descending else (n >= row).sum())

    def evaluate(self, *inputs: Ints) -> Ints:
        (x,) = inputs
        rows, down = self.thresholds.values, self.directions()
        if len(rows) == 1:
            return self._codes(x, rows[0], down[0])
        parts = [self._codes(x[:, c], rows[c], down[c]) for c in range(len(rows))]
        return np.stack(parts, axis=1)

    def _codes(self, x: Ints, row: Ints, descending: bool) -> Ints:
        if descending:
            return self.base + len(row) - np.searchsorted(row, x, side="left")
        return self.base + np.searchsorted(row, x, side="right")

    def circuit(
        self, config: Config, inputs: tuple[TensorType, ...], family: Family
    ) -> ThresholdUnit:
        (x,) = inputs
        rows, down = self.thresholds.values, self.descending
        if self.writable:
            rows = np.broadcast_to(rows, (x.channels, self.levels))
            down = tuple(np.broadcast_to(down, (x.channels,)).tolist())
        return ThresholdUnit(
            rows,
            x.element,
            lanes=config.lanes,
            descending=down,
            base=self.base,
            output=self.infer(x).element,
            writable=self.writable,
        )
