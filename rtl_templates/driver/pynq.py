"""PYNQ driver of an accelerator made by hwgen.

    from hwgen_driver import Accelerator
    accelerator = Accelerator("digits.bit")         # beside it its .hwh
    classes = accelerator.predict(images)           # (frames, ...) real numbers

Needs numpy, and on the board pynq. ``model.json`` says how numbers are packed and what they mean.
"""

import time

import numpy as np
from hwgen_codec import AcceleratorError, Network, frame_bytes, pack, read_weights, unpack

ID, VERSION, BUILD, FRAMES_IN, FRAMES_OUT = 0x00, 0x04, 0x08, 0x0C, 0x10
CYCLES_LO, CYCLES_HI, ERRORS, CONTROL, LATENCY, INTERVAL = 0x14, 0x18, 0x1C, 0x20, 0x24, 0x28
LOAD_ADDRESS, LOAD_DATA, LOAD_CONTROL = 0x2C, 0x30, 0x34
INCOMPLETE = 8
MAGIC = 0x48574731
ERROR_NAMES = {1: "TLAST came early", 4: "TKEEP has a hole"}


class Accelerator(Network):
    """The accelerator on the board.

    ``bitfile`` is loaded with its ``.hwh``; ``overlay`` is an overlay that is loaded already.
    ``batch`` frames are held in memory of the DMA at a time; ``timeout`` is in seconds, for each
    batch.
    """

    def __init__(self, bitfile=None, *, overlay=None, model=None, batch=256, timeout=10.0):
        import pynq

        super().__init__(model)
        self.timeout = timeout
        self.overlay = pynq.Overlay(str(bitfile)) if overlay is None else overlay
        self.registers = self.overlay.accelerator
        self.dma = self.overlay.dma
        self._check_identity()
        self.reset()
        source, sink = self.model["input"], self.model["output"]
        self._source = pynq.allocate(shape=(batch, frame_bytes(source)), dtype=np.uint8)
        self._sink = pynq.allocate(shape=(batch, frame_bytes(sink)), dtype=np.uint8)

    def _check_identity(self):
        expected = {"ID": (ID, MAGIC), "BUILD": (BUILD, self.model["build_id"])}
        major, minor, patch = (int(part) for part in self.model["version"].split(".")[:3])
        expected["VERSION"] = (VERSION, major << 16 | minor << 8 | patch)
        for name, (offset, value) in expected.items():
            got = self.registers.read(offset)
            if got != value:
                raise AcceleratorError(
                    f"register {name} must be {value:#010x}, not {got:#010x}: "
                    "this driver and this bitstream are not of the same build"
                )

    def reset(self):
        """Resets the core and clears the error flags."""
        self.registers.write(CONTROL, 1)
        self.registers.write(ERRORS, 15)

    def load_weights(self, file):
        """Another network's constants, from what ``hwgen weights`` wrote for this build.

        Until all of them are there the accelerator computes with those that it has; from then on,
        between two frames, with the new ones.
        """
        writes, decoding = read_weights(file, self.model)
        self.registers.write(ERRORS, INCOMPLETE)
        due = None
        for address, word in writes.tolist():
            if address != due:
                self.registers.write(LOAD_ADDRESS, address)
            self.registers.write(LOAD_DATA, word)
            due = address + 1
        self.registers.write(LOAD_CONTROL, 1)
        if self.registers.read(ERRORS) & INCOMPLETE:
            raise AcceleratorError("not all words arrived: the weights are those from before")
        deadline = time.monotonic() + self.timeout
        while self.registers.read(LOAD_CONTROL) & 1:
            if time.monotonic() > deadline:
                raise AcceleratorError(f"frames stay inside for more than {self.timeout:g} s")
        self.model["decoding"] = decoding

    def close(self):
        """Gives the DMA's memory back."""
        for buffer in (self._source, self._sink):
            buffer.freebuffer()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def run_codes(self, codes):
        """Integers (frames, elements) in stream order to integers in stream order."""
        port = self.model["output"]
        codes = np.asarray(codes)
        out = np.empty((len(codes), port["elements"]), np.int64)
        size = len(self._source)
        for start in range(0, len(codes), size):
            part = codes[start : start + size]
            self._source[: len(part)] = pack(part, self.model["input"])
            self._transfer(len(part))
            out[start : start + len(part)] = unpack(np.asarray(self._sink[: len(part)]), port)
        self._check_errors()
        return out

    def _transfer(self, count):
        """``count`` frames in one packet, and their answers in one packet.

        The accelerator counts the frames that it takes and gives: any that are not ours say that
        another program is at work on it.
        """
        before = self._counts()
        self._source.flush()
        self.dma.recvchannel.transfer(self._sink, nbytes=count * self._sink.shape[1])
        self.dma.sendchannel.transfer(self._source, nbytes=count * self._source.shape[1])
        deadline = time.monotonic() + self.timeout
        for channel in (self.dma.sendchannel, self.dma.recvchannel):
            self._wait(channel, deadline)
        self._sink.invalidate()
        after = self._counts()
        moved = [(after[i] - before[i]) % (1 << 32) for i in (0, 1)]
        if moved != [count, count]:
            raise AcceleratorError(
                f"{count} frames went in and out, and the accelerator counted {moved[0]} and "
                f"{moved[1]}: another program uses it"
            )

    def _counts(self):
        return [self.registers.read(offset) for offset in (FRAMES_IN, FRAMES_OUT)]

    def _wait(self, channel, deadline):
        """Waits for a channel of the DMA, whose own ``wait`` has no end."""
        while not channel.idle:
            if time.monotonic() > deadline:
                self.reset()
                raise AcceleratorError(f"the DMA did not end within {self.timeout:g} s")
        channel.wait()

    def _check_errors(self):
        """TLAST is missing within a packet of several frames, and that is no error."""
        flags = self.registers.read(ERRORS)
        self.registers.write(ERRORS, 15)
        names = [name for bit, name in ERROR_NAMES.items() if flags & bit]
        if names:
            raise AcceleratorError(f"the accelerator reports: {', '.join(names)}")

    def benchmark(self, x):
        """Frames per second of ``predict`` on ``x``, and the cycles the hardware counted."""
        began = time.perf_counter()
        self.predict(x)
        seconds = time.perf_counter() - began
        return {
            "fps": len(x) / seconds,
            "latency_cycles": self.registers.read(LATENCY),
            "interval_cycles": self.registers.read(INTERVAL),
        }
