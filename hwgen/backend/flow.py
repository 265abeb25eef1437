"""The text of a board's build flow and of its driver, from ``rtl_templates/``."""

from __future__ import annotations

from collections.abc import Mapping

import jinja2

from hwgen import paths
from hwgen.backend.boards import Board
from hwgen.backend.clocking import divisor, pll
from hwgen.backend.host import load_chunk
from hwgen.errors import BuildError
from hwgen.families.synthesis import prepare
from hwgen.verify.manifest import Manifest, Port

VIVADO_FAMILIES = {"processing_system7": "zynq", "zynq_ultra_ps_e": "zynquplus"}
ADDRESS_BITS = {"processing_system7": 32, "zynq_ultra_ps_e": 40}
CONSTRAINTS = {"ecp5": "pins.lpf", "ice40": "pins.pcf", "gowin": "pins.cst"}
BITSTREAMS = {"ecp5": ".bit", "ice40": ".bin", "gowin": ".fs"}
SYNTHESIS = {
    "ecp5": "synth_ecp5",
    "ice40": "synth_ice40 -dsp",
    "gowin": "synth_gowin",
}
PORTS = {"uart": "serial_port.py", "spi": "spi_port.py"}
TOP = "hwgen_board"
FORGET_SECONDS = 0.02  # a request that stops in the middle is forgotten after this


def files(board: Board, manifest: Manifest, name: str) -> dict[str, str]:
    """Text by path: the flow's folder and ``driver/``.

    Raises:
        BuildError: the board cannot run at the manifest's clock.
    """
    name = identifier(name)
    common = {
        "name": name,
        "board": board.name,
        "title": f"hwgen {name}",
        "top": manifest.top,
        "part": board.part,
        "family": board.family,
        "processing_system": board.processing_system,
        "clock_mhz": f"{manifest.clock_mhz:g}",
        "input_bits": manifest.input.word_bits,
        "output_bits": manifest.output.word_bits,
        "pins": board.used_pins,
    }
    if board.processing_system:
        return _zynq(board, manifest, common)
    return _linked(board, manifest, common)


def _zynq(board: Board, manifest: Manifest, common: Mapping[str, object]) -> dict[str, str]:
    values = {
        **common,
        "ip_version": ".".join(manifest.version.split(".")[:2]),
        "board_part": board.board_part,
        "vivado_family": VIVADO_FAMILIES[board.processing_system],
        "address_bits": ADDRESS_BITS[board.processing_system],
    }
    names = ("package_ip.tcl", "build.tcl", "constraints.xdc")
    made = {f"vivado/{name}": _render(f"vivado/{name}.j2", values) for name in names}
    return {**made, **_driver("pynq.py")}


def _linked(board: Board, manifest: Manifest, common: Mapping[str, object]) -> dict[str, str]:
    """A board without a processor: a link in front of the accelerator, and its own top."""
    clock, setting = board.pin("clk"), pll(board, manifest.clock_mhz)
    assert clock is not None
    hertz = 1e6 * (setting.mhz if setting else clock.mhz)
    cycles = divisor(board, hertz / 1e6)
    if not cycles:
        raise BuildError(
            f"{board.baud} baud cannot be made from a clock of {hertz / 1e6:g} MHz",
            hint="another uart.baud in board.toml, or another --clock",
        )
    values = {
        **common,
        "pll": setting,
        "pin_mhz": clock.mhz,
        "reset_pin": board.pin("reset"),
        "link": board.link,
        "baud": board.baud,
        "divisor": cycles,
        "timeout": round(FORGET_SECONDS * hertz),
        "input_bytes": _frame_bytes(manifest.input),
        "output_bytes": _frame_bytes(manifest.output),
        "build_id": f"{manifest.build_id:08x}",
        "load_words": manifest.load_words,
        "load_chunk": load_chunk(manifest.load_words) or 1,
        "options": " ".join(board.nextpnr_options),
        "gowin_family": gowin_family(board),
        "synth": SYNTHESIS.get(board.family, ""),
        "prepare": "; ".join(prepare(board.family, TOP)),
        "bitstream": f"{common['name']}{BITSTREAMS.get(board.family, '')}",
    }
    loads = ["hwgen_load.v"] * bool(manifest.load_words)
    parts = ["hwgen_link.v", f"hwgen_{board.link}.v", *loads]
    made = {
        "hwgen_board.v": _render("open/top.v.j2", values),
        "hwgen_clock.v": _render("open/clock.v.j2", values),
        **{name: (paths.RTL_TEMPLATES / "open" / name).read_text("utf-8") for name in parts},
    }
    if board.flow == "vivado":
        made["build.tcl"] = _render("open/build.tcl.j2", values)
        made["constraints.xdc"] = _render("vivado/constraints.xdc.j2", values)
    else:
        pins = CONSTRAINTS[board.family]
        made["Makefile"] = _render("open/Makefile.j2", values)
        made[pins] = _render(f"open/{pins}.j2", values)
    driver = _driver("link.py", PORTS[board.link])
    return {**{f"{board.flow}/{name}": text for name, text in made.items()}, **driver}


def gowin_family(board: Board) -> str:
    """Gowin's name of the family, from the options for nextpnr; empty elsewhere."""
    return next((o[7:] for o in board.nextpnr_options if o.startswith("family=")), "")


def _driver(name: str, port: str = "") -> dict[str, str]:
    """The driver, what it imports and, of a link, the host's end of it."""
    parts = {"hwgen_driver.py": name, "hwgen_codec.py": "hwgen_codec.py"}
    if port:
        parts["hwgen_port.py"] = port
    folder = paths.RTL_TEMPLATES / "driver"
    return {f"driver/{made}": (folder / part).read_text("utf-8") for made, part in parts.items()}


def _frame_bytes(port: Port) -> int:
    return port.words * port.word_bits // 8


def _render(template: str, values: Mapping[str, object]) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(paths.RTL_TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters["tcl"] = _tcl
    return environment.get_template(template).render(values)


def _tcl(value: object) -> str:
    """A Tcl word that stands for this text, whatever it holds."""
    word = str(value)
    if word and all(c.isalnum() or c in "_-.:/" for c in word):
        return word
    escaped = "".join(f"\\{c}" if c in '\\{}[]$"; ' else c for c in word)
    if not word or "\n" in word:
        raise BuildError(f"a name in a Tcl project must be one line, not {word!r}")
    return escaped


def identifier(name: str) -> str:
    """``name`` with everything but letters, digits and underscores replaced."""
    plain = "".join(c if c.isascii() and c.isalnum() else "_" for c in name).strip("_")
    return plain if plain[:1].isalpha() else f"net_{plain}"
