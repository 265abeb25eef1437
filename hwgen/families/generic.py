"""Any FPGA with four-input LUTs and a two-operand carry chain: behavioural Verilog only."""

from __future__ import annotations

from hwgen.families.base import BlockRam, Family

GENERIC = Family(
    name="generic",
    lut_inputs=4,
    adder_extra=1,
    rams=(BlockRam(((2048, 9), (1024, 18), (512, 36)), 0.5),),
    lut_ns=0.5,
    net_ns=0.9,
    carry_ns=0.1,
    carry_entry_ns=0.9,
    ff_ns=0.8,
)
