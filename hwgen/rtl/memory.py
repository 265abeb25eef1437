"""Memories: where they want to be, what they cost, and tables that are only read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from amaranth.hdl import Const, Module, Value
from amaranth.lib.memory import Memory

from hwgen.families.base import Family, Resources


def style(memory: str, *, rom: bool = False) -> dict[str, str]:
    """The attributes of a ``lut`` or ``block`` memory that Vivado and yosys obey."""
    if rom and memory == "lut":  # only yosys reads ram_block; it knows no ROM in LUT RAM
        return {"ram_block": "logic", "rom_style": "distributed"}
    kind = {"lut": "distributed", "block": "block"}[memory]
    return {"rom_style" if rom else "ram_style": kind}


def table(m: Module, words: Sequence[int], width: int, address: Any, name: str) -> Value:
    """``words[address]`` in LUTs, in the same cycle; a constant where there is one word."""
    if len(words) == 1 or width == 0:
        return Const(words[0] if width else 0, width)
    memory = Memory(shape=width, depth=len(words), init=words, attrs=style("lut", rom=True))
    m.submodules[name] = memory
    port = memory.read_port(domain="comb")
    m.d.comb += port.addr.eq(address)
    return Value.cast(port.data)


def block_table(
    m: Module, words: Sequence[int], width: int, address: Any, enable: Any, name: str
) -> Value:
    """``words[address]`` in block RAM, one cycle later, where ``enable`` is 1."""
    memory = Memory(shape=width, depth=len(words), init=words, attrs=style("block", rom=True))
    m.submodules[name] = memory
    port = memory.read_port(domain="sync")
    m.d.comb += [port.addr.eq(address), port.en.eq(enable)]
    return Value.cast(port.data)


def rom_price(depth: int, width: int, memory: str, family: Family) -> Resources:
    """A table of ``depth`` words of ``width`` bits."""
    if width == 0 or depth == 1:
        return Resources()
    if memory == "block":
        return Resources(bram36=family.block_rom(depth, width))
    return Resources(lut=family.rom(depth, width))
