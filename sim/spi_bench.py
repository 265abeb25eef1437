"""The board's SPI bus behind a socket, for ``ftdi_module.py``; the design runs all the time.

Environment: HWGEN_WORK (a folder), HWGEN_NOISE (chance that a byte is damaged, in either direction,
or a clock of it is lost or doubled), HWGEN_SEED. In the folder it makes ``socket`` and then
``ready``; the simulation ends when ``stop`` appears, and answers ``replug`` and ``reset`` by doing
so and removing them.
"""

from __future__ import annotations

import json
import os
import random
import socket
import time
from pathlib import Path
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import Timer

PERIOD_NS = 10
HALF_NS = 41  # of a bit: eight cycles and a little, so that edges come at every phase
SELECT_NS = 100
AWAY_SECONDS = 0.1
NOISE = float(os.environ.get("HWGEN_NOISE", "0"))
RNG = random.Random(int(os.environ.get("HWGEN_SEED", "1")))
RELEASED = 0 if os.environ.get("HWGEN_RESET_HIGH") == "1" else 1
LIMIT_SECONDS = 900.0
WORK = Path(os.environ["HWGEN_WORK"])


class Bus:
    """The wires, as the host's end drives them: mode 0, the most significant bit first."""

    def __init__(self, dut: Any) -> None:
        self.dut = dut
        dut.spi_cs.value = 1
        dut.spi_sck.value = 0
        dut.spi_mosi.value = 0

    async def bit(self, out: int) -> int:
        """One clock: what it takes in at its rising edge."""
        self.dut.spi_mosi.value = out
        await Timer(HALF_NS, "ns")
        taken = self.dut.spi_miso.value
        self.dut.spi_sck.value = 1
        await Timer(HALF_NS, "ns")
        self.dut.spi_sck.value = 0
        return int(taken) if taken.is_resolvable else RNG.randrange(2)

    async def byte(self, out: int) -> int:
        """One byte each way, by a bad bus."""
        fault = RNG.choice("ioldl") if RNG.random() < NOISE else ""
        out ^= 1 << RNG.randrange(8) if fault == "o" else 0
        lost = RNG.randrange(8) if fault == "l" else -1
        found = 0
        for place in range(7, -1, -1):
            value = out >> place & 1
            found = found << 1 | (1 if place == lost else await self.bit(value))
            if fault == "d" and place == 3:
                await self.bit(value)
        return found ^ (1 << RNG.randrange(8) if fault == "i" else 0)

    async def exchange(self, data: bytes) -> bytes:
        """One selection."""
        self.dut.spi_cs.value = 0
        await Timer(SELECT_NS, "ns")
        found = bytes([await self.byte(value) for value in data])
        await Timer(SELECT_NS, "ns")
        self.dut.spi_cs.value = 1
        await Timer(SELECT_NS, "ns")
        assert not self.dut.spi_miso.value.is_resolvable, "the bus must be free while not selected"
        return found


async def commands(dut: Any, away: float) -> float:
    """What someone at the board does; gives the time until which the plug is out."""
    replug, reset = WORK / "replug", WORK / "reset"
    if replug.exists():
        replug.unlink()
        return time.monotonic() + AWAY_SECONDS
    if reset.exists():
        dut.reset.value = 1 - RELEASED
        await Timer(50 * PERIOD_NS, "ns")
        dut.reset.value = RELEASED
        reset.unlink()
    return away


async def answer(bus: Bus, client: socket.socket, away: float) -> None:
    """One request of one connection."""
    with client, client.makefile("r", encoding="utf-8") as lines:
        client.settimeout(5.0)
        request = json.loads(lines.readline())
        if time.monotonic() < away:
            result: Any = {"error": "no such device"}
        elif "data" in request:
            result = {"data": (await bus.exchange(bytes.fromhex(request["data"]))).hex()}
        else:
            result = {}
        client.sendall((json.dumps(result) + "\n").encode())


@cocotb.test()
async def serve(dut: Any) -> None:
    """Runs until the stop file is there."""
    bus = Bus(dut)
    if hasattr(dut, "reset"):
        dut.reset.value = RELEASED
    await Timer(PERIOD_NS, "ns")
    Clock(dut.clk, PERIOD_NS, "ns").start()
    await Timer(100 * PERIOD_NS, "ns")
    stop, began, away = WORK / "stop", time.monotonic(), 0.0
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(WORK / "socket"))
        listener.listen()
        listener.settimeout(0.001)
        part = WORK / "ready.part"
        part.write_text(str(WORK), "utf-8")
        part.rename(WORK / "ready")
        while not stop.exists() and time.monotonic() - began < LIMIT_SECONDS:
            away = await commands(dut, away)
            try:
                client, _ = listener.accept()
            except TimeoutError:
                await Timer(100 * PERIOD_NS, "ns")
                continue
            await answer(bus, client, away)
