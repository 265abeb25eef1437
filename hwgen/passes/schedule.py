"""What a schedule is: a configuration for every node, against a board's budget."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hwgen.families.base import Family, Resources
from hwgen.ir.types import TensorType
from hwgen.ops.base import Config, HardwareNode

STYLES = ("auto", "spatial", "folded", "bit-serial")
MARGIN = 0.85
"""Share of a board's LUTs, flip-flops, block RAMs and DSPs that a plan may fill."""

KINDS = ("lut", "ff", "bram36", "dsp")


@dataclass(frozen=True)
class Budget:
    """What there is, the fewest cycles per frame that anything outside the core allows, and those
    that a frame takes to come in."""

    resources: Resources
    floor: int = 1
    feed: int = 1


@dataclass(frozen=True)
class Request:
    """What the user asks for; ``layers`` maps a node to what is set: style, pe, simd, memory."""

    style: str = "auto"
    max_interval: int | None = None
    layers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Choice:
    """One node at one configuration: its cycles per frame, its elements per beat of every input
    and of the output, its price.

    ``exact``: whether ``resources`` is the price and not only a lower bound of it.
    """

    node: HardwareNode
    inputs: tuple[TensorType, ...]
    config: Config
    interval: int
    lanes: tuple[int, ...]
    resources: Resources
    exact: bool = True

    def limit(self, interval: int) -> int:
        """The most cycles per frame that its input may take to come where the accelerator shall
        take ``interval``."""
        return self.node.feed_limit(self.config, self.interval, interval)

    def priced(self, family: Family) -> Choice:
        """The same with its exact price."""
        if self.exact:
            return self
        return replace(
            self, resources=self.node.resources(self.config, self.inputs, family), exact=True
        )


@dataclass(frozen=True)
class Schedule:
    """A configuration for every node.

    Members:
        interval: cycles per frame of the slowest node, or of what is outside the core.
        resources: of the nodes and of the converters between them.
        over: what they take beyond the margin; empty when they fit.
    """

    choices: tuple[Choice, ...]
    interval: int
    resources: Resources
    over: Mapping[str, float] = field(default_factory=dict)

    @property
    def fits(self) -> bool:
        return not self.over

    @property
    def configs(self) -> dict[str, Config]:
        return {c.node.name: c.config for c in self.choices}

    @property
    def slowest(self) -> Choice | None:
        """The first of the nodes that take most cycles per frame."""
        return max(self.choices, key=lambda c: c.interval, default=None)


def total(items: Iterable[Resources]) -> Resources:
    return sum(items, Resources())


def overrun(used: Resources, budget: Resources, margin: float = MARGIN) -> dict[str, float]:
    """How much of each resource is used beyond the margin; empty when all fits."""
    pairs = {k: (getattr(used, k), getattr(budget, k)) for k in KINDS}
    return {k: u - margin * b for k, (u, b) in pairs.items() if u > margin * b}
