"""How a memory says where it wants to be."""

from __future__ import annotations


def style(memory: str, *, rom: bool = False) -> dict[str, str]:
    """The attributes of a ``lut`` or ``block`` memory that Vivado and yosys obey."""
    kind = {"lut": "distributed", "block": "block"}[memory]
    return {"rom_style" if rom else "ram_style": kind}
