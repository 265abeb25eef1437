"""Another network's constants over the link, by the driver: every frame is one network's."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

import hwgen
from hwgen import pipeline, weights
from hwgen.backend import host
from hwgen.board_run import load_driver
from hwgen.built import read_graph
from hwgen.cli import main
from hwgen.ir.graph import Graph
from hwgen.pipeline import PlanRequest
from hwgen.verify import uart_sim
from hwgen.verify.uart_sim import serve
from tests.models import tiny_mlp

pytestmark = pytest.mark.skipif(shutil.which("iverilog") is None, reason="iverilog is missing")

TIMEOUT = 3.0
X = np.random.default_rng(0).normal(size=(5, 6)).astype(np.float32)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose constants come in several packets, and another network's in other.npz."""
    folder = tmp_path_factory.mktemp("loads") / "built"
    models = [folder.with_name(f"{seed}.pt") for seed in (0, 5)]
    for seed, model in zip((0, 5), models, strict=True):
        hwgen.save(tiny_mlp(seed).eval(), model, torch.zeros(1, 6))
    request = PlanRequest(board="ulx3s-85f", writable=("all",), style="folded", target_fps=10e6)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(host, "LOAD_CHUNK", 8)
        pipeline.build(models[0], folder, request, frames=2)
    weights.image(folder, models[1]).save(folder.with_name("other.npz"))
    return folder


@pytest.fixture
def other(built: Path) -> Path:
    return built.with_name("other.npz")


@pytest.fixture
def driver(built: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setattr(uart_sim, "DIVISOR", 4)  # less to simulate
    return load_driver(built)


def _golden(graph: Graph) -> np.ndarray:
    return np.asarray(graph.evaluate(graph.input.encode(X)))  # type: ignore[attr-defined]


@pytest.fixture
def wanted(built: Path, other: Path) -> list[np.ndarray]:
    """What comes out of either network."""
    found = [_golden(read_graph(built)), _golden(weights.read(other, built).graph)]
    assert not np.array_equal(*found)
    return found


def test_networks_are_swapped_and_swapped_back(
    built: Path, other: Path, driver: ModuleType, wanted: list[np.ndarray]
) -> None:
    model = json.loads((built / "driver" / "model.json").read_text())
    assert model["load_words"] > 2 * model["load_chunk"]
    with serve(built) as board, driver.Accelerator(board.port, timeout=TIMEOUT) as accelerator:
        assert np.array_equal(accelerator.run(X), wanted[0])
        scale = accelerator.logits(X)
        accelerator.load_weights(other)
        assert np.array_equal(accelerator.run(X), wanted[1])
        accelerator.load_weights(built / "driver" / "weights.npz")
        assert np.array_equal(accelerator.run(X), wanted[0])
        assert np.array_equal(accelerator.logits(X), scale)


@pytest.mark.slow
def test_a_bad_cable_costs_time_and_mixes_no_networks(
    built: Path, other: Path, driver: ModuleType, wanted: list[np.ndarray]
) -> None:
    driver.ATTEMPTS = 200
    with (
        serve(built, noise=0.004, seed=2) as board,
        driver.Accelerator(board.port, timeout=1.0) as accelerator,
    ):
        accelerator.load_weights(other)
        assert np.array_equal(accelerator.run(X), wanted[1])
        accelerator.load_weights(built / "driver" / "weights.npz")
        assert np.array_equal(accelerator.run(X), wanted[0])


@pytest.mark.slow
def test_half_a_load_changes_nothing(
    built: Path, other: Path, driver: ModuleType, wanted: list[np.ndarray]
) -> None:
    """Words arrive, foreign bytes between them, and no commit; then another host has its turn."""
    writes, _ = driver.read_weights(other, json.loads((built / "driver/model.json").read_text()))
    number = driver.constants_number(writes)
    packets = driver.load_packets(writes, number, 8)
    with serve(built) as board:
        with driver.Accelerator(board.port, timeout=TIMEOUT) as accelerator:
            for packet in packets[:-1]:
                accelerator.link.ask(driver.LOAD, packet, driver.LOADED, 0)
                accelerator.link.port.write(b"\xc3\x5a\x03noise", time.monotonic() + 1)
                accelerator.link.settle()
            commit = len(packets).to_bytes(4, "little")
            with pytest.raises(driver.LoadLost):
                accelerator.link.ask(
                    driver.COMMIT, number.to_bytes(4, "little") + commit, driver.COMMITTED, 0
                )
            assert np.array_equal(accelerator.run(X), wanted[0])
        with driver.Accelerator(board.port, timeout=TIMEOUT) as accelerator:
            assert np.array_equal(accelerator.run(X), wanted[0])


@pytest.mark.slow
def test_constants_that_another_program_left_are_replaced(
    built: Path, other: Path, driver: ModuleType, wanted: list[np.ndarray]
) -> None:
    with serve(built) as board:
        with driver.Accelerator(board.port, timeout=TIMEOUT) as accelerator:
            accelerator.load_weights(other)
        with driver.Accelerator(board.port, timeout=TIMEOUT) as accelerator:
            assert np.array_equal(accelerator.run(X), wanted[0])


def test_a_reset_and_a_pulled_plug_in_mid_load_do_no_harm(
    built: Path, other: Path, driver: ModuleType, wanted: list[np.ndarray]
) -> None:
    with serve(built) as board, driver.Accelerator(board.port, timeout=TIMEOUT) as accelerator:
        seen: list[int] = []
        ask = accelerator.link.ask

        def disturbed(kind: int, payload: bytes, answer: int, size: int) -> Any:
            if kind == driver.LOAD:
                seen.append(payload[4])
                if len(seen) == 2:
                    board.press_reset()
                if len(seen) == 5:
                    board.replug()
            return ask(kind, payload, answer, size)

        accelerator.link.ask = disturbed
        accelerator.load_weights(other)
        assert np.array_equal(accelerator.run(X), wanted[1])
        assert seen.count(0) > 2


def test_a_board_that_lost_its_constants_gets_them_again(
    built: Path, other: Path, driver: ModuleType, wanted: list[np.ndarray]
) -> None:
    """Its power failed and other constants are there: no frame of theirs is taken."""
    with serve(built) as board, driver.Accelerator(board.port, timeout=TIMEOUT) as accelerator:
        accelerator.load_weights(other)
        assert np.array_equal(accelerator.run(X), wanted[1])
        known = accelerator._writes, accelerator._constants
        accelerator.load_weights(built / "driver" / "weights.npz")
        accelerator._writes, accelerator._constants = known
        assert np.array_equal(accelerator.run(X), wanted[1])


@pytest.mark.slow
def test_a_load_under_way_leaves_frames_alone(
    built: Path, other: Path, driver: ModuleType, wanted: list[np.ndarray]
) -> None:
    """Frames between the packets of a load are the old network's."""
    with serve(built) as board, driver.Accelerator(board.port, timeout=TIMEOUT) as accelerator:
        ask, between = accelerator.link.ask, []

        def with_frames(kind: int, payload: bytes, answer: int, size: int) -> Any:
            if kind in (driver.LOAD, driver.COMMIT):
                between.append(accelerator.run(X[:1]))
            return ask(kind, payload, answer, size)

        accelerator.link.ask = with_frames
        accelerator.load_weights(other)
        assert len(between) > 3
        for found in between:
            assert np.array_equal(found, wanted[0][:1])
        assert np.array_equal(accelerator.run(X), wanted[1])


def test_run_loads_weights_before_it_sends(
    built: Path,
    other: Path,
    driver: ModuleType,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    np.savez(tmp_path / "data.npz", x=X)
    words = ["run", str(built), "--data", str(tmp_path / "data.npz"), "--timeout", str(TIMEOUT)]
    with serve(built) as board:
        words += ["--port", board.port, "--check", "--json"]
        assert main([*words, "--weights", str(other)]) == 0
        loaded = json.loads(capsys.readouterr().out)
        assert main(words) == 0
        own = json.loads(capsys.readouterr().out)
    assert loaded["words_loaded"] == np.load(other)["data"].size
    assert own["words_loaded"] == 0
    assert loaded["checked"]


def test_weights_of_another_build_are_named(
    built: Path, other: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.savez(tmp_path / "data.npz", x=X)
    found = dict(np.load(other))
    np.savez(tmp_path / "strange.npz", **{**found, "build_id": np.uint32(1)})
    np.savez(tmp_path / "damaged.npz", **{**found, "data": found["data"] ^ 1})
    for file, message in (
        ("strange.npz", "is for build 0x00000001"),
        ("damaged.npz", "its words are not those of its network"),
        ("none.npz", "there is no file of weights"),
        ("data.npz", "must be what hwgen weights wrote"),
    ):
        words = ["run", str(built), "--data", str(tmp_path / "data.npz"), "--port", "/dev/null"]
        assert main([*words, "--weights", str(tmp_path / file)]) == 1
        assert message in capsys.readouterr().err
