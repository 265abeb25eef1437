"""Sum of two streams, each times an integer: residual connections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hwgen.errors import ModelError, UnsupportedError
from hwgen.families.base import Family
from hwgen.inttype import IntType
from hwgen.ir.meaning import Meaning, RealValue, collapse, common_scale
from hwgen.ir.real import Lowering, RealNode
from hwgen.ir.types import Ints, TensorType
from hwgen.ops.base import Config
from hwgen.ops.elementwise import LaneNode
from hwgen.ops.linear import affine_input
from hwgen.rtl.add import AddUnit

MAX_FACTOR_BITS = 28


@dataclass(frozen=True, kw_only=True)
class Add(LaneNode):
    """``y = factors[0]·a + factors[1]·b``, element by element."""

    factors: tuple[int, int] = (1, 1)

    op: ClassVar[str] = "add"

    def infer(self, *inputs: TensorType) -> TensorType:
        a, b = inputs
        if a.shape != b.shape:
            text = f"the summands must have one shape, not {a.shape} and {b.shape}"
            raise ModelError(text, origin=self.origin)
        both = zip(a.per_channel(), b.per_channel(), strict=True)
        return TensorType.of(a.shape, [self._range(p, q) for p, q in both])

    def _range(self, a: IntType, b: IntType) -> IntType:
        if self.inputs[0] == self.inputs[1]:
            ends = [sum(self.factors) * n for n in (a.lo, a.hi)]
            return IntType(min(ends), max(ends))
        m, n = self.factors
        p, q = sorted((m * a.lo, m * a.hi)), sorted((n * b.lo, n * b.hi))
        return IntType(p[0] + q[0], p[1] + q[1])

    def evaluate(self, *inputs: Ints) -> Ints:
        a, b = inputs
        return self.factors[0] * a + self.factors[1] * b

    def circuit(self, config: Config, inputs: tuple[TensorType, ...], family: Family) -> AddUnit:
        a, b = inputs
        return AddUnit(a.element, b.element, self.factors, self.infer(a, b).element, config.pe)


@dataclass(frozen=True, kw_only=True)
class RealAdd(RealNode):
    """``y = a + sign·b`` of two real tensors of one shape."""

    sign: int = 1

    def lower(self, target: Lowering, *inputs: RealValue) -> RealValue:
        a, b = (affine_input(x, self) for x in inputs)
        if a.order != b.order:
            text = "the summands must come in one element order"
            raise UnsupportedError(text, origin=self.origin, hint="add before flattening")
        scales = [(a.scale_at(c), b.scale_at(c)) for c in range(max(len(a.scale), len(b.scale)))]
        ratios = {p / q for p, q in scales}
        unit = common_scale([v for pair in scales[:1] for v in pair])
        factors = (scales[0][0] / unit, self.sign * scales[0][1] / unit)
        if len(ratios) > 1 or max(abs(f) for f in factors) >= 1 << MAX_FACTOR_BITS:
            raise UnsupportedError(
                "the summands' steps must be multiples of a common one "
                f"(below 2^{MAX_FACTOR_BITS}), in every channel alike",
                origin=self.origin,
                hint="quantize both branches with one shared quantizer, or with power-of-two steps",
            )
        node = Add(
            name=self.name,
            inputs=(a.value, b.value),
            origin=self.origin,
            factors=(int(factors[0]), int(factors[1])),
        )
        kind = target.add(node)
        count = max(len(a.offset), len(b.offset))
        offset = tuple(a.offset_at(c) + self.sign * b.offset_at(c) for c in range(count))
        scale = tuple(p / factors[0] for p, _ in scales)
        meaning = Meaning(self.name, kind, collapse(scale), offset, order=a.order)
        target.note(self.name, meaning)
        return meaning
