"""Taps on the streams between layers, to name the first integer that went wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import RisingEdge
from cocotb.utils import get_sim_time


class Taps:
    """Compares the output stream of every layer, beat by beat, with the golden model's vectors.

    ``sent`` lists the vectors that went in since the last reset, in order.
    """

    def __init__(
        self, core: Any, layers: list[dict[str, Any]], folder: Path, sent: list[int]
    ) -> None:
        self.layers = layers
        self.sent = sent
        self.expected = [np.load(folder / f"{layer['name']}.npy") for layer in layers]
        self.found: list[tuple[int, int, dict[str, Any]]] = []
        self._streams = [getattr(core, layer["instance"]) for layer in layers]
        self._task: Any = None

    def restart(self, clock: Any) -> None:
        """Counts frames from zero again, as the circuit does after reset."""
        if self._task is not None:
            self._task.cancel()
        self._task = cocotb.start_soon(self._watch(clock))

    def first(self) -> dict[str, Any] | None:
        """The first divergence: least frame, then first layer in the order of the graph."""
        return min(self.found, key=lambda item: item[:2])[2] if self.found else None

    async def _watch(self, clock: Any) -> None:
        beats = [0] * len(self.layers)
        edge = RisingEdge(clock)
        cycle = 0
        while True:
            await edge
            cycle += 1
            for number, stream in enumerate(self._streams):
                if stream.o__valid.value == 1 and stream.o__ready.value == 1:
                    self._compare(number, beats[number], cycle, int(stream.o__payload.value))
                    beats[number] += 1

    def _compare(self, number: int, beat: int, cycle: int, payload: int) -> None:
        layer = self.layers[number]
        lanes, width = layer["lanes"], layer["width"]
        frame, beat_in_frame = divmod(beat, -(-layer["elements"] // lanes))
        if frame >= len(self.sent):
            return
        row = self.expected[number][self.sent[frame]]
        for lane in range(lanes):
            element = beat_in_frame * lanes + lane
            got = payload >> (lane * width) & ((1 << width) - 1)
            if layer["signed"] and got >> (width - 1):
                got -= 1 << width
            if element < len(row) and got != row[element]:
                self._note(number, frame, element, cycle, int(row[element]), got)
                return

    def _note(
        self, number: int, frame: int, element: int, cycle: int, expected: int, got: int
    ) -> None:
        where = {"layer": self.layers[number]["name"], "frame": self.sent[frame]}
        what = {"element": element, "cycle": cycle, "expected": expected, "got": got}
        time = {"time_ns": int(get_sim_time("ns"))}
        self.found.append((frame, number, where | what | time))
