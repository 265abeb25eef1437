"""The bench's check of writable constants: frames stream before, during and after a change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from axi import pack, unpack
from cocotb.triggers import ClockCycles

ERRORS, LOAD_ADDRESS, LOAD_DATA, LOAD_CONTROL = 0x1C, 0x2C, 0x30, 0x34
INCOMPLETE = 8
AHEAD = 3


class _Traffic:
    """Frames that go in without a gap, and the answers to them, in order."""

    def __init__(self, bench: Any, inputs: Any, port: dict[str, int], sink: dict[str, int]) -> None:
        self.bench, self.sink = bench, sink
        self.frames = [pack(row, port["slot_bits"]) for row in inputs]
        self.given: list[Any] = []
        self.sent, self.running = 0, True

    async def run(self) -> None:
        while self.running or len(self.given) < self.sent:
            while self.running and self.sent < len(self.given) + AHEAD:
                self.bench.ports.send(self.frames[self.sent % len(self.frames)])
                self.sent += 1
            frame = await self.bench.wait(self.bench.ports.receive(), "frame of the stream")
            port = self.sink
            data = unpack(frame.data, port["elements"], port["slot_bits"], port["signed"])
            self.given.append(data)

    async def more(self, count: int) -> None:
        """Until ``count`` more frames have come out."""
        wanted = len(self.given) + count
        while len(self.given) < wanted:
            await ClockCycles(self.bench.dut.aclk, 1)


async def swap(
    bench: Any, inputs: Any, output: Any, port: dict[str, int], sink: dict[str, int], sim: Path
) -> None:
    """Writes other constants and then the first ones again; every frame must be computed with one
    network's only, and the order of networks must be that of the commits."""
    folder = sim / "vectors" / "loads"
    own, other = np.load(folder / "own.npy"), np.load(folder / "other.npy")
    networks = [output, np.load(folder / "output.npy"), output]
    traffic = _Traffic(bench, inputs, port, sink)
    task = cocotb.start_soon(traffic.run())
    await traffic.more(2)
    await _write(bench, other[:-1])
    await _commit(bench, refused=True)
    bounds = [0]
    for words in (other, own):
        await _write(bench, words)
        await traffic.more(2)
        bounds.append(len(traffic.given))  # so far all are the last network's
        await _commit(bench)
        bounds.append(traffic.sent)  # whatever is sent from now on is the next network's
        await traffic.more(2 * AHEAD)
    traffic.running = False
    await task
    bounds.append(len(traffic.given))
    _compare(bench, traffic.given, networks, bounds)


def _compare(bench: Any, given: list[Any], networks: list[Any], bounds: list[int]) -> None:
    count = len(networks[0])
    for k, network in enumerate(networks):
        for index in range(bounds[2 * k], bounds[2 * k + 1]):
            _equal(bench, index, network[index % count], given[index])
    for k in range(len(networks) - 1):
        changed = False
        for index in range(bounds[2 * k + 1], bounds[2 * k + 2]):
            old, new = (network[index % count] for network in networks[k : k + 2])
            changed = changed or not np.array_equal(given[index], old)
            _equal(bench, index, new if changed else old, given[index])


def _equal(bench: Any, index: int, want: Any, got: Any) -> None:
    wrong = np.flatnonzero(got != want)
    if wrong.size:
        at = int(wrong[0])
        bench.differ(index, int(wrong.size), at, int(want[at]), int(got[at]))


async def _write(bench: Any, words: Any) -> None:
    expected = -1
    for address, data in words.tolist():
        if address != expected:
            await bench.ports.write(LOAD_ADDRESS, address)
        await bench.ports.write(LOAD_DATA, data)
        expected = address + 1


async def _commit(bench: Any, *, refused: bool = False) -> None:
    await bench.ports.write(LOAD_CONTROL, 1)
    flags = await bench.ports.read(ERRORS)
    assert bool(flags & INCOMPLETE) == refused, "a commit must be refused if words are missing"
    await bench.ports.write(ERRORS, INCOMPLETE)
    for _ in range(bench.patience):
        if not await bench.ports.read(LOAD_CONTROL) & 1:
            return
    raise AssertionError("a commit must end once no frame is inside")
