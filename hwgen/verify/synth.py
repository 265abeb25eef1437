"""Synthesis of a built project with yosys, counted per unit of the core and in total.

Cells are mapped and counted as ``families/synthesis.py`` says.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwgen import tools
from hwgen.errors import BuildError
from hwgen.families.base import Resources
from hwgen.families.synthesis import commands, priced
from hwgen.verify import manifest as manifests
from hwgen.verify import verilate

WORK = "synth"


@dataclass(frozen=True, slots=True)
class SynthPart:
    """What one unit of the core takes, or the whole accelerator.

    Members:
        name: of the layer in the manifest, or of the instance where it is no layer.
        instance: in the core; empty for what is outside the units.
        lutram: LUTs within ``resources.lut`` that are memory or shift register.
        cells: cells by type.
    """

    name: str
    instance: str
    resources: Resources
    lutram: int
    cells: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class SynthResult:
    """Cells of the accelerator after synthesis.

    Members:
        total: everything.
        parts: the units of the core, in the order of the circuit.
        rest: all else: the AXI adapters and the wiring of the core.
        tool: yosys and its version.
    """

    family: str
    total: SynthPart
    parts: tuple[SynthPart, ...]
    rest: SynthPart
    tool: str
    seconds: float


def synthesize(folder: Path, family: str, *, timeout: float = 7200.0) -> SynthResult:
    """Runs yosys for ``family`` on a built project; the log stays in ``synth/``.

    Raises:
        UsageError: ``folder`` is not a built project, or yosys knows no such family.
        ToolError: yosys is missing.
        BuildError: yosys failed, or took longer than ``timeout`` seconds.
    """
    folder = folder.resolve()
    manifest = manifests.read(folder)
    sources = manifests.sources(folder)
    units = instances(manifest.core, [source.read_text("utf-8") for source in sources])
    work = folder / WORK
    work.mkdir(exist_ok=True)
    began = time.monotonic()
    stat = _run(folder, sources, manifest.top, units.values(), family, timeout)
    counts = _per_module(stat, units.values(), manifest.top)
    named = {layer.instance: layer.name for layer in manifest.layers}
    parts = tuple(
        _part(named.get(instance, instance), instance, counts[module])
        for instance, module in units.items()
    )
    tool = tools.require("yosys")
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part.cells)
    total.update(counts[manifest.top])
    return SynthResult(
        family=family,
        total=_part(manifest.top, "", total),
        parts=parts,
        rest=_part("rest", "", counts[manifest.top]),
        tool=f"{tool.name} {tool.version}",
        seconds=time.monotonic() - began,
    )


@dataclass(frozen=True, slots=True)
class Netlist:
    """A design mapped to a family's cells, as Verilog, and yosys's models of the cells.

    Members:
        includes: folders that the models include files from.
        defines: macros that make the models plain enough for every simulator.
    """

    file: Path
    models: tuple[Path, ...]
    includes: tuple[Path, ...]
    defines: tuple[str, ...] = ("NO_INCLUDES", "NO_ICE40_DEFAULT_ASSIGNMENTS")


def netlist(folder: Path, family: str, *, timeout: float = 7200.0) -> Netlist:
    """The whole accelerator after synthesis, flat, to be simulated; it lies in ``synth/``.

    Raises:
        As ``synthesize``.
    """
    folder = folder.resolve()
    top = manifests.read(folder).top
    sources = manifests.sources(folder)
    (folder / WORK).mkdir(exist_ok=True)
    target = folder / WORK / f"netlist-{family}.v"
    lines = [f'read_verilog "{source.relative_to(folder).as_posix()}"' for source in sources]
    lines += [*commands(family, top), "clean -purge"]
    lines += [f"write_verilog -noattr -noexpr {WORK}/{target.name}"]
    _yosys(folder, f"netlist-{family}", lines, timeout)
    if not target.is_file():
        raise BuildError("yosys wrote no netlist")
    models = tools.yosys_share() / {"xc7": "xilinx", "xcup": "xilinx"}.get(family, family)
    return Netlist(target, (models / "cells_sim.v",), (models,))


def _yosys(folder: Path, name: str, lines: Iterable[str], timeout: float) -> Path:
    """Runs a script in ``folder`` and gives its log.

    Paths are relative: yosys's WebAssembly build sees little else.
    """
    yosys = tools.require("yosys")
    script, log = folder / WORK / f"{name}.ys", folder / WORK / f"{name}.log"
    script.write_text("\n".join(lines) + "\n", "utf-8")
    command = [yosys.command, "-s", f"{WORK}/{script.name}"]
    verilate.run_logged(command, log, yosys.environ(), folder, timeout)
    return log


def instances(core: str, texts: Iterable[str]) -> dict[str, str]:
    """Module of every unit that stands directly in module ``core``, by its instance's name."""
    text = "\n".join(texts)
    name = r"(\\\S+(?=\s)|[A-Za-z_]\w*)"
    modules = {found.lstrip("\\") for found in re.findall(rf"^\s*module\s+{name}", text, re.M)}
    body = re.search(rf"^\s*module\s+\\?{re.escape(core)}\b.*?^\s*endmodule", text, re.M | re.S)
    if body is None:
        raise BuildError(f"rtl/ must hold module {core}", hint="build the project again")
    parameters = r"(?:#\s*\(.*?\)\s*)?"
    found = re.findall(rf"^\s*{name}\s+{parameters}{name}\s*\(", body[0], re.M | re.S)
    pairs = [(module.lstrip("\\"), instance.lstrip("\\")) for module, instance in found]
    return {instance: module for module, instance in pairs if module in modules}


def _run(
    folder: Path, sources: list[Path], top: str, kept: Iterable[str], family: str, timeout: float
) -> dict[str, Any]:
    """The JSON of yosys's ``stat``, by module."""
    stat = folder / WORK / f"stat-{family}.json"
    stat.unlink(missing_ok=True)
    lines = [f'read_verilog "{source.relative_to(folder).as_posix()}"' for source in sources]
    lines += [f"hierarchy -top {top}"]
    lines += [f"setattr -mod -set keep_hierarchy 1 \\{module}" for module in sorted(set(kept))]
    lines += [*commands(family, top), f"tee -q -o {WORK}/{stat.name} stat -json"]
    log = _yosys(folder, f"stat-{family}", lines, timeout)
    try:
        data = json.loads(stat.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BuildError(f"yosys wrote no statistics: {error}\n{verilate.tail(log)}") from None
    modules = data.get("modules")
    if not isinstance(modules, dict):
        raise BuildError("yosys's statistics must have modules", hint="install a newer yosys")
    return modules


def _per_module(
    modules: Mapping[str, Any], kept: Iterable[str], top: str
) -> dict[str, Counter[str]]:
    """Cells by type within each kept module and the top, modules inside them resolved."""
    plain = {name.lstrip("\\"): record for name, record in modules.items()}
    stops = set(kept)

    def count(name: str) -> Counter[str]:
        found: Counter[str] = Counter()
        record = plain.get(name, {})
        for kind in ("num_cells_by_type", "num_submodules_by_type"):
            for cell, number in record.get(kind, {}).items():
                inner = cell.lstrip("\\")
                if inner in stops or inner == "$scopeinfo":
                    continue
                if inner in plain:
                    for deep, times in count(inner).items():
                        found[deep] += times * int(number)
                else:
                    found[inner] += int(number)
        return found

    return {name: count(name) for name in (*stops, top)}


def _part(name: str, instance: str, cells: Mapping[str, int]) -> SynthPart:
    resources, lutram = priced(cells)
    return SynthPart(name, instance, resources, lutram, dict(sorted(cells.items())))
