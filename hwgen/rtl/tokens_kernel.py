"""The hot loop of ``rtl.tokens``: all units of a graph, one cycle after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

KINDS = {
    "source": 0, "sink": 1, "pipe": 2, "queue": 3, "buffer": 4, "fork": 5, "ring": 6, "wire": 7,
    "credit": 8,
}  # fmt: skip

SOURCE, SINK, PIPE, QUEUE, BUFFER, FORK, RING, WIRE, CREDIT = range(9)

PATIENCE = 5
"""Frames in a row that come later than their pace before it counts as not kept."""


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
    steps: Any, pattern: Any, needs: Any, emits: Any, frees: Any, quiet: Any, capacity: Any,
    returns: Any, pipe: Any, total: Any, beats: Any, base: Any, gate: Any, gate_end: Any,
    gates: Any, times: Any, moved: Any, most: Any, states: Any, starts: Any, pace: Any,
    max_cycles: Any,
) -> Any:  # fmt: skip
    """Runs until every source and sink has its total, or nothing can move any more.

    Nodes are in stream order; ``*_from`` index the lists of channels; ``moved`` counts beats,
    ``times[base + b]`` is the cycle of beat b at a source or sink; ``most`` is the highest level.
    ``returns`` is the gate of credits that a queue gives its room back to, or -1.
    A source starts no frame k before cycle ``k·pace``. With rows in ``states`` it stops where the
    first source has given whole frames, none of them late, and the state is that of an earlier
    such cycle; or where frames fall more and more behind their pace.

    In every cycle ``valid`` is found along the streams and ``ready`` against them; a node moves on
    as soon as its ready signals are known, because nothing before it looks at its state. A node
    is only looked at when it is ``due``: its state or a signal beside it has changed, or it slept
    through steps in which it takes nothing, gives nothing and nothing leaves its pipe. Cycles in
    which no node is due are left out.

    Returns:
        (cycles, deadlock, frame, its twin or -1).
    """
    count = len(kind)
    never = max_cycles + 1
    channels = 0
    for k in range(len(out_channel)):
        channels = max(channels, out_channel[k] + 1)
    valid = np.zeros(channels, np.bool_)
    ready = np.zeros(channels, np.bool_)
    writer = np.zeros(channels, np.int64)
    reader = np.zeros(channels, np.int64)
    for n in range(count):
        for k in range(in_from[n], in_from[n + 1]):
            reader[in_channel[k]] = n
        for k in range(out_from[n], out_from[n + 1]):
            writer[out_channel[k]] = n
    step = np.zeros(count, np.int64)
    head = np.zeros(count, np.int64)
    level = np.zeros(count, np.int64)
    held = np.zeros(count, np.int64)
    tokens = np.zeros(count, np.int64)
    have = np.zeros(count, np.bool_)
    freed_room = np.zeros(count, np.int64)
    bits = np.zeros(pipe[count] + 1, np.bool_)
    due = np.zeros(count, np.int64)
    slept = np.zeros(count, np.int64)
    sleepers = 0
    left = 0
    for n in range(count):
        if (kind[n] == SOURCE or kind[n] == SINK) and total[n] > 0:
            left += 1
    frame = behind = 0
    cycle = 0
    while cycle < max_cycles:
        if frame < len(states) and moved[0] == frame * beats[0]:
            for n in range(count):
                if slept[n] > 0:
                    gone = cycle - (due[n] - slept[n])
                    step[n] = (step[n] + gone) % steps[n]
                    head[n] = (head[n] + gone) % depth[n] if depth[n] > 0 else 0
                    slept[n] -= gone
                    if slept[n] == 0:
                        sleepers -= 1
            starts[frame] = cycle
            _remember(
                kind, depth, pipe, beats, moved, step, head, bits, level, held, frame,
                states[frame],
            )  # fmt: skip
            if frame > 0:
                slow = starts[frame] - starts[frame - 1] > pace
                behind = behind + 1 if slow else 0
            if pace > 0 and behind >= PATIENCE:
                return cycle, False, -1, -1
            for earlier in range(frame - 1, -1, -1):
                late = starts[frame] - starts[earlier] != (frame - earlier) * pace
                if pace > 0 and late:
                    continue
                if np.array_equal(states[earlier], states[frame]):
                    return cycle, False, frame, earlier
            frame += 1
        for n in range(count):
            if due[n] > cycle:
                continue
            what = kind[n]
            if what == FORK:
                came = valid[in_channel[in_from[n]]]
                first = out_from[n]
                for k in range(first, out_from[n + 1]):
                    o = out_channel[k]
                    now = came and not (held[n] >> (k - first)) & 1
                    if now != valid[o]:
                        valid[o] = now
                        if slept[reader[o]] == 0:
                            due[reader[o]] = cycle
                continue
            if what == SINK:
                continue
            o = out_channel[out_from[n]]
            if what == PIPE:
                if slept[n] > 0:
                    step[n] = (step[n] + slept[n]) % steps[n]
                    head[n] = (head[n] + slept[n]) % depth[n] if depth[n] > 0 else 0
                    slept[n] = 0
                    sleepers -= 1
                at = pattern[n] + step[n]
                mask = needs[at]
                there = True
                for k in range(in_from[n], in_from[n + 1]):
                    if mask & 1 and not valid[in_channel[k]]:
                        there = False
                    mask >>= 1
                have[n] = there
                now = there and emits[at] if depth[n] == 0 else bits[pipe[n] + head[n]]
            elif what == RING:
                have[n] = level[n] >= needs[pattern[n] + step[n]]
                now = bits[pipe[n] + head[n]]
            elif what == WIRE:
                now = valid[in_channel[in_from[n]]]
            elif what == QUEUE:
                now = level[n] > 0
            elif what == BUFFER:
                now = held[n] != 0
            elif what == CREDIT:
                now = valid[in_channel[in_from[n]]] and level[n] < depth[n]
            else:
                index = gate[n] + cycle
                free = index >= gate_end[n] or gates[index]
                if pace > 0 and moved[n] % beats[n] == 0:
                    free = free and cycle >= moved[n] // beats[n] * pace
                now = moved[n] < total[n] and (held[n] != 0 or free)
            if now != valid[o]:
                valid[o] = now
                if slept[reader[o]] == 0:
                    due[reader[o]] = cycle
        changed = sleepers > 0
        soonest = never
        for n in range(count - 1, -1, -1):
            if due[n] > cycle:
                soonest = min(soonest, due[n])
                continue
            what = kind[n]
            stirred = False
            nap = waits = 0
            if what == PIPE:
                o = out_channel[out_from[n]]
                at = pattern[n] + step[n]
                moves = ready[o] or not (emits[at] if depth[n] == 0 else valid[o])
                issued = have[n] and moves
                mask = needs[at]
                calm = mask == 0 and not valid[o] and not emits[at]
                for k in range(in_from[n], in_from[n + 1]):
                    c = in_channel[k]
                    now = issued and mask & 1
                    mask >>= 1
                    if now != ready[c]:
                        ready[c] = now
                        if slept[writer[c]] == 0:
                            due[writer[c]] = cycle
                if moves:
                    if depth[n] > 0:
                        stirred = tokens[n] > 0
                        given = issued and emits[at]
                        slot = pipe[n] + head[n]
                        tokens[n] += int(given) - int(bits[slot])
                        bits[slot] = given
                        head[n] = head[n] + 1 if head[n] + 1 < depth[n] else 0
                    if issued:
                        stirred = True
                        step[n] = step[n] + 1 if step[n] + 1 < steps[n] else 0
                        if calm:
                            nap = quiet[pattern[n] + step[n]]
                            if tokens[n] > 0:
                                k = 0
                                while k < nap and not bits[pipe[n] + (head[n] + k) % depth[n]]:
                                    k += 1
                                nap = k
            elif what == RING:
                o = out_channel[out_from[n]]
                c = in_channel[in_from[n]]
                at = pattern[n] + step[n]
                now = level[n] < capacity[n]
                if now != ready[c]:
                    ready[c] = now
                    if slept[writer[c]] == 0:
                        due[writer[c]] = cycle
                if valid[c] and now:
                    level[n] += 1
                    stirred = True
                if ready[o] or not valid[o]:
                    issued = have[n]
                    stirred = stirred or issued or tokens[n] > 0
                    given = issued and emits[at]
                    slot = pipe[n] + head[n]
                    tokens[n] += int(given) - int(bits[slot])
                    bits[slot] = given
                    head[n] = head[n] + 1 if head[n] + 1 < depth[n] else 0
                    if issued:
                        level[n] -= frees[at]
                        step[n] = step[n] + 1 if step[n] + 1 < steps[n] else 0
            elif what == FORK:
                c = in_channel[in_from[n]]
                first = out_from[n]
                served = held[n]
                for k in range(first, out_from[n + 1]):
                    if ready[out_channel[k]]:
                        served |= 1 << (k - first)
                now = served == (1 << (out_from[n + 1] - first)) - 1
                if now != ready[c]:
                    ready[c] = now
                    if slept[writer[c]] == 0:
                        due[writer[c]] = cycle
                if valid[c]:
                    after = 0 if now else served
                    stirred = after != held[n]
                    held[n] = after
            elif what == SOURCE:
                c = out_channel[out_from[n]]
                if valid[c] and ready[c]:
                    times[base[n] + moved[n]] = cycle
                    moved[n] += 1
                    left -= int(moved[n] == total[n])
                    stirred = True
                    held[n] = 0
                else:
                    held[n] = 1 if valid[c] else 0
                stirred = stirred or gate[n] + cycle < gate_end[n]
                if pace > 0 and not stirred and not valid[c] and moved[n] < total[n]:
                    waits = moved[n] // beats[n] * pace
            else:
                c = in_channel[in_from[n]]
                if what == SINK:
                    index = gate[n] + cycle
                    now = index >= gate_end[n] or gates[index]
                    stirred = index < gate_end[n]
                elif what == WIRE:
                    now = ready[out_channel[out_from[n]]]
                else:
                    now = level[n] < depth[n]
                if now != ready[c]:
                    ready[c] = now
                    if slept[writer[c]] == 0:
                        due[writer[c]] = cycle
                put = valid[c] and now
                if what == SINK:
                    if put:
                        times[base[n] + moved[n]] = cycle
                        moved[n] += 1
                        left -= int(moved[n] == total[n])
                        stirred = True
                elif what == QUEUE:
                    o = out_channel[out_from[n]]
                    get = valid[o] and ready[o]
                    stirred = put != get
                    level[n] += int(put) - int(get)
                    most[n] = max(most[n], level[n])
                    if get and returns[n] >= 0:
                        freed_room[returns[n]] = 1
                        due[returns[n]] = cycle
                        stirred = True
                elif what == CREDIT:
                    stirred = put or freed_room[n] > 0
                    level[n] += int(put) - freed_room[n]
                    freed_room[n] = 0
                elif what == BUFFER:
                    o = out_channel[out_from[n]]
                    freed = held[n] == 0 or ready[o]
                    get = level[n] > 0 and freed
                    gone_out = held[n] != 0 and ready[o]
                    if freed:
                        stirred = held[n] != int(get)
                        held[n] = int(get)
                    stirred = stirred or put != get
                    level[n] += int(put) - int(get)
                    most[n] = max(most[n], level[n] + held[n])
                    if gone_out and returns[n] >= 0:
                        freed_room[returns[n]] = 1
                        due[returns[n]] = cycle
                        stirred = True
            changed = changed or stirred
            if nap > 0:
                slept[n] = nap
                sleepers += 1
                due[n] = cycle + 1 + nap
            elif waits > cycle:
                due[n] = waits
                changed = True
            else:
                due[n] = cycle + 1 if stirred else never
            soonest = min(soonest, due[n])
        if left == 0:
            return cycle + 1, False, -1, -1
        if not changed and soonest == never:
            return cycle + 1, True, -1, -1
        cycle = max(cycle + 1, soonest)
    return max_cycles, True, -1, -1
