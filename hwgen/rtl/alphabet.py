"""Weight alphabets: which magnitudes occur, how a memory stores them, what multiplies by them.

A weight is a sign and a magnitude. The sign is applied in the adder tree (``rtl.signed_tree``), so
a multiplier here makes ``magnitude * x`` of an unsigned ``x``, up to a constant that depends on
the weight alone and that the bias takes back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from numpy.typing import NDArray

from hwgen.families.base import Family, Resources
from hwgen.rtl.signed_tree import combine

Ints = NDArray[np.int64]

Multiplier = Literal["lut", "dsp"]


@dataclass(frozen=True)
class Alphabet:
    """The magnitudes of a weight matrix, ascending, and whether there are negative weights."""

    magnitudes: tuple[int, ...]
    signed: bool = True

    @classmethod
    def of(cls, weights: object) -> Alphabet:
        """The least alphabet of these weights."""
        values = np.asarray(weights)
        return cls(tuple(int(v) for v in np.unique(np.abs(values))), bool((values < 0).any()))

    @classmethod
    def binary(cls) -> Alphabet:
        return cls((1,))

    @classmethod
    def ternary(cls) -> Alphabet:
        return cls((0, 1))

    @classmethod
    def shift(cls, exponents: Sequence[int], *, zero: bool = False) -> Alphabet:
        """±2^p for the exponents, with or without 0."""
        return cls((*((0,) if zero else ()), *(1 << p for p in sorted(exponents))))

    @classmethod
    def integers(cls, lo: int, hi: int) -> Alphabet:
        """All integers from ``lo`` to ``hi``."""
        return cls(tuple(range(max(-lo, hi) + 1)), lo < 0)

    @cached_property
    def kind(self) -> Literal["wire", "shift", "digits"]:
        """One magnitude; powers of two and 0; any integers."""
        if len(self.magnitudes) == 1:
            return "wire"
        powers = all(m & (m - 1) == 0 for m in self.magnitudes)
        return "shift" if powers else "digits"

    @property
    def code_width(self) -> int:
        """Bits that store a magnitude."""
        if self.kind == "digits":
            return self.magnitudes[-1].bit_length()
        return (len(self.magnitudes) - 1).bit_length()

    @property
    def width(self) -> int:
        """Bits that store a weight."""
        return self.code_width + int(self.signed)

    @property
    def digits(self) -> int:
        """Base-4 digits of the largest magnitude; 1 unless there are any integers."""
        return (self.code_width + 1) // 2 if self.kind == "digits" else 1

    def levels(self, multiplier: Multiplier) -> int:
        """Levels of logic that a multiplier adds before the tree; a DSP fills a stage."""
        if self.kind == "wire":
            return 0
        if self.kind == "shift":
            return 1
        return 1 + max(self.digits - 1, 0).bit_length() if multiplier == "lut" else 99

    def codes(self, magnitudes: Ints) -> Ints:
        """What is stored for each of ``magnitudes``, all of them of the alphabet."""
        if self.kind == "digits":
            return magnitudes
        return np.searchsorted(np.array(self.magnitudes), magnitudes)

    def constant(self, multiplier: Multiplier) -> int:
        """What ``multiply`` adds to ``magnitude * x``."""
        if self.kind != "digits" or multiplier == "dsp":
            return 0
        return sum(1 << (2 * k) for k in range(1, self.digits))

    def product_max(self, x_max: int, multiplier: Multiplier) -> int:
        """The greatest value of ``multiply`` for ``x <= x_max``."""
        if self.kind != "digits" or multiplier == "dsp":
            return max(self.magnitudes[-1] * x_max, 1)
        return self.magnitudes[-1] * x_max + self.constant(multiplier)

    def multiply(self, m: Module, code: Value, x: Value, triple: Value, kind: Multiplier) -> Value:
        """``magnitude * x + constant``; ``triple`` is ``3 * x`` where there are digits."""
        top = self.magnitudes[-1]
        if top == 0:
            return Const(0, 1)
        if self.kind == "wire":
            return x * top if top & (top - 1) else Cat(Const(0, top.bit_length() - 1), x)
        if self.kind == "shift":
            return _choose(code, [_scaled(x, value) for value in self.magnitudes])
        if kind == "dsp":
            product = Signal(len(x) + len(code), attrs={"use_dsp": "yes"})
            m.d.comb += product.eq(code * x)
            return product
        rows = [x * 0, x, Cat(Const(0, 1), x), triple]
        total: Value | None = None
        for k in range(self.digits):
            digit = code[2 * k : 2 * k + 2]
            row = _choose(digit, rows[: 1 << len(digit)])
            if total is None:
                total = row
            else:
                carried = combine(total[2 * k :], row, Const(0), len(row) + 1)
                total = Cat(total[: 2 * k], carried)
        assert total is not None
        return total

    def price(
        self, x_width: int, multiplier: Multiplier, family: Family, *, absorbed: bool = False
    ) -> Resources:
        """One multiplier; ``absorbed``: its last LUT may also add it, with a sign."""
        if self.kind == "wire":
            return Resources()
        if self.kind == "shift":
            span = [m.bit_length() - 1 for m in self.magnitudes if m]
            reach = [sum(0 <= k - p < x_width for p in span) for k in range(x_width + span[-1])]
            room = family.lut_inputs - 2 * int(absorbed)
            zero = int(0 in self.magnitudes)
            lut = 0.0
            for ways in reach:
                if ways + self.code_width > room:
                    lut += family.mux(ways + zero)
                else:
                    lut += 0 if absorbed else 1
            return Resources(lut=lut)
        if multiplier == "dsp":
            return Resources(dsp=1)
        full, odd = divmod(self.code_width, 2)
        row = (x_width + 2) * family.mux(4)
        lut = full * row + odd * (0 if full else x_width)
        lut += sum(x_width + 2 if k < full else x_width for k in range(1, self.digits))
        return Resources(lut=lut)

    def triple_price(self, x_width: int, multiplier: Multiplier, family: Family) -> Resources:
        """What every input element takes beside its register: three times itself."""
        if self.kind != "digits" or multiplier == "dsp" or self.code_width < 2:
            return Resources()
        return Resources(lut=family.adder(x_width), ff=x_width + 2)


def _scaled(x: Value, magnitude: int) -> Value:
    if magnitude == 0:
        return Const(0, 1)
    return Cat(Const(0, magnitude.bit_length() - 1), x)


def _choose(code: Any, options: Sequence[Value]) -> Value:
    """``options[code]``, as a tree of multiplexers."""
    values = list(options)
    for bit in code:
        pairs = [values[k : k + 2] for k in range(0, len(values), 2)]
        values = [Mux(bit, pair[1], pair[0]) if len(pair) == 2 else pair[0] for pair in pairs]
    return Value.cast(values[0])
