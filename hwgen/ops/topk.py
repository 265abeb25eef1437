"""ArgMax and TopK: indices of the largest elements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import floor
from typing import ClassVar

import numpy as np

from hwgen.errors import UnsupportedError
from hwgen.families.base import Family, Resources
from hwgen.inttype import IntType
from hwgen.ir.meaning import Meaning, RealValue, common_scale
from hwgen.ir.real import Lowering, RealNode
from hwgen.ir.types import IntArray, Ints, TensorType
from hwgen.ops.base import Config, HardwareNode, divisors
from hwgen.ops.linear import affine_input
from hwgen.ops.requantize import Requantize
from hwgen.rtl.topk import TopKUnit

MAX_ENUMERATED = 1 << 20
MAX_ORDER_BITS = 40
MAX_EXACT_BITS = 20


@dataclass(frozen=True, kw_only=True)
class TopK(HardwareNode):
    """Indices of the ``k`` largest of (elements,), largest first; of equals the lowest index
    first."""

    k: int = 1

    op: ClassVar[str] = "topk"

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        if len(x.shape) != 1 or not 1 <= self.k <= x.elements:
            text = f"top-{self.k} needs a vector of at least {self.k} elements, not shape {x.shape}"
            raise UnsupportedError(text, origin=self.origin)
        return TensorType((self.k,), (IntType(0, x.elements - 1),))

    def evaluate(self, *inputs: Ints) -> Ints:
        (x,) = inputs
        if self.k == 1:
            return np.asarray(np.argmax(x, axis=1)[:, None], dtype=np.int64)
        return np.argsort(-x, axis=1, kind="stable")[:, : self.k]

    def configs(self, inputs: tuple[TensorType, ...], family: Family) -> Iterable[Config]:
        lanes = divisors(inputs[0].elements) if self.k == 1 else [1]
        return [Config("stream", pe=n) for n in lanes]

    def lanes(self, config: Config, inputs: tuple[TensorType, ...]) -> tuple[int, int]:
        return config.pe, self.k

    def interval(self, config: Config, inputs: tuple[TensorType, ...]) -> int:
        return inputs[0].elements // config.pe

    def resources(
        self, config: Config, inputs: tuple[TensorType, ...], family: Family
    ) -> Resources:
        return self.circuit(config, inputs, family).resources(family)

    def circuit(self, config: Config, inputs: tuple[TensorType, ...], family: Family) -> TopKUnit:
        (x,) = inputs
        return TopKUnit(x.element, x.elements, self.k, config.pe)


@dataclass(frozen=True, kw_only=True)
class RealTopK(RealNode):
    """``torch.topk`` indices (largest first) or, with k = 1, ``torch.argmax``, over the
    features."""

    k: int = 1

    def lower(self, target: Lowering, *inputs: RealValue) -> RealValue:
        x = affine_input(inputs[0], self)
        if x.order is not None:
            raise UnsupportedError("top-k needs features in their own order", origin=self.origin)
        source = self._ordered(target, x)
        node = TopK(name=self.name, inputs=(source,), k=self.k, origin=self.origin)
        meaning = Meaning(self.name, target.add(node))
        target.note(self.name, meaning)
        return meaning

    def _ordered(self, target: Lowering, x: Meaning) -> str:
        """A value whose integers are ordered as ``x``'s real values are."""
        if len(x.scale) == 1 and len(x.offset) == 1 and x.scale[0] > 0:
            return x.value
        constants = order_preserving(x)
        if constants is None:
            raise UnsupportedError(
                "features of unequal scales must have at most 2^20 values in all to be "
                "ordered exactly",
                origin=self.origin,
                hint=(
                    "quantize the logits (QuantIdentity) before argmax, or take argmax on the host"
                ),
            )
        multiplier, bias = constants
        reach = [
            m * n + b
            for (m, b), t in zip(
                zip(multiplier, bias, strict=True), x.type.per_channel(), strict=True
            )
            for n in (t.lo, t.hi)
        ]
        node = Requantize(
            name=f"{self.name}_order",
            inputs=(x.value,),
            multiplier=IntArray(multiplier),
            bias=IntArray(bias),
            shift=0,
            lo=min(reach),
            hi=max(reach),
            origin=self.origin,
        )
        target.add(node)
        return node.name


def order_preserving(x: Meaning) -> tuple[list[int], list[int]] | None:
    """Per channel ``(multiplier, bias)``: integers ordered as the real values ``scale·n +
    offset``, ties as ties.

    Equal scales: ``n + offset/scale`` is an integer and a fraction, so the rank of the fraction
    decides ties.
    Small multiples of a common unit: those multiples. Others: the fewest bits for which enumeration
    over all values proves the order the same.
    """
    channels = x.type.channels
    scales = [x.scale_at(c) for c in range(channels)]
    offsets = [x.offset_at(c) for c in range(channels)]
    if len(set(scales)) == 1 and scales[0] > 0:
        ratios = [o / scales[0] for o in offsets]
        fractions = sorted({r - floor(r) for r in ratios})
        count = len(fractions)
        bias = [count * floor(r) + fractions.index(r - floor(r)) for r in ratios]
        return [count] * channels, [b - min(bias) for b in bias]
    unit = common_scale([*scales, *(o - offsets[0] for o in offsets)])
    exact = [s / unit for s in scales], [(o - offsets[0]) / unit for o in offsets]
    if max(abs(v) for part in exact for v in part) < 1 << MAX_EXACT_BITS:
        return [int(v) for v in exact[0]], [int(v) for v in exact[1]]
    return _enumerated(scales, offsets, x.type.per_channel())


def _enumerated(
    scales: Sequence[Fraction], offsets: Sequence[Fraction], domains: Sequence[IntType]
) -> tuple[list[int], list[int]] | None:
    if sum(d.size for d in domains) > MAX_ENUMERATED:
        return None
    pairs = [(c, n) for c, d in enumerate(domains) for n in range(d.lo, d.hi + 1)]
    pairs.sort(key=lambda p: scales[p[0]] * p[1] + offsets[p[0]])
    reals = [scales[c] * n + offsets[c] for c, n in pairs]
    equal = np.array([a == b for a, b in pairwise(reals)])
    channel = np.array([c for c, _ in pairs])
    number = np.array([n for _, n in pairs])
    top = max(abs(s) for s in scales) or Fraction(1)
    for bits in range(1, MAX_ORDER_BITS):
        multiplier = [round(s / top * (1 << bits)) for s in scales]
        bias = [round(o / top * (1 << bits)) for o in offsets]
        if max(map(abs, bias), default=0) >= 1 << 60:
            return None
        value = np.array(multiplier)[channel] * number + np.array(bias)[channel]
        steps = np.diff(value)
        if ((steps > 0) | (equal & (steps == 0))).all() and (steps[equal] == 0).all():
            return multiplier, bias
    return None
