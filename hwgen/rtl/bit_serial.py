"""A constant matrix times a stream of vectors, some bits of every element in a cycle.

An element is cut into unsigned digits of ``bits`` bits, lowest first; half the range is added to
signed ones, which inverts their sign bit. With the digits d_t of the whole vector,

    W x + b = Σ_t 2^(bits·t) (W d_t + β) + C,

where β and C take back what was added. One adder graph makes all W d_t + β, a digit in a cycle. An
accumulator adds them up from the lowest digit on: what it shifts out at its low end is settled, so
its adder is hardly wider than one W d_t, and it begins with C where it else begins with 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from typing import Any

import numpy as np
from amaranth.hdl import Array, Cat, Const, Instance, Module, Mux, Shape, Signal, Value
from amaranth.lib.wiring import In, Out
from numpy.typing import NDArray

from hwgen.cmvm.pipeline import Pipelined
from hwgen.families.base import Family, Resources
from hwgen.inttype import IntType
from hwgen.rtl import sequence
from hwgen.rtl.adder_graph import Datapath
from hwgen.rtl.sequence import Sequencer
from hwgen.rtl.stream import Unit, layout, raw, signature
from hwgen.rtl.timing import Timing

Ints = NDArray[np.int64]

FREE_MUX = 8
"""Digits among which the family's own cells choose without a look-up table beyond one per four."""


def digit_widths(width: int) -> list[int]:
    """The least bits per digit for every number of digits that cuts ``width`` bits into several."""
    return sorted({ceil(width / digits) for digits in range(2, width + 1)})


@dataclass(frozen=True, kw_only=True, eq=False)
class SerialForm:
    """``W x + b`` as the sum of what the digits of x give.

    Members:
        input: range of the elements of x. bits: bits of a digit, fewer than ``input`` has.
        columns: elements of x that have a weight other than 0.
        rows: per element of y, the row of ``matrix`` that it is the sum of, None where it is the
            constant ``bias``.
        matrix, beta: distinct rows of W, only those ``columns``, and what is added in every step.
        start: per row of ``matrix``, the C that its sum begins with.
    """

    input: IntType
    bits: int
    columns: tuple[int, ...]
    rows: tuple[int | None, ...]
    bias: tuple[int, ...]
    matrix: Ints
    beta: Ints
    start: Ints

    @classmethod
    def of(cls, weights: Ints, bias: Ints, input: IntType, bits: int) -> SerialForm:
        """The form of ``weights @ x + bias`` for elements of ``input``."""
        columns = np.flatnonzero((weights != 0).any(axis=0))
        busy: list[bool] = (weights != 0).any(axis=1).tolist()
        pairs = np.column_stack([weights[:, columns], bias])[busy]
        distinct, place = np.unique(pairs, axis=0, return_inverse=True)
        matrix, offset = distinct[:, :-1], 1 << (input.width - 1) if input.signed else 0
        each = sum(1 << (bits * t) for t in range(ceil(input.width / bits)))
        wanted = distinct[:, -1] - offset * matrix.sum(axis=1)
        beta = (2 * wanted + each) // (2 * each)
        places = iter(place.reshape(-1).tolist())
        return cls(
            input=input,
            bits=bits,
            columns=tuple(columns.tolist()),
            rows=tuple(next(places) if used else None for used in busy),
            bias=tuple(bias.tolist()),
            matrix=matrix,
            beta=beta,
            start=wanted - each * beta,
        )

    @property
    def kinds(self) -> tuple[IntType, ...]:
        """The range of a digit, per column."""
        return (IntType(0, (1 << self.bits) - 1),) * len(self.columns)

    @property
    def digits(self) -> int:
        return ceil(self.input.width / self.bits)

    @property
    def settled(self) -> int:
        """Bits of the result that an accumulator has shifted out by its last step."""
        return self.bits * (self.digits - 1)

    @property
    def least_widths(self) -> list[int]:
        """Lower bounds of the accumulators' widths, before there is a graph."""
        reach = np.abs(self.matrix).sum(axis=1) * ((1 << self.bits) - 1)
        return [int(n).bit_length() for n in reach]

    def price(self, widths: Sequence[int], stages: int, family: Family) -> Resources:
        """All but the graph: an adder per sum, the vector's registers and the choice of its
        digit."""
        bits = len(self.columns) * self.bits
        choice: float = family.mux(self.digits)
        if family.instantiate == "xilinx" and self.digits <= FREE_MUX:
            choice = ceil(self.digits / 4)
        lut = bits * choice + sum(w + family.adder_extra for w in widths)
        if not family.adder_logic:
            lut += sum(widths)
        vector = len(self.columns) * self.input.width
        steps = (self.digits - 1).bit_length() + stages + 2
        ff = vector + bits + sum(widths) + len(widths) * self.settled + steps
        return sequence.price((self.digits,), stages + 3, family=family) + Resources(lut=lut, ff=ff)


@dataclass(frozen=True, eq=False)
class BitSerial:
    """Everything about a ``BitSerialUnit``, to be timed, priced and built.

    Members:
        form: what is computed.
        graph: makes ``form.matrix @ d + form.beta``.
        output: range of the elements of y.
    """

    form: SerialForm
    graph: Pipelined
    output: IntType

    @property
    def depth(self) -> int:
        """The register of the vector, that of its digit, the graph's and the accumulator."""
        return self.graph.stages + 3

    @property
    def timing(self) -> Timing:
        """A vector in at the first digit, one out at the last."""
        step = np.arange(self.form.digits)
        return Timing.pipe(step == 0, step == self.form.digits - 1, self.depth)

    @cached_property
    def sums(self) -> tuple[IntType, ...]:
        """Per output of the graph, what its accumulator holds: exact until the last step, in
        which only bits count that the result has."""
        found = []
        f = self.form
        for out, start in zip(self.graph.graph.outputs, f.start.tolist(), strict=True):
            lo, hi, seen = start << f.bits, start << f.bits, []
            for _ in range(f.digits):
                lo, hi = (lo >> f.bits) + out.type.lo, (hi >> f.bits) + out.type.hi
                seen.append(IntType(lo, hi))
            whole = IntType.hull(seen)
            sign = [IntType(-1, 0)] if whole.signed else []
            exact = IntType.hull([*seen[:-1], *sign])
            width = max(exact.width, min(whole.width, self.output.width - f.settled))
            found.append(IntType.bits(width, whole.signed))
        return tuple(found)

    def resources(self, family: Family) -> Resources:
        widths = [t.width for t in self.sums]
        frame = self.form.price(widths, self.graph.stages, family)
        return self.graph.resources(family) + frame


class BitSerialUnit(Unit):
    """``y = weights @ x + bias`` with constant weights, ``design.form.bits`` bits of x in a cycle.

    With ``module``, graph and digits are instances of Verilog whose text ``verilog_files`` gives;
    without, they are Amaranth, which the simulator runs.

    Throughput: a vector in ``design.form.digits`` cycles. Latency: ``design.depth`` cycles from its
    last digit.

    Members:
        i: In(stream of all elements of x)
        o: Out(stream of all elements of y)
    """

    def __init__(
        self, design: BitSerial, inputs: int, family: Family, module: str | None = None
    ) -> None:
        """``inputs`` is the number of elements of x."""
        self.design = design
        self.datapath = Datapath(design.graph, family, module)
        self.timing = design.timing
        super().__init__(
            {
                "i": In(signature(design.form.input, inputs)),
                "o": Out(signature(design.output, len(design.form.rows))),
            }
        )

    def resources(self, family: Family) -> Resources:
        return self.design.resources(family)

    def verilog_files(self, *, structural: bool = True) -> dict[str, str]:
        """See ``Datapath.files``."""
        return self.datapath.files(structural=structural)

    def elaborate(self, platform: object) -> Module:
        m, f = Module(), self.design.form
        seq = Sequencer(loops=(f.digits,), depth=self.design.depth)
        first = Value.cast(seq.index[0] == 0)
        seq.attach(m, [self.i], self.o, [first], seq.last[0])
        parts = self.datapath
        x = Signal(layout(parts.i_type, len(f.columns)), reset_less=True)
        y = Signal(layout(parts.o_type, len(f.matrix)))
        digit = self._digit(m, seq, first)
        with m.If(seq.ce):
            m.d.sync += raw(x).eq(digit)
        parts.place(m, seq.ce, x, y)
        begin = seq.delayed(m, first, self.design.graph.stages + 2)
        results = [self._sum(m, seq, k, y[k], begin) for k in range(len(f.matrix))]
        for lane, (row, bias) in enumerate(zip(f.rows, f.bias, strict=True)):
            m.d.comb += self.o.payload[lane].eq(bias if row is None else results[row])
        return m

    def _digit(self, m: Module, seq: Sequencer, first: Value) -> Value:
        """The digits that are due of the vector, which is kept from its first step on."""
        f, width = self.design.form, self.design.form.input.width
        bits = raw(self.i.payload)
        used = Cat(*(bits[c * width : (c + 1) * width] for c in f.columns))
        kept = Signal(len(used), name="vector", reset_less=True)
        with m.If(seq.ce & first):
            m.d.sync += kept.eq(used)
        step = seq.delayed(m, seq.index[0], 1)
        if self.datapath.module is None:
            return self._chosen(kept, step)
        digit = Signal(len(f.columns) * f.bits)
        m.submodules.digits = Instance(
            "hwgen_digits",
            p_C=len(f.columns),
            p_W=width,
            p_K=f.bits,
            p_T=f.digits,
            p_S=len(step),
            p_SIGNED=int(f.input.signed),
            i_x=kept,
            i_step=step,
            o_y=digit,
        )
        return digit

    def _chosen(self, kept: Value, step: Value) -> Value:
        """Digit number ``step`` of every element, as ``hwgen_digits`` gives it."""
        f, width = self.design.form, self.design.form.input.width
        found = []
        for k in range(len(f.columns)):
            element: Value = kept[k * width : (k + 1) * width]
            if f.input.signed:
                element = element ^ Const(1 << (width - 1), width)
            element = Cat(element, Const(0, f.digits * f.bits - width))
            found.append(
                Array(element[t * f.bits : (t + 1) * f.bits] for t in range(f.digits))[step]
            )
        return Cat(*found)

    def _sum(self, m: Module, seq: Sequencer, k: int, part: Any, begin: Value) -> Value:
        """The accumulator of one output of the graph, and the bits that it has shifted out."""
        f, kind = self.design.form, self.design.sums[k]
        held = Signal(Shape(kind.width, kind.signed), name=f"sum_{k}", reset_less=True)
        low = Signal(f.settled, name=f"settled_{k}", reset_less=True)
        before, total = held >> f.bits, Signal.like(held, name=f"total_{k}")
        start = int(f.start[k])
        if self.datapath.module is None:
            m.d.comb += total.eq(part + Mux(begin, Const(start), before))
        else:
            addend = Signal.like(held, name=f"part_{k}")
            kept = Signal.like(held, name=f"kept_{k}")
            m.d.comb += [addend.eq(part), kept.eq(before)]
            m.submodules[f"add_{k}"] = Instance(
                "hwgen_accumulate",
                p_W=kind.width,
                p_START=Const(start, kind.width),
                i_p=addend,
                i_a=kept,
                i_begin_=begin,
                o_y=total,
            )
        with m.If(seq.ce):
            m.d.sync += [held.eq(total), low.eq(Cat(low[f.bits :], held[: f.bits]))]
        result = Cat(low, held)
        return result.as_signed() if kind.signed else result
