"""A serial port as the host's end of the link. Needs POSIX, nothing else."""

import contextlib
import fcntl
import os
import select
import termios
import time

from hwgen_codec import AcceleratorError

BITS = 10  # on the wire for a byte


class PortLost(OSError):
    """The port is gone, as when its plug is pulled."""


class Port:
    """An open serial port of ``speed`` baud, for this program alone.

    Raises:
        AcceleratorError: another program has it, or there is no such speed.
        OSError: it cannot be opened.
    """

    def __init__(self, name, speed):
        self.name, self.speed = name, speed
        self._file = os.open(name, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            with contextlib.suppress(OSError):
                fcntl.ioctl(self._file, termios.TIOCEXCL)
            self._claim()
            self._make_raw()
        except BaseException:
            self.close()
            raise

    def _claim(self):
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AcceleratorError(f"another program uses {self.name}") from None

    def _make_raw(self):
        speed = getattr(termios, f"B{self.speed}", None)
        if speed is None:
            raise AcceleratorError(f"this system has no serial speed of {self.speed}")
        control = termios.CS8 | termios.CREAD | termios.CLOCAL
        settings = [0, 0, control, 0, speed, speed, [b"\0"] * 32]
        try:
            termios.tcsetattr(self._file, termios.TCSANOW, settings)
            termios.tcflush(self._file, termios.TCIOFLUSH)
        except termios.error as error:
            raise PortLost(*error.args) from None

    def close(self):
        """Closes the port."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def write(self, data, deadline):
        """Sends ``data``, or what of it leaves until ``deadline``."""
        while data and time.monotonic() < deadline:
            _, ready, _ = select.select([], [self._file], [], max(deadline - time.monotonic(), 0))
            if ready:
                data = data[os.write(self._file, data) :]

    def read(self, deadline):
        """What there is at once or, where there is nothing, what comes first until ``deadline``."""
        left = max(deadline - time.monotonic(), 0)
        if not select.select([self._file], [], [], left)[0]:
            return b""
        data = os.read(self._file, 65536)
        if not data:
            raise PortLost("the serial port was closed")
        return data
