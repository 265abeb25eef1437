"""Lattice iCE40 UP: LUT4 with SB_CARRY beside it, 4-kbit block RAM, no LUT RAM.

Delays are medians of the critical paths of routed designs (``benchmarks/delays.py icebreaker`` with
the digits and MNIST networks, nextpnr 0.11, UP5K), but for the block RAM's, which is not measured.
"""

from __future__ import annotations

from hwgen.families.base import BlockRam, Family

SB_RAM40 = BlockRam(((2048, 2), (1024, 4), (512, 8), (256, 16)), 0.125)

ICE40 = Family(
    name="ice40",
    lut_inputs=4,
    adder_extra=1,
    inverter=1.0,
    comparator_chain=(1.9, 0.5),
    compare_bit=0.0,
    rams=(SB_RAM40,),
    lut_ns=0.9,
    net_ns=2.4,
    carry_ns=0.28,
    carry_entry_ns=1.34,
    ff_ns=1.39,
)
