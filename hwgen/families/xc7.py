"""AMD 7-series: LUT6 with two outputs, CARRY4, RAM32M/RAM64M, 18- and 36-kbit block RAM.

Prices are measured with yosys 0.23; delays are those of an Artix-7 of speed grade -1 (DS181).
"""

from __future__ import annotations

from hwgen.families.base import BlockRam, Family, LutRam

RAMB18 = BlockRam(((16384, 1), (8192, 2), (4096, 4), (2048, 9), (1024, 18), (512, 36)), 0.5)
RAMB36 = BlockRam(((32768, 1), (16384, 2), (8192, 4), (4096, 9), (2048, 18), (1024, 36)), 1.0)

XC7 = Family(
    name="xc7",
    lut_inputs=6,
    adder_operands=3,
    chain_passes=True,
    constant_adder=0.0,
    comparator_chain=(0.75, 0.3),
    wide_mux=True,
    lutrams=(LutRam(32, 6, 4), LutRam(64, 3, 4)),
    shared_lutrams=(LutRam(32, 8, 4), LutRam(64, 1, 1), LutRam(128, 1, 2), LutRam(256, 1, 4)),
    shift_register=True,
    adder_logic=True,
    rams=(RAMB18, RAMB36),
    lut_ns=0.124,
    net_ns=0.75,
    carry_ns=0.0285,
    carry_entry_ns=0.66,
    ff_ns=0.55,
    instantiate="xilinx",
)
