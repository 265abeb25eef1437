"""Lattice ECP5: LUT4 pairs with CCU2C (two bits of carry), DP16KD.

Delays are medians of the critical paths of routed designs (``benchmarks/delays.py`` on the digits
network on ulx3s-85f, nextpnr 0.11, speed grade -6).
"""

from __future__ import annotations

from hwgen.families.base import BlockRam, Family, LutRam

DP16KD = BlockRam(((16384, 1), (8192, 2), (4096, 4), (2048, 9), (1024, 18), (512, 36)), 0.5)

ECP5 = Family(
    name="ecp5",
    lut_inputs=4,
    adder_extra=1,
    chain_step=2,
    chain_pack=24,
    comparator_chain=(1.6, 0.9),
    wide_mux=True,
    lutrams=(LutRam(16, 4, 4),),
    rams=(DP16KD,),
    lut_ns=0.24,
    net_ns=1.05,
    wire_ns=0.065,
    carry_ns=0.036,
    carry_entry_ns=0.85,
    ff_ns=0.53,
    ram_ns=5.83,
    joined_inputs=5,
)
