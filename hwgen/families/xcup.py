"""AMD UltraScale+: the 7-series LUT with CARRY8; delays of speed grade -1 (DS922)."""

from __future__ import annotations

from dataclasses import replace

from hwgen.families.xc7 import XC7

XCUP = replace(
    XC7,
    name="xcup",
    lut_ns=0.08,
    net_ns=0.4,
    carry_ns=0.008,
    carry_entry_ns=0.25,
    ff_ns=0.2,
)
