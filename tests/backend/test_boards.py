"""Boards are read from their folders, and a wrong board file is named."""

from pathlib import Path

import pytest

from hwgen.backend import boards
from hwgen.errors import UsageError

GOOD = """
title = "T"
part = "p"
family = "xc7"
flow = "vivado"
clock_mhz = 50
[resources]
lut = 10
ff = 20
bram36 = 1.5
dsp = 0
[stream]
word_bits = 32
[vivado]
processing_system = "processing_system7"
"""


def test_pynq_z2_has_the_part_and_the_budget_of_its_datasheet() -> None:
    board = boards.load("pynq-z2")
    assert board.part == "xc7z020clg400-1"
    assert (board.lut, board.ff, board.bram36, board.dsp) == (53200, 106400, 140, 220)
    assert (board.word_bits, board.clock_mhz, board.flow) == (64, 100.0, "vivado")


@pytest.mark.parametrize("name", boards.names())
def test_every_board_loads_and_can_be_built_for(name: str) -> None:
    board = boards.load(name)
    assert board.name == name
    assert board.family in boards.FAMILIES
    if board.flow == "nextpnr":
        clock = board.pin("clk")
        assert clock is not None
        assert clock.mhz > 0
        assert board.nextpnr_options


def test_an_unknown_board_is_answered_with_the_names_and_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"ulx3s-85f, upduino.*not 'pynq-z3'") as error:
        boards.load("pynq-z3")
    assert error.value.hint == "did you mean pynq-z2?"


@pytest.mark.parametrize("name", ["", ".", "..", "/", "pynq-z2/.."])
def test_odd_names_are_not_boards(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        boards.load(name)


def test_a_folder_outside_hwgen_is_a_board(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "board.toml").write_text(GOOD)
    assert boards.load(folder).name == "mine"
    assert boards.load(folder / "board.toml").bram36 == 1.5


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("lut = 10", "", "must have 'lut'"),
        ("lut = 10", 'lut = "many"', "lut must be of type int or float, not 'many'"),
        ("lut = 10", "lut = 0", "lut must be positive, not 0"),
        ('"xc7"', '"xc9"', "family must be one of xc7, xcup, ecp5, ice40, gowin, not 'xc9'"),
        ("= 32", "= 24", "power of two of at least 8, not 24"),
        ("[resources]", "[resources", "must be TOML"),
        ("_system7", "_system8", "vivado.processing_system must be one of"),
        ('"processing_system7"', '""', "a board without a processor must have pins.clk"),
        ("clock_mhz = 50", "clock_mhz = nan", "clock_mhz must be positive, not nan"),
    ],
)
def test_a_wrong_board_file_is_explained(old: str, new: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "board.toml").write_text(GOOD.replace(old, new))
    with pytest.raises(UsageError, match=message):
        boards.load(tmp_path)
