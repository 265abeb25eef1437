"""The board's UART as a pseudo-terminal, so that a host program can talk to the simulated design.

Environment: HWGEN_PORT (file that gets the terminal's name), HWGEN_STOP (file whose appearance ends
the simulation), HWGEN_DIVISOR (clock cycles per bit), HWGEN_NOISE (chance that a byte is damaged or
lost, in both directions), HWGEN_SEED.
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
LIMIT_SECONDS = 600.0


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


async def outward(dut: Any, terminal: int) -> None:
    """Bytes from the design to the terminal."""
    while True:
        await FallingEdge(dut.uart_tx)
        await Timer(BIT_NS + BIT_NS // 2, "ns")
        byte = 0
        for place in range(8):
            byte |= int(dut.uart_tx.value) << place
            await Timer(BIT_NS, "ns")
        os.write(terminal, noisy(bytes([byte])))


async def inward(dut: Any, data: bytes) -> None:
    """Bytes from the terminal to the design."""
    for byte in noisy(data):
        for bit in (0, *(byte >> place & 1 for place in range(8)), 1):
            dut.uart_rx.value = bit
            await Timer(BIT_NS, "ns")


@cocotb.test()
async def serve(dut: Any) -> None:
    """Runs until the stop file is there."""
    terminal, other = os.openpty()
    tty.setraw(other)
    os.set_blocking(terminal, False)
    dut.uart_rx.value = 1
    if hasattr(dut, "reset"):
        dut.reset.value = 0 if os.environ.get("HWGEN_RESET_HIGH") == "1" else 1
    await Timer(PERIOD_NS, "ns")  # pins have values before the first edge, as after power-up
    Clock(dut.clk, PERIOD_NS, "ns").start()
    await Timer(100 * PERIOD_NS, "ns")
    cocotb.start_soon(outward(dut, terminal))
    port = Path(os.environ["HWGEN_PORT"])
    part = port.with_suffix(".part")
    part.write_text(os.ttyname(other), "utf-8")
    part.rename(port)
    stop, began = Path(os.environ["HWGEN_STOP"]), time.monotonic()
    while not stop.exists() and time.monotonic() - began < LIMIT_SECONDS:
        try:
            data = os.read(terminal, 4096)
        except BlockingIOError:
            await Timer(100 * PERIOD_NS, "ns")
            time.sleep(0.0002)
        else:
            await inward(dut, data)
    os.close(terminal)
    os.close(other)
