"""A table: any scalar integer function, per channel where needed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hwgen.families.base import Family
from hwgen.inttype import IntType
from hwgen.ir.types import IntArray, Ints, TensorType
from hwgen.ops.base import Config
from hwgen.ops.elementwise import LaneNode, channel_index, lane_configs
from hwgen.rtl.lookup import LookupUnit


@dataclass(frozen=True, kw_only=True)
class Lookup(LaneNode):
    """``y = table[channel, x − start]``; ``table`` has one row or one per channel."""

    table: IntArray
    start: int

    op: ClassVar[str] = "lookup"

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        rows = self.table.values
        ranges = []
        for channel, kind in enumerate(x.per_channel() if len(rows) > 1 else x.ranges):
            row = rows[channel if len(rows) > 1 else 0]
            part = row[kind.lo - self.start : kind.hi - self.start + 1]
            ranges.append(IntType(int(part.min()), int(part.max())))
        return TensorType.of(x.shape, ranges)

    def evaluate(self, *inputs: Ints) -> Ints:
        (x,) = inputs
        return np.asarray(self.table.values[channel_index(x, self.table), x - self.start])

    def configs(self, inputs: tuple[TensorType, ...], family: Family) -> Iterable[Config]:
        return lane_configs(inputs[0], ("lut", "block") if family.rams else ("lut",))

    def circuit(self, config: Config, inputs: tuple[TensorType, ...], family: Family) -> LookupUnit:
        (x,) = inputs
        return LookupUnit(
            self.table.values,
            self.start,
            x.element,
            lanes=config.lanes,
            output=self.infer(x).element,
            memory="block" if config.memory == "block" else "lut",
        )
