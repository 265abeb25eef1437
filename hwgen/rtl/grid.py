"""The geometry of whole windows: the beats that a step takes, and the windows that it gives."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.rtl.timing import Timing

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Axis:
    """Windows along one axis of ``size`` pixels, the first one ``before`` pixels before it."""

    size: int
    taps: int = 1
    stride: int = 1
    dilation: int = 1
    before: int = 0
    windows: int = 1

    @property
    def extent(self) -> int:
        """Pixels from a window's first tap to its last."""
        return self.dilation * (self.taps - 1) + 1

    def inside(self, position: Any) -> Any:
        return (position >= 0) & (position < self.size)


@dataclass(frozen=True)
class Grid:
    """Windows over an image, several of a row side by side in a step.

    An input beat holds ``beat`` pixels of a row: those by which a step moves on, or a whole row.
    Steps go through the image beat by beat: ``period`` of them for a row of beats, further rows
    for the border below, and those windows that reach beyond the last beat of their row are given
    while the next row comes in.
    """

    rows: Axis
    columns: Axis
    beat: int

    @property
    def legal(self) -> bool:
        """Whether a row is whole beats, and its windows whole steps."""
        x = self.columns
        if x.size % self.beat or self.rows.before >= self.rows.extent:
            return False
        return self.beat == x.size or not (self.beat % x.stride or x.windows % self.pixels)

    @property
    def pixels(self) -> int:
        """Windows of a step."""
        x = self.columns
        return x.windows if self.beat == x.size else self.beat // x.stride

    @property
    def beats(self) -> int:
        """Input beats of a row."""
        return self.columns.size // self.beat

    @property
    def turns(self) -> int:
        """Steps that give windows of a row."""
        return self.columns.windows // self.pixels

    @property
    def period(self) -> int:
        return max(self.beats, self.turns)

    @property
    def needed(self) -> list[int]:
        """The columns that a step's windows read, counted from its first window's first tap."""
        x = self.columns
        starts = range(0, self.pixels * x.stride, x.stride)
        return sorted({s + k * x.dilation for s in starts for k in range(x.taps)})

    def place(self, column: int) -> tuple[int, int]:
        """``(delay, pixel)`` of a column: by how many beats it came before the step's own, and
        its place in that beat; a negative delay: it is always beyond the border."""
        ahead, pixel = divmod(column - self.columns.before, self.beat)
        return self.ahead - ahead, pixel

    @cached_property
    def ahead(self) -> int:
        """Beats that a step's windows reach beyond the beat of the same number."""
        reach = (self.needed[-1] - self.columns.before) // self.beat
        return min(max(reach, 0), self.beats - 1)

    @property
    def over(self) -> int:
        """Steps of a row's windows that fall into the next row of beats."""
        return max(self.turns + self.ahead - self.period, 0)

    def gives(self, y: int) -> bool:
        """Whether row ``y`` of beats is the last that a row of windows reads."""
        window, rest = divmod(y + self.rows.before + 1 - self.rows.extent, self.rows.stride)
        return rest == 0 and 0 <= window < self.rows.windows

    @cached_property
    def last(self) -> tuple[int, int]:
        """Row and beat of a frame's last step."""
        bottom = max(y for y in range(self.rows.size + self.rows.extent) if self.gives(y))
        given = bottom * self.period + self.turns - 1 + self.ahead
        taken = (self.rows.size - 1) * self.period + self.beats - 1
        return divmod(max(given, taken), self.period)

    @cached_property
    def lines(self) -> tuple[Flags, Flags, Flags]:
        """Per row of beats: whether it is there, gives windows, follows one that does."""
        rows = range(self.last[0] + 1)
        gives = [self.gives(y) for y in rows]
        there = [y < self.rows.size for y in rows]
        return np.array(there), np.array(gives), np.array([False, *gives[:-1]])

    @cached_property
    def places(self) -> tuple[Flags, Flags, Flags]:
        """Per step of a row: whether it takes a beat, gives windows of this row, of the last."""
        step = np.arange(self.period)
        here = (step >= self.ahead) & (step < self.ahead + self.turns)
        return step < self.beats, here, step < self.over

    def beyond(self, column: int) -> Flags:
        """Per step of a row: whether that column of the windows it gives is beyond the border."""
        step = np.arange(self.period)
        turn = np.where(step < self.over, step + self.period, step) - self.ahead
        at = turn * self.beat - self.columns.before + column
        return np.asarray(~self.columns.inside(at) & (turn >= 0) & (turn < self.turns))

    def above(self, tap: int) -> Flags:
        """Per row of beats: whether that tap of windows that end there is beyond the border."""
        back = (self.rows.taps - 1 - tap) * self.rows.dilation
        return ~np.asarray(self.rows.inside(np.arange(self.last[0] + 1) - back))

    def timing(self, depth: int) -> Timing:
        there, gives, after = self.lines
        takes, here, late = self.places
        consume = np.outer(there, takes).ravel()
        emit = (np.outer(gives, here) | np.outer(after, late)).ravel()
        return Timing.pipe(consume[: self.steps], emit[: self.steps], depth)

    @property
    def steps(self) -> int:
        return self.last[0] * self.period + self.last[1] + 1
