"""Place and route: a bitstream, the clock it reaches, and the critical path by layer."""

from dataclasses import replace
from pathlib import Path

import pytest

from hwgen import tools
from hwgen.backend import boards, project
from hwgen.backend.boards import Board
from hwgen.errors import BuildError, UsageError
from hwgen.verify import route as routing
from hwgen.verify.route import RouteResult, Step, route
from tests.verify import example

LAYERS = {"layer_fc1": "fc1"}


def _hop(cell: str, kind: str, delay: float) -> dict[str, object]:
    return {"to": {"cell": cell, "port": "D"}, "net": "n", "type": kind, "delay": delay}


def test_the_slowest_path_of_one_clock_is_told_by_layer() -> None:
    slow = [
        _hop("net.core.layer_fc1.datapath.n1", "clk-to-q", 0.5),
        _hop("net.core.fifo_2.count", "routing", 2.0),
        _hop("net.core.interface__i__valid$14_LUT4", "logic", 0.5),
        _hop("net.axi_out.gearbox.x", "logic", 1.0),
        _hop("link.state_FF", "setup", 0.25),
        _hop("steady_LUT", "logic", 0.25),
    ]
    clock = "posedge $glbnet$clock"
    report = {
        "critical_paths": [
            {"from": clock, "to": clock, "path": slow[:1]},
            {"from": clock, "to": clock, "path": slow},
            {"from": "<async>", "to": clock, "path": [_hop("x", "routing", 99.0)]},
        ]
    }
    steps = routing._critical(report, LAYERS)
    result = RouteResult(1, 50.0, 60.0, {}, steps, Path("x"), 1.0)
    assert result.ok
    assert not replace(result, achieved_mhz=49.9).ok
    assert result.critical_layers == {
        "fc1": 0.5, "fifo_2": 2.0, "streams": 0.5, "axi_out": 1.0, "link": 0.25, "board": 0.25,
    }  # fmt: skip
    assert steps[0] == Step("fc1", "n", "clk-to-q", 0.5)


def test_the_slowest_clock_counts() -> None:
    report = {"fmax": {"a": {"achieved": 80.0}, "b": {"achieved": 61.5}}}
    assert routing._achieved(report) == 61.5
    with pytest.raises(BuildError, match="reports no clock"):
        routing._achieved({"fmax": {}})


def test_a_project_for_a_zynq_cannot_be_routed(tmp_path: Path) -> None:
    folder = example.write(tmp_path / "project")
    with pytest.raises(UsageError, match="board of open tools, not pynq-z2"):
        route(folder, boards.load("pynq-z2"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["icebreaker", "ulx3s-85f", "tang-nano-20k"])
def test_the_example_becomes_a_bitstream(name: str, tmp_path: Path) -> None:
    board = boards.load(name)
    for tool in (routing.NEXTPNR[board.family], routing.PACKERS[board.family]):
        if tools.find(tool).path is None:
            pytest.skip(f"{tool} is not installed")
    contents = example.contents(name)
    manifest = replace(contents.manifest, clock_mhz=board.clock_mhz)
    project.write(project.render(replace(contents, manifest=manifest)), tmp_path / "out")
    (result,) = route(tmp_path / "out", board)
    assert result.ok
    assert result.bitstream.stat().st_size > 1000
    assert result.critical
    assert sum(used for used, _ in result.utilisation.values()) > 100


def test_more_options_come_behind_those_of_the_board(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write(project.render(example.contents("ulx3s-85f")), tmp_path / "out")
    board, seen = boards.load("ulx3s-85f"), []

    def place(folder: Path, placed: Board, *_: object) -> RouteResult:
        seen.extend(placed.nextpnr_options)
        return RouteResult(1, 50.0, 60.0, {}, (), folder, 1.0)

    monkeypatch.setattr(routing, "_tool", lambda *_: None)
    monkeypatch.setattr(routing, "_synthesize", lambda *_: None)
    monkeypatch.setattr(routing, "_place", place)
    route(tmp_path / "out", board, options=("--placer-heap-beta", "0.5"))
    assert seen == [*board.nextpnr_options, "--placer-heap-beta", "0.5"]


def test_a_tool_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write(project.render(example.contents("ulx3s-85f")), tmp_path / "out")
    missing = tools.Tool("nextpnr-ecp5", None, "", "place and route", "pip install it")
    monkeypatch.setattr(tools, "find", lambda name: missing)
    with pytest.raises(tools.ToolError, match="nextpnr-ecp5 is needed for"):
        route(tmp_path / "out", boards.load("ulx3s-85f"))
