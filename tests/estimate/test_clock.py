"""The estimated clock: what slows it down and what makes it faster."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import hwgen
from hwgen import families
from hwgen.estimate.clock import ready_ns
from hwgen.families.base import Family
from hwgen.inttype import IntType
from hwgen.pipeline import PlanRequest, plan
from hwgen.rtl.alphabet import Alphabet
from hwgen.rtl.folded import MatVecUnit
from hwgen.rtl.stream import Elastic
from tests.models import small_mlp

ECP5 = families.get("ecp5")


@pytest.fixture(name="model", scope="module")
def fixture_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model.pt"
    hwgen.save(small_mlp().eval(), path, torch.zeros(1, 12))
    return path


def _fmax(model: Path, **request: object) -> float:
    return plan(model, PlanRequest(board="ulx3s-85f", **request)).figures.fmax_mhz


def test_more_registers_make_a_spatial_network_faster(model: Path) -> None:
    slow, fast = (_fmax(model, style="spatial", pipeline_mhz=mhz) for mhz in (25.0, 400.0))
    assert slow < fast


def test_a_slower_family_is_slower(model: Path) -> None:
    ecp5 = _fmax(model, style="folded")
    ice40 = plan(model, PlanRequest(board="icebreaker", style="folded")).figures.fmax_mhz
    assert ice40 < ecp5 / 2


def test_the_report_names_the_clock(model: Path) -> None:
    planned = plan(model, PlanRequest(board="ulx3s-85f"))
    assert planned.report()["fmax_mhz"] == round(planned.figures.fmax_mhz, 1)


def _weights(**options: object) -> MatVecUnit:
    weights = [[1, -1, 2, -2] * 8] * 4
    return MatVecUnit(weights, [0] * 4, IntType(0, 15), pe=2, simd=4, **options)


def test_a_block_ram_before_a_tree_costs_its_access_time() -> None:
    slow = replace(ECP5, ram_ns=20.0)
    assert _weights(memory="block").path_ns(slow) > 20
    assert _weights(memory="lut").path_ns(slow) == _weights(memory="lut").path_ns(ECP5)


def test_a_unit_that_says_nothing_has_three_levels_of_logic() -> None:
    unit = Elastic(IntType(0, 3), 2)
    assert unit.path_ns(ECP5) == pytest.approx(_levels(ECP5, 3))


@pytest.mark.parametrize(
    ("family", "signals", "routed_mhz"),
    [("gowin", 9, 199.9), ("ecp5", 9, 120.7), ("ice40", 8, 39.0), ("ice40", 8, 41.6)],
)
def test_ready_chains_are_as_fast_as_routed_ones(
    family: str, signals: int, routed_mhz: float
) -> None:
    """The rows of docs/benchmarks.md whose slowest path such a chain is."""
    assert 1000 / ready_ns(signals, families.get(family)) == pytest.approx(routed_mhz, rel=0.15)


@pytest.mark.parametrize(
    ("family", "routed_ns"), [("gowin", 3.91), ("ecp5", 6.81), ("ice40", 18.17)]
)
def test_a_layer_is_as_fast_as_when_it_is_routed_alone(family: str, routed_ns: float) -> None:
    """The second layer of the digits network, 5 × 12 at a time, 376 at most before the sign."""
    weights = np.random.default_rng(0).choice([-8, -4, -2, -1, 1, 2, 4, 8], (10, 24))
    unit = MatVecUnit(
        weights, [0] * 10, IntType(0, 3), pe=5, simd=12, alphabet=Alphabet.shift(range(4))
    )
    assert unit.path_ns(families.get(family)) == pytest.approx(routed_ns, rel=0.15)


def _levels(family: Family, count: int) -> float:
    return family.ff_ns + count * (family.lut_ns + family.net_ns)
