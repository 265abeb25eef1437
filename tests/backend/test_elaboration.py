"""Every Verilog file elaborates in yosys, Verilator (-Wall, no warnings) and Icarus."""

from __future__ import annotations

import re
import runpy
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import hwgen
from hwgen import paths, tools
from hwgen.backend import boards, project
from hwgen.pipeline import build
from hwgen.request import PlanRequest
from tests.models import settle
from tests.test_cnn_build import small_cnn
from tests.verify import example

OWN_TOP = [name for name in boards.names() if not boards.load(name).processing_system]
DIGITS = paths.PACKAGE.parent / "examples" / "digits.py"
CELLS = {"ecp5": ("cells_bb.v",), "ice40": ("cells_sim.v",), "gowin": ("cells_sim.v",)}
MODELS = paths.RTL_TEMPLATES / "models" / "xilinx.v"
TRISTATE = "Warning: Yosys has only limited support for tri-state logic at the moment."
"""Said of any output that is free at times; nextpnr makes the pad's enable of it."""
PARAMETERS = {
    "hwgen_accumulate": [{"W": 5, "START": "5'd3"}, {"W": 1}],
    "hwgen_add2": [{"W": 5, "NEG": "2'd0"}, {"W": 5, "NEG": "2'd2"}, {"W": 9, "NEG": "2'd1"}],
    "hwgen_add3": [{"W": 7, "NEG": "3'd0", "P": 7}, {"W": 9, "NEG": "3'd6", "P": 5}],
    "hwgen_absorb": [{"N": 2, "W": 5, "INIT": "20'habcde"}, {"N": 1, "W": 1, "INIT": "2'd2"}],
    "hwgen_digits": [
        {"C": 3, "W": 5, "K": 2, "T": 3, "S": 2, "SIGNED": 1},
        {"W": 8, "T": 8, "S": 3},
    ],
    "hwgen_table": [{"N": 3, "W": 2, "INIT": "16'h1234"}, {"N": 6, "W": 1, "INIT": "64'd5"}],
    "hwgen_carry": [{"W": 1}, {"W": 8}, {"W": 11}],
}


def passes_all(folder: Path, top: str, files: Sequence[Path], library: Sequence[Path] = ()) -> None:
    """Asserts that each tool elaborates ``top``; ``library`` holds models of vendors' cells."""
    yosys(folder, top, files, library)
    verilator(folder, top, files, library)
    icarus(folder, top, files, library)


def yosys(folder: Path, top: str, files: Sequence[Path], library: Sequence[Path]) -> None:
    tool = tools.require("yosys")
    work = folder / "elaborate"
    work.mkdir(exist_ok=True)
    lines = []
    for kind, group in (("-lib", library), ("", files)):
        for index, file in enumerate(group):  # YoWASP sees the folder and little else
            copy = work / f"{kind[1:]}{index}_{file.name}"
            shutil.copy(file, copy)
            lines.append(f"read_verilog {kind} -D NO_INCLUDES elaborate/{copy.name}")
    lines += [f"hierarchy -check -top {top}", "proc", "check -assert"]
    script = work / "check.ys"
    script.write_text("\n".join(lines) + "\n")
    command = [tool.command, "-q", "-s", "elaborate/check.ys"]
    done = run(command, folder, tool.environ())
    silent(without(done, TRISTATE))


def without(done: subprocess.CompletedProcess[str], known: str) -> subprocess.CompletedProcess[str]:
    """What a tool said, but for lines that end with ``known``."""
    kept = [line for line in (done.stdout + done.stderr).splitlines() if not line.endswith(known)]
    return subprocess.CompletedProcess(done.args, done.returncode, "\n".join(kept), "")


def verilator(folder: Path, top: str, files: Sequence[Path], library: Sequence[Path]) -> None:
    tool = tools.require("verilator")
    waived = folder / "library.vlt"
    names = {file.name for file in library}
    rules = [f'lint_off -file "*/{name}"' for name in sorted(names)]
    waived.write_text("\n".join(["`verilator_config", *rules, ""]))
    command = [tool.command, "--lint-only", "-Wall", "--quiet", "--top-module", top]
    command += ["+define+NO_INCLUDES", str(waived), *map(str, files)]
    for file in library:
        command += ["-Wno-SPECIFYIGN", "-Wno-TIMESCALEMOD", "-v", str(file)]
    silent(run(command, folder, tool.environ()))


def icarus(folder: Path, top: str, files: Sequence[Path], library: Sequence[Path]) -> None:
    if shutil.which("iverilog") is None:
        return
    command = ["iverilog", "-g2005", "-Wall", "-Wno-timescale", "-t", "null", "-s", top]
    command += ["-Wno-portbind"] if library else []  # a PLL can do more than is asked for
    command += ["-DNO_INCLUDES", "-DNO_ICE40_DEFAULT_ASSIGNMENTS", *map(str, files)]
    for file in library:
        command += ["-l", str(file)]
    silent(run(command, folder), tuple(map(str, library)))


def silent(done: subprocess.CompletedProcess[str], apart: tuple[str, ...] = ()) -> None:
    """Asserts that a tool said nothing, ``apart`` from lines that begin so."""
    lines = (done.stdout + done.stderr).splitlines()
    said = [line for line in lines if not line.startswith(apart or ("\0",))]
    if done.returncode or said:
        pytest.fail("\n".join([Path(done.args[0]).name, *said[:20]]), pytrace=False)


def run(
    command: list[str], folder: Path, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=300, check=False
    )


def digits() -> tuple[nn.Module, torch.Tensor]:
    """The bundled example's network, its weights as they are drawn."""
    torch.manual_seed(0)
    model: nn.Module = runpy.run_path(str(DIGITS))["network"]()
    x = torch.randint(0, 17, (64, 64)).float()
    return settle(model, x).eval(), x


def cnn() -> tuple[nn.Module, torch.Tensor]:
    return small_cnn(), torch.zeros(1, 3, 10, 10)


BUILDS = [
    pytest.param(digits, "pynq-z2", "spatial", id="digits-spatial"),
    pytest.param(digits, "pynq-z2", "folded", id="digits-folded"),
    pytest.param(digits, "pynq-z2", "bit-serial", id="digits-bit-serial"),
    pytest.param(digits, "kv260", "spatial", id="digits-ultrascale", marks=pytest.mark.slow),
    pytest.param(digits, "ulx3s-85f", "spatial", id="digits-ecp5", marks=pytest.mark.slow),
    pytest.param(cnn, "pynq-z2", "folded", id="cnn-folded"),
    pytest.param(cnn, "ulx3s-85f", "auto", id="cnn-ecp5", marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("network", "board", "style"), BUILDS)
def test_a_built_accelerator(network, board: str, style: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    model, x = network()
    hwgen.save(model, tmp_path / "net.pt", x)
    request = PlanRequest(board=board, style=style, target_fps=20_000)
    out = build(tmp_path / "net.pt", tmp_path / "out", request, frames=2).folder
    sources = sorted((out / "rtl").glob("*.v"))
    structural = any(file.name == "hwgen_carry.v" for file in sources)
    passes_all(out, "accelerator", sources, [MODELS] if structural else [])
    for_simulators = {file.name: file for file in sources}
    for_simulators |= {file.name: file for file in (out / "sim" / "behavioural").glob("*.v")}
    carry = for_simulators.pop("hwgen_carry.v", None)
    assert structural == (carry is not None)
    verilator(out, "accelerator", sorted(for_simulators.values()), [])
    icarus(out, "accelerator", sorted(for_simulators.values()), [])


@pytest.mark.parametrize(
    "board", [b for b in boards.names() if not boards.load(b).processing_system]
)
def test_the_top_of_a_board_without_a_processor(board: str, tmp_path: Path) -> None:
    project.write(project.render(example.contents(board)), tmp_path / "out")
    loaded = boards.load(board)
    sources = [*(tmp_path / "out/rtl").glob("*.v"), *(tmp_path / f"out/{loaded.flow}").glob("*.v")]
    share = tools.yosys_share() / loaded.family
    cells = [share / name for name in CELLS.get(loaded.family, ())]
    passes_all(tmp_path / "out", "hwgen_board", sorted(sources), cells)


@pytest.mark.parametrize("board", [b for b in OWN_TOP if boards.load(b).spi_url])
def test_the_top_of_a_board_that_is_reached_by_spi(board: str, tmp_path: Path) -> None:
    made, out = example.contents(board), tmp_path / "out"
    project.write(project.render(replace(made, board=made.board.linked("spi"))), out)
    sources = sorted([*(out / "rtl").glob("*.v"), *(out / "nextpnr").glob("*.v")])
    assert not any(file.name == "hwgen_uart.v" for file in sources)
    passes_all(out, "hwgen_board", sources, [tools.yosys_share() / "ice40" / "cells_sim.v"])


def test_the_top_of_a_board_that_takes_constants_over_its_link(tmp_path: Path) -> None:
    made = example.contents("ulx3s-85f")
    manifest = replace(made.manifest, load_words=59)
    vectors = {**made.vectors, "loads/own": np.zeros((59, 2), np.int64)}
    out = tmp_path / "out"
    project.write(project.render(replace(made, manifest=manifest, vectors=vectors)), out)
    sources = sorted([*(out / "rtl").glob("*.v"), *(out / "nextpnr").glob("*.v")])
    assert any(file.name == "hwgen_load.v" for file in sources)
    passes_all(out, "hwgen_board", sources, [tools.yosys_share() / "ecp5" / "cells_bb.v"])


def instance(template: str, top: str, parameters: dict[str, object]) -> str:
    """A module ``top`` with the ports of a template around it, at these parameters."""
    found = re.search(r"^module (\w+) #\((.*?)\) \((.*?)\);", template, re.S | re.M)
    assert found is not None
    module, given, ports = found.groups()
    for name, value in parameters.items():
        given, count = re.subn(rf"\b{name} = [^,]+(?=,|$)", f"{name} = {value}", given)
        assert count == 1, (module, name)
    names = re.findall(r"\b(\w+) = ", given)
    passed = ", ".join(f".{name}({name})" for name in names)
    wired = ", ".join(f".{name}({name})" for name in re.findall(r"(\w+)(?=,|\s*$)", ports, re.M))
    body = f"  {module} #({passed}) dut ({wired});"
    return f"module {top} #({given}) ({ports});\n{body}\nendmodule\n"


@pytest.mark.parametrize("family", ["generic", "xilinx", "xilinx_ultrascale"])
def test_the_templates_of_adders_and_tables(family: str, tmp_path: Path) -> None:
    folders = {paths.RTL_TEMPLATES / name for name in (family, family.split("_")[0])}
    found = {file.stem: file for folder in sorted(folders) for file in folder.glob("*.v")}
    library = [] if family == "generic" else [MODELS]
    tops = []
    for name in sorted(found):
        for index, parameters in enumerate(PARAMETERS[name]):
            top = tmp_path / f"{name}_{index}.v"
            top.write_text(instance(found[name].read_text(), top.stem, parameters))
            files = [top, *needed(top.read_text(), found)]
            verilator(tmp_path, top.stem, files, library)
            icarus(tmp_path, top.stem, files, library)
            tops.append(top)
    for top in tops[:: len(tops) - 1]:
        yosys(tmp_path, top.stem, [top, *needed(top.read_text(), found)], library)


def needed(text: str, found: dict[str, Path]) -> list[Path]:
    """The templates that a text instantiates, and those that they do."""
    names: dict[str, Path] = {}
    for name, file in found.items():
        if f"{name} #(" in text and f"module {name} " not in text:
            names |= {name: file, **{p.stem: p for p in needed(file.read_text(), found)}}
    return list(names.values())
