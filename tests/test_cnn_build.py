"""A small convolutional network from torch to simulated RTL, every integer equal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import hwgen
from hwgen import nn as q
from hwgen.pipeline import plan
from hwgen.request import PlanRequest
from tests.models import settle


def small_cnn() -> nn.Module:
    """Standard, padded ±1, depthwise and pointwise convolutions, both pools, a table."""
    torch.manual_seed(0)
    model = nn.Sequential(
        q.QuantIdentity(q.SInt(8, step=1 / 32)),
        q.QuantConv2d(3, 8, 3, padding=1, bias=False, weight=q.Binary("mean", per_channel=True)),
        nn.BatchNorm2d(8),
        q.QuantReLU(q.UInt(2)),
        q.QuantConv2d(8, 8, 3, bias=False, weight=q.Ternary()),
        nn.BatchNorm2d(8),
        nn.MaxPool2d(2),
        q.QuantAct(q.Binary()),
        q.QuantConv2d(8, 8, 3, padding=1, groups=8, bias=False, weight=q.Int(4)),
        nn.BatchNorm2d(8),
        q.QuantReLU(q.UInt(3)),
        q.QuantConv2d(8, 12, 1, weight=q.Shift(3)),
        nn.SiLU(),
        q.QuantAct(q.SInt(4, step=0.25)),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        q.QuantIdentity(q.SInt(6, step=1 / 16)),
        q.QuantLinear(12, 5, weight=q.Int(4)),
    )
    return settle(model, torch.randn(32, 3, 10, 10)).eval()


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cnn") / "cnn.pt"
    hwgen.save(small_cnn(), path, torch.zeros(1, 3, 10, 10))
    return path


def test_the_integer_graph_is_torchs(model_file: Path) -> None:
    x = torch.randn(50, 3, 10, 10, generator=torch.Generator().manual_seed(1))
    planned = plan(model_file, PlanRequest(style="folded", target_fps=10_000))
    graph = planned.graph
    ours = graph.output.logits(graph.evaluate(graph.input.encode(x.numpy())))  # type: ignore[attr-defined]
    with torch.no_grad():
        theirs = small_cnn()(x).numpy()
    off = (np.abs(ours - theirs) > 1e-4).any(axis=1)
    assert off.mean() <= 0.04  # float32 rounds another way at a tie

    figures = planned.figures
    assert figures.initiation_interval <= 10_000
    assert figures.latency_cycles >= figures.initiation_interval // 2


def narrow(*, one_dimension: bool) -> tuple[nn.Module, tuple[int, ...]]:
    """Three convolutions with pools between them, over an image or a sequence."""
    torch.manual_seed(1)
    conv = q.QuantConv1d if one_dimension else q.QuantConv2d
    norm = nn.BatchNorm1d if one_dimension else nn.BatchNorm2d
    pool = nn.MaxPool1d if one_dimension else nn.MaxPool2d
    layers: list[nn.Module] = [q.QuantIdentity(q.SInt(3, step=0.5))]
    channels = 2
    for width in (3, 4, 4):
        layers += [conv(channels, width, 3, padding=1, bias=False, weight=q.Ternary())]
        layers += [norm(width), q.QuantReLU(q.UInt(2)), pool(2)]
        channels = width
    layers += [nn.Flatten(), q.QuantLinear(16, 3, weight=q.Binary("mean"))]
    shape = (2, 32) if one_dimension else (2, 16, 16)
    return settle(nn.Sequential(*layers), torch.randn(32, *shape)).eval(), shape


@pytest.mark.parametrize("one_dimension", [False, True])
def test_several_pixels_a_cycle_as_planned_and_simulated(
    one_dimension: bool, tmp_path: Path
) -> None:
    """More pixels a cycle than one at the input, and the RTL equal and as fast as said."""
    from hwgen.pipeline import build
    from hwgen.verify.cocotb_run import simulate

    model, shape = narrow(one_dimension=one_dimension)
    path = tmp_path / "narrow.pt"
    hwgen.save(model, path, torch.randn(2, *shape))
    pixels = int(np.prod(shape[1:]))
    request = PlanRequest(board="zcu104", stream_bits="native", target_fps=200e6 / (pixels // 4))
    slow = plan(path, PlanRequest(board="zcu104", target_fps=200e6 / (9 * pixels)))
    assert max(layer.pixels for layer in slow.figures.layers) == 1
    built = build(path, tmp_path / "narrow", request, frames=12)
    assert built.figures.initiation_interval <= pixels // 4
    assert max(layer.pixels for layer in built.figures.layers) > 1
    outcome = simulate(built.folder)
    assert outcome.ok, outcome


@pytest.mark.slow
def test_rtl_is_golden_under_stalls(model_file: Path, tmp_path: Path) -> None:
    from hwgen.pipeline import build
    from hwgen.verify.cocotb_run import simulate

    request = PlanRequest(style="folded", target_fps=20_000)
    built = build(model_file, tmp_path / "cnn", request, frames=4)
    outcome = simulate(built.folder)
    assert outcome.mismatches == 0
