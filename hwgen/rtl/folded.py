"""A matrix times a stream of vectors, PE rows by SIMD columns in a cycle."""

from __future__ import annotations

from typing import Any

import numpy as np
from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from numpy.typing import NDArray

from hwgen.families.base import Family, Resources
from hwgen.inttype import IntType
from hwgen.rtl.alphabet import Alphabet
from hwgen.rtl.folded_shape import MatVecShape
from hwgen.rtl.load import Loader, bus
from hwgen.rtl.memory import block_table, style, table
from hwgen.rtl.sequence import Sequencer, count
from hwgen.rtl.signed_tree import tree_constant
from hwgen.rtl.stream import Unit, raw, signature

Ints = NDArray[np.int64]

__all__ = ["MatVecShape", "MatVecUnit", "product_range"]


def product_range(weights: Ints, bias: Ints, dtype: IntType) -> IntType:
    """The exact range of ``weights @ x + bias`` over all rows, x of ``dtype``."""
    positive = np.maximum(weights, 0).sum(axis=1)
    negative = np.minimum(weights, 0).sum(axis=1)
    lo = positive * dtype.lo + negative * dtype.hi + bias
    hi = positive * dtype.hi + negative * dtype.lo + bias
    return IntType(int(lo.min()), int(hi.max()))


class MatVecUnit(Unit):
    """``y = weights @ x + bias``, with weights in a memory.

    A vector x arrives as ``columns / simd`` beats in the first of ``rows / pe`` passes and is kept
    for the others; every pass gives one beat, the next ``pe`` elements of y. Signs are applied in
    the adder tree (``rtl.signed_tree``), magnitudes before it: by wires (binary), gates (ternary),
    shifters (powers of two) or multipliers.

    ``output`` may be less than the product of any ``input``, where single elements of x are known
    to
    be smaller: sums are taken modulo its width.

    Throughput: a vector in ``(rows / pe) * (columns / simd)`` cycles. Latency: ``shape.depth``
    cycles from the last beat of a pass.

    With ``writable``, weights and what sums start from are in tables that ``load`` writes.

    Members:
        i: In(stream of ``simd`` elements of ``input`` of each of ``shape.pixels`` vectors, or of
            all of theirs if ``shape.whole``)
        o: Out(stream of ``pe`` elements of ``shape.output`` of each, or of all)
        load: In(``rtl.load.bus``), if ``writable``
    """

    def __init__(
        self,
        weights: object,
        bias: object,
        input: IntType,
        *,
        pe: int,
        simd: int,
        alphabet: Alphabet | None = None,
        output: IntType | None = None,
        **options: Any,
    ) -> None:
        self.weights = np.asarray(weights, dtype=np.int64)
        self.bias = np.asarray(bias, dtype=np.int64)
        exact = product_range(self.weights, self.bias, input)
        self.shape = MatVecShape(
            rows=len(self.weights),
            columns=self.weights.shape[1],
            pe=pe,
            simd=simd,
            alphabet=alphabet or Alphabet.of(self.weights),
            input=input,
            output=output or exact,
            **options,
        )
        self.timing = self.shape.timing
        lanes_in, lanes_out = self.shape.lanes
        ports = {
            "i": In(signature(input, lanes_in)),
            "o": Out(signature(self.shape.output, lanes_out)),
        }
        super().__init__(ports | ({"load": In(bus())} if self.shape.writable else {}))

    def path_ns(self, family: Family) -> float:
        return self.shape.path_ns(family)

    def resources(self, family: Family) -> Resources:
        return self.shape.resources(family)

    def tables(self) -> tuple[list[int], Ints]:
        """The words of the weight memory, and what every row's sum starts from.

        A word holds, per PE, its relative signs and then its lanes' magnitude codes. Starts are
        modulo two to the width of the output: they take the constants of the tree back.
        """
        s = self.shape
        tiles = self.weights.reshape(s.passes, s.pe, s.beats, s.simd).transpose(0, 2, 1, 3)
        magnitudes, negative = np.abs(tiles), tiles < 0
        leaves = magnitudes * s.x_offset + s.alphabet.constant(s.multiplier)
        root = tree_constant(s.tree, leaves, negative)
        offset = (root + 1).sum(axis=1)
        start = (self.bias - offset.reshape(-1)) % (1 << s.output.width)
        fields: list[tuple[NDArray[Any], int]] = (
            [(s.tree.signs(negative).astype(np.int64), 1)] if s.alphabet.signed else []
        )
        fields.append((s.alphabet.codes(magnitudes), s.alphabet.code_width))
        return _words([(f.reshape(s.steps, s.pe, -1), width) for f, width in fields]), start

    def loader(self) -> Loader:
        """The tables that ``load`` writes."""
        s, (words, start) = self.shape, self.tables()
        weights = [(words, s.pe * s.simd * s.alphabet.width)] if s.alphabet.width else []
        return Loader([*weights, (self._starts(start), s.pe * s.output.width)])

    def _starts(self, start: Ints) -> list[int]:
        s = self.shape
        return _words([(start.reshape(s.passes, s.pe, 1), s.output.width)])

    def elaborate(self, platform: object) -> Module:
        m, s = Module(), self.shape
        words, start = self.tables()
        loader = self.loader() if s.writable else None
        seq = Sequencer(loops=(s.passes, s.beats), depth=s.depth)
        begins, ends = Value.cast(seq.index[0] == 0), Value.cast(seq.last[1])
        if s.whole:
            begins, ends = begins & (seq.index[1] == 0), ends & seq.last[0]
        seq.attach(m, [self.i], self.o, [begins], ends)
        x, triple = self._operands(m, seq)
        word = self._weights(m, seq, words, loader)
        share = len(word) // s.pe
        stage = s.tree.stages
        last: Value = seq.tokens[stage]
        if s.whole:
            last = seq.delayed(m, seq.issue & seq.last[1], stage + 1, reset=True)
        active = last if s.beats == 1 else seq.delayed(m, seq.issue, stage + 1, reset=True)
        first, base = self._start(m, seq, start, active, last, loader)
        width = s.output.width
        totals = []
        for lane in range(s.pixels * s.pe):
            pixel, p = divmod(lane, s.pe)
            own = slice(pixel * s.simd, (pixel + 1) * s.simd)
            root, sign = self._row(m, seq, word[p * share : (p + 1) * share], x[own], triple[own])
            total = Signal(width, name=f"total_{lane}", reset_less=True)
            begin = base[p * width : (p + 1) * width]
            before = begin if s.beats == 1 else Mux(first, begin, total)
            with m.If(seq.ce & active):
                m.d.sync += total.eq((root ^ sign.replicate(len(root))) - ~before)
            totals.append(total)
        m.d.comb += raw(self.o.payload).eq(self._gathered(m, seq, totals, last))
        return m

    def _gathered(self, m: Module, seq: Sequencer, totals: list[Signal], last: Value) -> Value:
        """The beat that leaves: this pass's sums, or those of all passes by pixel and row."""
        s = self.shape
        if not s.whole or s.passes == 1:
            return Cat(*totals)
        done = seq.delayed(m, last, 1, reset=True)
        rows = [totals]
        for k in range(s.passes - 1):
            kept = [
                Signal.like(v, name=f"kept_{k}_{n}", reset_less=True) for n, v in enumerate(totals)
            ]
            with m.If(seq.ce & done):
                m.d.sync += [b.eq(a) for a, b in zip(rows[-1], kept, strict=True)]
            rows.append(kept)
        rows.reverse()
        share = range(0, s.pixels * s.pe, s.pe)
        parts = [row[start : start + s.pe] for start in share for row in rows]
        return Cat(*(v for part in parts for v in part))

    def _operands(self, m: Module, seq: Sequencer) -> tuple[list[Value], list[Value]]:
        """The lanes of x behind one register, unsigned, and three times each where needed."""
        s = self.shape
        bits: Value = raw(self.i.payload)
        first = Value.cast(seq.index[0] == 0)
        load = seq.ce if s.passes == 1 or s.beats > 1 else seq.ce & first
        kept = s.passes > 1 and s.beats > 1 and not s.whole
        if s.whole and s.beats > 1:
            bits, load = self._part(m, seq), seq.ce
        if kept and s.buffer == "lut":
            bits = Mux(first, bits, self._buffer(m, seq, first))
        fresh = self._lanes(bits)
        x = [_register(m, v, load) for v in fresh]
        if kept and s.buffer == "block":
            later = self._lanes(self._buffer(m, seq, first))
            new = seq.delayed(m, first, 1)
            x = [Mux(new, a, b) for a, b in zip(x, later, strict=True)]
            fresh, load = x, None
        if s.alphabet.kind != "digits" or s.multiplier == "dsp":
            return x, x
        triple = [v + Cat(Const(0, 1), v) for v in fresh]
        return x, triple if load is None else [_register(m, v, load) for v in triple]

    def _part(self, m: Module, seq: Sequencer) -> Value:
        """This step's columns of vectors that came whole with the first step."""
        s, bits = self.shape, raw(self.i.payload)
        start = Value.cast(seq.index[0] == 0) & (seq.index[1] == 0)
        held = Signal(len(bits), reset_less=True)
        with m.If(seq.issue & start):
            m.d.sync += held.eq(bits)
        size = s.simd * s.input.width

        def share(vectors: Value, beat: int) -> Value:
            places = [(q * s.beats + beat) * size for q in range(s.pixels)]
            return Cat(*(vectors[p : p + size] for p in places))

        later = Array(share(held, beat) for beat in range(s.beats))[seq.index[1]]
        return Mux(start, share(bits, 0), later)

    def _buffer(self, m: Module, seq: Sequencer, first: Value) -> Value:
        """What the beat of this number held in the first pass, from LUT or block RAM."""
        s = self.shape
        bits = raw(self.i.payload)
        m.submodules.buffer = memory = Memory(
            shape=len(bits), depth=s.beats, init=[], attrs=style(s.buffer)
        )
        write = memory.write_port()
        read = memory.read_port(domain="comb" if s.buffer == "lut" else "sync")
        m.d.comb += [
            write.addr.eq(seq.index[1]),
            write.data.eq(bits),
            write.en.eq(seq.issue & first),
            read.addr.eq(seq.index[1]),
        ]
        if s.buffer == "block":
            m.d.comb += read.en.eq(seq.ce)
        return Value.cast(read.data)

    def _lanes(self, bits: Value) -> list[Value]:
        """The elements as unsigned codes: half the range is added to those that are signed."""
        width, lanes = self.shape.input.width, self.shape.pixels * self.shape.simd
        flip = Const(self.shape.x_offset, width)
        return [bits[k * width : (k + 1) * width] ^ flip for k in range(lanes)]

    def _weights(self, m: Module, seq: Sequencer, words: list[int], loader: Loader | None) -> Value:
        """This step's word behind one register."""
        s = self.shape
        width = s.pe * s.simd * s.alphabet.width
        block = s.memory == "block" and s.steps > 1 and width
        if loader is not None and width:
            enable = seq.ce if block else None
            word = loader.place(m, self.load, seq.step, "weights", enable)
            return word if block or s.steps == 1 else seq.delayed(m, word, 1)
        if block:
            return block_table(m, words, width, seq.step, seq.ce, "weights")
        word = table(m, words, width, seq.step, "weights")
        return word if s.steps == 1 or not width else seq.delayed(m, word, 1)

    def _start(
        self,
        m: Module,
        seq: Sequencer,
        start: Ints,
        active: Value,
        last: Value,
        loader: Loader | None,
    ) -> tuple[Signal, Value]:
        """At the accumulators: whether a sum begins, and what the sums of all PEs begin with."""
        s = self.shape
        first = Signal(init=1)
        with m.If(seq.ce & active):
            m.d.sync += first.eq(last)
        row = Signal(range(max(s.passes, 2)))
        count(m, row, seq.ce & last, s.passes)
        if loader is not None:
            return first, loader.place(m, self.load, row, "starts")
        return first, table(m, self._starts(start), s.pe * s.output.width, row, "starts")

    def _row(
        self, m: Module, seq: Sequencer, word: Value, x: list[Value], triple: list[Value]
    ) -> tuple[Value, Value]:
        """One PE's sum of products, and the sign it still has to take."""
        s = self.shape
        signs = list(word[: s.simd]) if s.alphabet.signed else [Const(0, 1)] * s.simd
        codes, width = word[s.simd * int(s.alphabet.signed) :], s.alphabet.code_width
        leaves = [
            s.alphabet.multiply(
                m, codes[k * width : (k + 1) * width], x[k], triple[k], s.multiplier
            )
            for k in range(s.simd)
        ]

        def delay(value: Value, stages: int) -> Value:
            return value if isinstance(value, Const) else seq.delayed(m, value, stages)

        return s.tree.build(leaves, signs, delay)


def _register(m: Module, value: Value, enable: Value) -> Signal:
    register = Signal(len(value), reset_less=True)
    with m.If(enable):
        m.d.sync += register.eq(value)
    return register


def _words(fields: list[tuple[NDArray[Any], int]]) -> list[int]:
    """Per step one integer: PE after PE, field after field, element after element."""
    steps, pe, _ = fields[0][0].shape
    bits = [
        ((values[..., None] >> np.arange(width)) & 1).reshape(steps, pe, -1)
        for values, width in fields
        if width
    ]
    if not bits:
        return [0] * steps
    flat = np.concatenate(bits, axis=2).reshape(steps, -1).astype(np.uint8)
    packed = np.packbits(flat, axis=1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") for row in packed]
