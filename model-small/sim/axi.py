"""The accelerator's ports as cocotbext-axi sees them; the only file that imports it."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from cocotbext.axi import (
    AxiLiteBus,
    AxiLiteMaster,
    AxiStreamBus,
    AxiStreamFrame,
    AxiStreamMonitor,
    AxiStreamSink,
    AxiStreamSource,
)

Integers = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Received:
    """A frame: its bytes, and the times in simulator steps of its first and last word."""

    data: bytes
    start: int
    end: int


def pack(values: Integers, slot_bits: int) -> bytes:
    """Integers in slots of a power of two of bits, little-endian, as two's complement."""
    wide = values.astype("<i8").view(np.uint8).reshape(-1, 8)
    if slot_bits >= 8:
        return wide[:, : slot_bits // 8].tobytes()
    bits = np.unpackbits(wide[:, :1], axis=1, bitorder="little")[:, :slot_bits]
    return np.packbits(bits.reshape(-1), bitorder="little").tobytes()


def unpack(data: bytes, count: int, slot_bits: int, signed: bool) -> Integers:
    """``count`` integers from slots; inverse of ``pack``."""
    bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
    slots = bits[: count * slot_bits].reshape(count, slot_bits).astype(np.int64)
    weights = np.left_shift(np.int64(1), np.arange(slot_bits, dtype=np.int64))
    if signed:
        weights[-1] = -weights[-1]
    return np.asarray(slots @ weights, dtype=np.int64)


def stalls(seed: int) -> Iterator[bool]:
    """Endless seeded pauses, in stretches of different density; none lasts for ever."""
    rng = random.Random(seed)
    while True:
        density = rng.choice((0.0, 0.2, 0.5, 0.9))
        for _ in range(rng.randint(1, 40)):
            yield rng.random() < density


class Ports:
    """Source, sink and a monitor of what the accelerator accepts, and its registers.

    The sink is always ready and the source always valid until ``stall`` says otherwise.
    """

    def __init__(self, dut: Any) -> None:
        clock, reset = dut.aclk, dut.aresetn
        inward = AxiStreamBus.from_prefix(dut, "s_axis")
        outward = AxiStreamBus.from_prefix(dut, "m_axis")
        registers = AxiLiteBus.from_prefix(dut, "s_axil")
        self._source = AxiStreamSource(inward, clock, reset, reset_active_level=False)
        self._accepted = AxiStreamMonitor(inward, clock, reset, reset_active_level=False)
        self._sink = AxiStreamSink(outward, clock, reset, reset_active_level=False)
        self._axil = AxiLiteMaster(registers, clock, reset, reset_active_level=False)
        for part in (self._source, self._accepted, self._sink):
            part.log.setLevel(logging.WARNING)
        for channel in (self._axil.read_if, self._axil.write_if):
            channel.log.setLevel(logging.WARNING)

    def send(self, data: bytes, keep: list[int] | None = None) -> None:
        """Queues one frame; TLAST comes with its last word."""
        self._source.send_nowait(AxiStreamFrame(data, tkeep=keep))

    async def receive(self) -> Received:
        """The next frame out."""
        return _received(await self._sink.recv())

    async def accepted(self) -> Received:
        """The next frame that went in."""
        return _received(await self._accepted.recv())

    def stall(self, seed: int) -> None:
        """Seeded pauses on both sides from now on."""
        self._source.set_pause_generator(stalls(seed))
        self._sink.set_pause_generator(stalls(seed + 1))

    def clear(self) -> None:
        """Forgets frames that are queued or half received, and pauses."""
        for part in (self._source, self._accepted, self._sink):
            part.clear()
            part.assert_reset()
        for paused in (self._source, self._sink):
            paused.clear_pause_generator()
            paused.pause = False

    async def read(self, offset: int) -> int:
        """A 32-bit register."""
        return int(await self._axil.read_dword(offset))

    async def write(self, offset: int, value: int) -> None:
        """Writes a 32-bit register."""
        await self._axil.write_dword(offset, value)


def _received(frame: Any) -> Received:
    return Received(bytes(frame.tdata), int(frame.sim_time_start), int(frame.sim_time_end))
