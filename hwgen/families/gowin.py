"""Gowin LittleBee and Arora: LUT4 with ALU cells, 18-kbit block RAM."""

from __future__ import annotations

from hwgen.families.base import BlockRam, Family

BSRAM = BlockRam(((16384, 1), (8192, 2), (4096, 4), (2048, 9), (1024, 18), (512, 36)), 0.5)

GOWIN = Family(
    name="gowin",
    lut_inputs=4,
    adder_extra=1,
    comparator_chain=(1.5, 1.0),
    wide_mux=True,
    lutram_depth=16,
    lutram_lut=1.0,
    rams=(BSRAM,),
    lut_ns=0.4,
    net_ns=0.78,
    carry_ns=0.1,
    carry_entry_ns=1.0,
    ff_ns=0.27,
)
