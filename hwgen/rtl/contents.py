"""Tables of known contents, as the functions of their address that synthesis sees in them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil

import numpy as np
from numpy.typing import NDArray

from hwgen.families.base import Family
from hwgen.inttype import IntType

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

DEEP = 1.06
"""What ABC needs beyond ``Family.rom`` where a column is more than four LUTs behind wide
multiplexers, measured."""


@dataclass(frozen=True)
class Columns:
    """The bits of tables of one depth, each a function of the address.

    Constant columns are wires, columns that are equal or complements are one where the address is,
    and a column takes the LUTs of the address bits that it depends on.

    Members:
        bits: (tables, width, depth rounded up to a power of two); what lies beyond the last word
            repeats others, as synthesis is free to have it.
        depth: words of a table.
    """

    bits: Bools
    depth: int

    @staticmethod
    def of(words: Ints, width: int) -> Columns:
        """Of ``words`` (tables, depth), ``width`` bits each."""
        depth = words.shape[1]
        size = 1 << max(depth - 1, 0).bit_length()
        padded = np.concatenate([words, words[:, depth - size // 2 : size // 2]], axis=1)
        bits = (padded[:, None, :] >> np.arange(width)[:, None] & 1).astype(bool)
        return Columns(bits, depth)

    def __xor__(self, other: Columns) -> Columns:
        return Columns(self.bits ^ other.bits, self.depth)

    @cached_property
    def support(self) -> Ints:
        """(tables, width): of how many bits of the address a column is a function."""
        size = self.bits.shape[2]
        count = np.zeros(self.bits.shape[:2], dtype=np.int64)
        for k in range(size.bit_length() - 1):
            pairs = self.bits.reshape(*self.bits.shape[:2], -1, 2, 1 << k)
            count += (pairs[:, :, :, 0] != pairs[:, :, :, 1]).any(axis=(2, 3))
        return count

    def price(self, family: Family, *, above: int = 1, scopes: Ints | None = None) -> float:
        """LUTs of the different columns that depend on more than ``above`` bits of their address.

        ``scopes`` (tables,) numbers the addresses; without it all tables have the same one.
        """
        numbers = np.zeros(len(self.bits), np.int64) if scopes is None else scopes
        packed = np.packbits(self.bits ^ self.bits[:, :, :1], axis=2)
        kept = {
            (int(numbers[t]), packed[t, c].tobytes()): int(self.support[t, c])
            for t, c in np.argwhere(self.support > above)
        }
        return sum(_rom(min(self.depth, 1 << inputs), family) for inputs in kept.values())


def _rom(depth: int, family: Family) -> float:
    return family.rom(depth, 1) * (DEEP if depth > 4 << family.lut_inputs else 1.0)


def constant_comparison(threshold: int, kind: IntType, family: Family) -> float:
    """LUTs of ``x >= threshold`` for ``x`` of type ``kind``: zeros at the constant's end leave its
    lowest bits out, and a single bit is a wire."""
    if not kind.lo < threshold <= kind.hi:
        return 0.0
    zeros = (threshold & -threshold).bit_length() - 1 if threshold else kind.width - 1
    compared = kind.width - zeros
    if compared <= 1:
        return 0.0
    if family.lut_inputs < 6:
        return 1.0 if compared <= family.lut_inputs else 1.0 + 0.85 * family.compare_bit * compared
    if kind.width > 2 * family.lut_inputs:  # a carry chain over pieces of six bits, measured
        return 1.7 * ceil(kind.width / family.lut_inputs)
    if compared <= family.lut_inputs:
        return 1.0
    if kind.width == family.lut_inputs + 1:  # a wide multiplexer, one of its tables constant
        return 1.2
    if compared == family.lut_inputs + 2 == kind.width:  # of four tables, some of them constant
        return 2.2
    return float(ceil((compared - 1) / (family.lut_inputs - 1)))
