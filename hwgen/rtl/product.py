"""An element times a weight from a table, in LUTs: synthesis would take DSPs for a product."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from amaranth.hdl import Const, Mux, Value
from numpy.typing import NDArray

from hwgen.families.base import Family, Resources
from hwgen.inttype import IntType

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Weights:
    """All integers that a table may hold, as its words store them.

    Powers of two are a sign, a bit that says that the weight is not 0, and an exponent, each where
    it differs; other weights are themselves.
    """

    values: tuple[int, ...]

    @classmethod
    def of(cls, weights: Ints) -> Weights:
        return cls(tuple(int(v) for v in np.unique(weights)))

    @cached_property
    def range(self) -> IntType:
        return IntType(self.values[0], self.values[-1])

    @cached_property
    def exponents(self) -> tuple[int, ...]:
        """Of the magnitudes, if they are powers of two; else nothing."""
        sizes = {abs(v) for v in self.values if v}
        powers = all(v & (v - 1) == 0 for v in sizes)
        return tuple(sorted(v.bit_length() - 1 for v in sizes)) if powers else ()

    @property
    def fields(self) -> tuple[int, int, int]:
        """Bits of a power of two: sign, not 0, exponent."""
        signs = len({v < 0 for v in self.values if v}) > 1
        return int(signs), int(0 in self.values), (len(self.exponents) - 1).bit_length()

    @property
    def width(self) -> int:
        """Bits of a word."""
        return sum(self.fields) if self.exponents else self.range.width

    def word(self, value: int) -> int:
        """How ``value`` is stored."""
        if not self.exponents:
            return value % (1 << self.width)
        signs, zeros, _ = self.fields
        code = self.exponents.index(abs(value).bit_length() - 1) if value else 0
        return signs * (value < 0) | zeros * (value != 0) << signs | code << (signs + zeros)

    def times(self, word: Value, x: Value) -> Value:
        """``x`` times the weight that ``word`` stores."""
        if not self.exponents:
            return self._sum(word, x)
        signs, zeros, bits = self.fields
        places = [x << self.exponents[0]]
        if bits:
            code = word[signs + zeros :]
            places = [x << e for e in self.exponents]
            places += places[:1] * ((1 << bits) - len(places))
            for bit in code:
                places = [Mux(bit, b, a) for a, b in zip(places[::2], places[1::2], strict=True)]
        (found,) = places
        negative = all(v <= 0 for v in self.values)
        if signs:
            found = Mux(word[0], -found, found)
        elif negative:
            found = -found
        return Mux(word[signs], found, 0) if zeros else found

    def _sum(self, word: Value, x: Value) -> Value:
        """Digit by digit; the highest one of a signed word counts down."""
        total: Value = Const(0)
        for place in range(self.width):
            term = Mux(word[place], x << place, 0)
            down = self.range.signed and place == self.width - 1
            total = total - term if down else total + term
        return total

    def price(self, width: int, family: Family) -> Resources:
        """The product of an element of ``width`` bits, measured: per bit of a shifter one LUT for
        every two digits of the exponent, one of a sign and one of an adder."""
        if not self.exponents:
            terms = self.width
            return Resources(lut=family.adder(width + 1) * max(terms - 1, 1))
        signs, zeros, bits = self.fields
        out = width + self.exponents[-1]
        lut = out * (bits + 1) // 2 + (out + 1) * signs + (zeros and not signs) * out
        return Resources(lut=lut)
