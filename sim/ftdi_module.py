"""Stands in for ``pyftdi.spi`` on a machine without an FTDI chip: its bus is a simulation.

Beside its package lies ``socket``, at which ``spi_bench.py`` listens: JSON lines, one connection
for each request.
"""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

SOCKET = Path(__file__).parent.with_name("socket")
MODE = 0


class SpiPort:
    """One chip select of the bus."""

    def set_mode(self, mode: int, cs_hold: int | None = None) -> None:
        assert mode == MODE

    def exchange(self, out: bytes = b"", readlen: int = 0, *, duplex: bool = False) -> bytes:
        assert duplex
        assert not readlen
        return bytes.fromhex(_call(data=bytes(out).hex())["data"])


class SpiController:
    """The bus's master."""

    def __init__(self, cs_count: int = 1) -> None:
        self.cs_count = cs_count

    def configure(self, url: str, *, frequency: float) -> None:
        if not url.startswith("ftdi://"):
            raise ValueError(f"Invalid URL: {url}")
        assert abs(30e6 / frequency - round(30e6 / frequency)) < 1e-9, "pyftdi would round it"
        _call()

    def get_port(self, cs: int, freq: float, mode: int = 0) -> SpiPort:
        assert cs < self.cs_count
        assert mode == MODE
        return SpiPort()

    def close(self) -> None:
        """There is nothing to close."""


def _call(**request: Any) -> dict[str, Any]:
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(str(SOCKET))
        link.sendall((json.dumps(request) + "\n").encode())
        with link.makefile("r", encoding="utf-8") as lines:
            found: dict[str, Any] = json.loads(lines.readline())
    if "error" in found:
        raise OSError(found["error"])
    return found
