"""Stands in for ``pynq`` on a machine without a Zynq: its overlay is a simulation.

Beside this file lies ``socket``, at which ``pynq_bench.py`` listens: JSON lines, one answer to each
request. Memory is as incoherent as the real one: what the program writes reaches the DMA with
``flush``, and what the DMA writes reaches the program with ``invalidate``.
"""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import numpy as np

SOCKET = Path(__file__).with_name("socket")


class _Buffer(np.ndarray[Any, Any]):
    """An array with a second copy, the memory that the DMA sees."""

    memory: np.ndarray[Any, Any]

    def flush(self) -> None:
        self.memory[:] = self.view(np.ndarray)

    def invalidate(self) -> None:
        self.view(np.ndarray)[:] = self.memory

    def freebuffer(self) -> None:
        del self.memory


def allocate(shape: tuple[int, ...], dtype: Any = np.uint32) -> _Buffer:
    """A buffer that the DMA can reach, with arbitrary contents."""
    made = np.full(shape, 0x5A, dtype).view(_Buffer)
    made.memory = np.full(shape, 0xA5, dtype)
    return made


class Overlay:
    """A bitstream, loaded: the accelerator in its state after power-up."""

    def __init__(self, bitfile_name: str) -> None:
        if not Path(bitfile_name).is_file():
            raise OSError(f"Bitstream file {bitfile_name} does not exist")
        self._link = _Link()
        self._link.call(op="load")
        self.accelerator = _Registers(self._link)
        self.dma = _Dma(self._link)


class _Link:
    """One connection for each request, so that nothing is left open."""

    def call(self, **request: Any) -> Any:
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(str(SOCKET))
            link.sendall((json.dumps(request) + "\n").encode())
            with link.makefile("r", encoding="utf-8") as lines:
                line = lines.readline()
        if not line:
            raise OSError("the simulation has ended")
        return json.loads(line)["result"]


class _Registers:
    """Memory-mapped registers."""

    def __init__(self, link: _Link) -> None:
        self._link = link

    def read(self, offset: int = 0) -> int:
        return int(self._link.call(op="read", offset=offset))

    def write(self, offset: int, value: int) -> None:
        self._link.call(op="write", offset=offset, value=value)


class _Dma:
    def __init__(self, link: _Link) -> None:
        self.sendchannel = _Sender(link)
        self.recvchannel = _Receiver(link)


class _Sender:
    def __init__(self, link: _Link) -> None:
        self._link = link
        self._idle = True

    def transfer(self, array: _Buffer, start: int = 0, nbytes: int = 0) -> None:
        if not self._idle:
            raise RuntimeError("DMA channel not idle")
        data = array.memory.reshape(-1).view(np.uint8)
        self._link.call(op="send", data=data[start : start + (nbytes or data.size)].tobytes().hex())
        self._idle = False

    @property
    def idle(self) -> bool:
        if not self._idle:
            self._idle = bool(self._link.call(op="sent"))
        return self._idle

    def wait(self) -> None:
        while not self.idle:
            pass


class _Receiver:
    def __init__(self, link: _Link) -> None:
        self._link = link
        self._target: np.ndarray[Any, Any] | None = None

    def transfer(self, array: _Buffer, start: int = 0, nbytes: int = 0) -> None:
        if self._target is not None:
            raise RuntimeError("DMA channel not idle")
        data = array.memory.reshape(-1).view(np.uint8)
        self._target = data[start : start + (nbytes or data.size)]
        self._link.call(op="receive")

    @property
    def idle(self) -> bool:
        if self._target is not None and (found := self._link.call(op="received")) is not None:
            data = np.frombuffer(bytes.fromhex(found), np.uint8)
            if data.size > self._target.size:
                raise RuntimeError("DMA: a packet is longer than its buffer")
            self._target[: data.size] = data
            self._target = None
        return self._target is None

    def wait(self) -> None:
        while not self.idle:
            pass
