"""Driver of an accelerator made by hwgen, over a serial port. Needs numpy and POSIX, nothing else.

    from hwgen_driver import Accelerator
    accelerator = Accelerator("/dev/ttyUSB0")
    classes = accelerator.predict(images)           # (frames, ...) real numbers

or ``python hwgen_driver.py /dev/ttyUSB0 data.npz``. One request is one frame; its checksum, and a
random tag that the answer repeats, keep an answer that is damaged, late or another host's from
being taken for the right one. A request without a right answer is sent again.
"""

import argparse
import contextlib
import fcntl
import os
import secrets
import select
import struct
import termios
import time
import zlib

import numpy as np
from hwgen_codec import Network, frame_bytes, pack, unpack

IDENTIFY, FRAME, RESET = 0x00, 0x01, 0x02
IDENTITY, OUTPUTS, REFUSED = 0x80, 0x81, 0xFF
ATTEMPTS = 8
PAUSE = 0.03  # seconds; longer than the 20 ms after which the hardware forgets half a request


class AcceleratorError(RuntimeError):
    """The bitstream is not the one of this driver, or the port gives no right answer."""


class Link:
    """Requests and answers over a serial port.

    ``timeout`` is in seconds and comes on top of the time that the bytes take.
    """

    def __init__(self, port, baud, timeout=0.5):
        self.baud, self.timeout = baud, timeout
        self._file = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            with contextlib.suppress(OSError):
                fcntl.ioctl(self._file, termios.TIOCEXCL)
            self._make_raw()
        except BaseException:
            os.close(self._file)
            raise

    def _make_raw(self):
        speed = getattr(termios, f"B{self.baud}", None)
        if speed is None:
            raise AcceleratorError(f"this system has no serial speed of {self.baud}")
        control = termios.CS8 | termios.CREAD | termios.CLOCAL
        settings = [0, 0, control, 0, speed, speed, [b"\0"] * 32]
        termios.tcsetattr(self._file, termios.TCSANOW, settings)
        termios.tcflush(self._file, termios.TCIOFLUSH)

    def close(self):
        """Closes the port."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def ask(self, kind, payload, answer, size):
        """The payload of ``size`` bytes of the answer of kind ``answer``.

        Raises:
            AcceleratorError: no right answer after some attempts.
        """
        failure = "no answer"
        for _ in range(ATTEMPTS):
            tag = secrets.token_bytes(4)
            body = bytes([kind]) + tag + payload
            request = b"\xc3\x5a" + body + struct.pack("<I", zlib.crc32(body))
            wire = 10 * (len(request) + size + 11) / self.baud
            try:
                deadline = time.monotonic() + wire + self.timeout
                self._send(request, deadline)
                found = self._receive(tag, {answer: size, REFUSED: 0}, deadline)
            except OSError as error:
                raise AcceleratorError(f"the serial port failed: {error}") from None
            if found and found[0] == answer:
                return found[1]
            failure = "a refusal" if found else "no answer"
            time.sleep(PAUSE)
        raise AcceleratorError(f"{failure} after {ATTEMPTS} attempts")

    def _send(self, data, deadline):
        while data and time.monotonic() < deadline:
            _, ready, _ = select.select([], [self._file], [], max(deadline - time.monotonic(), 0))
            if ready:
                data = data[os.write(self._file, data) :]

    def _receive(self, tag, sizes, deadline):
        """Kind and payload of the first whole answer with this tag, or None when time is up."""
        data = b""
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([self._file], [], [], left)[0]:
                break
            data += os.read(self._file, 65536)
            found = find_answer(data, tag, sizes)
            if found:
                return found
        return None


def find_answer(data, tag, sizes):
    """(kind, payload) of a whole answer with this tag in ``data``; ``sizes``: payload by kind."""
    at = data.find(b"\x3c\xa5")
    while at >= 0:
        body = data[at + 2 :]
        if len(body) >= 5 and body[1:5] == tag and body[0] in sizes:
            end = 5 + sizes[body[0]]
            if (
                len(body) >= end + 4
                and struct.pack("<I", zlib.crc32(body[:end])) == (body[end : end + 4])
            ):
                return body[0], body[5:end]
        at = data.find(b"\x3c\xa5", at + 1)
    return None


class Accelerator(Network):
    """The accelerator behind a serial port."""

    def __init__(self, port, *, model=None, baud=None, timeout=0.5):
        super().__init__(model)
        self.link = Link(port, baud or self.model["baud"], timeout)
        try:
            self.reset()
        except BaseException:
            self.link.close()
            raise

    def reset(self):
        """Resets the accelerator and checks that it is the one of this driver."""
        answer = self.link.ask(RESET, b"", IDENTITY, 16)
        sizes = (frame_bytes(self.model["input"]), frame_bytes(self.model["output"]))
        expected = (b"HWG1", self.model["build_id"], *sizes)
        got = struct.unpack("<4sIII", answer)
        if got != expected:
            raise AcceleratorError(
                f"the board runs build {got[1]:#010x}, and this driver is of build "
                f"{expected[1]:#010x}: load its bitstream first"
            )

    def close(self):
        """Closes the port."""
        self.link.close()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def run_codes(self, codes):
        """Integers (frames, elements) in stream order to integers in stream order."""
        port = self.model["output"]
        size = frame_bytes(port)
        frames = pack(np.asarray(codes), self.model["input"])
        answers = [self.link.ask(FRAME, frame.tobytes(), OUTPUTS, size) for frame in frames]
        data = np.frombuffer(b"".join(answers), np.uint8).reshape(len(answers), size)
        return unpack(data, port)


def main():
    """Prints the predictions of a data set, and its accuracy where it has labels."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("port")
    parser.add_argument("data", help="an .npz file with x, and y where there are labels")
    options = parser.parse_args()
    with np.load(options.data, allow_pickle=False) as file:
        x, y = file["x"], file["y"] if "y" in file.files else None
    with Accelerator(options.port) as accelerator:
        began = time.perf_counter()
        classes = accelerator.predict(x)
        seconds = time.perf_counter() - began
    print(*classes, sep="\n")
    print(f"{len(x) / seconds:.1f} frames/s")
    if y is not None:
        print(f"accuracy {100 * np.mean(classes == y.ravel()):.2f} %")


if __name__ == "__main__":
    main()
