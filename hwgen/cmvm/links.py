"""Links of the chains that add narrow inputs: what goes into each one's table and carry input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product


@dataclass(frozen=True, slots=True)
class Item:
    """What a row adds: ``weight`` times a source, which is 0 … ``most``: 1 for a bit."""

    source: int
    weight: int
    most: int = 1

    @property
    def width(self) -> int:
        return self.most.bit_length()

    @property
    def unit(self) -> int:
        return self.weight & -self.weight


@dataclass(frozen=True, slots=True)
class Link:
    """What one link adds: items in its table, and the source at its carry input (or -1)."""

    items: tuple[Item, ...]
    carry: int

    @property
    def least(self) -> int:
        return sum(min(i.weight, 0) * i.most for i in self.items)

    @property
    def unit(self) -> int:
        return min(i.unit for i in self.items)

    @property
    def span(self) -> int:
        return sum(abs(i.weight) * i.most for i in self.items)


def links(items: Sequence[Item], table: int) -> list[Link]:
    """The items in groups of ``table`` bits and one bit for the carry input."""
    rest = sorted(items, key=lambda i: (i.unit, -i.width, i.weight > 0, abs(i.weight), i.source))
    made = []
    while rest:
        inside, rest = filled(rest, table)
        unit = min(i.unit for i in inside)
        carry = next((i for i in rest if i.weight == unit and i.most == 1), None)
        if carry is not None:
            rest.remove(carry)
        made.append(Link(tuple(inside), -1 if carry is None else carry.source))
    # One of the finest is last: its constant makes good what all others add, for which a function
    # of few values leaves most room.
    last = min(made, key=lambda link: (link.unit, link.span)) if made else None
    return [*(link for link in reversed(made) if link is not last), *([last] if last else [])]


def filled(items: Sequence[Item], table: int) -> tuple[list[Item], list[Item]]:
    """The first items that fit into ``table`` bits, and all others."""
    inside: list[Item] = []
    rest: list[Item] = []
    for item in items:
        fits = item.width <= table
        (inside if fits else rest).append(item)
        table -= item.width if fits else 0
    return inside, rest


def offsets(chain: Sequence[Link], bias: int) -> list[int]:
    """A constant per link, together ``bias``, so that few bits of each function vary."""
    fixed = [-link.least for link in chain[:-1]]
    slack = [_slack(link) for link in chain[:-1]]
    best: tuple[int, list[int]] | None = None
    for extra in product(*slack[:4]):
        steps = [*extra, *([0] * (len(fixed) - len(extra)))]
        trial = [f + e * link.unit for f, e, link in zip(fixed, steps, chain[:-1], strict=True)]
        last = bias - sum(trial)
        cost = _vary(chain[-1], last)
        if best is None or cost < best[0]:
            best = cost, [*trial, last]
        if best[0] <= _vary(chain[-1], -chain[-1].least):
            break
    assert best is not None
    return best[1]


def _slack(link: Link) -> list[int]:
    """Multiples of its unit that a link can add without another bit varying."""
    span = link.span // link.unit
    room = (1 << max(span.bit_length(), 1)) - 1 - span
    return list(range(min(room, 7) + 1))


def _vary(link: Link, offset: int) -> int:
    low, high = offset + link.least, offset + link.least + link.span
    return (low ^ high).bit_length() if (low ^ high) >= 0 else 64
