"""The clock that a planned accelerator should reach, before anything is routed."""

from __future__ import annotations

from hwgen.design.accelerator import Accelerator
from hwgen.families.base import Family
from hwgen.rtl.credit import CreditGate, CreditQueue
from hwgen.rtl.fifo import Fifo
from hwgen.rtl.stream import Elastic

BREAKS = (Elastic, Fifo, CreditGate, CreditQueue)
"""Circuits whose ready is a register: no path goes through them."""

ENDS = 6
"""Signals that the ready of a run depends on beside its units': the state of what takes the last
beat, and what is counted where the first one is taken."""

FILLED = 0.75
"""How much of the inputs of its LUTs, less the one from the LUT before, a chain of conditions
takes up."""


def fmax_mhz(accelerator: Accelerator) -> float:
    """The inverse of the longest path: within a unit, or along the ready signals of units in a row.

    Delays are those of the family of the accelerator's layout.
    """
    family = accelerator.layout.family
    units = [block.unit.path_ns(family) for block in accelerator.blocks]
    lut = accelerator.resources(family).lut
    return float(1000 / max(ready_ns(_longest_run(accelerator), family, lut), *units))


def ready_ns(signals: int, family: Family, lut: float = 0) -> float:
    """From registers through a chain of conditions of ``signals`` signals to the enables of
    others in a design of ``lut`` LUTs. Synthesis packs the conditions of one or two units into a
    LUT."""
    inputs = (max(family.lut_inputs, family.joined_inputs) - 1) * FILLED
    level = family.lut_ns + family.net_ns
    return family.ff_ns + (signals + ENDS) / inputs * level + family.spread_ns(lut)


def _longest_run(accelerator: Accelerator) -> int:
    """Signals along the circuits in a row through which ready goes back without a register; none
    between a gate of credits and its queue."""
    longest = run = 0
    free = False
    for block in accelerator.blocks:
        unit = block.unit
        free = isinstance(unit, CreditGate) or (free and not isinstance(unit, CreditQueue))
        run = 0 if free or isinstance(unit, BREAKS) else run + unit.ready_signals
        longest = max(longest, run)
    return longest
