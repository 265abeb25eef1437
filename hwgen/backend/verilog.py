"""An Amaranth component as Verilog text: exact port names, no paths, the same text every time."""

from __future__ import annotations

import re
import subprocess
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amaranth.back import rtlil
from amaranth.hdl import Elaboratable, UnusedElaboratable, ValueCastable

from hwgen import tools
from hwgen.errors import BuildError

REMARKS = (
    "CASEINCOMPLETE",
    "DECLFILENAME",
    "INITIALDLY",
    "PROCASSINIT",
    "UNUSEDSIGNAL",
    "WIDTHEXPAND",
    "WIDTHTRUNC",
)
"""What Verilator's -Wall says of yosys's way to write Verilog: several modules in a file, initial
values beside assignments, operands of unequal width where the shorter one is meant."""


def unremarked(text: str) -> str:
    """Converted Verilog as a file: Verilator is told not to remark on yosys's style."""
    return "".join(f"/* verilator lint_off {code} */\n" for code in REMARKS) + text


def convert(
    component: Elaboratable, name: str, ports: Mapping[str, ValueCastable] | None = None
) -> str:
    """``component`` as Verilog text whose top module is ``name``.

    ``ports`` gives port names to signals; without it they are those of the component's signature
    (``i__payload``). The text holds no source locations, dates or paths, and depends on nothing
    but the component.

    Raises:
        ToolError: no yosys of version 0.40 or newer.
        BuildError: yosys refused the circuit.
    """
    return _verilog(_rtlil(component, name, ports))


def convert_all(components: Mapping[str, Elaboratable]) -> dict[str, str]:
    """Every component's own text by the name of its top module, as ``convert`` gives it."""
    if not components:
        return {}
    whole = _verilog("".join(_rtlil(unit, name, None) for name, unit in components.items()))
    parts: dict[str, list[str]] = {name: [] for name in components}
    for found in MODULE.finditer(whole):
        top = found.group("escaped") or found.group("name")
        parts[top.split(".")[0]].append(found.group(0))
    return {name: "\n\n".join(texts) + "\n" for name, texts in parts.items()}


def port_names(text: str) -> set[str]:
    """The ports of the first module in ``text``."""
    header = re.search(r"^module [^(]*\((.*?)\);", text, re.S | re.M)
    return set(re.findall(r"\w+", header.group(1))) if header else set()


MODULE = re.compile(
    r"^(?:\(\*.*\*\)\n)*module (?:\\(?P<escaped>\S+) |(?P<name>\w+)).*?^endmodule", re.S | re.M
)


def _rtlil(component: Elaboratable, name: str, ports: Mapping[str, ValueCastable] | None) -> str:
    named: dict[str, Any] | None = None
    if ports is not None:
        named = {key: (value, None) for key, value in ports.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnusedElaboratable)
        text: str = rtlil.convert(component, name=name, ports=named, emit_src=False)
    return text


def _verilog(source: str) -> str:
    """The RTLIL ``source`` as Verilog, by the passes that Amaranth's own back end takes."""
    yosys = tools.require("yosys")
    with tempfile.TemporaryDirectory(prefix="hwgen-") as folder:
        Path(folder, "in.il").write_text(source)
        script = [
            "read_rtlil in.il",
            "proc -nomux -norom",
            "memory_collect",
            *(f"attrmap {kind}{ATTRIBUTES}" for kind in ("", "-modattr ")),
            "write_verilog -norename out.v",
        ]
        done = subprocess.run(
            [yosys.command, "-q", "-p", "; ".join(script)], cwd=folder, env=yosys.environ(),
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        written = Path(folder, "out.v")
        if done.returncode or not written.is_file():
            told = (done.stderr + done.stdout).strip().splitlines()[-5:]
            raise BuildError("yosys could not write Verilog: " + " ".join(told))
        return _plain(written.read_text())


ATTRIBUTES = " ".join(
    f"-remove {name}"
    for name in ("generator", "top", "src", "amaranth.hierarchy", "amaranth.decoding")
)


def _plain(text: str) -> str:
    """Without yosys's banner, its version and its attributes on locations.

    A wire called ``\\x[0]`` is renamed: yosys's own AIGER files take it for bit 0 of ``x``. So is
    the register that yosys adds to a module to start its processes: its number counts modules. It
    gets its value by a nonblocking assignment, when all processes wait for it: SystemVerilog gives
    initial values to declarations before that, and a process none of whose inputs ever changes
    would leave its outputs X in Icarus.
    """
    text = re.sub(r"\A/\*.*?\*/\s*", "", text, flags=re.S)
    text = re.sub(r"\\([^\s\[]+)\[(\d+)\]", r"\\\1_at_\2", text)
    text = re.sub(r"\\\$auto\$verilog_backend\.cc:\d+:dump_module\$\d+ ", r"\$initial ", text)
    text = text.replace("reg \\$initial  = 0;", "reg \\$initial ;\n  initial \\$initial <= 0;")
    text = re.sub(r"^\s*\(\* (?:src|generator|top|cell_src) = [^*]*\*\)\n", "", text, flags=re.M)
    return text.strip() + "\n"
