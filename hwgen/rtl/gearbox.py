"""From frames in beats of one number of lanes to the same frames in beats of another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import ceil

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value
from amaranth.lib.wiring import In, Out, connect, flipped

from hwgen.families.base import Family, Resources
from hwgen.inttype import IntType
from hwgen.rtl.convert import Converter, ConvertShape
from hwgen.rtl.regroup import Regroup, Source, State
from hwgen.rtl.sequence import Sequencer, price
from hwgen.rtl.stream import Unit, signature
from hwgen.rtl.timing import Timing


@dataclass(frozen=True)
class GearboxShape:
    """Everything about a ``Gearbox``: cheap to make, to time, to price."""

    dtype: IntType
    i_lanes: int
    o_lanes: int
    elements: int

    @cached_property
    def regroup(self) -> Regroup:
        return Regroup(self.i_lanes, self.o_lanes, self.elements)

    @property
    def words(self) -> int:
        """Beats that are gathered into a wider one."""
        return ceil(min(self.o_lanes, self.elements) / self.i_lanes)

    @property
    def gathers(self) -> bool:
        """Whether whole beats are gathered into a wider one."""
        whole = self.o_lanes % self.i_lanes == 0 and self.elements % self.o_lanes == 0
        return self.words > 1 and (whole or self.o_lanes >= self.elements)

    @property
    def whole(self) -> bool:
        """Whether a frame is whole beats on both sides: then a ``Converter`` does it."""
        return self.elements % self.i_lanes == 0 and self.elements % self.o_lanes == 0

    @cached_property
    def timing(self) -> Timing:
        if self.gathers:
            turn = range(self.words)
            return Timing.pipe([1 for _ in turn], [k == turn[-1] for k in turn], 0)
        if self.whole:
            return ConvertShape(self.dtype, self.i_lanes, self.o_lanes).timing
        flags = [(s.consume, s.emit) for s in self.regroup.steps]
        return Timing.pipe([c for c, _ in flags], [e for _, e in flags], 1)

    def resources(self, family: Family) -> Resources:
        """Where beats do not fill each other: registers, a multiplexer of its sources before each,
        and the states."""
        if self.gathers:
            bits = (self.words - 1) * self.i_lanes * self.dtype.width
            return price((self.words,), 0, family=family) + Resources(ff=bits)
        if self.whole:
            return ConvertShape(self.dtype, self.i_lanes, self.o_lanes).resources(family)
        plan, width = self.regroup, self.dtype.width
        outputs = plan.outputs[: self.elements]  # lanes beyond a frame are 0 for ever
        lut = sum(chosen_price(row, width, family) for row in [*outputs, *plan.holds])
        codes = len(plan.states)
        state = (codes - 1).bit_length()
        enables = {tuple(source is None for source in row) for row in plan.holds}
        taken = plan.words.bit_length() if plan.counts else 0
        lut += len(enables) + 2 * state + 1.5 * taken
        control = price((len(plan.steps),), 1, family=family)
        ff = width * (plan.kept + len(outputs)) + state + taken
        return control + Resources(lut=lut, ff=ff)


def chosen_price(row: Sequence[Source | None], width: int, family: Family) -> float:
    """LUTs of ``width`` bits that a state chooses among ``row``; measured."""
    options, state = len(set(row) - {None}), (len(row) - 1).bit_length()
    if options < 2:
        return 0.0
    if numbered(options, state, width):
        return family.mux(options, width) + (options - 1).bit_length()
    inputs = ceil((options + state - 1) / (family.lut_inputs - 1))
    return width * max(family.mux(options) * (1.2 if options > 4 else 1.0), inputs)


def numbered(options: int, state: int, width: int) -> bool:
    """Whether ``options`` of ``width`` bits have numbers of their own, fewer bits than the
    state."""
    return width > 2 and state + options > 6 and (options - 1).bit_length() < state


@lru_cache(maxsize=65536)
def gearbox_price(
    dtype: IntType, i_lanes: int, o_lanes: int, elements: int, family: Family
) -> Resources:
    """What stands between streams of these lanes: nothing where they are equal."""
    if i_lanes == o_lanes:
        return Resources()
    return GearboxShape(dtype, i_lanes, o_lanes, elements).resources(family)


class Gearbox(Unit):
    """Frames of ``elements`` from ``i_lanes`` to ``o_lanes`` elements a beat, in order.

    A frame starts in lane 0 of a beat; its last beats may be partly filled (lanes beyond the frame
    are ignored at the input and 0 at the output). Throughput: a beat per cycle on the narrower
    side. Latency: one cycle after the last element of a beat has come; none where whole beats are
    gathered into a wider one.

    Members:
        i: In(stream of ``i_lanes`` elements of ``dtype``)
        o: Out(stream of ``o_lanes``)
    """

    def __init__(self, dtype: IntType, i_lanes: int, o_lanes: int, elements: int) -> None:
        self.shape = GearboxShape(dtype, i_lanes, o_lanes, elements)
        self.dtype, self.i_lanes, self.o_lanes = dtype, i_lanes, o_lanes
        self.elements = elements
        self.timing = self.shape.timing
        super().__init__({"i": In(signature(dtype, i_lanes)), "o": Out(signature(dtype, o_lanes))})

    def resources(self, family: Family) -> Resources:
        return self.shape.resources(family)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        if self.shape.gathers:
            self._gather(m)
            return m
        if self.shape.whole:
            m.submodules.converter = box = Converter(self.dtype, self.i_lanes, self.o_lanes)
            connect(m, flipped(self.i), box.i)
            connect(m, box.o, flipped(self.o))
            return m
        plan = self.shape.regroup
        seq = Sequencer(loops=(len(plan.steps),), depth=1)
        state = self._state(m, seq, plan)
        consume = _by_state(state, [int(s.consume) for s in plan.states])
        gives = _by_state(state, [int(g) for g in plan.gives])
        seq.attach(m, [self.i], self.o, [consume], gives | seq.last[0])
        self._move(m, seq, plan, state)
        return m

    def _gather(self, m: Module) -> None:
        """Beats shift into a register; with the last one they are the wide beat."""
        seq = Sequencer(loops=(self.shape.words,), depth=0)
        seq.attach(m, [self.i], self.o, [1], seq.last[0])
        width = self.i_lanes * self.dtype.width
        held = Signal((self.shape.words - 1) * width, reset_less=True)
        joined = Cat(held, self.i.payload)
        with m.If(seq.issue):
            m.d.sync += held.eq(joined[width:])
        used = min(self.o_lanes, self.elements) * self.dtype.width
        m.d.comb += Value.cast(self.o.payload).eq(joined[:used])

    def _state(self, m: Module, seq: Sequencer, plan: Regroup) -> Value:
        """The number of the state that the due step is in."""
        states, last = plan.states, seq.last[0]
        if len(states) == 1:
            return Const(0, 1)
        state = Signal(range(len(states)))
        ended: Value = Const(0, 1)
        if plan.counts:
            taken = Signal(range(plan.words + 1))
            takes = _by_state(state, [int(s.consume) for s in states])
            ended = (taken == plan.words) | (takes & (taken == plan.words - 1))
            with m.If(seq.issue):
                m.d.sync += taken.eq(Mux(last, 0, taken + takes))
        with m.If(seq.issue):
            with m.Switch(state):
                for k, now in enumerate(states):
                    with m.Case(k):
                        more, done = (plan.follower(now, flag) for flag in (False, True))
                        m.d.sync += state.eq(
                            Mux(ended, _index(states, done, more), _index(states, more, done))
                        )
            with m.If(last):
                m.d.sync += state.eq(0)
        return state

    def _move(self, m: Module, seq: Sequencer, plan: Regroup, state: Value) -> None:
        """Every register takes its source of the state: outputs, and what is held."""
        word = [Value.cast(self.i.payload[k]) for k in range(self.i_lanes)]
        held = [
            Signal(self.dtype.width, name=f"held_{k}", reset_less=True) for k in range(plan.kept)
        ]
        values = {("word", k): v for k, v in enumerate(word)}
        values |= {("held", k): v for k, v in enumerate(held)}
        given = [
            Signal(self.dtype.width, name=f"given_{k}", reset_less=True)
            for k in range(self.o_lanes)
        ]
        m.d.comb += Value.cast(self.o.payload).eq(Cat(*given))
        moved = seq.issue if len(plan.steps) > 1 else seq.ce  # whatever is taken without a token
        with m.If(moved):
            m.d.sync += [
                g.eq(_chosen(row, values, state))
                for g, row in zip(given, plan.outputs, strict=True)
            ]
        with m.If(seq.issue & seq.last[0]):  # outside of the condition above: the registers' reset
            m.d.sync += [g.eq(0) for g in given[plan.rest :]]
        with m.If(seq.issue):
            for k, row in enumerate(plan.holds):
                with m.If(_by_state(state, [int(source is not None) for source in row])):
                    m.d.sync += held[k].eq(_chosen(row, values, state))


def _by_state(state: Value, values: Sequence[int]) -> Value:
    """One bit per state."""
    return Const(sum(v << k for k, v in enumerate(values)), len(values)).bit_select(state, 1)


def _index(states: Sequence[State], wanted: State, instead: State) -> int:
    """The number of a state, or that of the other, or any, where no frame comes to it."""
    return next((states.index(s) for s in (wanted, instead) if s in states), 0)


def _chosen(row: Sequence[Source | None], values: Mapping[Source, Value], state: Value) -> Value:
    """The source of the state; where none is meant, that of a state beside it."""
    known = [source for source in row if source is not None]
    if len(set(known)) <= 1:
        return values[known[0]] if known else Const(0, 1)
    filled: list[Source] = []
    for source in row:
        filled.append(source or (filled or known)[-1 if filled else 0])
    options = list(dict.fromkeys(filled))
    if not numbered(len(options), len(state), len(values[known[0]])):
        return Value.cast(Array([values[source] for source in filled])[state])
    width = (len(options) - 1).bit_length()
    bits = [_by_state(state, [options.index(f) >> k & 1 for f in filled]) for k in range(width)]
    return Value.cast(Array([values[source] for source in options])[Cat(*bits)])
