"""The issue sequence that stands in front of every unit's stalling pipe."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from math import ceil, prod
from operator import and_
from typing import Any

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hwgen.families.base import Family, Resources
from hwgen.families.xc7 import XC7


class Sequencer(wiring.Component):  # type: ignore[misc]
    """Counts the steps of a unit and moves its pipe, see "Streams and timing" in the design.

    The unit says of the step that is due which inputs it takes (``consume``) and whether it
    gives a token (``emit``), as values of the counters; everything else follows.

    Members:
        index: one counter per loop, outermost first; a constant where a loop has one turn.
        last: whether each counter is at its last turn.
        step: the number of the step, from 0 to the product of the loops less 1.
        consume: In(inputs)
        emit: In(1)
        i_valid: In(inputs)
        i_ready: Out(inputs)
        o_valid: Out(1)
        o_ready: In(1)
        ce: Out(1), the pipe moves: the enable of every register of the datapath.
        issue: Out(1), the step that is due is issued in this cycle.
        tokens: bit k: the register k + 1 stages from the inputs holds a token.
    """

    def __init__(self, *, loops: Sequence[int], depth: int, inputs: int = 1) -> None:
        self.loops, self.depth, self.inputs = tuple(loops), depth, inputs
        self.index = [_counter(turns, f"index_{k}") for k, turns in enumerate(self.loops)]
        self.last = [
            index == turns - 1 if turns > 1 else Const(1)
            for index, turns in zip(self.index, self.loops, strict=True)
        ]
        self.tokens = Signal(depth)
        self._step: Signal | None = None
        super().__init__(
            {
                "consume": In(inputs),
                "emit": In(1),
                "i_valid": In(inputs),
                "i_ready": Out(inputs),
                "o_valid": Out(1),
                "o_ready": In(1),
                "ce": Out(1),
                "issue": Out(1),
            }
        )

    @property
    def step(self) -> Value:
        """The number of the step; costs a counter of its own where wires do not make it."""
        busy = [k for k, turns in enumerate(self.loops) if turns > 1]
        inner = self.loops[busy[0] + 1 :] if busy else ()
        if all(turns & (turns - 1) == 0 for turns in inner):
            return Cat(*(self.index[k] for k in reversed(busy))) if busy else Const(0, 1)
        if self._step is None:
            self._step = _counter(prod(self.loops), "step")
        return self._step

    def attach(
        self, m: Module, inputs: Sequence[Any], output: Any, consume: Sequence[Any], emit: Any
    ) -> None:
        """Adds itself to ``m`` as ``sequence`` and takes over the streams' handshakes."""
        m.submodules.sequence = self
        m.d.comb += [
            self.consume.eq(Cat(*(Value.cast(c) for c in consume))),
            self.emit.eq(emit),
            self.i_valid.eq(Cat(*(i.valid for i in inputs))),
            Cat(*(i.ready for i in inputs)).eq(self.i_ready),
            output.valid.eq(self.o_valid),
            self.o_ready.eq(output.ready),
        ]

    def delayed(self, m: Module, value: Any, stages: int, *, reset: bool = False) -> Value:
        """``value`` as it was ``stages`` moves of the pipe ago; 0 after a reset if asked."""
        for stage in range(stages):
            if isinstance(value, Const):
                return value
            register = Signal.like(Value.cast(value), name=f"delay_{stage}", reset_less=not reset)
            with m.If(self.ce):
                m.d.sync += register.eq(value)
            value = register
        return Value.cast(value)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        have = [~self.consume[k] | self.i_valid[k] for k in range(self.inputs)]
        go = self.ce if self.depth else (self.o_ready | ~self.emit)
        for k in range(self.inputs):
            others = [have[j] for j in range(self.inputs) if j != k]
            m.d.comb += self.i_ready[k].eq(reduce(and_, others, go & self.consume[k]))
        m.d.comb += self.issue.eq(reduce(and_, have, go))
        if self.depth:
            m.d.comb += [self.o_valid.eq(self.tokens[-1]), self.ce.eq(~self.o_valid | self.o_ready)]
            with m.If(self.ce):
                m.d.sync += self.tokens.eq(Cat(self.issue & self.emit, self.tokens))
        else:
            m.d.comb += [self.o_valid.eq(reduce(and_, have, self.emit)), self.ce.eq(self.issue)]
        turn: Value = self.issue
        loops = zip(self.index, self.last, self.loops, strict=True)
        for index, last, turns in reversed(list(loops)):
            if isinstance(index, Signal):
                count(m, index, turn, turns)
                turn = turn & last
        if self._step is not None:
            count(m, self._step, self.issue, prod(self.loops))
        return m


def count(m: Module, counter: Signal, step: Value, turns: int) -> None:
    """Counts to ``turns - 1`` where ``step`` is 1, then starts again from 0.

    The return to 0 stands beside the step, not within it: then it is the registers' own reset, and
    no logic before them. Where the counter wraps by itself there is none.
    """
    with m.If(step):
        m.d.sync += counter.eq(counter + 1)
    if turns != 1 << len(counter):
        with m.If(step & (counter == turns - 1)):
            m.d.sync += counter.eq(0)


def _counter(turns: int, name: str) -> Any:
    return Signal(range(turns), name=name) if turns > 1 else Const(0, 1)


def price(
    loops: Sequence[int], depth: int, inputs: int = 1, *, step: bool = False, family: Family = XC7
) -> Resources:
    """What a sequencer takes: its counters, the valid pipe, the handshakes."""
    busy = [turns for turns in loops if turns > 1]
    lut = sum(count_price(turns, family, ends=True) for turns in busy) + max(len(busy) - 1, 0)
    widths = [(turns - 1).bit_length() for turns in busy]
    if step:
        lut += count_price(prod(loops), family)
        widths.append((prod(loops) - 1).bit_length())
    return Resources(lut=lut + 2 * inputs, ff=sum(widths) + depth)


def count_price(turns: int, family: Family, *, ends: bool = False) -> float:
    """LUTs of ``count``: the sum, the comparison with the last value, the gate of the reset.

    Two bits are counted without a carry chain. ``ends``: the last turn is asked for.
    """
    width = (turns - 1).bit_length()
    if width < 2:
        return 0.0
    wraps = turns == 1 << width
    own = family.adder(width, constant=True) if width > 2 else 1
    compared = ceil((width - 1) / (family.lut_inputs - 1)) if ends or not wraps else 0
    return own + compared + (not wraps)
