"""Streams of beats of integers, and the register that breaks their ready chain."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Self

import numpy as np
from amaranth.hdl import Format, Module, Shape, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.families.base import Family, Resources
from hwgen.inttype import IntType
from hwgen.rtl.timing import QUEUE, Timing


def element(dtype: IntType) -> Shape:
    """The shape of one element: the fewest bits that hold ``dtype``."""
    return Shape(dtype.width, dtype.signed)


class Beat(data.ArrayLayout):  # type: ignore[misc]
    """An array layout whose signals are shown as one number.

    Amaranth's own would describe every element of every signal to its back ends: a wire each in
    the Verilog, and most of the time that making a wide unit takes.
    """

    def format(self, value: Any, format_spec: str) -> Format:
        return Format(f"{{:{format_spec}}}", Value.cast(value))


def layout(dtype: IntType, lanes: int) -> Beat:
    """The layout of one beat: ``lanes`` elements, lane 0 in the lowest bits."""
    if lanes < 1:
        raise ValueError(f"lanes must be at least 1, not {lanes}")
    return Beat(element(dtype), lanes)


@lru_cache(maxsize=4096)
def signature(dtype: IntType, lanes: int) -> stream.Signature:
    """A stream of beats of ``lanes`` elements of ``dtype``, seen from its source."""
    return stream.Signature(layout(dtype, lanes))


def raw(payload: Any) -> Value:
    """The bits of a payload as one value."""
    return Value.cast(payload)


class Unit(wiring.Component):  # type: ignore[misc]
    """A circuit between streams; it may also be made only to be priced or timed: then no signal
    is made, and that it is unused is no error.

    Members:
        i or i0, i1, …: In(stream). o or o0, o1, …: Out(stream).
        timing: what the token model knows of it.
        made_from: its class and arguments, which tell all of its circuit.
    """

    _MustUse__silence = True
    timing: Timing
    made_from: tuple[str, tuple[object, ...], dict[str, object]]

    def __new__(cls, *args: object, **kwargs: object) -> Self:
        self: Self = super().__new__(cls)
        self.made_from = (f"{cls.__module__}.{cls.__qualname__}", args, kwargs)
        return self

    def __init__(self, members: dict[str, wiring.Member]) -> None:
        self._members = members

    def __getattr__(self, name: str) -> Any:
        """A port: all of them are made when the first is asked for."""
        members = self.__dict__.get("_members", {})
        if name not in members:
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        self._make_ports()
        return self.__dict__[name]

    @property
    def signature(self) -> wiring.Signature:
        self._make_ports()
        return super().signature

    def _make_ports(self) -> None:
        if members := self.__dict__.pop("_members", None):
            super().__init__(members)

    def path_ns(self, family: Family) -> float:
        """The longest path between its registers, before synthesis; three levels of logic where a
        unit says nothing else.
        """
        return family.ff_ns + family.levels_ns(3)

    @property
    def ready_signals(self) -> int:
        """What it adds to a ready that goes through it: whether its output register is taken, or
        whether the step gives a beat where it has none; and whether the step takes one."""
        timing = self.timing
        own = 1 if timing.depth else int(not np.all(timing.emit))
        return own + int(not np.all(timing.consume))

    def resources(self, family: Family) -> Resources:
        """An estimate of the circuit alone, before synthesis."""
        raise NotImplementedError


class Elastic(Unit):
    """A two-entry register between a stream's source and its sink: no path from ready to ready.

    Throughput: one beat per cycle. Latency: one cycle.

    Members:
        i: In(stream of ``lanes`` elements of ``dtype``)
        o: Out(stream of the same)
    """

    def __init__(self, dtype: IntType, lanes: int) -> None:
        self.dtype, self.lanes = dtype, lanes
        self.timing = Timing.queue(QUEUE, 2)
        super().__init__({"i": In(signature(dtype, lanes)), "o": Out(signature(dtype, lanes))})

    def resources(self, family: Family) -> Resources:
        """Two registers, and a multiplexer before the one that drives the output."""
        bits = self.lanes * self.dtype.width
        return Resources(lut=bits + 3, ff=2 * bits + 2)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        spare = Signal.like(raw(self.i.payload), reset_less=True)
        waiting = Signal()
        front = Signal.like(spare)
        m.d.comb += [
            self.i.ready.eq(~waiting),
            raw(self.o.payload).eq(front),
        ]
        with m.If(~waiting):
            m.d.sync += spare.eq(raw(self.i.payload))
        with m.If(~self.o.valid | self.o.ready):
            m.d.sync += [
                front.eq(raw(self.i.payload)),
                self.o.valid.eq(self.i.valid | waiting),
                waiting.eq(0),
            ]
            with m.If(waiting):
                m.d.sync += front.eq(spare)
        with m.Elif(self.i.valid):
            m.d.sync += waiting.eq(1)
        return m
