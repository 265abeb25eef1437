"""How yosys maps a design to a family, and what the mapped cells count.

Counting: look-up tables one each, LUT6_2 one, shift registers and LUT RAM as the LUTs that they
occupy; ECP5 CCU2C two, Gowin ALU one, since those are LUTs in carry mode. CARRY4/8, SB_CARRY, wide
multiplexers and inverters cost nothing. Memories count in 36-kbit block RAMs.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hwgen import tools
from hwgen.errors import BuildError, UsageError
from hwgen.families.base import Family, Resources

COMMANDS = {
    "xc7": "synth_xilinx -family xc7 -flatten -noiopad",
    "xcup": "synth_xilinx -family xcup -flatten -noiopad",
    "ecp5": "synth_ecp5",
    "ice40": "synth_ice40 -spram",
    "gowin": "synth_gowin -noiopads",
}

DSPS = {
    "xc7": ("", "-nodsp"),
    "xcup": ("", "-nodsp"),
    "ecp5": ("", "-nodsp"),
    "ice40": ("-dsp", ""),
    "gowin": ("", ""),  # -nodsp is younger than the oldest yosys that hwgen takes
}
"""What a family's command needs to map to DSPs, and not to."""

XILINX_LUTS = (
    "opt_expr -mux_undef -noclkinv",
    "abc -luts 2:2,3,6:5,10,20",
    "clean",
    "techmap -map +/xilinx/ff_map.v",
    "xilinx_srl -fixed -minlen 3",
    "techmap -map +/xilinx/lut_map.v -map +/xilinx/cells_map.v -D LUT_WIDTH=6",
    "opt_lut_ins -tech xilinx",
)
"""Mapping to LUTs by ABC's classic flow, which all versions of yosys have: newer ones map by ABC9
unasked, and that flow leaves the LUT in front of a carry cell half empty."""

FLOWS = {"std": (), "alu": ("proc", "alumacc")}
"""What precedes a family's own commands: nothing, or adders fixed per module before flattening, so
that none are merged."""

# What one cell takes: a pattern of its name, the field of Resources, and how much of it.
PRICES: tuple[tuple[str, str, float], ...] = (
    (r"LUT[1-6]|LUT6_2|SB_LUT4", "lut", 1),
    (r"CCU2C", "lut", 2),
    (r"ALU", "lut", 1),
    (r"SRL16E|SRLC16E|SRLC32E", "lutram", 1),
    (r"RAM(32|64)X1S|RAM32X1S_1|RAM64X1S_1", "lutram", 1),
    (r"RAM(32|64)X1D|RAM128X1S", "lutram", 2),
    (r"RAM128X1D|RAM32M|RAM64M|RAM256X1S", "lutram", 4),
    (r"RAM32M16|RAM64M8|RAM256X1D|RAM512X1S", "lutram", 8),
    (r"TRELLIS_DPR16X4", "lutram", 4),
    (r"RAM16SDP[124]|RAM16SP[124]", "lutram", 4),
    (r"FD[RSCP]E(_1)?|TRELLIS_FF|SB_DFF\w*|DFF\w*|LD[CP]E", "ff", 1),
    (r"RAMB36E[12]", "bram36", 1),
    (r"RAMB18E[12]|DP16KD|PDPW16KD|DPX?9?B|SDPX?9?B|SPX?9?|pROMX?9?", "bram36", 0.5),
    (r"URAM288(_BASE)?", "bram36", 8),
    (r"SB_RAM40_4K\w*", "bram36", 0.125),
    (r"SB_SPRAM256KA", "bram36", 8),
    (r"DSP48E[12]|MULT18X18D|SB_MAC16|MULT(9X9|18X18|36X36)|MULTALU\w+", "dsp", 1),
)


def prepare(family: str, top: str) -> list[str]:
    """What precedes the family's own command: LUT RAM is not asked of a family that has none, and
    adders are adders. Left to itself yosys joins them, once all is flat, into sums of many
    operands, which take a third more LUTs where a carry chain adds two words.
    """
    lines = ["setattr -unset ram_style a:ram_style=distributed"] if family == "ice40" else []
    if family in ("ecp5", "ice40", "gowin"):
        lines += [f"hierarchy -top {top}", "alumacc A:hwgen_adder"]
    return lines


def commands(family: str, top: str, *, dsp: bool = True) -> list[str]:
    """The commands that map ``top`` to the family's cells, to DSPs among them if ``dsp``.

    Raises:
        UsageError: yosys knows no such family.
    """
    if family not in COMMANDS:
        raise UsageError(f"family must be one of {', '.join(COMMANDS)}, not {family!r}")
    whole = f"{COMMANDS[family]} {DSPS[family][not dsp]} -top {top}"
    if family not in ("xc7", "xcup"):
        return [*prepare(family, top), whole]
    return [f"{whole} -run begin:map_luts", *XILINX_LUTS, f"{whole} -run finalize:check"]


def priced(cells: Mapping[str, int]) -> tuple[Resources, int]:
    """What cells take, by type, and how many of the LUTs are memory or shift register."""
    sums = dict.fromkeys(("lut", "lutram", "ff", "bram36", "dsp"), 0.0)
    for cell, number in cells.items():
        for pattern, kind, price in PRICES:
            if re.fullmatch(pattern, cell):
                sums[kind] += price * number
                break
    lutram = int(sums.pop("lutram"))
    return Resources(**{**sums, "lut": sums["lut"] + lutram}), lutram


@dataclass(frozen=True, slots=True)
class Counts:
    """Cells of a synthesised design.

    Members:
        lut: LUTs that are neither memory nor shift register.
        srl: shift registers of one LUT each.
        flow: the one of ``FLOWS`` that they were counted in.
        cells: cells by type.
    """

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
    """Synthesise Verilog ``files`` (name to text) as ``hwgen synth`` does, but without DSPs.

    It is done in every one of ``flows`` (``FLOWS``); the one with the fewest LUTs counts.

    Raises:
        UsageError: yosys knows no such family.
        ToolError: there is no yosys.
        BuildError: yosys failed or took longer than ``timeout`` seconds.
    """
    with tempfile.TemporaryDirectory(prefix="hwgen-synth-") as folder:
        for name, text in files.items():
            (Path(folder) / name).write_text(text, "utf-8")
        found = [_run(Path(folder), sorted(files), top, family, flow, timeout) for flow in flows]
    return min(found, key=lambda c: c.lut)


def _run(
    folder: Path, names: list[str], top: str, family: Family, flow: str, timeout: float
) -> Counts:
    """Paths are relative: yosys's WebAssembly build sees little but its working directory."""
    yosys = tools.require("yosys")
    lines = [f"read_verilog -sv {' '.join(names)}", f"hierarchy -top {top}", *FLOWS[flow]]
    lines += [*commands(family.name, top, dsp=False), "tee -q -o stat.json stat -json"]
    (folder / "run.ys").write_text("\n".join(lines) + "\n", "utf-8")
    start = time.perf_counter()
    try:
        done = subprocess.run(
            [yosys.command, "-q", "-s", "run.ys"], cwd=folder, env=yosys.environ(),
            capture_output=True, text=True, timeout=timeout,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise BuildError(f"yosys took longer than {timeout:.0f} s on {top}") from None
    if done.returncode:
        raise BuildError(f"yosys failed on {top}: {done.stderr[-400:] or done.stdout[-400:]}")
    cells = json.loads((folder / "stat.json").read_text("utf-8"))["design"]["num_cells_by_type"]
    resources, lutram = priced(cells)
    return Counts(
        lut=int(resources.lut) - lutram,
        ff=int(resources.ff),
        carry=_total(cells, r"CARRY[48]|SB_CARRY|CCU2C|ALU"),
        srl=_total(cells, r"SRL\w+"),
        flow=flow,
        seconds=time.perf_counter() - start,
        cells=cells,
    )


def _total(cells: Mapping[str, int], pattern: str) -> int:
    """How many cells match."""
    return sum(number for name, number in cells.items() if re.fullmatch(pattern, name))
