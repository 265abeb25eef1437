"""A network whose rows of layers run freely, from its file to the simulated accelerator."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import hwgen
from hwgen.design import free_run
from hwgen.pipeline import build, plan
from hwgen.request import PlanRequest
from hwgen.rtl.credit import CreditGate, CreditQueue
from hwgen.verify.cocotb_run import simulate
from tests.models import small_mlp


@pytest.fixture(name="model")
def fixture_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small network that is treated as if it were large."""
    monkeypatch.setattr(free_run, "MANY_FFS", 1)
    monkeypatch.setattr(free_run, "MOST_SHARE", float("inf"))
    monkeypatch.setattr(free_run, "FAR", 0.0)
    path = tmp_path / "model.pt"
    hwgen.save(small_mlp().eval(), path, torch.zeros(1, 12))
    return path


@pytest.mark.parametrize("stream_bits", ["native", "32"])
def test_rtl_is_golden_and_as_fast_as_predicted(
    model: Path, stream_bits: str, tmp_path: Path
) -> None:
    request = PlanRequest(board="ulx3s-85f", style="spatial", stream_bits=stream_bits)
    built = build(model, tmp_path / "made", request, frames=12)
    outcome = simulate(built.folder)
    assert outcome.ok, outcome
    assert outcome.as_predicted


def test_the_gate_stands_before_the_register_of_a_frame_that_is_one_word(model: Path) -> None:
    def kinds(stream_bits: str) -> list[str]:
        request = PlanRequest(board="ulx3s-85f", style="spatial", stream_bits=stream_bits)
        accelerator = plan(model, request).accelerator
        wanted = (CreditGate, CreditQueue, type(accelerator.front))
        return [type(b.unit).__name__ for b in accelerator.blocks if isinstance(b.unit, wanted)]

    assert kinds("native")[:3] == ["CreditGate", "AxiStreamIn", "CreditQueue"]
    assert kinds("32")[:3] == ["AxiStreamIn", "CreditGate", "CreditQueue"]
