"""AMD UltraScale+: the 7-series LUT with CARRY8; delays of speed grade -1 (DS922)."""

from __future__ import annotations

from hwgen.families.base import Family
from hwgen.families.xc7 import RAMB18, RAMB36

XCUP = Family(
    name="xcup",
    lut_inputs=6,
    adder_operands=3,
    constant_adder=0.0,
    comparator_chain=(0.75, 0.3),
    wide_mux=True,
    lutram_depth=32,
    lutram_lut=2 / 3,
    shift_register=True,
    adder_logic=True,
    rams=(RAMB18, RAMB36),
    lut_ns=0.08,
    net_ns=0.4,
    carry_ns=0.008,
    carry_entry_ns=0.25,
    ff_ns=0.2,
    instantiate="xilinx",
)
