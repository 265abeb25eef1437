"""What a design takes by yosys's count, the same way for hwgen and for what it is compared with."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hwgen import tools
from hwgen.errors import BuildError
from hwgen.families.base import Family

COMMANDS = {
    "xc7": "synth_xilinx -family xc7 -flatten -noiopad -nodsp",
    "xcup": "synth_xilinx -family xcup -flatten -noiopad -nodsp",
    "ecp5": "synth_ecp5 -nodsp",
    "ice40": "synth_ice40",
    "gowin": "synth_gowin -noiopads",
    "generic": "synth -lut 4",
}
FLOWS = {"std": "", "alu": "proc; alumacc; "}
"""Plain synthesis, and adders fixed per module before flattening so that none are merged."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Cells of a synthesised design; ``lut`` counts LUT1…LUT6 and LUT6_2 one each."""

    lut: int
    ff: int
    carry: int
    srl: int
    flow: str
    seconds: float
    cells: Mapping[str, int]


def count(
    files: Mapping[str, str],
    top: str,
    family: Family,
    *,
    flows: Iterable[str] = ("std", "alu"),
    timeout: float = 600.0,
) -> Counts:
    """Synthesise Verilog ``files`` (name to text) in every flow; the one with the fewest LUTs.

    Raises:
        ToolError: there is no yosys.
        BuildError: yosys failed or took longer than ``timeout`` seconds.
    """
    with tempfile.TemporaryDirectory(prefix="hwgen-synth-") as folder:
        for name, text in files.items():
            (Path(folder) / name).write_text(text)
        found = [_run(Path(folder), sorted(files), top, family, flow, timeout) for flow in flows]
    return min(found, key=lambda c: c.lut)


def _run(
    folder: Path, names: list[str], top: str, family: Family, flow: str, timeout: float
) -> Counts:
    # A native yosys is many times faster than the one compiled to WebAssembly, and any age will do.
    yosys = shutil.which("yosys") or tools.require("yosys").command
    script = (
        f"read_verilog -sv {' '.join(names)}; hierarchy -top {top}; {FLOWS[flow]}"
        f"{COMMANDS[family.name]} -top {top}; tee -q -o stat.txt stat"
    )
    start = time.perf_counter()
    try:
        done = subprocess.run(
            [yosys, "-q", "-p", script], cwd=folder, capture_output=True, text=True, timeout=timeout
        )
    except subprocess.TimeoutExpired:
        raise BuildError(f"yosys took longer than {timeout:.0f} s on {top}") from None
    if done.returncode:
        raise BuildError(f"yosys failed on {top}: {done.stderr[-400:] or done.stdout[-400:]}")
    cells = _cells((folder / "stat.txt").read_text())
    return Counts(
        lut=_total(cells, r"LUT[1-6](_2)?|SB_LUT4|\$lut|ALU|CCU2C"),
        ff=_total(cells, r"FD[RSCP]E(_1)?|SB_DFF\w*|TRELLIS_FF|DFF\w*|\$_S?DFFE?_\w+"),
        carry=_total(cells, r"CARRY[48]|SB_CARRY|CCU2C|ALU"),
        srl=_total(cells, r"SRL\w+"),
        flow=flow,
        seconds=time.perf_counter() - start,
        cells=cells,
    )


def _cells(report: str) -> dict[str, int]:
    """Cell types and how many of each, from ``stat`` of any yosys version."""
    cells: dict[str, int] = {}
    for line in report.splitlines():
        words = line.split()
        if len(words) == 2 and words[0].isdigit() != words[1].isdigit():
            name, number = (words[1], words[0]) if words[0].isdigit() else (words[0], words[1])
            if re.fullmatch(r"\$?[A-Z_][A-Za-z0-9_$]*|\$lut", name):
                cells[name] = int(number)
    return cells


def _total(cells: Mapping[str, int], pattern: str) -> int:
    """How many cells match; a CCU2C holds two LUTs."""
    return sum(
        number * (2 if name == "CCU2C" and "LUT" in pattern else 1)
        for name, number in cells.items()
        if re.fullmatch(pattern, name)
    )
