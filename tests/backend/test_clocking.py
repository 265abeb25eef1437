"""PLL settings are within the family's limits and come as near as there is."""

from dataclasses import replace

import pytest

from hwgen.backend import boards
from hwgen.backend.clocking import LIMITS, pll
from hwgen.errors import BuildError


@pytest.mark.parametrize(
    ("name", "mhz"),
    [
        ("ulx3s-85f", 100.0),
        ("ulx3s-85f", 62.5),
        ("colorlight-i5", 133.0),
        ("orangecrab", 80.0),
        ("icebreaker", 24.0),
        ("upduino", 48.0),
        ("tang-nano-9k", 54.0),
        ("tang-nano-20k", 108.0),
    ],
)
def test_clocks_are_met_within_the_limits(name: str, mhz: float) -> None:
    board = boards.load(name)
    pin = board.pin("clk")
    found = pll(board, mhz)
    assert pin is not None
    assert found is not None
    ice40 = board.family == "ice40"
    exact = pin.mhz * found.multiply / found.divide / (found.post if ice40 else 1)
    assert found.mhz == pytest.approx(exact)
    assert found.mhz == pytest.approx(mhz, rel=0.01)
    (detector_lo, detector_hi), (lo, hi) = LIMITS[board.family]
    assert detector_lo <= pin.mhz / found.divide <= detector_hi
    oscillator = pin.mhz / found.divide * found.multiply * (1 if ice40 else found.post)
    assert lo <= oscillator <= hi


def test_the_pins_own_clock_needs_no_pll() -> None:
    assert pll(boards.load("icebreaker"), 12.0) is None


def test_icebreakers_known_setting_of_48_mhz() -> None:
    found = pll(boards.load("icebreaker"), 48.0)
    assert found is not None
    assert (found.divide, found.multiply, found.post, found.filter_range) == (1, 64, 16, 1)


def test_a_clock_out_of_reach_is_named() -> None:
    with pytest.raises(BuildError, match="no PLL setting of ice40 gives 1000 MHz from 12 MHz"):
        pll(boards.load("icebreaker"), 1000.0)
    with pytest.raises(BuildError, match="runs at the 100 MHz of its clock pin, not at 50 MHz"):
        pll(boards.load("arty-a7-35"), 50.0)
    with pytest.raises(BuildError, match="must have a clock pin"):
        pll(replace(boards.load("icebreaker"), pins=()), 12.0)
