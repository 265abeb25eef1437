"""The shape of a folded matrix-vector product: timing and price without its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import expm1, log1p
from typing import Literal

import numpy as np

from hwgen.families.base import Family, Resources
from hwgen.inttype import IntType
from hwgen.rtl import load, sequence
from hwgen.rtl.alphabet import Alphabet, Multiplier
from hwgen.rtl.memory import rom_price
from hwgen.rtl.signed_tree import SignedTree
from hwgen.rtl.timing import Timing


@dataclass(frozen=True, kw_only=True)
class MatVecShape:
    """Everything about a ``MatVecUnit`` but its numbers: cheap to make, to time and to price.

    Members:
        rows, columns: of the matrix. pe divides rows, simd divides columns.
        input, output: ranges of the elements of x and y.
        memory: where the weights are: LUTs or block RAM.
        multiplier: what multiplies by weights that are not powers of two.
        buffer: where x is kept for the later passes.
        writable: weights and starts are in RAM of two banks, see ``rtl.load``.
        pixels: vectors side by side, which are multiplied by the same weights.
        whole: they come and leave whole, in one beat for all passes.
        levels_per_stage: levels of adders (and multipliers) between two registers.
    """

    rows: int
    columns: int
    pe: int
    simd: int
    alphabet: Alphabet
    input: IntType
    output: IntType
    memory: Literal["lut", "block"] = "lut"
    multiplier: Multiplier = "lut"
    buffer: Literal["lut", "block"] = "lut"
    writable: bool = False
    pixels: int = 1
    whole: bool = False
    levels_per_stage: int = 2

    def __post_init__(self) -> None:
        if self.rows % self.pe or self.columns % self.simd:
            raise ValueError(
                f"pe and simd must divide {self.rows} rows and {self.columns} columns, "
                f"not {self.pe} and {self.simd}"
            )

    @property
    def lanes(self) -> tuple[int, int]:
        """Elements of a beat of x and of y."""
        shares = (self.columns, self.rows) if self.whole else (self.simd, self.pe)
        return self.pixels * shares[0], self.pixels * shares[1]

    @property
    def passes(self) -> int:
        return self.rows // self.pe

    @property
    def beats(self) -> int:
        return self.columns // self.simd

    @property
    def steps(self) -> int:
        return self.passes * self.beats

    @property
    def depth(self) -> int:
        return self.tree.stages + 2

    @property
    def x_max(self) -> int:
        """The greatest input code: negative inputs are moved up by half their range of bits."""
        return max(self.input.hi + self.x_offset, 1)

    @property
    def x_offset(self) -> int:
        return (1 << (self.input.width - 1)) if self.input.signed else 0

    @cached_property
    def tree(self) -> SignedTree:
        return SignedTree(
            self.simd,
            self.alphabet.product_max(self.x_max, self.multiplier),
            self.output.width,
            min(self.alphabet.levels(self.multiplier), self.levels_per_stage),
            self.levels_per_stage,
        )

    @property
    def timing(self) -> Timing:
        """All beats in the first pass, one out at the end of every pass; or one in and one out."""
        if self.whole:
            step = np.arange(self.steps)
            return Timing.pipe(step == 0, step == self.steps - 1, self.depth)
        consume = np.arange(self.steps) < self.beats
        emit = np.arange(self.steps) % self.beats == self.beats - 1
        return Timing.pipe(consume, emit, self.depth)

    def path_ns(self, family: Family) -> float:
        """The slowest stage: the first begins at the weights, or at inputs that go to all rows; the
        last ends in an accumulator."""
        stages = self.tree.stages_ns(family)
        stages[-1] += family.gate_ns + family.adder_ns(self.output.width)
        in_ram = self.memory == "block" and self.steps > 1
        spread = family.spread_ns(self.resources(family).lut) - family.net_ns
        first = max(family.ram_ns if in_ram else 0.0, family.ff_ns + spread) + stages[0]
        return max(first, family.ff_ns + max(stages))

    def resources(self, family: Family) -> Resources:
        """A whole unit, in microseconds."""
        lanes = self.pixels * self.simd
        width, x_bits = self.input.width, self.input.width * lanes
        loops = (self.passes, self.beats)
        counted = self.beats & (self.beats - 1) != 0 and self.passes > 1
        total = sequence.price(loops, self.depth, step=counted, family=family)
        total += self._memory(family) + self._replay(x_bits, family)
        triple = self.alphabet.triple_price(width, self.multiplier, family)
        total += triple.scaled(lanes) + Resources(ff=x_bits)
        return total + self._row(family).scaled(self.pixels * self.pe) + self._start(family)

    def _memory(self, family: Family) -> Resources:
        """The weights; columns of a shallow memory that are equal by chance are one."""
        stored = self.pe * self.simd * self.alphabet.width
        if self.writable:
            ff = stored if self.memory == "lut" and self.steps > 1 else 0
            memory = self.memory if self.steps > 1 else "lut"
            return load.price(self.steps, stored, memory, family) + Resources(ff=ff)
        if self.steps == 1:
            return Resources()
        if self.memory == "block":
            return rom_price(self.steps, stored, "block", family)
        columns = 1 << min(self.steps, 40)
        stored = round(columns * -expm1(stored * log1p(-1 / columns)))
        return rom_price(self.steps, stored, "lut", family) + Resources(ff=stored)

    def _replay(self, x_bits: int, family: Family) -> Resources:
        if self.whole:
            held = self.pixels * self.columns * self.input.width if self.beats > 1 else 0
            later = (self.passes - 1) * self.pixels * self.pe * self.output.width
            choice = family.mux(self.beats, x_bits) + (x_bits if self.beats > 1 else 0)
            return Resources(lut=choice, ff=held + later)
        if self.passes == 1 or self.beats == 1:
            return Resources()
        if self.buffer == "block":
            ram = family.block_rom(self.beats, x_bits)
            return Resources(lut=x_bits, ff=2, bram36=ram)
        return Resources(lut=family.lutram(self.beats, x_bits, shared=True) + x_bits)

    def _row(self, family: Family) -> Resources:
        """One PE: multipliers, tree, accumulator."""
        width, tree, signed = self.output.width, self.tree, self.alphabet.signed
        price = self.alphabet.price
        plain = price(self.input.width, self.multiplier, family)
        merged = price(self.input.width, self.multiplier, family, absorbed=not tree.registered(0))
        one = plain.scaled(self.simd - self.simd // 2) + merged.scaled(self.simd // 2)
        one += tree.price(family, signed=signed)
        if signed and self.steps > 1:
            one += tree.sign_price(family, before=int(self.memory == "lut"))
        lut: float = (
            width + family.adder_extra + (tree.root_width if signed and not tree.bits else 0)
        )
        if self.beats > 1 and not family.adder_logic:
            lut += width
        bits = (self.passes - 1).bit_length()
        if not self.writable and bits + 1 + 2 * int(self.beats > 1) > family.lut_inputs:
            lut += family.rom(self.passes, width)
        return one + Resources(lut=lut, ff=width)

    def _start(self, family: Family) -> Resources:
        """The count of rows at the accumulators, and which of them are enabled when."""
        bits = (self.passes - 1).bit_length()
        flags = self.tree.stages + 2 if self.beats > 1 else 0
        counter = Resources(lut=1.6 * bits + 3, ff=bits + flags)
        if not self.writable:
            return counter
        return counter + load.price(self.passes, self.pe * self.output.width, "lut", family)
