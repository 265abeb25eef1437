"""Gowin LittleBee and Arora: LUT4 with ALU cells, 18-kbit block RAM.

Delays are medians of the critical paths of routed designs (``benchmarks/delays.py tang-nano-20k``
with the digits network, nextpnr 0.11, GW2A-18 C8/I7), but for the block RAM's, which is not
measured. Before an adder stands a net between neighbours alone, in that file's probe of two adders
in a row: an ALU holds the LUT of its operands, and an exclusive-or goes into a multiplexer.
"""

from __future__ import annotations

from hwgen.families.base import BlockRam, Family, LutRam

BSRAM = BlockRam(((16384, 1), (8192, 2), (4096, 4), (2048, 9), (1024, 18), (512, 36)), 0.5)

GOWIN = Family(
    name="gowin",
    lut_inputs=4,
    adder_extra=1,
    comparator_chain=(1.5, 1.0),
    wide_mux=True,
    lutrams=(LutRam(16, 4, 4),),
    rams=(BSRAM,),
    lut_ns=0.4,
    net_ns=0.78,
    wire_ns=0.034,
    carry_ns=0.035,
    carry_entry_ns=1.02,
    ff_ns=0.23,
    before_ns=0.47,
    joined_inputs=7,
)
