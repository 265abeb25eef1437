"""Functions of few bits: what a layer of small fan-in and its quantizer become, a LUT per bit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from itertools import product
from math import prod
from typing import ClassVar

import numpy as np

from hwgen.errors import ModelError, UnsupportedError
from hwgen.families.base import Family, Resources
from hwgen.inttype import IntType
from hwgen.ir.meaning import HostValue, Meaning, RealValue
from hwgen.ir.real import Lowering, RealNode
from hwgen.ir.types import IntArray, Ints, TensorType
from hwgen.ops.base import Config, HardwareNode, divisors
from hwgen.rtl.truth_table import TruthTableUnit

Bit = tuple[int, int]
"""An input channel and a bit of its code, 0 the lowest."""


@dataclass(frozen=True, kw_only=True)
class TruthTable(HardwareNode):
    """In every pixel, ``y[c] = values[c, a]``, where bit k of the address ``a`` is bit
    ``places[c, k]`` of input channel ``sources[c, k]`` in two's complement, or 0 where that is -1.

    ``sources`` and ``places``: (channels, bits); ``values``: (channels, 2**bits).
    """

    sources: IntArray
    places: IntArray
    values: IntArray

    op: ClassVar[str] = "truth_table"

    @classmethod
    def of(cls, name: str, source: str, bits: Sequence[Sequence[Bit]], values: Ints) -> TruthTable:
        """Tables of the bits of ``source``; ``values`` is as wide as the longest row needs."""
        most = values.shape[1].bit_length() - 1
        padded = [[*row, *[(-1, 0)] * (most - len(row))] for row in bits]
        pairs = np.array(padded, dtype=np.int64).reshape(len(bits), most, 2)
        return cls(
            name=name,
            inputs=(source,),
            sources=IntArray(pairs[:, :, 0]),
            places=IntArray(pairs[:, :, 1]),
            values=IntArray(values),
        )

    @classmethod
    def identity(cls, name: str, kind: TensorType) -> TruthTable:
        """Every channel of ``name`` as a function of its own bits."""
        kinds = kind.per_channel()
        most = max(t.width for t in kinds)
        bits = [[(c, b) for b in range(t.width)] for c, t in enumerate(kinds)]
        patterns = np.arange(1 << most)
        values = np.stack([_codes(patterns, t) for t in kinds])
        return cls.of(name, name, bits, values)

    def bits(self, channel: int) -> list[Bit]:
        """What a channel's table is addressed by, lowest first."""
        pairs = zip(self.sources.values[channel], self.places.values[channel], strict=True)
        return [(int(c), int(b)) for c, b in pairs if c >= 0]

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        kinds = x.per_channel()
        ranges = []
        for channel, row in enumerate(self.values.values):
            bits = self.bits(channel)
            seen = row[_reachable(tuple(bits), tuple(kinds[c] for c, _ in bits))]
            ranges.append(IntType(int(seen.min()), int(seen.max())))
        return TensorType.of((len(self.values.values), *x.shape[1:]), ranges)

    def evaluate(self, *inputs: Ints) -> Ints:
        (x,) = inputs
        rows = np.moveaxis(x, 1, -1)
        address: Ints = np.zeros((*rows.shape[:-1], self.values.shape[0]), np.int64)
        for k in range(self.sources.shape[1]):
            source, place = self.sources.values[:, k], self.places.values[:, k]
            bit = (rows[..., np.maximum(source, 0)] >> place) & 1
            address += np.where(source >= 0, bit, 0) << k
        y = self.values.values[np.arange(self.values.shape[0]), address]
        return np.moveaxis(y, -1, 1)

    def configs(self, inputs: tuple[TensorType, ...], family: Family) -> Iterator[Config]:
        (x,) = inputs
        for pixels in (0, *divisors(x.row)[1:]):
            yield Config("spatial", pe=self.values.shape[0], simd=x.channels, pixels=pixels)

    def lanes(self, config: Config, inputs: tuple[TensorType, ...]) -> tuple[int, int]:
        return config.side * config.simd, config.lanes

    def interval(self, config: Config, inputs: tuple[TensorType, ...]) -> int:
        return inputs[0].pixels // config.side

    def resources(
        self, config: Config, inputs: tuple[TensorType, ...], family: Family
    ) -> Resources:
        return self.circuit(config, inputs, family).resources(family)

    def circuit(
        self, config: Config, inputs: tuple[TensorType, ...], family: Family
    ) -> TruthTableUnit:
        (x,) = inputs
        rows = [self.bits(c) for c in range(config.pe)]
        tables = [
            row[: 1 << len(bits)].tolist()
            for bits, row in zip(rows, self.values.values, strict=True)
        ]
        moved = [
            [(pixel * x.channels + lane, place) for lane, place in row]
            for pixel in range(config.side)
            for row in rows
        ]
        lanes, output = config.side * x.channels, self.infer(x).element
        return TruthTableUnit(x.element, lanes, moved, tables * config.side, output)

    def columns_read(self) -> list[int]:
        return sorted({int(c) for c in self.sources.values.flat if c >= 0})

    def with_columns(self, kept: Sequence[int]) -> TruthTable:
        place = {c: k for k, c in enumerate(kept)} | {-1: -1}
        moved = [[place[int(c)] for c in row] for row in self.sources.values]
        return replace(self, sources=IntArray(np.array(moved).reshape(self.sources.shape)))

    def with_channels(self, kept: Sequence[int]) -> TruthTable:
        """Only these channels."""
        rows = list(kept)
        return replace(
            self,
            sources=IntArray(self.sources.values[rows]),
            places=IntArray(self.places.values[rows]),
            values=IntArray(self.values.values[rows]),
        )


@dataclass(frozen=True, kw_only=True)
class RealTruthTable(RealNode):
    """``y[n] = levels[values[n, a]]`` where bit k of ``a`` is whether ``x[connections[n, k]]`` is
    positive; ``connections`` (outputs, bits), ``values`` (outputs, 2**bits) of 0 and 1, two
    ascending ``levels``. Every input must have two values at most."""

    connections: IntArray
    values: IntArray
    low: Fraction
    high: Fraction

    @property
    def levels(self) -> int:
        return 1

    def lower(self, target: Lowering, *inputs: RealValue) -> RealValue:
        x = self._binary(inputs[0])
        place = {int(c): k for k, c in enumerate(x.order.values)} if x.order else {}
        sources = [[place.get(int(c), int(c)) for c in row] for row in self.connections.values]
        bits = [[(c, 0) for c in row] for row in sources]
        signs = {c: _signs(x, c) for row in sources for c in row}
        values = np.stack(
            [
                row[_readdressed([signs[c] for c in columns])]
                for columns, row in zip(sources, self.values.values, strict=True)
            ]
        )
        node = replace(TruthTable.of(self.name, x.value, bits, values), origin=self.origin)
        kind = target.add(node)
        meaning = Meaning(self.name, kind, (self.high - self.low,), (self.low,))
        target.note(self.name, meaning)
        return meaning

    def _binary(self, x: RealValue) -> Meaning:
        if isinstance(x, HostValue) or x.functions or any(k.width > 1 for k in x.type.ranges):
            raise UnsupportedError(
                "the inputs of truth tables must be binary",
                origin=self.origin,
                hint="put QuantAct(Binary()) or QuantAct(UInt(1)) before the tables",
            )
        least = int(self.connections.values.max()) + 1
        if len(x.shape) != 1 or x.shape[0] < least:
            raise ModelError(
                f"truth tables that read input {least - 1} cannot take a tensor of shape {x.shape}",
                origin=self.origin,
                hint="flatten before the tables" if prod(x.shape) >= least else "",
            )
        return x


def _signs(x: Meaning, channel: int) -> tuple[bool, bool]:
    """Whether a channel's value is positive where its code's only bit is 0, and where it is 1."""
    one = -1 if x.type.channel(channel).signed else 1
    return x.at(0, channel) > 0, x.at(one, channel) > 0


def _readdressed(signs: Sequence[tuple[bool, bool]]) -> Ints:
    """The entry that stands for every combination of code bits."""
    codes = np.arange(1 << len(signs))
    found: Ints = np.zeros_like(codes)
    for k, pair in enumerate(signs):
        found |= np.array(pair, np.int64)[(codes >> k) & 1] << k
    return found


def combined(
    x: TruthTable, columns: Sequence[int], weights: Ints, most: int
) -> tuple[list[Bit], Ints] | None:
    """``Σ weights · x[columns]`` as a table of at most ``most`` bits, None where it needs more."""
    own = [x.bits(c) for c in columns]
    bits = sorted({bit for row in own for bit in row})
    if len(bits) > most:
        return None
    address = np.arange(1 << len(bits))
    total: Ints = np.zeros(1 << len(bits), np.int64)
    for column, weight, row in zip(columns, weights, own, strict=True):
        inner: Ints = np.zeros(1 << len(bits), np.int64)
        for k, bit in enumerate(row):
            inner += ((address >> bits.index(bit)) & 1) << k
        total += int(weight) * x.values.values[column][inner]
    return bits, total


def _codes(patterns: Ints, kind: IntType) -> Ints:
    """The values of bit patterns, those above the width as their low bits."""
    low: Ints = patterns & ((1 << kind.width) - 1)
    return low - ((low >> (kind.width - 1)) << kind.width) if kind.signed else low


@lru_cache(maxsize=4096)
def _reachable(bits: tuple[Bit, ...], kinds: tuple[IntType, ...]) -> Ints:
    """The addresses that inputs of these ranges can make."""
    parts: dict[int, dict[int, int]] = {}
    types: dict[int, IntType] = {}
    for k, ((channel, place), kind) in enumerate(zip(bits, kinds, strict=True)):
        parts.setdefault(channel, {})[k] = place
        types[channel] = kind
    choices = []
    for channel, own in parts.items():
        values = np.arange(types[channel].lo, types[channel].hi + 1)
        found = sum(((values >> place) & 1) << k for k, place in own.items())
        choices.append(np.unique(found).tolist())
    return np.array([sum(choice) for choice in product(*choices)], np.int64)
