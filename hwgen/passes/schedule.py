"""Which style, parallelism and memory each node is built with, against a board's budget."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any

from hwgen.errors import BuildError, UsageError
from hwgen.families.base import Family, Resources
from hwgen.ir.graph import Graph
from hwgen.ir.types import TensorType
from hwgen.ops.base import Config, HardwareNode

STYLES = ("auto", "spatial", "folded", "bit-serial")
MARGIN = 0.85
"""Share of a board's LUTs, flip-flops, block RAMs and DSPs that a plan may fill."""


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
    """One node at one configuration, with its cycles per frame and its estimate."""

    node: HardwareNode
    config: Config
    interval: int
    resources: Resources


@dataclass(frozen=True)
class Schedule:
    """A configuration for every node; ``fits`` says whether the nodes stay inside the budget."""

    choices: tuple[Choice, ...]
    fits: bool

    @property
    def configs(self) -> dict[str, Config]:
        return {c.node.name: c.config for c in self.choices}

    @property
    def interval(self) -> int:
        return max((c.interval for c in self.choices), default=1)

    @property
    def resources(self) -> Resources:
        return total(c.resources for c in self.choices)


def total(items: Iterator[Resources] | Sequence[Resources]) -> Resources:
    return sum(items, Resources())


def overrun(used: Resources, budget: Resources, margin: float = MARGIN) -> dict[str, float]:
    """How much of each resource is used beyond the margin; empty when all fits."""
    pairs = {k: (getattr(used, k), getattr(budget, k)) for k in ("lut", "ff", "bram36", "dsp")}
    return {k: u - margin * b for k, (u, b) in pairs.items() if u > margin * b}


def weight(used: Resources, budget: Resources) -> float:
    """The share of the budget that ``used`` takes, summed over resources."""
    parts = [(used.lut, budget.lut), (used.ff, budget.ff * 2)]
    parts += [(used.bram36, budget.bram36), (used.dsp, budget.dsp)]
    return sum(u / b if b else (1e6 if u else 0.0) for u, b in parts)


def schedules(graph: Graph, family: Family, budget: Budget, request: Request) -> Iterator[Schedule]:
    """Candidate schedules, most wanted first.

    An exact search over divisors: for every initiation interval that some configuration has, the
    cheapest configuration of each node that keeps to it. Without ``max_interval`` the fastest that
    fits comes first; with it, the cheapest that keeps to it. When nothing fits, the last one is the
    cheapest of all.

    Raises:
        UsageError: the request names a node or a configuration that does not exist.
        BuildError: no configuration keeps to ``max_interval``.
    """
    table = candidates(graph, family, budget, request)
    intervals = _intervals(table, budget.floor)
    if request.max_interval is not None:
        kept = [i for i in intervals if i <= request.max_interval]
        if not kept:
            raise BuildError(
                f"no parallelism reaches an initiation interval of {request.max_interval} cycles; "
                f"the least is {intervals[0]}",
                hint="ask for fewer frames per second, or raise the clock",
            )
        intervals = kept[::-1]
    for interval in intervals:
        cheapest = tuple(_cheapest(rows, interval, budget) for rows in table)
        chosen = _fed(cheapest, table, interval, budget)
        schedule = Schedule(chosen, True)
        fits = not overrun(schedule.resources, budget.resources)
        if fits or interval == intervals[-1]:
            yield replace(schedule, fits=fits)


def _intervals(table: Sequence[Sequence[Choice]], floor: int) -> list[int]:
    """Intervals that every node can keep to, ascending, none below ``floor``."""
    least = max((min(c.interval for c in rows) for rows in table), default=1)
    found = {c.interval for rows in table for c in rows}
    return sorted({max(i, least, floor) for i in found} | {max(least, floor)})


def _cheapest(rows: Sequence[Choice], interval: int, budget: Budget) -> Choice:
    kept = [c for c in rows if c.interval <= interval]
    return min(kept, key=lambda c: (weight(c.resources, budget.resources), c.interval, c.config))


def _fed(
    chosen: tuple[Choice, ...], table: Sequence[Sequence[Choice]], interval: int, budget: Budget
) -> tuple[Choice, ...]:
    """``chosen``, with what feeds a folded layer made fast enough.

    A layer that reads its input in the first of several passes waits for it there and only there,
    so a source that is slower than a pass lengthens every vector, see ``HardwareNode.feed_limit``.
    The first layer's source takes ``budget.feed`` cycles per frame, whatever is chosen.
    """
    found = list(chosen)
    if found and budget.feed > _limit(found[0], interval):
        rows = [c for c in table[0] if budget.feed <= _limit(c, interval)]
        if any(c.interval <= interval for c in rows):
            found[0] = _cheapest(rows, interval, budget)
            chosen = tuple(found)
    place = {c.node.name: k for k, c in enumerate(chosen)}
    for k, choice in enumerate(chosen):
        feeder = place.get(choice.node.inputs[0]) if choice.node.inputs else None
        if feeder is None or found[feeder].interval <= _limit(choice, interval):
            continue
        fastest = min(c.interval for c in table[feeder])
        fits = [c for c in table[k] if c.interval <= interval and fastest <= _limit(c, interval)]
        if fits:
            choice = found[k] = min(fits, key=lambda c: (c.resources.lut, c.interval))
        wanted = max(_limit(choice, interval), fastest)
        rows = [c for c in table[feeder] if c.interval <= wanted]
        found[feeder] = min(rows, key=lambda c: c.resources.lut + 100 * c.resources.bram36)
    return tuple(found)


def _limit(choice: Choice, interval: int) -> int:
    """The most cycles per frame that the input of a choice may take to come."""
    return choice.node.feed_limit(choice.config, choice.interval, interval)


def candidates(
    graph: Graph, family: Family, budget: Budget, request: Request
) -> list[list[Choice]]:
    """For every node that has a circuit, its configurations that the request and the part allow."""
    nodes = [n for n in graph if isinstance(n, HardwareNode) and not n.wires_only]
    names = [n.name for n in nodes]
    for name in request.layers:
        if name not in names:
            near = get_close_matches(name, names, 1) or names
            raise UsageError(
                f"there is no layer {name!r}; the layers are {', '.join(names)}",
                hint=f"did you mean {near[0]}?",
            )
    return [_choices(graph, node, family, budget, request) for node in nodes]


def _choices(
    graph: Graph, node: HardwareNode, family: Family, budget: Budget, request: Request
) -> list[Choice]:
    types = graph.input_types(node)
    wanted = request.layers.get(node.name, {})
    configs = [c for c in node.configs(types, family) if _allowed(c, wanted)]
    configs = _near(node, configs, types, request.max_interval)
    if not configs:
        raise UsageError(
            f"{node.name} cannot be built with {dict(wanted)}",
            origin=node.origin,
            hint=f"it can be {_summary(node, types, family)}",
        )
    styled = [c for c in configs if "style" in wanted or _in_style(c, configs, request.style)]
    guessed = request.style == "auto" and "style" not in wanted
    priced: list[Choice] = []
    for config in sorted(styled, key=lambda c: c.style == "spatial"):
        if (
            guessed
            and priced
            and not _promising(node, config, types, family, budget, priced, request.max_interval)
        ):
            continue
        used = node.resources(config, types, family)
        priced.append(Choice(node, config, node.interval(config, types), used))
    return priced


FEW = 32
"""Lists of at most so many configurations are priced as a whole."""

NEAR = 4
"""Configurations that are so many times faster than asked for are not priced."""


def _near(
    node: HardwareNode,
    configs: list[Config],
    types: tuple[TensorType, ...],
    max_interval: int | None,
) -> list[Config]:
    """Those that keep to ``max_interval`` without being much faster than it asks for, and spatial
    ones, whose price says nothing about their speed; all where nothing is asked for or none keeps
    to it."""
    if max_interval is None or len(configs) <= FEW:
        return configs
    cycles = {c: node.interval(c, types) for c in configs}
    kept = [n for n in cycles.values() if n <= max_interval]
    if not kept:
        return configs
    least = min(max(kept), max_interval // NEAR)
    near = [c for c, n in cycles.items() if least <= n <= max_interval]
    return near + [c for c, n in cycles.items() if c.style == "spatial" and n < least]


GUESSED_LUT = 2000
"""Least LUTs of a spatial layer from which on it is rather asked for than tried."""


def _promising(
    node: HardwareNode,
    config: Config,
    types: tuple[TensorType, ...],
    family: Family,
    budget: Budget,
    priced: Sequence[Choice],
    max_interval: int | None = None,
) -> bool:
    """Whether a configuration whose exact price is dear to find may be worth it.

    It is not where even its lower bound is over the budget, or above the price of one that is as
    fast as anything outside the core allows. Nor where pricing takes minutes and another will do:
    large matrices of convolutions, or of any layer when an interval is asked for that is kept to.
    """
    if config.style != "spatial":
        return True
    least = node.floor(config, types, family)
    if overrun(least, budget.resources):
        return False
    met = max_interval is not None and any(c.interval <= max_interval for c in priced)
    if least.lut > GUESSED_LUT and (met or types[0].pixels > 1):
        return False
    interval = max(budget.floor, node.interval(config, types))
    bound = weight(least, budget.resources)
    return not any(
        c.interval <= interval and weight(c.resources, budget.resources) <= bound for c in priced
    )


def _allowed(config: Config, wanted: Mapping[str, Any]) -> bool:
    if config.multiplier != wanted.get("multiplier", "lut"):
        return False  # DSPs are taken where they are asked for
    return all(getattr(config, key, None) == value for key, value in wanted.items())


def _in_style(config: Config, configs: Sequence[Config], style: str) -> bool:
    """Whether the request's style admits it; nodes without that style keep all of theirs."""
    if style == "auto" or style not in {c.style for c in configs}:
        if style == "spatial":  # element-wise nodes follow: a whole frame a cycle
            return config.pe == max(c.pe for c in configs)
        return True
    return config.style == style


def _summary(node: HardwareNode, types: tuple[TensorType, ...], family: Family) -> str:
    configs = list(node.configs(types, family))
    styles = sorted({c.style for c in configs})
    pe, simd = sorted({c.pe for c in configs}), sorted({c.simd for c in configs})
    return f"style {' or '.join(styles)}, pe in {pe}, simd in {simd}"
