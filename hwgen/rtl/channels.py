"""Which channel a lane carries in which beat, for units with constants per channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Channels:
    """Elements in channel-fastest order, ``lanes`` in a beat; ``count`` different channels."""

    count: int
    lanes: int

    @property
    def groups(self) -> int:
        """Beats after which the channels of the lanes repeat."""
        return self.count // gcd(self.count, self.lanes)

    def of_lane(self, lane: int) -> list[int]:
        """The channel of ``lane`` in each of the groups."""
        return [(group * self.lanes + lane) % self.count for group in range(self.groups)]

    def take(self, values: Sequence[T], lane: int) -> list[T]:
        """One entry of ``values`` (one, or one per channel) per group."""
        return [values[channel if len(values) > 1 else 0] for channel in self.of_lane(lane)]
