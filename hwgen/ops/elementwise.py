"""What element-wise ops share: per-channel constants and legal numbers of lanes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from hwgen.families.base import Family, Resources
from hwgen.ir.types import IntArray, Ints, TensorType
from hwgen.ops.base import Config, HardwareNode, divisors
from hwgen.ops.truth_table import TruthTable


def spread(constants: IntArray, ndim: int) -> Ints:
    """Constants (1,) or (channels,) shaped to broadcast over (batch, channels, …)."""
    values = constants.values
    return values.reshape((1, -1) + (1,) * (ndim - 2)) if values.size > 1 else values.reshape(())


def channel_index(x: Ints, rows: IntArray) -> Ints:
    """For each element of ``x`` (batch, channels, …), the row of ``rows`` that is its channel's."""
    if rows.shape[0] == 1:
        return np.zeros(1, dtype=np.int64)
    return np.arange(rows.shape[0]).reshape((1, -1) + (1,) * (x.ndim - 2))


def lane_configs(
    x: TensorType, memories: tuple[str, ...] = ("lut",), *, several: bool = True
) -> Iterator[Config]:
    """One configuration for each number of lanes that divides the channels, and if ``several``
    for each number of whole pixels that divides a row."""
    for lanes in divisors(x.channels):
        for memory in memories if lanes < x.channels else ("lut",):
            yield Config("stream", pe=lanes, memory=memory)
    for pixels in divisors(x.row)[1:] if several else ():
        yield Config("stream", pe=x.channels, pixels=pixels)


def lane_interval(x: TensorType, config: Config) -> int:
    return x.elements // config.lanes


@dataclass(frozen=True, kw_only=True)
class LaneNode(HardwareNode):
    """A node that treats elements one by one, as many in a beat on every stream: ``pe`` of a
    pixel, or whole pixels side by side."""

    elementwise: ClassVar[bool] = True

    def tabulated(self, x: TruthTable, kind: TensorType, most: int) -> TruthTable | None:
        if len(self.inputs) != 1:
            return None
        values = np.clip(x.values.values.T, kind.lo, kind.hi)  # what no input reaches stays legal
        return replace(x, name=self.name, values=IntArray(self.evaluate(values).T))

    def configs(self, inputs: tuple[TensorType, ...], family: Family) -> Iterable[Config]:
        return lane_configs(inputs[0], several=self.fixed)

    def lanes(self, config: Config, inputs: tuple[TensorType, ...]) -> tuple[int, ...]:
        return (config.lanes,) * (len(inputs) + 1)

    def interval(self, config: Config, inputs: tuple[TensorType, ...]) -> int:
        return lane_interval(inputs[0], config)

    def resources(
        self, config: Config, inputs: tuple[TensorType, ...], family: Family
    ) -> Resources:
        price: Resources = self.circuit(config, inputs, family).resources(family)
        return price
