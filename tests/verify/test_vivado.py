"""Vivado's run and its reports, with a stand-in for the program on PATH.

No report of Vivado's own is here: ``vivado/*.rpt`` were written by hand after UG835 and UG906.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hwgen import synthesis, tools
from hwgen.backend import boards, project
from hwgen.errors import BuildError, ToolError, UsageError
from hwgen.families.base import Resources
from hwgen.verify import vivado, vivado_reports
from tests.verify import example

REPORTS = Path(__file__).parent / "vivado"
USAGE = (REPORTS / "utilization.rpt").read_text()
TIMING = (REPORTS / "timing.rpt").read_text()

STAND_IN = f"""#!/bin/sh
[ "$1" = -version ] && echo "Vivado v2023.2 (64-bit)" && exit 0
[ -f build.tcl ] || exit 3
echo "arguments: $*"
mkdir -p output
cp {REPORTS}/utilization.rpt {REPORTS}/timing.rpt output/
echo bits > output/example.bit
"""


@pytest.fixture(name="installed")
def fixture_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A program named vivado on PATH."""
    program = tmp_path / "bin" / "vivado"
    program.parent.mkdir()
    program.write_text(STAND_IN)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    tools.find.cache_clear()
    yield program
    tools.find.cache_clear()


def built(folder: Path, board: str = "pynq-z2") -> Path:
    contents = example.contents(board)
    report: dict[str, Any] = {
        "board": board,
        "family": "xc7",
        "resources": {"lut": 300, "ff": 250, "bram36": 1, "dsp": 2},
        "layers": [
            {"name": "neg", "resources": {"lut": 210, "ff": 100, "bram36": 1.5, "dsp": 2}},
        ],
        "plumbing": [{"name": "axi_in", "resources": {"lut": 41, "ff": 50, "bram36": 0, "dsp": 0}}],
    }
    files = project.render(contents) | {"report.json": json.dumps(report).encode()}
    project.write(files, folder)
    return folder


def test_rows_are_instances_with_their_paths() -> None:
    rows = vivado_reports.utilization(USAGE)
    assert rows[0].path == ()
    assert rows[0].resources == Resources(lut=3124, ff=4321, bram36=3.5, dsp=2)
    paths = ["/".join(row.path) for row in rows]
    core = "design_1_i/accelerator/inst/core"
    assert paths[4:8] == [f"{core[:-5]}/axi_in", core, f"{core}/layer_inc", f"{core}/layer_neg"]
    assert paths[-2:] == ["design_1_i/dma", "design_1_i/dma/U0"]
    assert (rows[7].lutram, rows[7].resources.bram36) == (40, 1.5)


def test_ultrascale_counts_its_large_memories() -> None:
    lines = USAGE.splitlines()
    for at, line in enumerate(lines):
        if line.startswith("| ") and line.count("|") > 6:
            *cells, dsp, end = line.split("|")
            lines[at] = "|".join([*cells, " URAM " if "Module" in line else "    2 ", dsp, end])
    text = "\n".join(lines)
    assert vivado_reports.utilization(text)[0].resources.bram36 == 3.5 + 16


def test_the_slowest_setup_path_is_read_hop_by_hop() -> None:
    path = vivado_reports.slowest(TIMING)
    assert (path.slack_ns, path.requirement_ns) == (2.0, 10.0)
    assert path.achieved_mhz == 125
    assert [(hop.kind, hop.ns) for hop in path.hops] == [
        ("logic", 0.456), ("routing", 2.0), ("logic", 0.124), ("routing", 4.0), ("logic", 1.176),
    ]  # fmt: skip
    assert sum(hop.ns for hop in path.hops) == pytest.approx(7.756)


def test_a_missed_clock_is_read_as_such() -> None:
    text = TIMING.replace("Slack (MET) :             2.000ns", "Slack (VIOLATED) :        -2.500ns")
    assert vivado_reports.slowest(text).achieved_mhz == 80


@pytest.mark.parametrize("text", ["", USAGE.replace("Total LUTs", "Slices"), "| a | b |\n"])
def test_other_texts_are_no_utilization_by_hierarchy(text: str) -> None:
    with pytest.raises(BuildError, match="must have a table by hierarchy"):
        vivado_reports.utilization(text)


def test_a_report_without_paths_names_the_reason() -> None:
    with pytest.raises(BuildError, match="holds no path") as caught:
        vivado_reports.slowest(TIMING.split("Max Delay Paths")[0])
    assert "constraints.xdc" in caught.value.hint


@pytest.mark.parametrize("board", ["pynq-z2", "arty-a7-35", "kv260"])
def test_the_run_is_read_back_as_the_open_tools_results_are(
    installed: Path, tmp_path: Path, board: str
) -> None:
    folder = built(tmp_path / "with space", board)
    found = vivado.implement(folder, boards.load(board))
    parts = {part.name: part.resources for part in found.synth.parts}
    assert parts == {"inc": Resources(57, 80, 0, 0), "neg": Resources(200, 100, 1.5, 2)}
    assert found.synth.total.resources == Resources(310, 240, 1.5, 2)
    assert found.synth.rest.resources == Resources(53, 60, 0, 0)
    assert found.synth.tool == "Vivado v.2023.2"
    assert found.route.ok
    assert found.route.achieved_mhz == 125
    assert found.route.critical_layers == pytest.approx({"inc": 2.456, "neg": 5.3})
    assert found.route.utilisation["LUT"] == (3124, boards.load(board).lut)
    assert found.route.bitstream.read_text() == "bits\n"
    assert "-mode batch" in (folder / "vivado" / "vivado.log").read_text()


def test_hwgen_synth_route_prints_the_same_tables(installed: Path, tmp_path: Path) -> None:
    folder = built(tmp_path / "out")
    outcome = synthesis.route(folder)
    assert outcome.good
    layers = {row["name"]: row for row in outcome.data["synth"]["layers"]}
    assert (layers["neg"]["lut"], layers["neg"]["estimate"]["lut"]) == (200, 210)
    assert (layers["shell"]["lut"], layers["shell"]["estimate"]["lut"]) == (53, 41)
    assert outcome.data["runs"][0]["achieved_mhz"] == 125
    assert "Vivado v.2023.2 for xc7" in outcome.text
    assert "125.0 MHz" in outcome.text


def test_a_failed_run_shows_the_end_of_its_log(installed: Path, tmp_path: Path) -> None:
    folder = built(tmp_path / "out")
    installed.write_text("#!/bin/sh\necho 'ERROR: [Common 17-345] no licence'\nexit 1\n")
    with pytest.raises(BuildError, match="no licence"):
        vivado.implement(folder, boards.load("pynq-z2"))


def test_without_reports_the_log_is_named(installed: Path, tmp_path: Path) -> None:
    folder = built(tmp_path / "out")
    installed.write_text("#!/bin/sh\nexit 0\n")
    with pytest.raises(BuildError, match=r"wrote no utilization\.rpt"):
        vivado.implement(folder, boards.load("pynq-z2"))


@pytest.mark.skipif(shutil.which("vivado") is not None, reason="vivado is installed")
def test_without_vivado_its_installation_is_told(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="vivado is needed"):
        vivado.implement(built(tmp_path / "out"), boards.load("pynq-z2"))


def test_projects_of_other_boards_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="for one of its boards, not ulx3s-85f"):
        vivado.implement(built(tmp_path / "out", "ulx3s-85f"), boards.load("ulx3s-85f"))
