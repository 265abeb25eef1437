"""What a unit does in every step, as the token-level model sees it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PIPE, QUEUE, BUFFER, RING, CREDIT = "pipe", "queue", "buffer", "ring", "credit"
"""Kinds of units: an issue sequence, a queue of latency 1, a queue of latency 2, a ring: a
memory that is written as beats come and read by an issue sequence of its own, and a gate of
credits: it lets beats through, in the same cycle, while fewer than ``depth`` are between it and the
end of a queue behind it."""

Flags = NDArray[np.bool_]
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Timing:
    """An issue sequence in front of a stalling pipe, or a queue.

    Members:
        consume: for a pipe, (inputs, steps): whether a step takes a beat of that input.
        emit: for a pipe, (steps,): whether a step puts a token into the pipe. The sequence
            repeats; a frame is one or more whole repetitions.
        depth: for a pipe, cycles from issue to output; for a queue, the beats it holds (a
            ``BUFFER`` holds one more in its output register).
        kind: ``PIPE``, ``QUEUE``, ``BUFFER``, ``RING`` or ``CREDIT``.
        want, free, capacity: for a ring, per step the beats that must be held for it to be issued
            and those that it releases; and how many are held at most.
    """

    consume: Flags
    emit: Flags
    depth: int
    kind: str = PIPE
    want: Counts | None = None
    free: Counts | None = None
    capacity: int = 0

    @classmethod
    def pipe(cls, consume: object, emit: object, depth: int) -> Timing:
        """A pipe from anything that numpy reads as flags; one input may be a flat list."""
        taken = np.atleast_2d(np.asarray(consume, dtype=bool))
        given = np.asarray(emit, dtype=bool)
        if taken.shape[1] != given.shape[0]:
            raise ValueError(f"consume and emit must have the same steps: {taken.shape}")
        return cls(taken, given, depth)

    @classmethod
    def each(cls, depth: int, inputs: int = 1) -> Timing:
        """One beat of every input in, one out, in every step."""
        return cls.pipe(np.ones((inputs, 1)), [1], depth)

    @classmethod
    def queue(cls, kind: str, depth: int) -> Timing:
        """A queue of one input that holds ``depth`` beats, or a gate in front of one."""
        return cls(np.ones((1, 1), bool), np.ones(1, bool), depth, kind)

    @classmethod
    def ring(cls, want: Counts, free: Counts, emit: Flags, capacity: int, depth: int) -> Timing:
        """A ring whose steps want and free beats; it takes a beat whenever it is not full."""
        if (want > capacity).any():
            raise ValueError(f"a step wants {want.max()} beats of a ring of {capacity}")
        return cls(np.ones((1, 1), bool), emit, depth, RING, want, free, capacity)

    @property
    def beats(self) -> Counts:
        """Per input, the beats that one repetition of the sequence takes."""
        if self.free is not None:
            return np.array([self.free.sum()])
        return np.asarray(self.consume.sum(axis=1), dtype=np.int64)

    @property
    def steps(self) -> int:
        return len(self.emit)

    @property
    def interval(self) -> int:
        """Cycles of one repetition when nothing stalls."""
        return max(self.steps, int(self.beats.max()))

    @property
    def inputs(self) -> int:
        return len(self.consume)
