"""Walks over the pixels of a frame that a ring of rows is read in, and what they want and free."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Loop:
    """``turns`` turns, each of which moves on by so many rows, columns and words of a pixel."""

    turns: int
    rows: int = 0
    columns: int = 0
    words: int = 0


@dataclass(frozen=True)
class Walk:
    """Nested loops, outermost first, over frames of ``height`` × ``width`` pixels of ``words``
    beats each.

    The walk starts ``top`` rows above and ``left`` columns left of the first pixel. Positions
    outside the frame read nothing. With every turn of the first loop the rows above all later
    positions are released; with the last one all that is left of the frame.
    """

    loops: tuple[Loop, ...]
    height: int
    width: int
    words: int
    top: int = 0
    left: int = 0

    @property
    def beats(self) -> int:
        """Beats of a frame that come in."""
        return self.height * self.width * self.words

    @property
    def row(self) -> int:
        """Beats of a row."""
        return self.width * self.words

    @cached_property
    def steps(self) -> int:
        return int(np.prod([loop.turns for loop in self.loops]))

    def delta(self, level: int, kind: str) -> int:
        """How far ``rows``, ``columns``, ``words`` or the flat ``index`` moves where loop ``level``
        takes its next turn; level −1 is from the end of a frame to the start of the next."""
        inner = self.loops[level + 1 :]
        back = sum((loop.turns - 1) * self._stride(loop, kind) for loop in inner)
        if level < 0:
            return (self.beats if kind == "index" else 0) - back
        return self._stride(self.loops[level], kind) - back

    def _stride(self, loop: Loop, kind: str) -> int:
        if kind == "index":
            return (loop.rows * self.width + loop.columns) * self.words + loop.words
        return int(getattr(loop, kind))

    @property
    def start(self) -> int:
        """Flat index of the first position; negative above or left of the frame."""
        return -(self.top * self.width + self.left) * self.words

    def positions(self, kind: str) -> Ints:
        """Per step: the row, column or flat index."""
        first = {"rows": -self.top, "columns": -self.left, "index": self.start}[kind]
        total = np.array([first])
        for loop in self.loops:
            steps = np.arange(loop.turns) * self._stride(loop, kind)
            total = (total[:, None] + steps).ravel()
        return total

    @property
    def bounded(self) -> tuple[bool, bool]:
        """Whether rows, and whether columns, leave the frame."""
        spans = []
        for kind, size in (("rows", self.height), ("columns", self.width)):
            first = {"rows": -self.top, "columns": -self.left}[kind]
            reach = first + sum((p.turns - 1) * self._stride(p, kind) for p in self.loops)
            spans.append(first < 0 or reach >= size)
        return spans[0], spans[1]

    def inside(self) -> NDArray[np.bool_]:
        """Per step: whether the position is in the frame."""
        y, x = self.positions("rows"), self.positions("columns")
        return (y >= 0) & (y < self.height) & (x >= 0) & (x < self.width)

    def released(self) -> list[int]:
        """Per turn of the first loop: the beats that it frees at its end."""
        outer = self.loops[0]
        tops = [max(turn * outer.rows - self.top, 0) for turn in range(outer.turns)]
        ends = [min(t, self.height) for t in tops[1:]] + [self.height]
        starts = [0, *ends[:-1]]
        return [(b - a) * self.row for a, b in zip(starts, ends, strict=True)]

    def want(self) -> Ints:
        """Per step: the beats that must be held, counted from what is not yet released; at least
        one, so that no border is given before its frame has come."""
        gone = np.concatenate([[0], np.cumsum(self.released())[:-1]])
        base = np.repeat(gone, self.steps // self.loops[0].turns)
        read = np.where(self.inside(), self.positions("index") + 1 - base, 1)
        return np.maximum(read, self.free())

    def free(self) -> Ints:
        """Per step: the beats that it releases."""
        amounts = np.zeros(self.steps, np.int64)
        turn = self.steps // self.loops[0].turns
        amounts[turn - 1 :: turn] = self.released()
        return amounts

    @property
    def capacity(self) -> int:
        """Beats of the least ring that is written without a stall while the walk goes on: what
        one turn of the first loop frees, and what the next one wants."""
        pixels = tuple(p for k, p in enumerate(self.loops) if not p.words or k == 0)
        walk = Walk(pixels, self.height, self.width, 1, self.top, self.left)
        return self.words * _capacity(walk)

    @property
    def releases_unread(self) -> bool:
        """Whether a turn frees beats that lie behind all that it reads, so that they may not have
        come yet."""
        return _releases_unread(self)


@lru_cache(maxsize=4096)
def _capacity(walk: Walk) -> int:
    want = walk.want().reshape(walk.loops[0].turns, -1).max(axis=1)
    ahead = np.array(walk.released()) + np.roll(want, -1)
    return int(max(want.max(), ahead.max()))


@lru_cache(maxsize=4096)
def _releases_unread(walk: Walk) -> bool:
    read = np.where(walk.inside(), walk.positions("index") + 1, 0)
    reach = read.reshape(walk.loops[0].turns, -1).max(axis=1)
    return bool((np.cumsum(walk.released()) > np.maximum.accumulate(reach)).any())
