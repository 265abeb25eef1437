"""The board's UART as a pseudo-terminal, so that a host program can talk to the simulated design.

Environment: HWGEN_WORK (a folder), HWGEN_DIVISOR (clock cycles per bit), HWGEN_NOISE (chance that a
byte is damaged or lost, in both directions), HWGEN_SEED. In the folder, ``ready`` gets the name of
the port; the simulation ends when ``stop`` appears, and answers ``replug`` and ``reset`` by doing
so and removing them.
"""

from __future__ import annotations

import os
import random
import time
import tty
from pathlib import Path
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, Timer

PERIOD_NS = 10
BIT_NS = PERIOD_NS * int(os.environ.get("HWGEN_DIVISOR", "8"))
NOISE = float(os.environ.get("HWGEN_NOISE", "0"))
RNG = random.Random(int(os.environ.get("HWGEN_SEED", "1")))
RELEASED = 0 if os.environ.get("HWGEN_RESET_HIGH") == "1" else 1
LIMIT_SECONDS = 900.0
WORK = Path(os.environ["HWGEN_WORK"])


def noisy(data: bytes) -> bytes:
    """``data`` after a bad cable: bytes damaged, lost or doubled."""
    out = bytearray()
    for byte in data:
        fault = RNG.choice("dlr") if RNG.random() < NOISE else ""
        if fault == "l":
            continue
        out.append(byte ^ 1 << RNG.randrange(8) if fault == "d" else byte)
        if fault == "r":
            out.append(byte)
    return bytes(out)


class Cable:
    """The pseudo-terminal between host and board, under one name that never changes."""

    def __init__(self, name: Path) -> None:
        self.name = name
        self.host, self.board = -1, -1
        self.plug()

    def plug(self) -> None:
        """A new terminal under the same name."""
        self.host, self.board = os.openpty()
        tty.setraw(self.board)
        os.set_blocking(self.host, False)
        fresh = self.name.with_suffix(".new")
        fresh.symlink_to(os.ttyname(self.board))
        fresh.rename(self.name)

    def pull(self) -> None:
        """The terminal is gone, for whoever has it open."""
        self.name.unlink()
        os.close(self.host)
        os.close(self.board)
        self.host = -1

    def read(self) -> bytes:
        """What the host wrote."""
        try:
            return os.read(self.host, 4096)
        except BlockingIOError:
            return b""

    def write(self, data: bytes) -> None:
        """Sends to the host; lost where no plug is in."""
        if self.host >= 0 and data:
            os.write(self.host, data)


async def outward(dut: Any, cable: Cable) -> None:
    """Bytes from the design to the terminal."""
    while True:
        await FallingEdge(dut.uart_tx)
        await Timer(BIT_NS + BIT_NS // 2, "ns")
        byte = 0
        for place in range(8):
            byte |= int(dut.uart_tx.value) << place
            await Timer(BIT_NS, "ns")
        cable.write(noisy(bytes([byte])))


async def inward(dut: Any, data: bytes) -> None:
    """Bytes from the terminal to the design."""
    for byte in noisy(data):
        for bit in (0, *(byte >> place & 1 for place in range(8)), 1):
            dut.uart_rx.value = bit
            await Timer(BIT_NS, "ns")


async def commands(dut: Any, cable: Cable) -> None:
    """What someone at the board does, as the files in the folder ask for it."""
    replug, reset = WORK / "replug", WORK / "reset"
    if replug.exists():
        cable.pull()
        await Timer(20_000 * PERIOD_NS, "ns")
        time.sleep(0.1)
        cable.plug()
        replug.unlink()
    if reset.exists():
        dut.reset.value = 1 - RELEASED
        await Timer(50 * PERIOD_NS, "ns")
        dut.reset.value = RELEASED
        reset.unlink()


@cocotb.test()
async def serve(dut: Any) -> None:
    """Runs until the stop file is there."""
    cable = Cable(WORK / "port")
    dut.uart_rx.value = 1
    if hasattr(dut, "reset"):
        dut.reset.value = RELEASED
    await Timer(PERIOD_NS, "ns")  # pins have values before the first edge, as after power-up
    Clock(dut.clk, PERIOD_NS, "ns").start()
    await Timer(100 * PERIOD_NS, "ns")
    cocotb.start_soon(outward(dut, cable))
    part = WORK / "ready.part"
    part.write_text(str(cable.name), "utf-8")
    part.rename(WORK / "ready")
    stop, began = WORK / "stop", time.monotonic()
    while not stop.exists() and time.monotonic() - began < LIMIT_SECONDS:
        await commands(dut, cable)
        data = cable.read()
        if data:
            await inward(dut, data)
        else:
            await Timer(100 * PERIOD_NS, "ns")
            time.sleep(0.0002)
