"""The hot loop of ``rtl.tokens``: all units of a graph, one cycle after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

KINDS = {"source": 0, "sink": 1, "pipe": 2, "queue": 3, "buffer": 4, "fork": 5, "ring": 6}

SOURCE, SINK, PIPE, QUEUE, BUFFER, FORK, RING = range(7)


@njit(cache=True)
def _valids(
    kind: Any, in_from: Any, in_channel: Any, out_from: Any, out_channel: Any, depth: Any,
    pattern: Any, needs: Any, emits: Any, pipe: Any, gate: Any, gate_end: Any, gates: Any,
    total: Any, moved: Any, step: Any, head: Any, bits: Any, level: Any, held: Any, have: Any,
    valid: Any, cycle: Any,
) -> None:  # fmt: skip
    """Every channel's ``valid``, along the streams; ``have``: a pipe's inputs are there."""
    for n in range(len(kind)):
        first = out_from[n]
        if kind[n] == SOURCE:
            index = gate[n] + cycle
            free = index >= gate_end[n] or gates[index]
            valid[out_channel[first]] = moved[n] < total[n] and (held[n] != 0 or free)
        elif kind[n] == PIPE:
            mask = needs[pattern[n] + step[n]]
            have[n] = True
            for k in range(in_from[n], in_from[n + 1]):
                if (mask >> (k - in_from[n])) & 1 and not valid[in_channel[k]]:
                    have[n] = False
            if depth[n] == 0:
                valid[out_channel[first]] = have[n] and emits[pattern[n] + step[n]]
            else:
                valid[out_channel[first]] = bits[pipe[n] + head[n]]
        elif kind[n] == RING:
            have[n] = level[n] >= needs[pattern[n] + step[n]]
            valid[out_channel[first]] = bits[pipe[n] + head[n]]
        elif kind[n] == QUEUE:
            valid[out_channel[first]] = level[n] > 0
        elif kind[n] == BUFFER:
            valid[out_channel[first]] = held[n] != 0
        elif kind[n] == FORK:
            for k in range(first, out_from[n + 1]):
                done = (held[n] >> (k - first)) & 1
                valid[out_channel[k]] = valid[in_channel[in_from[n]]] and not done


@njit(cache=True)
def _readies(
    kind: Any, in_from: Any, in_channel: Any, out_from: Any, out_channel: Any, depth: Any,
    pattern: Any, needs: Any, emits: Any, capacity: Any, gate: Any, gate_end: Any, gates: Any,
    step: Any, level: Any, held: Any, have: Any, moves: Any, valid: Any, ready: Any, cycle: Any,
) -> None:  # fmt: skip
    """Every channel's ``ready``, against the streams; ``moves``: a pipe's ce."""
    for n in range(len(kind) - 1, -1, -1):
        if kind[n] == SINK:
            index = gate[n] + cycle
            ready[in_channel[in_from[n]]] = index >= gate_end[n] or gates[index]
        elif kind[n] == PIPE:
            out = out_channel[out_from[n]]
            if depth[n] == 0:
                moves[n] = ready[out] or not emits[pattern[n] + step[n]]
            else:
                moves[n] = ready[out] or not valid[out]
            mask = needs[pattern[n] + step[n]]
            for k in range(in_from[n], in_from[n + 1]):
                wanted = (mask >> (k - in_from[n])) & 1
                ready[in_channel[k]] = moves[n] and wanted and have[n]
        elif kind[n] == RING:
            out = out_channel[out_from[n]]
            moves[n] = ready[out] or not valid[out]
            ready[in_channel[in_from[n]]] = level[n] < capacity[n]
        elif kind[n] == QUEUE or kind[n] == BUFFER:
            ready[in_channel[in_from[n]]] = level[n] < depth[n]
        elif kind[n] == FORK:
            all_served = True
            for k in range(out_from[n], out_from[n + 1]):
                done = (held[n] >> (k - out_from[n])) & 1
                if not done and not ready[out_channel[k]]:
                    all_served = False
            ready[in_channel[in_from[n]]] = all_served


@njit(cache=True)
def _remember(
    kind: Any, depth: Any, pipe: Any, beats: Any, moved: Any, step: Any, head: Any, bits: Any,
    level: Any, held: Any, frame: Any, out: Any,
) -> None:  # fmt: skip
    """The state as a row of numbers that is equal whenever the future is."""
    at = 0
    for n in range(len(kind)):
        out[at] = step[n]
        out[at + 1] = level[n]
        out[at + 2] = held[n]
        out[at + 3] = moved[n] - frame * beats[n]
        at += 4
        if kind[n] == PIPE or kind[n] == RING:
            for k in range(depth[n]):
                out[at] = bits[pipe[n] + (head[n] + k) % depth[n]]
                at += 1


@njit(cache=True)
def advance(
    kind: Any, in_from: Any, in_channel: Any, out_from: Any, out_channel: Any, depth: Any,
    steps: Any, pattern: Any, needs: Any, emits: Any, frees: Any, capacity: Any, pipe: Any,
    total: Any, beats: Any, base: Any, gate: Any, gate_end: Any, gates: Any, times: Any,
    moved: Any, most: Any, states: Any, starts: Any, max_cycles: Any,
) -> Any:  # fmt: skip
    """Runs until every source and sink has its total, or nothing can move any more.

    Nodes are in stream order; ``*_from`` index the lists of channels; ``moved`` counts beats,
    ``times[base + b]`` is the cycle of beat b at a source or sink; ``most`` is the highest level.
    With rows in ``states`` it stops where a frame starts in the state of an earlier one.

    Returns:
        (cycles, deadlock, frame, its twin or -1).
    """
    count = len(kind)
    channels = 0
    for k in range(len(out_channel)):
        channels = max(channels, out_channel[k] + 1)
    valid = np.zeros(channels, np.bool_)
    ready = np.zeros(channels, np.bool_)
    step = np.zeros(count, np.int64)
    head = np.zeros(count, np.int64)
    level = np.zeros(count, np.int64)
    held = np.zeros(count, np.int64)
    tokens = np.zeros(count, np.int64)
    have = np.zeros(count, np.bool_)
    moves = np.zeros(count, np.bool_)
    bits = np.zeros(pipe[count] + 1, np.bool_)
    frame = 0
    for cycle in range(max_cycles):
        _valids(
            kind, in_from, in_channel, out_from, out_channel, depth, pattern, needs, emits, pipe,
            gate, gate_end, gates, total, moved, step, head, bits, level, held, have, valid, cycle,
        )  # fmt: skip
        _readies(
            kind, in_from, in_channel, out_from, out_channel, depth, pattern, needs, emits,
            capacity, gate, gate_end, gates, step, level, held, have, moves, valid, ready, cycle,
        )  # fmt: skip
        lead = out_channel[out_from[0]]
        if frame < len(states) and moved[0] == frame * beats[0] and valid[lead] and ready[lead]:
            starts[frame] = cycle
            _remember(
                kind, depth, pipe, beats, moved, step, head, bits, level, held, frame,
                states[frame],
            )  # fmt: skip
            for earlier in range(frame - 1, -1, -1):
                if np.array_equal(states[earlier], states[frame]):
                    return cycle, False, frame, earlier
            frame += 1
        changed = False
        pending = False
        for n in range(count):
            if kind[n] == SOURCE or kind[n] == SINK:
                c = out_channel[out_from[n]] if kind[n] == SOURCE else in_channel[in_from[n]]
                if valid[c] and ready[c]:
                    times[base[n] + moved[n]] = cycle
                    moved[n] += 1
                    changed = True
                if kind[n] == SOURCE:
                    held[n] = 1 if valid[c] and not ready[c] else 0
                pending = pending or moved[n] < total[n]
                if gate[n] + cycle < gate_end[n]:
                    changed = True
            elif kind[n] == PIPE or kind[n] == RING:
                if kind[n] == RING:
                    c = in_channel[in_from[n]]
                    if valid[c] and ready[c]:
                        level[n] += 1
                        changed = True
                    if moves[n] and have[n]:
                        level[n] -= frees[pattern[n] + step[n]]
                if not moves[n]:
                    continue
                issued = have[n]
                given = issued and emits[pattern[n] + step[n]]
                if depth[n] > 0:
                    if tokens[n] > 0:
                        changed = True
                    slot = pipe[n] + head[n]
                    tokens[n] += int(given) - int(bits[slot])
                    bits[slot] = given
                    head[n] = head[n] + 1 if head[n] + 1 < depth[n] else 0
                if issued:
                    changed = True
                    step[n] = step[n] + 1 if step[n] + 1 < steps[n] else 0
            elif kind[n] == QUEUE or kind[n] == BUFFER:
                c = in_channel[in_from[n]]
                o = out_channel[out_from[n]]
                put = valid[c] and ready[c]
                get = valid[o] and ready[o]
                if kind[n] == BUFFER:
                    left = get or held[n] == 0
                    get = level[n] > 0 and left
                    if left:
                        changed = changed or (held[n] != 0) or get
                        held[n] = 1 if get else 0
                level[n] += int(put) - int(get)
                changed = changed or put or get
                most[n] = max(most[n], level[n] + (held[n] if kind[n] == BUFFER else 0))
            elif kind[n] == FORK:
                c = in_channel[in_from[n]]
                before = held[n]
                if valid[c]:
                    now = 0
                    for k in range(out_from[n], out_from[n + 1]):
                        if ready[out_channel[k]] or (before >> (k - out_from[n])) & 1:
                            now |= 1 << (k - out_from[n])
                    held[n] = 0 if ready[c] else now
                changed = changed or held[n] != before
        if not pending:
            return cycle + 1, False, -1, -1
        if not changed:
            return cycle + 1, True, -1, -1
    return max_cycles, True, -1, -1
