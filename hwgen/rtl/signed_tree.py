"""A tree that adds unsigned numbers with signs at one LUT per bit, signs included.

Signs are relative: a node makes ``u ± v``, and the sign that both share is left to its parent. On
one LUT and a carry chain ``-v`` is the complement of v within its own width, which differs from
``-v`` by a constant; so every sum is off by a constant that depends on the signs alone. The caller
takes it back in a bias (``tree_constant`` says how much). Everything stays unsigned, no sign is
extended, and synthesis cannot merge two nodes into a larger, dearer adder.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from amaranth.hdl import Cat, Const, Value
from numpy.typing import NDArray

from hwgen.families.base import Family, Resources

Ints = NDArray[np.int64]


def combine(u: Value, v: Value, sign: Any, width: int) -> Value:
    """``u + v + 1``, or where ``sign`` is 1 ``u - v + 2**len(v)``, its ``width`` low bits.

    It is written as a subtraction because synthesis then keeps ``u`` on the carry chain's plain
    side and absorbs the signed ``v`` into the LUTs.
    """
    inverted = v ^ (~Value.cast(sign)[0]).replicate(len(v))
    if width > len(v):
        inverted = Cat(inverted, Const(-1, width - len(v)))
    return (u - inverted.as_signed())[:width]


def combined_max(u_max: int, v_max: int) -> int:
    """The greatest value of ``combine`` for unsigned operands up to these."""
    return u_max + (1 << v_max.bit_length())


@dataclass(frozen=True)
class SignedTree:
    """The shape of such a tree: ``lanes`` leaves up to ``leaf_max``, sums modulo 2**limit.

    Leaves of one bit take their own signs instead, three of them a full adder of two LUTs.

    Members:
        lead: levels of logic before the first adder, all in its stage: at most levels_per_stage.
        levels_per_stage: levels of logic between two registers.
    """

    lanes: int
    leaf_max: int
    limit: int
    lead: int = 0
    levels_per_stage: int = 2

    @property
    def bits(self) -> bool:
        """Whether leaves are single bits, to be counted."""
        return self.leaf_max == 1

    @cached_property
    def maxima(self) -> list[list[int]]:
        """Per level from the leaves, the greatest value of every node."""
        full = (1 << self.limit) - 1
        levels = [[min(self.leaf_max, full)] * self.lanes]
        if self.bits and self.lanes > 1:
            levels.append([min(len(group), full) for group in _triples(levels[0])])
        while len(levels[-1]) > 1:
            row = levels[-1]
            sums = [min(combined_max(u, v), full) for u, v in _pairs(row)]
            levels.append(sums + row[2 * len(sums) :])
        return levels

    @property
    def stages(self) -> int:
        """Registers from the leaves' operands to the root."""
        return (self.lead + len(self.maxima) - 1) // self.levels_per_stage

    @property
    def root_width(self) -> int:
        return _width(self.maxima[-1][0])

    def stage_of(self, level: int) -> int:
        """Registers before the adders of ``level`` (1 is the first above the leaves)."""
        return (self.lead + level - 1) // self.levels_per_stage

    def registered(self, level: int) -> bool:
        """Whether the results of ``level`` (0: the leaves) go into registers."""
        done = self.lead + level
        return done > 0 and done % self.levels_per_stage == 0

    def signs(self, negative: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """What ``build`` takes for leaves of these signs, along the last axis; the last one is the
        root's own unless leaves are bits."""
        return negative if self.bits else relative_signs(negative)

    def build(
        self, leaves: list[Value], signs: list[Value], delay: Callable[[Value, int], Value]
    ) -> tuple[Value, Value]:
        """The root, and the sign that it still has to take.

        ``delay(value, n)`` is value behind n registers of the pipe.
        """
        row = [_fit(v, _width(top)) for v, top in zip(leaves, self.maxima[0], strict=True)]
        if self.registered(0):
            row = [delay(v, 1) for v in row]
        waiting = list(signs)
        if self.bits:
            row = [v ^ delay(s, self.stage_of(1)) for v, s in zip(row, signs, strict=True)]
            waiting = [Const(0, 1)] * self.lanes
        for level in range(1, len(self.maxima)):
            tops = self.maxima[level]
            if self.bits and level == 1:
                row = [
                    _fit(_count(group), _width(t))
                    for group, t in zip(_triples(row), tops, strict=True)
                ]
            else:
                sums = []
                for k, (u, v) in enumerate(_pairs(row)):
                    sign = delay(waiting.pop(0), self.stage_of(level))
                    sums.append(combine(u, v, sign, _width(tops[k])))
                row = sums + row[2 * len(sums) :]
            if self.registered(level):
                row = [delay(v, 1) for v in row]
        return row[0], delay(waiting.pop(0), self.stages)

    def stages_ns(self, family: Family) -> list[float]:
        """Logic and nets of every stage in turn; the last one ends at the root, unregistered."""
        found = [family.levels_ns(self.lead)]
        for level, row in enumerate(self.maxima):
            if level == 1 and self.bits:
                found[-1] += family.levels_ns(1 if family.lut_inputs >= 6 else 2)
            elif level:
                found[-1] += family.adder_ns(_width(max(row)))
            if self.registered(level):
                found.append(0.0)
        return found

    def price(self, family: Family, *, signed: bool) -> Resources:
        """Adders, and the registers between them."""
        lut = ff = 0.0
        for level, row in enumerate(self.maxima):
            below = self.maxima[level - 1]
            if level == 1 and self.bits:
                full = sum(len(group) > 1 for group in _triples(below))
                lut += full * (2 if family.lut_inputs >= 6 else 6)
            elif level:
                outside = signed and not self.bits and not family.adder_logic
                for u, v in _pairs(below):
                    lut += max(_width(u), _width(v)) + family.adder_extra
                    lut += _width(v) if outside else 0
            if self.registered(level):
                ff += sum(_width(top) for top in row)
        return Resources(lut=lut, ff=ff)

    def sign_price(self, family: Family, *, before: int) -> Resources:
        """The registers that delay the signs, behind ``before`` registers of the caller's."""
        if self.bits:
            counts = {self.stage_of(1): self.lanes}
        else:
            counts = {self.stages: 1}
            for level in range(1, len(self.maxima)):
                stage, pairs = self.stage_of(level), len(self.maxima[level - 1]) // 2
                counts[stage] = counts.get(stage, 0) + pairs
        total = Resources()
        for stage, count in counts.items():
            total += (delay_price(stage + before, family) + Resources(ff=-before)).scaled(count)
        return total


def delay_price(stages: int, family: Family) -> Resources:
    """One bit behind so many registers without reset: a shift register where the family has one."""
    if family.shift_register and stages >= 3:
        return Resources(lut=1)
    return Resources(ff=stages)


def _pairs(row: list[Any]) -> list[tuple[Any, Any]]:
    return [(row[k], row[k + 1]) for k in range(0, len(row) - 1, 2)]


def _triples(row: list[Any]) -> list[list[Any]]:
    return [row[k : k + 3] for k in range(0, len(row), 3)]


def _count(bits: list[Value]) -> Value:
    """How many of up to three bits are 1."""
    if len(bits) == 1:
        return bits[0]
    if len(bits) == 2:
        return Cat(bits[0] ^ bits[1], bits[0] & bits[1])
    a, b, c = bits
    return Cat(a ^ b ^ c, (a & b) | (c & (a ^ b)))


def _fit(value: Value, width: int) -> Value:
    if len(value) >= width:
        return value[:width]
    return Cat(value, Const(0, width - len(value)))


def _width(top: int) -> int:
    return max(top.bit_length(), 1)


def relative_signs(negative: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The signs that the nodes take, level by level, then the root's own, along the last axis."""
    row = np.asarray(negative, dtype=bool)
    out = []
    while row.shape[-1] > 1:
        pairs = row.shape[-1] // 2
        first, second = row[..., 0 : 2 * pairs : 2], row[..., 1 : 2 * pairs : 2]
        out.append(first ^ second)
        row = np.concatenate([first, row[..., 2 * pairs :]], axis=-1)
    return np.concatenate([*out, row], axis=-1)


def tree_constant(tree: SignedTree, leaves: Ints, negative: NDArray[np.bool_]) -> Ints:
    """The root with its sign for these leaves (last axis: lanes), exactly as the circuit makes
    it."""
    row, signs = np.asarray(leaves, dtype=np.int64), tree.signs(negative)
    if tree.bits:
        ones = np.where(signs, 1 - row, row)
        row = np.add.reduceat(ones, np.arange(0, tree.lanes, 3), axis=-1)
        signs = np.zeros((*row.shape[:-1], tree.lanes), dtype=bool)
    at = 0
    for below in tree.maxima[1 if tree.bits and tree.lanes > 1 else 0 : -1]:
        pairs = len(below) // 2
        u, v = row[..., 0 : 2 * pairs : 2], row[..., 1 : 2 * pairs : 2]
        span = np.array([1 << _width(t) for t in below[1 : 2 * pairs : 2]], dtype=np.int64)
        sums = (u + np.where(signs[..., at : at + pairs], span - v, v + 1)) % (1 << tree.limit)
        row = np.concatenate([sums, row[..., 2 * pairs :]], axis=-1)
        at += pairs
    mirror = (1 << tree.root_width) - 1
    return np.where(signs[..., at], mirror - row[..., 0], row[..., 0])
