"""Sum of two streams, each times an integer: residual connections."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

import numpy as np

from hwgen.errors import ModelError, UnsupportedError
from hwgen.families.base import Family
from hwgen.inttype import IntType
from hwgen.ir.meaning import Meaning, RealValue, collapse, common_scale
from hwgen.ir.real import Lowering, RealNode
from hwgen.ir.types import IntArray, Ints, TensorType
from hwgen.ops.base import Config
from hwgen.ops.elementwise import LaneNode, spread
from hwgen.ops.linear import MAX_ACCUMULATOR_BITS, affine_input
from hwgen.ops.ordered import Ordered, Pair, ordering
from hwgen.ops.quantize import MAX_THRESHOLDS
from hwgen.rtl.add import AddUnit

FINER = 64
"""How much finer than it must be the order of sums is kept before a quantizer of many levels: that
is a multiplication, which needs them nearly to scale."""

MAX_SUMS = 1 << 22
"""Pairs of two integers whose sums are kept in order, at most."""


ONES = IntArray([[1], [1]])


@dataclass(frozen=True, kw_only=True)
class Add(LaneNode):
    """``y = factors[0]·a + factors[1]·b``, element by element; ``factors`` is (2, 1) or (2,
    channels)."""

    factors: IntArray = ONES

    op: ClassVar[str] = "add"

    def infer(self, *inputs: TensorType) -> TensorType:
        a, b = inputs
        if a.shape != b.shape:
            text = f"the summands must have one shape, not {a.shape} and {b.shape}"
            raise ModelError(text, origin=self.origin)
        pairs = np.broadcast_to(self.factors.values, (2, a.channels)).T.tolist()
        both = zip(a.per_channel(), b.per_channel(), pairs, strict=True)
        return TensorType.of(a.shape, [self._range(*each) for each in both])

    def _range(self, a: IntType, b: IntType, factors: list[int]) -> IntType:
        if self.inputs[0] == self.inputs[1]:
            ends = [sum(factors) * n for n in (a.lo, a.hi)]
            return IntType(min(ends), max(ends))
        m, n = factors
        p, q = sorted((m * a.lo, m * a.hi)), sorted((n * b.lo, n * b.hi))
        return IntType(p[0] + q[0], p[1] + q[1])

    def evaluate(self, *inputs: Ints) -> Ints:
        p, q = (spread(IntArray(row), inputs[0].ndim) for row in self.factors.values)
        return np.asarray(p * inputs[0] + q * inputs[1])

    def circuit(self, config: Config, inputs: tuple[TensorType, ...], family: Family) -> AddUnit:
        a, b = inputs
        output = self.infer(a, b).element
        return AddUnit(a.element, b.element, self.factors.values, output, config.lanes)


@dataclass(frozen=True, kw_only=True)
class RealAdd(RealNode):
    """``y = a + sign·b`` of two real tensors of one shape, in every channel at scales of its own.

    Where the ratio of the scales is one of small integers, the integer sum is the real one to
    scale. Where it is not, and all that reads the sum are quantizers behind monotone functions,
    small factors are taken under which every two sums compare as the real ones do, see
    ``ordered.ordering``: a quantizer's thresholds are then found among the real sums.
    """

    sign: int = 1

    def lower(self, target: Lowering, *inputs: RealValue) -> RealValue:
        a, b = (affine_input(x, self) for x in inputs)
        if a.order != b.order:
            text = "the summands must come in one element order"
            raise UnsupportedError(text, origin=self.origin, hint="add before flattening")
        levels = target.levels_after(self.name)
        pairs = self._pairs(a, b, FINER if levels and levels > MAX_THRESHOLDS else 1)
        exact = [_lowest(p.exact) for p in pairs]
        scaled = all(e == p.small for e, p in zip(exact, pairs, strict=True))
        many = max(p.ranges[0].size * p.ranges[1].size for p in pairs) > MAX_SUMS
        if scaled or many or levels is None or a.value == b.value:
            return self._exact(target, a, b, exact)
        node = self._node(target, a, b, [p.small for p in pairs])
        meaning = Meaning(self.name, node, functions=(Ordered(collapse(pairs)),), order=a.order)
        target.note(self.name, meaning)
        return meaning

    def _pairs(self, a: Meaning, b: Meaning, finer: int) -> list[Pair]:
        """Per channel, the exact factors and small ones that keep the order of all sums."""
        lists = (a.scale, a.offset, a.type.ranges, b.scale, b.offset, b.type.ranges)
        pairs = []
        for c in range(max(len(v) for v in lists)):
            exact = a.scale_at(c), self.sign * b.scale_at(c)
            ranges = a.type.channel(c), b.type.channel(c)
            spans = [max(kind.hi - kind.lo, 1) * finer for kind in ranges]
            m, n = ordering(abs(exact[0] / exact[1]), *spans)
            signed = (m if exact[0] > 0 else -m, n if exact[1] > 0 else -n)
            offset = a.offset_at(c) + self.sign * b.offset_at(c)
            pairs.append(Pair(exact, signed, offset, ranges))
        return pairs

    def _exact(
        self, target: Lowering, a: Meaning, b: Meaning, factors: list[tuple[int, int]]
    ) -> Meaning:
        """The sum to scale.

        Raises:
            UnsupportedError: it has more bits than integers are exact in.
        """
        kind = self._node(target, a, b, factors)
        count = max(len(a.offset), len(b.offset))
        offset = tuple(a.offset_at(c) + self.sign * b.offset_at(c) for c in range(count))
        scale = tuple(a.scale_at(c) / m for c, (m, _) in enumerate(factors))
        meaning = Meaning(self.name, kind, collapse(scale), collapse(offset), order=a.order)
        target.note(self.name, meaning)
        return meaning

    def _node(
        self, target: Lowering, a: Meaning, b: Meaning, factors: list[tuple[int, int]]
    ) -> TensorType:
        reach = max(max(abs(k.lo), abs(k.hi)) for x in (a, b) for k in x.type.ranges)
        largest = max(abs(f) for pair in factors for f in pair)
        if (2 * largest * max(reach, 1)).bit_length() >= MAX_ACCUMULATOR_BITS:
            raise UnsupportedError(
                "the summands' steps must be small multiples of a common one: their exact sum "
                f"has more than {MAX_ACCUMULATOR_BITS} bits",
                origin=self.origin,
                hint=(
                    "put a quantizer behind the sum, or quantize both branches with one shared "
                    "quantizer or with power-of-two steps"
                ),
            )
        made = Add(
            name=self.name,
            inputs=(a.value, b.value),
            origin=self.origin,
            factors=IntArray(np.array(collapse(factors), dtype=np.int64).T),
        )
        return target.add(made)


def _lowest(scales: tuple[Fraction, Fraction]) -> tuple[int, int]:
    """Integers in the ratio of the scales, in lowest terms, with their signs."""
    unit = common_scale([abs(s) for s in scales])
    return int(scales[0] / unit), int(scales[1] / unit)
