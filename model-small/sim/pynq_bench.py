"""The accelerator's AXI ports behind a socket, for ``pynq_module.py``.

Environment: HWGEN_WORK, a folder in which it makes ``socket`` and then ``ready``, and whose file
``stop`` ends the simulation. Time passes only while a request asks for it.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles

sys.path.insert(0, str(Path(__file__).parent))

from axi import Ports

PERIOD_NS = 10
CYCLES = 200  # that pass with every look at a transfer that is not done
LIMIT_SECONDS = 900.0
WORK = Path(os.environ["HWGEN_WORK"])


class Logic:
    """What one client sees: registers, and a DMA that has one transfer each way."""

    def __init__(self, dut: Any) -> None:
        self.dut = dut
        self.ports = Ports(dut)
        self.accepted: Any = None
        self.receiving: Any = None

    async def load(self, _: dict[str, Any]) -> None:
        self.dut.aresetn.value = 0
        self.ports.clear()
        await ClockCycles(self.dut.aclk, 8)
        self.ports.clear()
        self.accepted = self.receiving = None
        self.dut.aresetn.value = 1
        await ClockCycles(self.dut.aclk, 4)

    async def read(self, request: dict[str, Any]) -> int:
        return await self.ports.read(request["offset"])

    async def write(self, request: dict[str, Any]) -> None:
        await self.ports.write(request["offset"], request["value"])

    async def send(self, request: dict[str, Any]) -> None:
        self.ports.send(bytes.fromhex(request["data"]))
        self.accepted = cocotb.start_soon(self.ports.accepted())

    async def sent(self, _: dict[str, Any]) -> bool:
        return await self._done(self.accepted)

    async def receive(self, _: dict[str, Any]) -> None:
        self.receiving = cocotb.start_soon(self.ports.receive())

    async def received(self, _: dict[str, Any]) -> str | None:
        return self.receiving.result().data.hex() if await self._done(self.receiving) else None

    async def _done(self, task: Any) -> bool:
        if not task.done():
            await ClockCycles(self.dut.aclk, CYCLES)
        return bool(task.done())


def requests(listener: socket.socket) -> Iterator[tuple[socket.socket, dict[str, Any]]]:
    """One request of each connection, until the stop file is there."""
    began = time.monotonic()
    while not (WORK / "stop").exists() and time.monotonic() - began < LIMIT_SECONDS:
        try:
            client, _ = listener.accept()
        except TimeoutError:
            continue
        with client, client.makefile("r", encoding="utf-8") as lines:
            yield client, json.loads(lines.readline())


@cocotb.test()
async def serve(dut: Any) -> None:
    """Runs until the stop file is there."""
    dut.aresetn.value = 0
    Clock(dut.aclk, PERIOD_NS, "ns").start()
    logic = Logic(dut)
    await logic.load({})
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(WORK / "socket"))
        listener.listen()
        listener.settimeout(0.05)
        (WORK / "ready").touch()
        for client, request in requests(listener):
            result = await getattr(logic, request["op"])(request)
            client.sendall((json.dumps({"result": result}) + "\n").encode())
