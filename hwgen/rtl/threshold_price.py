"""What comparisons with known thresholds take."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from hwgen.families.base import Family
from hwgen.inttype import IntType
from hwgen.rtl.channels import Channels
from hwgen.rtl.contents import Columns, constant_comparison

Ints = NDArray[np.int64]


CHAIN_WORDS = range(16, 65)
"""Words of a table of thresholds that a carry chain compares with, see ``_reaches``."""


@dataclass(frozen=True)
class Comparisons:
    """The comparisons of all lanes of a ``ThresholdUnit``, by the tables before them.

    Members:
        rows: (channels, levels), ascending. down: (channels,), whether elements are inverted.
        input: of elements. limits: what a comparison sees, and one above it.
        rounds: of a binary search; 0 where there is a comparator per threshold.
    """

    rows: Ints
    down: Ints
    lanes: int
    input: IntType
    limits: IntType
    rounds: int

    @property
    def channels(self) -> Ints:
        """(lanes, groups)."""
        of_lane = [Channels(len(self.rows), self.lanes).of_lane(k) for k in range(self.lanes)]
        return np.array(of_lane, dtype=np.int64)

    def lut(self, family: Family) -> float:
        """LUTs of the comparisons, their tables, and the inversion of elements."""
        if self.rounds == 0 and self.channels.shape[1] == 1:
            lut = self._constants(self.rows, family)
            shares = family.adder_logic and self.rows.shape[1] >= 4
            return lut * (0.82 if shares else 1.0)
        tables = self._tables()
        deep = any(t.depth >= CHAIN_WORDS.stop for t in tables)
        deep |= self.rounds == 0 and self.rows.shape[1] > 3
        lut, flips = 0.0, None
        if self.down.any() and not self.down.all():
            flips = Columns.of(self.down[self.channels], 1)
            lut += self._inverted(flips, deep, family)
        for k, columns in enumerate(tables):
            if columns.depth == 1:
                lut += self._constants(self.rows[:, [(1 << self.rounds - 1) - 1]], family)
                continue
            shared = self.rounds == 0 or k == 0
            lut += self._compared(columns, shared, flips if shared else None, deep, family)
        return lut

    def _constants(self, rows: Ints, family: Family) -> float:
        """Comparisons of every lane with its row of constants."""
        kind = IntType(self.limits.lo, self.limits.hi - 1)
        each = [constant_comparison(int(t), kind, family) for t in rows.ravel()]
        return sum(each) * self.lanes / len(rows)

    def _tables(self) -> list[Columns]:
        """One of all comparators, or one of each round of the search."""
        pad = np.full((len(self.rows), 1 << self.rounds), self.limits.hi)
        words = np.concatenate([self.rows, pad], axis=1)
        words = np.clip(words, self.limits.lo, self.limits.hi) & ((1 << self.limits.width) - 1)
        channels = self.channels
        if self.rounds == 0:
            each = words[channels][:, :, : self.rows.shape[1]]
            return [self._columns(np.concatenate(each.transpose(0, 2, 1)))]
        found = []
        for k in range(self.rounds):
            picks = ((np.arange(1 << k) << 1 | 1) << (self.rounds - 1 - k)) - 1
            picked = words[channels][:, :, picks].reshape(len(channels), -1)
            found.append(self._columns(picked))
        return found

    def _columns(self, words: Ints) -> Columns:
        """Without those beyond the element's highest bit that say nothing new."""
        columns = Columns.of(words, self.limits.width)
        width = self.input.width + int(self.down.any() and not self.input.signed)
        beyond = columns.bits[:, width:]
        same = columns.bits[:, width - 1 : width] if self.limits.signed else np.False_
        return (
            columns if (beyond != same).any() else Columns(columns.bits[:, :width], words.shape[1])
        )

    def _inverted(self, flips: Columns, deep: bool, family: Family) -> float:
        width = self.input.width
        if family.lut_inputs < 6:
            return float(len(flips.bits) * width + flips.price(family))
        wide = flips.support[:, 0] >= family.lut_inputs
        changes = flips.support[:, 0] > 0
        return float(width * (int(changes.sum()) + (0 if deep else int(wide.sum()))))

    def _compared(
        self, columns: Columns, shared: bool, flips: Columns | None, deep: bool, family: Family
    ) -> float:
        """Comparisons with tables of one size; ``shared``: all have the same address."""
        tables = len(columns.bits)
        scopes = None if shared else np.arange(tables)
        if not family.adder_logic:
            chain = family.compare_bit * self.limits.width
            return float(tables * (chain + 1)) + columns.price(family, scopes=scopes)
        if columns.depth not in CHAIN_WORDS:
            lut = float(tables * logic_price(self.limits.width, columns.depth))
            tabled = columns.depth >= CHAIN_WORDS.stop
            return lut + (columns.price(family, scopes=scopes) if tabled else 0.0)
        if flips is not None:  # an element's inversion is one function with its threshold
            per_lane = np.repeat(flips.bits, tables // len(flips.bits), axis=0)
            joined = columns ^ Columns(per_lane, columns.depth)
            live = (columns.support > 0) & (joined.support > 0)
            columns = joined
        else:
            live = columns.support > 0
        wide = live & (columns.support >= family.lut_inputs)
        if not deep:
            return float(live.sum() + wide.sum())
        return float(live.sum()) + columns.price(family, above=family.lut_inputs - 1, scopes=scopes)


def logic_price(width: int, words: int) -> float:
    """LUTs of comparing an element with an entry of a table that is not in a carry chain, the table
    included up to 16 words: two LUTs of six inputs for three bits; measured."""
    return 1.4 * width if 8 < words <= 16 else 2.0 * ceil(width / 3)


def compare_price(words: int, width: int, family: Family) -> float:
    """LUTs of comparing an element with an entry of a table, the table included; measured."""
    if words == 1:
        return max(ceil((width - 1) / (family.lut_inputs - 1)), 1)
    if words in CHAIN_WORDS:
        inside = family.adder_logic and words <= 1 << (family.lut_inputs - 1)
        return width * (1.0 if inside else 1.15) + (0 if inside else family.rom(words, width))
    if family.lut_inputs >= 6:
        return 0.74 * width + (family.rom(words, width) if words > 16 else 0)
    return 1.35 * width + 2.0 * width * min(words / 4, 1)


def encoder_price(levels: int, family: Family) -> float:
    """LUTs from sorted comparisons to their number."""
    return sum(family.mux(min(1 << k, levels)) for k in range(1, levels.bit_length()))
