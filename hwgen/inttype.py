"""The integer range that every signal, adder and memory is sized by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class IntType:
    """All integers from ``lo`` to ``hi``, both included.

    Raises:
        ValueError: if ``lo > hi``.
    """

    lo: int
    hi: int

    def __post_init__(self) -> None:
        if self.lo > self.hi:
            raise ValueError(f"lo must not exceed hi, not {self.lo} > {self.hi}")

    @classmethod
    def bits(cls, width: int, signed: bool) -> IntType:
        """The full range of a ``width``-bit integer."""
        if signed:
            return cls(-(1 << (width - 1)), (1 << (width - 1)) - 1)
        return cls(0, (1 << width) - 1)

    @classmethod
    def hull(cls, types: Iterable[IntType]) -> IntType:
        """The least range that holds all of ``types``."""
        items = list(types)
        return cls(min(t.lo for t in items), max(t.hi for t in items))

    @property
    def signed(self) -> bool:
        return self.lo < 0

    @property
    def width(self) -> int:
        """Bits needed, two's complement when ``signed``; at least 1."""
        if self.lo >= 0:
            return max(self.hi.bit_length(), 1)
        return max((-self.lo - 1).bit_length(), max(self.hi, 0).bit_length()) + 1

    @property
    def size(self) -> int:
        """How many integers the range holds."""
        return self.hi - self.lo + 1

    def holds(self, other: IntType) -> bool:
        return self.lo <= other.lo and other.hi <= self.hi

    def __str__(self) -> str:
        return f"{'i' if self.signed else 'u'}{self.width}[{self.lo}..{self.hi}]"
