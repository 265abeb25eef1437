"""Lattice iCE40 HX/UP: LUT4 with SB_CARRY beside it, 4-kbit block RAM, no LUT RAM."""

from __future__ import annotations

from hwgen.families.base import BlockRam, Family

SB_RAM40 = BlockRam(((2048, 2), (1024, 4), (512, 8), (256, 16)), 0.125)

ICE40 = Family(
    name="ice40",
    lut_inputs=4,
    adder_extra=1,
    inverter=1.0,
    comparator_chain=(1.9, 0.5),
    rams=(SB_RAM40,),
    lut_ns=0.45,
    net_ns=1.0,
    carry_ns=0.13,
    carry_entry_ns=0.9,
    ff_ns=1.0,
)
