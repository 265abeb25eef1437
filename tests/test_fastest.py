"""``--clock auto``: the search over registers and clocks, with routing played by a stand-in."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import hwgen
from hwgen import fastest, tools
from hwgen.backend import boards, clocking
from hwgen.cli import main
from hwgen.errors import BuildError
from hwgen.request import PlanRequest
from hwgen.verify import manifest as manifests
from hwgen.verify import route as routing
from hwgen.verify.route import RouteResult
from tests.models import small_mlp

Router = Callable[[float], float]


@pytest.fixture(name="model", scope="module")
def fixture_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model.pt"
    hwgen.save(small_mlp().eval(), path, torch.zeros(1, 12))
    return path


def _play(monkeypatch: pytest.MonkeyPatch, reached: Router) -> list[float]:
    """Routing that reaches ``reached`` of the clock it is asked for; the clocks asked for."""
    asked: list[float] = []

    def route(folder: Path, board: boards.Board, **_: object) -> list[RouteResult]:
        clock = manifests.read(folder).clock_mhz
        asked.append(clock)
        return [RouteResult(1, clock, reached(clock), {}, (), folder / "x.bit", 1.0)]

    monkeypatch.setattr(fastest, "route", route)
    return asked


def test_the_fastest_clock_of_a_board_is_its_plls_or_its_pins() -> None:
    board = boards.load("ulx3s-85f")
    clock = clocking.fastest(board, 104.0)
    found = clocking.pll(board, clock)
    assert found is not None
    assert 103 < found.mhz == clock <= 104
    assert clocking.fastest(boards.load("icebreaker"), 15.9) == 12.0
    assert clocking.fastest(boards.load("pynq-z2"), 143.7) == 143.0
    assert clocking.fastest(boards.load("arty-a7-35"), 300.0) == 100.0
    with pytest.raises(BuildError, match=r"no clock of arty-a7-35 is as slow as 50\.0 MHz"):
        clocking.fastest(boards.load("arty-a7-35"), 50.0)


def test_registers_are_added_while_that_helps_and_the_clock_is_then_settled(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A route that reaches what it is asked for up to 130 MHz, and at last a little less."""
    asked = _play(monkeypatch, lambda clock: min(clock * 1.1, 130.0) if clock < 129 else 127.0)
    request = PlanRequest(board="ulx3s-85f", style="spatial")
    built = fastest.build(model, tmp_path / "out", request, frames=4)
    search = built.report["clock_search"]
    targets = [trial["pipeline_mhz"] for trial in search["trials"]]
    assert targets[:2] == [50.0, 75.0]
    assert search["method"] == "routed"
    assert search["trials"][-1]["clock_mhz"] == pytest.approx(asked[-1])
    assert asked[-1] <= 127.0
    assert search["trials"][-1]["achieved_mhz"] >= asked[-1]
    assert manifests.read(tmp_path / "out").clock_mhz == asked[-1]
    assert json.loads((tmp_path / "out" / "report.json").read_text())["clock_search"] == search


def test_a_design_without_registers_to_add_is_searched_once(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = _play(monkeypatch, lambda clock: 90.0)
    request = PlanRequest(board="ulx3s-85f", style="folded")
    built = fastest.build(model, tmp_path / "out", request, frames=4)
    assert len(built.report["clock_search"]["trials"]) == 2
    assert asked[0] == 50.0
    assert 85 < asked[1] <= 90


def test_a_clock_that_is_never_met_is_an_error(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _play(monkeypatch, lambda clock: clock - 1.0)
    request = PlanRequest(board="ulx3s-85f", style="folded")
    with pytest.raises(BuildError, match="no clock is met"):
        fastest.build(model, tmp_path / "out", request, frames=4)


def test_boards_of_other_tools_take_the_estimate_and_say_so(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    words = ["build", str(model), "--board", "pynq-z2", "--clock", "auto", "--frames", "4"]
    assert main([*words, "--out", str(out)]) == 0
    assert "from the family's delays, unrouted" in capsys.readouterr().out
    report = json.loads((out / "report.json").read_text())
    assert report["clock_search"]["method"] == "estimated"
    assert report["clock_mhz"] <= report["fmax_mhz"]
    assert f"{report['clock_mhz']:g}" in (out / "vivado" / "build.tcl").read_text()


def test_only_build_searches_a_clock(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["estimate", str(model), "--clock", "auto"]) == 1
    assert "only hwgen build searches a clock" in capsys.readouterr().err
    assert main(["build", str(model), "--clock", "fast"]) == 1
    assert "must be MHz or auto, not 'fast'" in capsys.readouterr().err


@pytest.mark.slow
def test_a_routed_design_meets_the_clock_that_was_found(model: Path, tmp_path: Path) -> None:
    for tool in ("nextpnr-ice40", "icepack"):
        if tools.find(tool).path is None:
            pytest.skip(f"{tool} is not installed")
    request = PlanRequest(board="icebreaker", style="folded")
    built = fastest.build(model, tmp_path / "out", request, frames=4)
    last = built.report["clock_search"]["trials"][-1]
    assert last["achieved_mhz"] >= last["clock_mhz"] > 12.0
    assert (tmp_path / "out" / routing.WORK / "seed-1.bin").is_file()
