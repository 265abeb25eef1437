"""The estimated clock: what slows it down and what makes it faster."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

import hwgen
from hwgen import families
from hwgen.families.base import Family
from hwgen.inttype import IntType
from hwgen.pipeline import PlanRequest, plan
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


def _levels(family: Family, count: int) -> float:
    return family.ff_ns + count * (family.lut_ns + family.net_ns)
