"""The clock that a planned accelerator should reach, before anything is routed."""

from __future__ import annotations

from hwgen.design.accelerator import Accelerator
from hwgen.rtl.fifo import Fifo
from hwgen.rtl.stream import Elastic

BREAKS = (Elastic, Fifo)
"""Circuits whose ready is a register: no path goes through them."""


def fmax_mhz(accelerator: Accelerator) -> float:
    """The inverse of the longest path: within a unit, or along the ready signals of units in a row.

    Delays are those of the family of the accelerator's layout.
    """
    family = accelerator.layout.family
    units = [block.unit.path_ns(family) for block in accelerator.blocks]
    chain = family.ff_ns + family.levels_ns(_longest_run(accelerator)) + family.net_ns
    return float(1000 / max(chain, *units))


def _longest_run(accelerator: Accelerator) -> int:
    """Circuits in a row through which ready goes back without a register."""
    longest = run = 0
    for block in accelerator.blocks:
        run = 0 if isinstance(block.unit, BREAKS) else run + 1
        longest = max(longest, run)
    return longest
