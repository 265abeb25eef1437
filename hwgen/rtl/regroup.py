"""How elements move from beats of one size to beats of another that do not fill each other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil

Source = tuple[str, int]
"""An element of the beat that is taken (``word``), or one that is held (``held``)."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a frame: elements held before it, whether it takes and whether it gives a
    beat."""

    fill: int
    consume: bool
    emit: bool


@dataclass(frozen=True, order=True, slots=True)
class State:
    """What decides where elements go in a step: those held, and whether a beat is taken."""

    fill: int
    consume: bool


def steps(i_lanes: int, o_lanes: int, elements: int) -> list[Step]:
    """The frame's steps: take a beat whenever too few elements are held, give one when enough
    are."""
    words, beats = ceil(elements / i_lanes), ceil(elements / o_lanes)
    found: list[Step] = []
    fill = taken = given = 0
    while given < beats:
        consume = fill < o_lanes and taken < words
        held = fill + i_lanes * consume
        emit = held >= o_lanes or taken + consume == words
        found.append(Step(fill, consume, emit))
        taken, given = taken + consume, given + emit
        fill = max(held - o_lanes, 0) if emit else held
    return found


@dataclass(frozen=True)
class Regroup:
    """The states of a frame and, in each, the sources of every register.

    The last step of a frame gives a beat whatever is held, and leads to the first state.
    """

    i_lanes: int
    o_lanes: int
    elements: int

    @cached_property
    def steps(self) -> list[Step]:
        return steps(self.i_lanes, self.o_lanes, self.elements)

    @cached_property
    def states(self) -> list[State]:
        """The first state of a frame first, then in order of what is held."""
        found = sorted({State(s.fill, s.consume) for s in self.steps})
        first = State(0, True)
        return [first, *(s for s in found if s != first)]

    @property
    def words(self) -> int:
        return ceil(self.elements / self.i_lanes)

    @property
    def kept(self) -> int:
        """Elements held between steps, at most."""
        return max(s.fill for s in self.steps)

    @property
    def counts(self) -> bool:
        """Whether it matters that all beats of the frame have been taken."""
        return any(not s.consume and s.fill < self.o_lanes for s in self.states)

    @property
    def gives(self) -> list[bool]:
        """Per state, whether enough is held for a beat."""
        return [self._after(s) >= self.o_lanes for s in self.states]

    @property
    def rest(self) -> int:
        """Elements of a frame's last beat."""
        return self.elements % self.o_lanes or self.o_lanes

    def _after(self, state: State) -> int:
        return state.fill + self.i_lanes * state.consume

    def _source(self, state: State, lane: int) -> Source | None:
        """Where element ``lane`` of what a step has in hand comes from."""
        if lane < state.fill:
            return "held", lane
        inside = state.consume and lane < self._after(state)
        return ("word", lane - state.fill) if inside else None

    def follower(self, state: State, taken: bool) -> State:
        """The next state, by whether all beats of the frame have been taken then."""
        after = self._after(state)
        fill = after - self.o_lanes if after >= self.o_lanes else after
        return State(fill, fill < self.o_lanes and not taken)

    @cached_property
    def outputs(self) -> list[list[Source | None]]:
        """Per lane of the output and per state; None where no beat is given, or nothing meant."""
        end = self.steps[-1]
        last = State(end.fill, end.consume)

        def source(state: State, gives: bool, lane: int) -> Source | None:
            meant = gives or (state == last and lane < self.rest)
            return self._source(state, lane) if meant else None

        pairs = list(zip(self.states, self.gives, strict=True))
        return [[source(s, gives, lane) for s, gives in pairs] for lane in range(self.o_lanes)]

    @cached_property
    def holds(self) -> list[list[Source | None]]:
        """Per held element and per state; None where it stays, or the next step does not look."""
        found = []
        for lane in range(self.kept):
            row: list[Source | None] = []
            for state, gives in zip(self.states, self.gives, strict=True):
                place = lane + self.o_lanes * gives
                source = self._source(state, place)
                row.append(None if source == ("held", lane) else source)
            found.append(row)
        return found
