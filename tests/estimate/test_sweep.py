"""The Pareto front: every point is a plan inside the budget, and none is beaten by another."""

from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree

import pytest

from hwgen import families
from hwgen.backend import boards
from hwgen.errors import BuildError
from hwgen.estimate.figures import capacity
from hwgen.estimate.sweep import Front, front, spread
from hwgen.families.base import Resources
from hwgen.passes.integerize import integerize
from hwgen.passes.planner import Planner
from hwgen.passes.schedule import Budget, Request
from hwgen.report.front import front_svg, front_text, linear_ticks, log_ticks
from tests.nets import random_mlp

XC7 = families.get("xc7")
BOARD = boards.load("pynq-z2")
SHELL = Resources(lut=300, ff=400)


def planner(seed: int, budget: Resources | None = None) -> Planner:
    graph = integerize(random_mlp(seed)).graph
    return Planner(graph, XC7, Budget(budget or capacity(BOARD), 2, 2), Request())


@pytest.fixture(scope="module")
def shown() -> Front:
    return front(planner(5), lambda s: s.resources + SHELL, BOARD, 100.0)


def test_no_point_is_as_fast_with_no_more_of_anything(shown: Front) -> None:
    for objective in ("lut", "bram36"):
        points = shown.of(objective)  # type: ignore[arg-type]
        assert points
        for fast, slow in pairwise(points):
            assert fast.fps > slow.fps
            both = fast.resources, slow.resources
            assert both[0].lut > both[1].lut or both[0].bram36 > both[1].bram36


def test_points_of_fewest_luts_have_no_more_than_any_other_as_fast(shown: Front) -> None:
    for point in shown.of("lut"):
        others = [p for p in shown.points if p.interval <= point.interval]
        assert point.resources.lut <= min(p.resources.lut for p in others) + 1


def test_what_the_layout_takes_keeps_points_inside_the_margin() -> None:
    tight = Resources(lut=1200, ff=4000, bram36=4, dsp=4)
    found = front(planner(5, tight), lambda s: s.resources + SHELL, BOARD, 100.0)
    assert all(p.resources.lut <= 0.85 * 1200 for p in found.points)
    with pytest.raises(BuildError, match="does not fit pynq-z2 at any speed"):
        front(planner(5, Resources(lut=10)), lambda s: s.resources, BOARD, 100.0)


def test_the_table_has_a_row_per_point(shown: Front) -> None:
    text = front_text(shown)
    for point in shown.points:
        assert f"{point.fps:,.0f}" in text
    assert "fewest LUTs at each speed" in text


def test_the_plot_is_svg_with_a_mark_per_point_in_each_panel(shown: Front) -> None:
    root = ElementTree.fromstring(front_svg(shown))
    space = "{http://www.w3.org/2000/svg}"
    titles = [e.text for e in root.iter(f"{space}title")]
    assert len(titles) == 2 * len(shown.points)
    words = " ".join(e.text or "" for e in root.iter(f"{space}text"))
    for label in ("frames/s at 100 MHz", "LUTs", "block RAMs of 36 kbit", shown.name):
        assert label in words


def test_ticks_are_round() -> None:
    assert linear_ticks(45000) == [0, 10000, 20000, 30000, 40000, 50000]
    assert [t for _, t in log_ticks(15, 250) if t] == ["20", "50", "100", "200"]


def test_spread_keeps_both_ends() -> None:
    values = [k * k for k in range(1, 100)]
    found = spread(values, 8)
    assert (found[0], found[-1]) == (1, values[-1])
    assert len(found) <= 8
    assert spread([3, 4], 8) == [3, 4]
