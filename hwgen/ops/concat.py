"""Concatenation along the channels; every part keeps its own scale."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd
from typing import ClassVar

import numpy as np

from hwgen.errors import ModelError, UnsupportedError
from hwgen.families.base import Family, Resources
from hwgen.ir.meaning import HostValue, Meaning, RealValue
from hwgen.ir.real import Lowering, RealNode
from hwgen.ir.types import IntArray, Ints, TensorType
from hwgen.ops.base import Config, HardwareNode, divisors
from hwgen.rtl.concat import BesideUnit, ConcatUnit


@dataclass(frozen=True, kw_only=True)
class Concat(HardwareNode):
    """The channels of the first input, then those of the second, and so on, pixel by pixel."""

    op: ClassVar[str] = "concat"

    def infer(self, *inputs: TensorType) -> TensorType:
        if len({x.shape[1:] for x in inputs}) != 1:
            shapes = ", ".join(str(x.shape) for x in inputs)
            text = f"parts of a concatenation must agree in all but the channels, not {shapes}"
            raise ModelError(text, origin=self.origin)
        channels = sum(x.channels for x in inputs)
        ranges = [t for x in inputs for t in x.per_channel()]
        return TensorType.of((channels, *inputs[0].shape[1:]), ranges)

    def evaluate(self, *inputs: Ints) -> Ints:
        return np.concatenate(inputs, axis=1)

    def configs(self, inputs: tuple[TensorType, ...], family: Family) -> Iterator[Config]:
        for lanes in divisors(gcd(*(x.channels for x in inputs))):
            yield Config("stream", pe=lanes)
        channels = sum(x.channels for x in inputs)
        for pixels in divisors(inputs[0].row):
            yield Config("stream", pe=channels, pixels=pixels)

    def lanes(self, config: Config, inputs: tuple[TensorType, ...]) -> tuple[int, ...]:
        if config.pixels:
            return (*(config.pixels * x.channels for x in inputs), config.lanes)
        return (config.pe,) * (len(inputs) + 1)

    def interval(self, config: Config, inputs: tuple[TensorType, ...]) -> int:
        if config.pixels:
            return inputs[0].pixels // config.pixels
        return sum(x.elements for x in inputs) // config.pe

    def resources(
        self, config: Config, inputs: tuple[TensorType, ...], family: Family
    ) -> Resources:
        return self.circuit(config, inputs, family).resources(family)

    def circuit(
        self, config: Config, inputs: tuple[TensorType, ...], family: Family
    ) -> ConcatUnit | BesideUnit:
        output = self.infer(*inputs).element
        if config.pixels:
            parts = [(x.element, x.channels) for x in inputs]
            return BesideUnit(parts, config.pixels, output)
        words = [x.channels // config.pe for x in inputs]
        return ConcatUnit([x.element for x in inputs], words, output, config.pe)


@dataclass(frozen=True, kw_only=True)
class RealConcat(RealNode):
    """``torch.cat(…, dim=1)``: channels, or features of flattened tensors."""

    def lower(self, target: Lowering, *inputs: RealValue) -> RealValue:
        parts = [self._quantized(x) for x in inputs]
        functions = {x.functions for x in parts}
        if len(functions) > 1:
            raise UnsupportedError(
                "all parts of a concatenation must have passed the same function",
                origin=self.origin,
                hint="put a quantizer before the concatenation",
            )
        node = Concat(name=self.name, inputs=tuple(x.value for x in parts), origin=self.origin)
        kind = target.add(node)
        meaning = Meaning(
            self.name,
            kind,
            _joined([x.scale for x in parts], parts),
            _joined([x.offset for x in parts], parts),
            functions.pop(),
            order=_order(parts),
        )
        target.note(self.name, meaning)
        return meaning

    def _quantized(self, x: RealValue) -> Meaning:
        if isinstance(x, HostValue):
            text = "the parts of a concatenation must be quantized, not real numbers"
            raise ModelError(text, origin=self.origin, hint="put QuantIdentity on the input")
        uneven = [
            f
            for f in x.functions
            if any(len(v) > 1 for v in vars(f).values() if isinstance(v, tuple))
        ]
        if uneven:
            raise UnsupportedError(
                "a concatenation must come before functions with constants per channel",
                origin=self.origin,
                hint="put a quantizer before the concatenation",
            )
        return x


def _joined(values: Sequence[tuple[Fraction, ...]], parts: list[Meaning]) -> tuple[Fraction, ...]:
    spread = [v if len(v) > 1 else v * x.type.channels for v, x in zip(values, parts, strict=True)]
    found = tuple(v for part in spread for v in part)
    return found[:1] if len(set(found)) == 1 else found


def _order(parts: list[Meaning]) -> IntArray | None:
    """The order of joined flattened features, where any part has one of its own."""
    if all(x.order is None for x in parts):
        return None
    orders, base = [], 0
    for x in parts:
        own = np.arange(x.type.elements) if x.order is None else x.order.values
        orders.append(own + base)
        base += x.type.elements
    return IntArray(np.concatenate(orders))
