"""Boards: one folder each, ``boards/<name>/board.toml``, and nothing about them anywhere else."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from hwgen import paths
from hwgen.errors import UsageError

FLOWS = ("vivado", "nextpnr")
FAMILIES = ("xc7", "xcup", "ecp5", "ice40", "gowin")
PROCESSING_SYSTEMS = ("processing_system7", "zynq_ultra_ps_e", "")
LINK_PINS = {
    "uart": ("uart_rx", "uart_tx"),
    "spi": ("spi_sck", "spi_cs", "spi_mosi", "spi_miso"),
}
"""The links to a host that there are, and the pins of each."""


@dataclass(frozen=True, slots=True)
class Pin:
    """One signal of the board: package location, the constraint attributes, and what it carries.

    Members:
        mhz: the frequency that arrives here, of a clock pin; 0 elsewhere.
        active_low: a pressed button or asserted signal reads 0.
    """

    name: str
    location: str
    attributes: tuple[tuple[str, str], ...] = ()
    mhz: float = 0.0
    active_low: bool = False


@dataclass(frozen=True, slots=True)
class Board:
    """An FPGA board: the budget of its part and what its build flow needs.

    Members:
        family: module of ``hwgen.families`` that prices its fabric.
        lut, ff, bram36, dsp: what the part has; other block RAM counts in 36-kbit units.
        clock_mhz: clock of the accelerator.
        word_bits: width of the AXI4-Stream words in and out of the accelerator.
        flow: ``vivado`` or ``nextpnr``.
        processing_system: Vivado IP of the hard processor, empty where the part has none.
        board_part: Vivado's name of the board, used where its board files are installed.
        nextpnr_options: device, package and speed for nextpnr.
        link: to the host, on boards without a processor: ``uart`` or ``spi``.
        baud: of the UART. spi_url: pyftdi's name of the host's end of SPI, empty where there is
            none.
    """

    name: str
    title: str
    part: str
    family: str
    flow: str
    clock_mhz: float
    lut: int
    ff: int
    bram36: float
    dsp: int
    word_bits: int
    processing_system: str = ""
    board_part: str = ""
    nextpnr_options: tuple[str, ...] = ()
    link: str = ""
    baud: int = 0
    spi_url: str = ""
    pins: tuple[Pin, ...] = field(default=())

    def pin(self, name: str) -> Pin | None:
        """The pin of that name, or ``None``."""
        return next((pin for pin in self.pins if pin.name == name), None)

    def linked(self, link: str | None) -> Board:
        """The board with that link to the host in use; None: the first that it has.

        Raises:
            UsageError: it has no such link.
        """
        found = [name for name in LINK_PINS if self._has(name)]
        wanted = link or next(iter(found), "")
        if wanted and wanted not in found:
            has = f"its link is {' or '.join(found)}" if found else "it has a processor"
            raise UsageError(
                f"{self.name} cannot be reached by {wanted}: {has}", hint="leave --link out"
            )
        return replace(self, link=wanted)

    @property
    def used_pins(self) -> tuple[Pin, ...]:
        """All pins but those of links that are not in use."""
        others = {pin for name in LINK_PINS if name != self.link for pin in LINK_PINS[name]}
        return tuple(pin for pin in self.pins if pin.name not in others)

    def _has(self, link: str) -> bool:
        speed = {"uart": self.baud, "spi": self.spi_url}[link]
        pins = all(self.pin(name) for name in LINK_PINS[link])
        return bool(speed and pins and not self.processing_system)


def names() -> list[str]:
    """All boards that come with hwgen, sorted."""
    return sorted(path.parent.name for path in paths.BOARDS.glob("*/board.toml"))


def load(name_or_path: str | Path) -> Board:
    """The board of that name, or of a folder or ``board.toml`` file outside hwgen.

    Raises:
        UsageError: no such board, or a file that is not a board's; the message lists the names.
    """
    file = _find(str(name_or_path))
    try:
        data = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"a board file must be TOML, and this one is not: {error}",
                         origin=file.name) from None  # fmt: skip
    return _checked(file.parent.name, data)


def _find(name_or_path: str) -> Path:
    known = paths.BOARDS / name_or_path / "board.toml"
    if name_or_path in names():
        return known
    path = Path(name_or_path)
    if path.is_file():
        return path
    if (path / "board.toml").is_file() and name_or_path:
        return path / "board.toml"
    near = get_close_matches(name_or_path, names(), n=1)
    raise UsageError(
        f"a board must be one of {', '.join(names())} or a folder with a board.toml, "
        f"not {name_or_path!r}",
        hint=f"did you mean {near[0]}?" if near else "hwgen boards lists them",
    )


def _checked(name: str, data: dict[str, Any]) -> Board:
    """``data`` as a Board; every missing key, wrong type or impossible value is a UsageError."""
    resources = _take(name, data, "resources", dict)
    vivado = data.get("vivado", {})
    board = Board(
        name=name,
        title=_take(name, data, "title", str),
        part=_take(name, data, "part", str),
        family=_one_of(name, data, "family", FAMILIES),
        flow=_one_of(name, data, "flow", FLOWS),
        clock_mhz=_positive(name, data, "clock_mhz"),
        lut=int(_positive(name, resources, "lut")),
        ff=int(_positive(name, resources, "ff")),
        bram36=float(_take(name, resources, "bram36", int, float)),
        dsp=int(_take(name, resources, "dsp", int)),
        word_bits=int(_positive(name, _take(name, data, "stream", dict), "word_bits")),
        processing_system=vivado.get("processing_system", ""),
        board_part=vivado.get("board_part", ""),
        nextpnr_options=tuple(data.get("nextpnr", {}).get("options", ())),
        baud=int(data.get("uart", {}).get("baud", 0)),
        spi_url=str(data.get("spi", {}).get("url", "")),
        pins=tuple(_pin(name, key, value) for key, value in data.get("pins", {}).items()),
    )
    _check(board)
    return board.linked(None)


def _check(board: Board) -> None:
    """What one key does not show: values that do not go together."""
    if board.word_bits % 8 or board.word_bits & (board.word_bits - 1):
        raise UsageError(
            f"stream.word_bits must be a power of two of at least 8, not {board.word_bits}",
            origin=board.name,
        )
    if board.processing_system not in PROCESSING_SYSTEMS:
        raise UsageError(
            f"vivado.processing_system must be one of {PROCESSING_SYSTEMS}, "
            f"not {board.processing_system!r}",
            origin=board.name,
        )
    needed = [] if board.processing_system else ["clk", *LINK_PINS["uart"]]
    needed += LINK_PINS["spi"] if board.spi_url else ()
    missing = [pin for pin in needed if board.pin(pin) is None]
    if missing or (needed and not board.baud):
        wanted = f"pins.{missing[0]}" if missing else "uart.baud"
        what = "with SPI" if wanted.startswith("pins.spi") else "without a processor"
        raise UsageError(f"a board {what} must have {wanted}", origin=board.name)


def _pin(board: str, name: str, data: dict[str, Any]) -> Pin:
    attributes = data.get("attributes", {})
    return Pin(
        name=name,
        location=_take(f"{board}: pins.{name}", data, "location", str),
        attributes=tuple((key, str(value)) for key, value in attributes.items()),
        mhz=float(data.get("mhz", 0.0)),
        active_low=bool(data.get("active_low", False)),
    )


def _take(where: str, data: dict[str, Any], key: str, *kinds: type) -> Any:
    if key not in data:
        raise UsageError(f"board.toml must have {key!r}", origin=where)
    value = data[key]
    if not isinstance(value, kinds) or isinstance(value, bool):
        wanted = " or ".join(kind.__name__ for kind in kinds)
        raise UsageError(f"{key} must be of type {wanted}, not {value!r}", origin=where)
    return value


def _positive(where: str, data: dict[str, Any], key: str) -> float:
    value = _take(where, data, key, int, float)
    if not value > 0:
        raise UsageError(f"{key} must be positive, not {value}", origin=where)
    return float(value)


def _one_of(where: str, data: dict[str, Any], key: str, allowed: tuple[str, ...]) -> str:
    value = str(_take(where, data, key, str))
    if value not in allowed:
        raise UsageError(f"{key} must be one of {', '.join(allowed)}, not {value!r}", origin=where)
    return value
