"""Which configurations of each node a plan may choose among, and what each takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from hwgen.errors import UsageError
from hwgen.families.base import Family
from hwgen.ir.graph import Graph
from hwgen.ir.types import TensorType
from hwgen.ops.base import Config, HardwareNode
from hwgen.passes.schedule import Choice, Request

DEAR = ("spatial", "bit-serial")
"""Styles whose exact price is dear to find, because it takes an adder graph."""

GUESSED_LUT = 1500
"""Least LUTs of a layer of a dear style from which on it is rather asked for than tried."""


def candidates(graph: Graph, family: Family, request: Request) -> list[list[Choice]]:
    """For every node that has a circuit, its configurations that the request and the part allow.

    Layers of constants in the fabric, whose exact price is dear to find, come with a lower bound
    of it.

    Raises:
        UsageError: the request names a node or a configuration that does not exist.
    """
    nodes = [n for n in graph if isinstance(n, HardwareNode) and not n.wires_only]
    names = [n.name for n in nodes]
    for name in request.layers:
        if name not in names:
            near = get_close_matches(name, names, 1) or names
            raise UsageError(
                f"there is no layer {name!r}; the layers are {', '.join(names)}",
                hint=f"did you mean {near[0]}?",
            )
    return [_choices(node, graph.input_types(node), family, request) for node in nodes]


def _choices(
    node: HardwareNode, types: tuple[TensorType, ...], family: Family, request: Request
) -> list[Choice]:
    wanted = request.layers.get(node.name, {})
    configs = [c for c in node.configs(types, family) if _allowed(c, wanted)]
    if not configs:
        raise UsageError(
            f"{node.name} cannot be built with {dict(wanted)}",
            origin=node.origin,
            hint=f"it can be {_summary(node, types, family)}",
        )
    styled = [c for c in configs if "style" in wanted or _in_style(c, configs, request.style)]
    choices = [_choice(node, config, types, family) for config in styled]
    if request.style == "auto" and "style" not in wanted:
        return _without_guesses(choices, request.max_interval)
    return choices


def _choice(
    node: HardwareNode, config: Config, types: tuple[TensorType, ...], family: Family
) -> Choice:
    exact = config.style not in DEAR
    price = node.resources if exact else node.floor
    return Choice(
        node=node,
        inputs=types,
        config=config,
        interval=node.interval(config, types),
        lanes=node.lanes(config, types),
        resources=price(config, types, family),
        exact=exact,
    )


def _without_guesses(choices: list[Choice], max_interval: int | None) -> list[Choice]:
    """``choices`` without those whose pricing takes minutes where another will do: large constant
    matrices of convolutions, or of any layer when an interval is asked for that is kept to."""
    priced = [c for c in choices if c.exact]
    met = max_interval is not None and any(c.interval <= max_interval for c in priced)

    def tried(choice: Choice) -> bool:
        large = choice.resources.lut > GUESSED_LUT * choice.config.side
        return not large or not (met or choice.inputs[0].pixels > 1)

    return [c for c in choices if c.exact or not priced or tried(c)]


def _allowed(config: Config, wanted: Mapping[str, Any]) -> bool:
    return all(getattr(config, key, None) == value for key, value in wanted.items())


def _in_style(config: Config, configs: Sequence[Config], style: str) -> bool:
    """Whether the request's style admits it; nodes without that style keep all of theirs."""
    if style == "auto" or style not in {c.style for c in configs}:
        if style == "spatial":  # element-wise nodes follow: a whole pixel a cycle
            return config.pe == max(c.pe for c in configs)
        return True
    return config.style == style


def _summary(node: HardwareNode, types: tuple[TensorType, ...], family: Family) -> str:
    configs = list(node.configs(types, family))
    styles = sorted({c.style for c in configs})
    pe, simd = sorted({c.pe for c in configs}), sorted({c.simd for c in configs})
    return f"style {' or '.join(styles)}, pe in {pe}, simd in {simd}"
