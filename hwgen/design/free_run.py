"""Rows of units that never wait, where one enable would have to reach too many registers.

A unit's pipe moves as one, so its enable, a function of its output's valid and ready, goes to every
register in it. Across a large circuit that net takes longer than a clock cycle, and it keeps
registers from sharing slices. Between a gate and a queue of credits (``rtl/credit.py``) every ready
is 1: synthesis leaves out the enables, and no elastic registers stand in between. A frame takes two
cycles longer, so it is done only where the family's file tells that nets are long.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from hwgen.design.layout import Block, Layout, Stream
from hwgen.families.base import Family, Resources
from hwgen.rtl.credit import CreditGate, CreditQueue
from hwgen.rtl.stream import Elastic
from hwgen.rtl.timing import PIPE

MANY_FFS = 1024
"""Registers of units in a row above which they run freely: their enables are one condition."""

FAR = 0.4
"""Share of a clock period from which on a row's longest net counts as long."""

MOST_SHARE = 0.05
"""LUTs that gate and queue may take, of those of the units between them."""

Price = Callable[[Block], Resources]


def spans_far(lut: float, family: Family) -> bool:
    """Whether nets across a circuit of so many LUTs are long for the clock."""
    return family.far_ns(lut) >= FAR * family.period_ns


def free_runs(layout: Layout, price: Price) -> Layout:
    """The layout with a gate and a queue around rows of units of many registers, ended where the
    queue is cheapest."""
    made: list[Block] = []
    moved: dict[tuple[str, str], Stream] = {}
    for row in _rows(layout.blocks):
        rest = [replace(b, inputs=_moved(b.inputs, moved)) for b in row]
        while rest:
            run = _Run.of(rest, layout, price)
            if run is None:
                made += rest
                break
            made += [*rest[: run.start], *run.blocks]
            moved[run.output.source, "o"] = run.queued
            rest = [replace(b, inputs=_moved(b.inputs, moved)) for b in rest[run.end :]]
    (output,) = _moved((layout.output,), moved)
    return replace(layout, blocks=tuple(made), output=output)


def _moved(
    streams: tuple[Stream, ...], moved: Mapping[tuple[str, str], Stream]
) -> tuple[Stream, ...]:
    return tuple(moved.get((s.source, s.port), s) for s in streams)


def _rows(blocks: Sequence[Block]) -> list[list[Block]]:
    """The blocks in order, in rows: beat for beat, each the only reader of the one before it; any
    other block is a row of its own."""
    readers = Counter((s.source, s.port) for b in blocks for s in b.inputs)
    rows: list[list[Block]] = []
    for block in blocks:
        last, stream = rows[-1][-1] if rows else None, block.inputs[0]
        joins = last is not None and stream.source == last.instance and _simple(last)
        if joins and _simple(block) and readers[stream.source, stream.port] == 1:
            rows[-1].append(block)
        else:
            rows.append([block])
    return rows


def _simple(block: Block) -> bool:
    """It takes a beat and gives a beat in every step, or is an elastic register."""
    timing = getattr(block.unit, "timing", None)
    if timing is None or timing.kind != PIPE:
        return isinstance(block.unit, Elastic)
    return bool(timing.steps == timing.inputs == 1 and timing.emit[0])


@dataclass(frozen=True)
class _Run:
    """Blocks ``start`` to ``end`` of a row, less its elastic registers, between gate and queue."""

    start: int
    end: int
    units: tuple[Block, ...]
    output: Stream

    @classmethod
    def of(cls, row: Sequence[Block], layout: Layout, price: Price) -> _Run | None:
        """The first run of a row: so many units that it is worth it, up to where gate and queue
        cost least; None where they are too dear, the row has few registers, or all is near."""
        if not _simple(row[0]):
            return None
        registers = [price(b).ff if b.node else 0.0 for b in row]
        if not spans_far(sum(price(b).lut for b in row if b.node), layout.family):
            return None
        starts = [k for k, b in enumerate(row) if b.node and sum(registers[k:]) >= MANY_FFS]
        if not starts:
            return None
        start, runs = starts[0], []
        for end in range(start + 1, len(row) + 1):
            units = tuple(b for b in row[start:end] if b.node)
            if (name := row[end - 1].node) and sum(registers[start:end]) >= MANY_FFS:
                runs.append(cls(start, end, units, layout.taps[name]))
        best = min(runs, key=lambda run: (run.added(layout.family), -run.end))
        own = sum(price(b).lut for b in best.units)
        return best if best.added(layout.family) <= MOST_SHARE * own else None

    @property
    def credits(self) -> int:
        """Enough for a beat in every cycle, even where the gate goes before the register of the
        accelerator's input; a power of two, so that counters wrap."""
        cycles = sum(b.unit.timing.depth for b in self.units)
        return int(1 << (cycles + 3).bit_length())

    @property
    def ends(self) -> tuple[Block, Block]:
        (first,) = self.units[0].inputs
        gate = CreditGate(first.dtype, first.lanes, self.credits)
        queue = CreditQueue(self.output.dtype, self.output.lanes, self.credits)
        names = f"gate_{self.units[0].node}", f"credits_{self.units[-1].node}"
        return (
            Block(names[0], gate, (first,)),
            Block(names[1], queue, (self.output,), gate=names[0]),
        )

    def added(self, family: Family) -> float:
        """LUTs of gate and queue."""
        return sum(float(b.unit.resources(family).lut) for b in self.ends)

    @property
    def queued(self) -> Stream:
        """What leaves the queue."""
        return Stream(self.ends[1].instance, "o", *self.output.shape)

    @property
    def blocks(self) -> list[Block]:
        gate, queue = self.ends
        (first,) = self.units[0].inputs
        sources = [gate, *self.units]
        shapes = [first.shape, *(b.inputs[0].shape for b in self.units[1:])]
        inner = [
            replace(b, inputs=(Stream(a.instance, "o", *shape),))
            for a, b, shape in zip(sources, self.units, shapes, strict=False)
        ]
        return [gate, *inner, queue]
