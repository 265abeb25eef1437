"""The SPI bus of an FTDI chip as the host's end of the link. Needs pyftdi."""

import time

from hwgen_codec import AcceleratorError

BITS = 8  # on the wire for a byte
SELECT = 1  # the chip select on ADBUS4, the one of the FPGA's flash memory
HOLD = 16  # pyftdi's unit; the select is down so long before the first clock
QUIET = b"\0"  # first in every selection: no command to a flash memory on the bus
ESCAPE, NOTHING = 0xA8, 0xA9
LOOK = 64  # bytes clocked in to see whether there is an answer; twice as many while it goes on
CLOCK = 30_000_000  # Hz, which the chip divides by a whole number
LARGEST = 32768  # bytes of one selection


class PortLost(OSError):
    """The port is gone, as when its plug is pulled."""


class Port:
    """An open SPI bus of ``speed`` Hz at most, by pyftdi's URL such as ftdi://ftdi:2232h/1.

    Raises:
        AcceleratorError: there is no pyftdi, or no such URL.
        OSError: it cannot be opened, or another program has it.
    """

    def __init__(self, name, speed):
        try:
            from pyftdi.spi import SpiController
        except ImportError:
            raise AcceleratorError(
                "the Python module pyftdi is needed for SPI: pip install pyftdi"
            ) from None
        self.name, self.speed = name, speed
        self._decoder, self._data, self._look = Decoder(), b"", LOOK
        frequency = CLOCK / -(-CLOCK // speed)  # pyftdi takes the nearest, not the next below
        self._controller = SpiController(cs_count=SELECT + 1)
        try:
            self._controller.configure(name, frequency=frequency)
            self._bus = self._controller.get_port(cs=SELECT, freq=frequency, mode=0)
            self._bus.set_mode(0, HOLD)
        except ValueError as error:
            raise AcceleratorError(f"{name} is no port of an FTDI chip: {error}") from None

    def close(self):
        """Closes the port."""
        self._controller.close()

    def write(self, data, deadline):
        """Sends ``data``, and keeps what comes meanwhile."""
        for start in range(0, len(data), LARGEST):
            self._exchange(data[start : start + LARGEST])

    def read(self, deadline):
        """What there is at once or, where there is nothing, what comes first until ``deadline``."""
        while True:
            if not self._data:
                self._exchange(bytes(self._look))
                going = len(self._data) > self._look // 2
                self._look = min(2 * self._look, LARGEST) if going else LOOK
            if self._data or time.monotonic() >= deadline:
                data, self._data = self._data, b""
                return data

    def _exchange(self, data):
        came = self._bus.exchange(QUIET + data, duplex=True)
        self._data += self._decoder.decode(bytes(came)[len(QUIET) :])


class Decoder:
    """The bytes that the hardware means; it says A9 for nothing, and A8 before an A8 or A9."""

    def __init__(self):
        self._escaped = 0

    def decode(self, data):
        """The data in ``data``, which goes on where the last call ended."""
        found = bytearray()
        for byte in data:
            if byte == ESCAPE:
                self._escaped = 0x80
            elif byte != NOTHING:
                found.append(byte ^ self._escaped)
                self._escaped = 0
        return bytes(found)
