"""Flags that are looked up by a counter: tables of one bit, or comparisons where they are long."""

from __future__ import annotations

import numpy as np
from amaranth.hdl import Const, Module, Value
from numpy.typing import NDArray

from hwgen.families.base import Family
from hwgen.rtl.memory import table

Flags = NDArray[np.bool_]

SHORT = 64
"""Entries of a table up to which it is no dearer than comparisons."""


def _runs(flags: Flags) -> list[tuple[int, int]]:
    """From where to where they hold."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def _compared(flags: Flags) -> bool:
    """Whether a few comparisons give the flags rather than a table."""
    return len(flags) > SHORT and len(_runs(flags)) <= 2


def flag(m: Module, index: Value, flags: Flags, name: str) -> Value:
    """``flags[index]``."""
    if flags.all() or not flags.any():
        return Const(int(flags.all()), 1)
    if not _compared(flags):
        return table(m, [int(f) for f in flags], 1, index, name)
    found: Value = Const(0, 1)
    for first, end in _runs(flags):
        here: Value = Const(1, 1)
        if first:
            here = here & (index >= first)
        if end < len(flags):
            here = here & (index < end)
        found = found | here
    return found


def flag_price(flags: Flags, family: Family) -> float:
    """LUTs of ``flag``."""
    if flags.all() or not flags.any():
        return 0.0
    if not _compared(flags):
        return family.rom(len(flags), 1)
    width = (len(flags) - 1).bit_length()
    ends = sum((a > 0) + (b < len(flags)) for a, b in _runs(flags))
    return ends * family.comparator(width)
