"""Tables that are written while they are read: two banks, the bus that writes one of them.

A unit with such tables has a port ``load``. Each table is cut into memories of at most 32 bits; the
words of all of them have one address space, the number of the memory above that of the word.
Circuits read the bank that the bus names, and writes go to the other one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from amaranth.hdl import Cat, Module, Value
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Out

from hwgen.families.base import Family, Resources
from hwgen.rtl.memory import style

CHUNK = 32
ADDRESS_BITS = 24

Table = tuple[Sequence[int], int]
"""The words of a table and their width."""


def bus() -> wiring.Signature:
    """What writes tables, seen from the source.

    Members:
        valid: ``data`` is written at ``address`` of the bank that is not read.
        bank: the bank that is read; it changes only while no frame is inside.
    """
    return wiring.Signature(
        {"valid": Out(1), "address": Out(ADDRESS_BITS), "data": Out(CHUNK), "bank": Out(1)}
    )


@dataclass
class Loader:
    """The tables of one unit, in the order in which their circuits are placed."""

    tables: Sequence[Table]
    _placed: int = field(default=0, init=False)

    @property
    def word_bits(self) -> int:
        """Address bits of the longest table."""
        return max(index_bits(len(words)) for words, _ in self.tables)

    def writes(self) -> list[tuple[int, int]]:
        """``(address, data)`` of all that there is to be written, addresses ascending."""
        found = []
        number = 0
        for words, width in self.tables:
            for low in range(0, width, CHUNK):
                mask = (1 << min(CHUNK, width - low)) - 1
                base = number << self.word_bits
                found += [(base | k, word >> low & mask) for k, word in enumerate(words)]
                number += 1
        if number << self.word_bits > 1 << ADDRESS_BITS:
            raise ValueError(f"{number} memories of {1 << self.word_bits} words are too many")
        return found

    def place(self, m: Module, load: Any, address: Any, name: str, enable: Any = None) -> Value:
        """The next table's word at ``address``: in the same cycle from LUT RAM, or with ``enable``
        one cycle later from block RAM."""
        before = self.tables[: self._placed]
        words, width = self.tables[self._placed]
        self._placed += 1
        number = sum(ceil(w / CHUNK) for _, w in before)
        bits = index_bits(len(words))
        parts = []
        for k, low in enumerate(range(0, width, CHUNK)):
            size = min(CHUNK, width - low)
            init = [word >> low & ((1 << size) - 1) for word in words]
            init += [0] * ((1 << bits) - len(words))
            memory = Memory(
                shape=size,
                depth=2 << bits,
                init=[*init, *init],
                attrs=style("lut" if enable is None else "block"),
            )
            m.submodules[f"{name}_{k}"] = memory
            write = memory.write_port()
            read = memory.read_port(domain="comb" if enable is None else "sync")
            index = Value.cast(address)[:bits] if bits else Cat()
            hit = load.address[self.word_bits :] == number + k
            m.d.comb += [
                write.addr.eq(Cat(load.address[:bits], ~load.bank)),
                write.data.eq(load.data),
                write.en.eq(load.valid & hit),
                read.addr.eq(Cat(index, load.bank)),
            ]
            if enable is not None:
                m.d.comb += read.en.eq(enable)
            parts.append(read.data)
        return Cat(*parts)


def index_bits(depth: int) -> int:
    """Address bits of ``depth`` words."""
    return (depth - 1).bit_length()


def price(depth: int, width: int, memory: str, family: Family) -> Resources:
    """A table in two banks, with the decoding of its writes; registers where the family has no LUT
    RAM."""
    if not width:
        return Resources()
    words, memories = 2 << index_bits(depth), ceil(width / CHUNK)
    if memory == "block":
        rams = sum(
            family.block_rom(words, min(CHUNK, width - low)) for low in range(0, width, CHUNK)
        )
        return Resources(lut=2 * memories, bram36=rams)
    registers = 0 if family.lutrams else words * width
    return Resources(lut=family.lutram(words, width) + 2 * memories, ff=registers)
