"""The planner: proved optima, what it holds back, and what it says when nothing fits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import pytest

from hwgen import families
from hwgen.errors import BuildError, UsageError
from hwgen.families.base import Resources
from hwgen.passes.integerize import integerize
from hwgen.passes.knapsack import FF_SHARE, vector
from hwgen.passes.planner import Planner, search
from hwgen.passes.schedule import MARGIN, Budget, Choice, Request, Schedule
from tests.design.test_queues import two_layers
from tests.nets import random_mlp, residual

XC7 = families.get("xc7")
BOARD = Resources(lut=4000, ff=8000, bram36=4, dsp=4)


def planner(seed: int, budget: Resources = BOARD, **request: Any) -> Planner:
    graph = integerize(random_mlp(seed)).graph
    return Planner(graph, XC7, Budget(budget, floor=2, feed=2), Request(**request))


def cost(plan: Planner, choices: tuple[Choice, ...]) -> tuple[float, np.ndarray]:
    """Shares of the budget, and all that nodes and converters take."""
    used = sum(vector(c.resources) for c in choices)
    for edge in plan.problem.edges:
        lanes = choices[edge.source].lanes[-1], choices[edge.sink].lanes[edge.port]
        used = used + plan.problem.price(edge, lanes)
    shares = 1e4 / vector(plan.budget.resources.scaled(MARGIN)) * [1, FF_SHARE, 1, 1]
    return float(used @ shares), used


def brute_force(plan: Planner, interval: int) -> float | None:
    """The least cost by trying everything."""
    rows = [[c for c in row if c.interval <= interval] for row in plan.table]
    if not all(rows):
        return None
    fast = [[c for c in row if c.limit(interval) >= plan.budget.feed] for row in rows]
    read = {e.sink for e in plan.problem.edges}
    pairs = enumerate(zip(rows, fast, strict=True))
    rows = [f if k not in read and f else row for k, (row, f) in pairs]
    best = None
    for choices in product(*rows):
        places = [row.index(c) for row, c in zip(rows, choices, strict=True)]
        hasty = [
            choices[e.source].interval > plan.problem.limits(rows, interval, e)[places[e.sink]]
            for e in plan.problem.edges
        ]
        found, used = cost(plan, choices)
        if any(hasty) or (used > MARGIN * vector(plan.budget.resources)).any():
            continue
        best = found if best is None else min(best, found)
    return best


@pytest.mark.parametrize("seed", range(5))
def test_no_other_choice_is_cheaper(seed: int) -> None:
    plan = planner(seed, replace(BOARD, lut=1200, bram36=1))
    rng = np.random.default_rng(seed)
    plan.table[:] = [
        [row[k].priced(XC7) for k in sorted(rng.permutation(len(row))[:3])] for row in plan.table
    ]
    for interval in plan.intervals:
        schedule = plan.at(interval)
        wanted = brute_force(plan, interval)
        assert (schedule is None) == (wanted is None)
        if schedule is not None and wanted is not None:
            assert cost(plan, schedule.choices)[0] == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_the_fastest_is_the_first_interval_that_fits(seed: int) -> None:
    plan = planner(seed, replace(BOARD, lut=700))
    found = plan.fastest()
    first = next((i for i in plan.intervals if plan.at(i) is not None), None)
    assert (found.interval if found else None) == first


def test_bounds_of_prices_are_exact_where_they_are_chosen() -> None:
    plan = planner(1, style="spatial")
    schedule = plan.fastest()
    assert schedule is not None
    assert any(c.config.style == "spatial" for c in schedule.choices)
    for choice in schedule.choices:
        assert choice.resources == choice.node.resources(choice.config, choice.inputs, XC7)


def test_the_same_request_gives_the_same_plan() -> None:
    first, second = (planner(2).fastest() for _ in range(2))
    assert first is not None
    assert second is not None
    assert first.configs == second.configs


@dataclass
class Laid:
    resources: Resources
    initiation_interval: int
    latency_cycles: int


def test_what_the_layout_takes_beyond_the_nodes_is_held_back() -> None:
    plan = planner(0, replace(BOARD, lut=1500))
    extra = Resources(lut=400)
    tried: list[Schedule] = []

    def realise(schedule: Schedule) -> Laid:
        tried.append(schedule)
        return Laid(schedule.resources + extra, schedule.interval, 1)

    schedule, laid = search(plan, realise)
    assert laid.resources.lut <= 1500 * MARGIN
    wanted = plan.fastest(extra)
    assert wanted is not None
    assert schedule.configs == wanted.configs


def test_a_plan_that_turns_out_slower_is_planned_faster() -> None:
    plan = planner(0, max_interval=20)

    def realise(schedule: Schedule) -> Laid:
        return Laid(schedule.resources, schedule.interval * 2, 1)

    _, laid = search(plan, realise)
    assert laid.initiation_interval <= 20


def test_latency_is_met_at_less_cost_than_the_fastest() -> None:
    def realise(schedule: Schedule) -> Laid:
        cycles = sum(c.interval for c in schedule.choices)
        return Laid(schedule.resources, schedule.interval, cycles)

    plan = Planner(two_layers(), XC7, Budget(BOARD), Request())
    fastest, least = search(plan, realise)
    limit = 100 * least.latency_cycles
    schedule, laid = search(plan, realise, limit)
    assert laid.latency_cycles <= limit
    assert schedule.resources.lut < fastest.resources.lut
    with pytest.raises(BuildError, match="has a latency of at most 1 cycles; the least is"):
        search(plan, realise, 1)


def test_where_nothing_fits_the_plan_takes_least_beyond_the_budget() -> None:
    plan = planner(3, replace(BOARD, lut=80))
    schedule, _ = search(plan, lambda s: Laid(s.resources, s.interval, 1))
    assert set(schedule.over) == {"lut"}
    cheapest = plan.at(plan.intervals[-1], "lut", reserve=Resources(lut=-1e6))
    assert cheapest is not None
    assert schedule.resources.lut == pytest.approx(cheapest.resources.lut, rel=0.01)


def test_a_rate_beyond_all_parallelism_is_refused() -> None:
    with pytest.raises(BuildError, match="no parallelism reaches an initiation interval of 1"):
        planner(0, max_interval=1).bounded()


def test_an_unknown_layer_is_named_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"there is no layer 'fc00'(.|\n)*did you mean fc0"):
        _ = planner(0, layers={"fc00": {"pe": 1}}).table


def test_both_branches_of_a_fork_are_edges() -> None:
    graph = integerize(residual(0)).graph
    plan = Planner(graph, XC7, Budget(BOARD), Request())
    names = [row[0].node.name for row in plan.table]
    joined = [names[e.source] for e in plan.problem.edges if names[e.sink] == "sum"]
    assert sorted(joined) == ["a0", "a2"]
