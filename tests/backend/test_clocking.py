"""PLL settings are within the family's limits and come as near as there is."""

import re
import shutil
import subprocess
import sysconfig
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
    (detector_lo, detector_hi), (lo, hi), _ = LIMITS[board.family]
    assert detector_lo <= pin.mhz / found.divide <= detector_hi
    oscillator = pin.mhz / found.divide * found.multiply * (1 if ice40 else found.post)
    assert lo <= oscillator <= hi


def test_the_pins_own_clock_needs_no_pll() -> None:
    assert pll(boards.load("icebreaker"), 12.0) is None


def test_icebreakers_known_setting_of_48_mhz() -> None:
    found = pll(boards.load("icebreaker"), 48.0)
    assert found is not None
    assert (found.divide, found.multiply, found.post, found.filter_range) == (1, 64, 16, 1)


def _of_tool(tool: str, *words: str) -> str:
    """What the family's own tool prints, from PATH or from this Python's packages."""
    names = (tool, f"yowasp-{tool}")
    places = (None, sysconfig.get_path("scripts"))
    found = next((p for n in names for where in places if (p := shutil.which(n, path=where))), None)
    if found is None:
        pytest.skip(f"{tool} is not installed")
    done = subprocess.run([found, *words], capture_output=True, text=True, check=True)
    return done.stdout + done.stderr


@pytest.mark.parametrize("mhz", [20.25, 18.75, 36.0, 59.3, 133.3])
def test_ice40_settings_are_those_of_icepll(mhz: float) -> None:
    told = _of_tool("icepll", "-i", "12", "-o", f"{mhz:g}")
    numbers = [int(n) for n in re.findall(r"(?:DIVR|DIVF|DIVQ|FILTER_RANGE): +(\d+)", told)]
    found = pll(boards.load("icebreaker"), mhz)
    assert found is not None
    exponent = found.post.bit_length() - 1
    assert numbers == [found.divide - 1, found.multiply - 1, exponent, found.filter_range]


@pytest.mark.parametrize("mhz", [27.5, 64.0, 87.75, 108.0, 160.0])
@pytest.mark.parametrize(
    ("name", "device"),
    [("tang-nano-9k", "GW1NR-9 C6/I5"), ("tang-nano-20k", "GW2AR-18 C8/I7")],
)
def test_gowin_settings_are_within_the_tools_limits_and_as_near(
    name: str, device: str, mhz: float
) -> None:
    told = _of_tool("gowin_pll", "-d", device, "-i", "27", "-o", f"{mhz:g}")
    achieved = re.search(r"Achieved output frequency: +([0-9.]+)", told)
    ranges = re.findall(r"range: ([0-9.]+)-([0-9.]+) MHz", told)
    assert achieved is not None
    found = pll(boards.load(name), mhz)
    assert found is not None
    assert abs(found.mhz - mhz) <= abs(float(achieved[1]) - mhz) + 1e-3
    figures = (found.detector_mhz, found.mhz, found.mhz * found.post)
    for figure, (lo, hi) in zip(figures, ranges, strict=True):
        assert float(lo) <= figure <= float(hi)


@pytest.mark.parametrize("mhz", [62.5, 100.0, 133.0])
def test_ecp5_settings_are_as_near_as_those_of_ecppll(mhz: float) -> None:
    told = _of_tool("ecppll", "-i", "25", "-o", f"{mhz:g}")
    achieved = re.search(r"clkout0 frequency: +([0-9.]+)", told)
    assert achieved is not None
    found = pll(boards.load("ulx3s-85f"), mhz)
    assert found is not None
    assert abs(found.mhz - mhz) <= abs(float(achieved[1]) - mhz) + 1e-3


def test_ice40_makes_no_clock_below_16_mhz() -> None:
    with pytest.raises(BuildError, match="the nearest is 16"):
        pll(boards.load("icebreaker"), 13.0)


def test_a_clock_out_of_reach_is_named() -> None:
    with pytest.raises(BuildError, match="no PLL setting of ice40 gives 1000 MHz from 12 MHz"):
        pll(boards.load("icebreaker"), 1000.0)
    with pytest.raises(BuildError, match="runs at the 100 MHz of its clock pin, not at 50 MHz"):
        pll(boards.load("arty-a7-35"), 50.0)
    with pytest.raises(BuildError, match="must have a clock pin"):
        pll(replace(boards.load("icebreaker"), pins=()), 12.0)
