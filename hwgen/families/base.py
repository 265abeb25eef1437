"""The cost model that every family file fills in.

LUT prices are what yosys counts for the family (``synth_xilinx -family xc7 -flatten -noiopad
-nodsp`` and its siblings): look-up tables one each, carry cells, wide multiplexers and inverters
not at all. Delays are data-sheet cell delays of a slow speed grade plus an average routed net, or
those of routed designs where the family's file says so.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import ceil, sqrt


@dataclass(frozen=True, slots=True)
class Resources:
    """What a circuit takes: LUTs, flip-flops, 36-kbit block RAMs (halves count 0.5) and DSPs."""

    lut: float = 0
    ff: float = 0
    bram36: float = 0
    dsp: float = 0

    def __add__(self, other: Resources) -> Resources:
        pairs = {f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)}
        return Resources(**pairs)

    def scaled(self, factor: float) -> Resources:
        return Resources(**{f.name: getattr(self, f.name) * factor for f in fields(self)})


@dataclass(frozen=True, slots=True)
class BlockRam:
    """One block RAM primitive: its ``(depth, width)`` shapes and what it counts as, in 36 kbit."""

    shapes: tuple[tuple[int, int], ...]
    bram36: float


@dataclass(frozen=True, slots=True)
class LutRam:
    """One cell of LUT RAM: its words, their bits, and the LUTs that it occupies."""

    depth: int
    width: int
    lut: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """An FPGA family as its prices, in LUTs, and its delays, in nanoseconds.

    Members:
        lut_inputs: inputs of the look-up table that the family is counted in.
        adder_operands: operands that a carry chain adds at one LUT per bit.
        adder_extra: LUTs beyond one per bit of an adder (the carry out that needs a cell).
        chain_step: bits of one cell of a carry chain, all of which a chain takes.
        chain_pack: bits up to which one chain adds several pairs of unsigned words side by side;
            0 where each has its own.
        chain_passes: whether bits of a chain that pass their one operand on count no LUT.
        inverter: LUTs per bit of an operand that a chain subtracts.
        constant_adder: LUTs per bit of adding a constant; 0 where it is a bare carry chain.
        comparator_chain: LUTs per bit of comparing two variables, and against a constant.
        compare_bit: LUTs per bit of a carry chain of which only the end is read.
        wide_mux: whether dedicated multiplexers join LUTs for free (F7/F8, PFUMX).
        lutrams: LUT RAM cells with a write and a read port; none where there is no LUT RAM.
        shared_lutrams: those whose one port writes and reads at the same address, where they are
            cheaper.
        shift_register: whether synthesis puts delays of three and more into one LUT a bit.
        adder_logic: whether an adder's LUTs also hold logic before one of its operands.
        rams: block RAM primitives, least first.
        lut_ns: through one LUT. net_ns: one routed net. carry_ns: one bit of carry.
        before_ns: what stands before the cells of an adder; 0 where that is a net and a LUT.
        joined_inputs: inputs of LUTs joined by multiplexers that are about as fast as one; 0
            where there are none.
        wire_ns: the longest net of a circuit, per square root of its LUTs; 0 where not measured.
        carry_entry_ns: into and out of a carry chain. ff_ns: clock to output plus set-up.
        ram_ns: clock to output of a block RAM.
        period_ns: clock period that circuits are pipelined for.
        instantiate: whether mapping uses the primitives in ``rtl_templates/<instantiate>``.
    """

    name: str
    lut_inputs: int
    adder_operands: int = 2
    adder_extra: int = 0
    chain_step: int = 1
    chain_pack: int = 0
    chain_passes: bool = False
    inverter: float = 0.0
    constant_adder: float = 1.0
    comparator_chain: tuple[float, float] = (1.0, 0.5)
    compare_bit: float = 1.0
    wide_mux: bool = False
    lutrams: tuple[LutRam, ...] = ()
    shared_lutrams: tuple[LutRam, ...] = ()
    shift_register: bool = False
    adder_logic: bool = False
    rams: tuple[BlockRam, ...] = ()
    lut_ns: float
    net_ns: float
    carry_ns: float
    carry_entry_ns: float
    ff_ns: float
    ram_ns: float = 2.5
    instantiate: str = ""
    period_ns: float = 10.0
    before_ns: float = 0.0
    wire_ns: float = 0.0
    joined_inputs: int = 0

    def adder(self, width: int, operands: int = 2, *, constant: bool = False) -> float:
        """LUTs of a sum over ``width`` bit positions; ``constant``: one of two is a constant."""
        if operands < 2 or width <= 0:
            return 0.0
        if constant and operands == 2:
            return ceil(self.constant_adder * width)
        cells = ceil((operands - 1) / (self.adder_operands - 1))
        return cells * (width + self.adder_extra)

    def comparator(self, width: int, *, constant: bool = True) -> float:
        """LUTs of ``a >= b``, ``b`` a constant or a variable of the same ``width``."""
        if constant:
            if width <= self.lut_inputs:
                return 1.0
            return ceil(width * self.comparator_chain[1])
        if 2 * width <= self.lut_inputs:
            return 1.0
        return ceil(width * self.comparator_chain[0])

    def mux(self, n: int, width: int = 1) -> float:
        """LUTs that choose one of ``n`` words of ``width`` bits by a binary number."""
        if n <= 1:
            return 0.0
        if self.lut_inputs >= 6:
            if n <= 4:
                return float(width)
            lut = ceil(n / 4) + ceil(n / 16)
            return width * (lut if n <= 16 else 1.28 * lut)  # ABC leaves wide trees uneven
        return width * float(n - 1)

    def rom(self, depth: int, width: int) -> float:
        """LUTs of a table of ``depth`` words of ``width`` bits, its contents incompressible."""
        address = max(depth - 1, 1).bit_length()
        if address <= self.lut_inputs:
            return float(width if depth > 1 else 0)
        tables = ceil(depth / (1 << self.lut_inputs))
        joins = 0 if self.wide_mux else (tables - 1)
        if self.wide_mux and tables > 4:
            joins = ceil(tables / 8)
        return float(width * (tables + joins))

    def lutram(self, depth: int, width: int, *, shared: bool = False) -> float:
        """LUTs of a LUT RAM with one write and one read port, or one for both; registers where
        there is none."""
        if not self.lutrams:
            return self.mux(depth, width) + depth
        cells = self.shared_lutrams if shared and self.shared_lutrams else self.lutrams
        return min(
            ceil(depth / c.depth) * ceil(width / c.width) * c.lut
            + self.mux(ceil(depth / c.depth), width)
            for c in cells
        )

    def popcount(self, n: int) -> float:
        """LUTs that count the ones among ``n`` bits."""
        if n <= 1:
            return 0.0
        if n <= self.lut_inputs:
            return float(n.bit_length())
        full_adder = 1.0 if self.lut_inputs >= 6 else 2.0
        return ceil(full_adder * (n - n.bit_count()))

    def block_rom(self, depth: int, width: int) -> float:
        """36-kbit block RAMs of a memory of ``depth`` words of ``width`` bits, in halves."""
        costs = [
            ceil(depth / d) * ceil(width / w) * ram.bram36
            for ram in self.rams
            for d, w in ram.shapes
        ]
        return min(costs, default=float("inf"))

    def levels_ns(self, levels: int) -> float:
        """Delay of look-up tables in a row, with the nets that feed them."""
        return levels * (self.lut_ns + self.net_ns)

    def far_ns(self, lut: float) -> float:
        """The longest net of a circuit of so many LUTs: it grows with the side of the square that
        they take. 0 where it was not measured."""
        return self.wire_ns * sqrt(lut)

    def spread_ns(self, lut: float) -> float:
        """A net to many registers or adders of such a circuit: half of its longest."""
        return max(self.net_ns, self.far_ns(lut) / 2)

    @property
    def gate_ns(self) -> float:
        """A gate before an adder, with the net that feeds it."""
        return self.before_ns or self.net_ns + self.lut_ns

    def adder_ns(self, width: int, operands: int = 2) -> float:
        """Delay from the adder's operands to its sum, the net that feeds it included."""
        rounds = ceil((operands - 1) / (self.adder_operands - 1))
        carry_save = self.lut_ns + self.net_ns / 2 if self.adder_operands > 2 < operands else 0.0
        chain = self.gate_ns + self.carry_entry_ns + width * self.carry_ns
        return rounds * (chain + carry_save)
