"""FPGA families: what a LUT, a carry chain and a memory cost and how long they take."""

from __future__ import annotations

from hwgen.errors import UsageError
from hwgen.families.base import BlockRam, Family, Resources
from hwgen.families.ecp5 import ECP5
from hwgen.families.generic import GENERIC
from hwgen.families.gowin import GOWIN
from hwgen.families.ice40 import ICE40
from hwgen.families.xc7 import XC7
from hwgen.families.xcup import XCUP

FAMILIES = {family.name: family for family in (XC7, XCUP, ECP5, ICE40, GOWIN, GENERIC)}


def get(name: str) -> Family:
    """The family called ``name``.

    Raises:
        UsageError: if there is none.
    """
    if name not in FAMILIES:
        raise UsageError(
            f'the FPGA family must be one of {", ".join(FAMILIES)}, not "{name}"',
            hint="name one of these families in board.toml or with --family",
        )
    return FAMILIES[name]


__all__ = ["FAMILIES", "BlockRam", "Family", "Resources", "get"]
