"""The divisors of a family's PLL for a clock: exhaustive, so the nearest there is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hwgen.backend.boards import Board
from hwgen.errors import BuildError

TOLERANCE = 0.02
SPI_CYCLES = 8
"""Clock cycles per bit of SPI, at least: the bus is sampled."""

# Limits in MHz: of the phase detector, of the oscillator, of the output. Lattice FPGA-DS-02012
# (ECP5), FPGA-TN-02052 (iCE40), Gowin DS117 and DS226 (rPLL; what GW1NR-9 and GW2A-18 have in
# common).
LIMITS = {
    "ecp5": ((3.125, 400.0), (400.0, 800.0), (3.125, 400.0)),
    "ice40": ((10.0, 133.0), (533.0, 1066.0), (16.0, 275.0)),
    "gowin": ((3.0, 400.0), (500.0, 1200.0), (3.90625, 600.0)),
}


@dataclass(frozen=True, slots=True)
class Pll:
    """``mhz = pin · multiply / divide``, and on iCE40 ``/ post``; ``post`` leaves the oscillator
    within its limits.
    """

    divide: int
    multiply: int
    post: int
    mhz: float
    detector_mhz: float

    @property
    def filter_range(self) -> int:
        """iCE40's loop filter for the detector's frequency (FPGA-TN-02052, table 4.1)."""
        bounds = (17.0, 26.0, 44.0, 66.0, 101.0)
        return 1 + sum(self.detector_mhz >= bound for bound in bounds)


def pll(board: Board, mhz: float) -> Pll | None:
    """The PLL from the board's clock pin to ``mhz``; None where the pin has that clock already.

    Raises:
        BuildError: the board has no clock pin, or no setting comes within 2 %.
    """
    pin = board.pin("clk")
    if pin is None or not pin.mhz:
        raise BuildError(f"{board.name} must have a clock pin with its mhz", origin="board.toml")
    if abs(pin.mhz - mhz) < 1e-6:
        return None
    if board.family not in LIMITS:
        raise BuildError(
            f"{board.name} runs at the {pin.mhz:g} MHz of its clock pin, not at {mhz:g} MHz",
            hint=f"--clock {pin.mhz:g}",
        )
    found = min(
        _settings(board.family, pin.mhz), key=lambda s: (abs(s.mhz - mhz), s.divide), default=None
    )
    if found is None or abs(found.mhz - mhz) > TOLERANCE * mhz:
        near = f", the nearest is {found.mhz:.3f} MHz" if found else ""
        raise BuildError(f"no PLL setting of {board.family} gives {mhz:g} MHz from "
                         f"{pin.mhz:g} MHz{near}")  # fmt: skip
    return found


def _settings(family: str, pin: float) -> Iterator[Pll]:
    detector_limits, oscillator_limits, output_limits = LIMITS[family]
    for divide in range(1, 65 if family == "gowin" else 17):
        detector = pin / divide
        if not detector_limits[0] <= detector <= detector_limits[1]:
            continue
        for multiply in range(1, 129 if family == "ice40" else 65):
            for post in _posts(family):
                out = detector * multiply / (post if family == "ice40" else 1)
                oscillator = detector * multiply if family == "ice40" else out * post
                inside = output_limits[0] <= out <= output_limits[1]
                if inside and oscillator_limits[0] <= oscillator <= oscillator_limits[1]:
                    yield Pll(divide, multiply, post, out, detector)


def _posts(family: str) -> tuple[int, ...]:
    if family == "ecp5":
        return tuple(range(1, 129))
    if family == "ice40":
        return (2, 4, 8, 16, 32, 64)
    return (2, 4, 8, 16, 32, 48, 64, 80, 96, 112, 128)


def fastest(board: Board, limit: float) -> float:
    """The fastest clock in MHz of at most ``limit`` that the board can give the accelerator.

    Where the processor or the vendor's tools make the clock, that is ``limit`` itself, in whole
    megahertz.

    Raises:
        BuildError: the board has no clock that slow.
    """
    pin = board.pin("clk")
    if pin is None or not pin.mhz:
        return max(float(int(limit)), 1.0)
    clocks = [pin.mhz]
    if board.family in LIMITS:
        clocks += [setting.mhz for setting in _settings(board.family, pin.mhz)]
    kept = [mhz for mhz in clocks if mhz <= limit + 1e-9 and divisor(board, mhz)]
    if not kept:
        raise BuildError(
            f"no clock of {board.name} is as slow as {limit:.1f} MHz",
            hint="a smaller network, or --style folded",
        )
    return max(kept)


def divisor(board: Board, mhz: float) -> int:
    """Clock cycles per bit of the link; 0 where the UART's speed cannot be made from that clock."""
    if board.link == "spi":
        return SPI_CYCLES
    cycles = round(1e6 * mhz / board.baud)
    if cycles < 4 or abs(1e6 * mhz / cycles / board.baud - 1) > TOLERANCE:
        return 0
    return cycles
