"""The driver against the simulated SPI bus: right answers, or an error, never a wrong one."""

from __future__ import annotations

import random
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

import hwgen
from hwgen import families, pipeline, weights
from hwgen.backend import boards, host, project
from hwgen.board_run import load_driver
from hwgen.built import read_graph
from hwgen.cli import main
from hwgen.constants import rolled, writes
from hwgen.errors import UsageError
from hwgen.pipeline import PlanRequest
from hwgen.verify import manifest, spi_sim
from hwgen.verify.board_sim import SimulatedBoard
from tests.models import tiny_mlp
from tests.verify import example
from tests.verify.disturbed import answers_while, press_reset_often

pytestmark = pytest.mark.skipif(shutil.which("iverilog") is None, reason="iverilog is missing")


@pytest.fixture(name="folder", scope="module")
def fixture_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("spi") / "project"
    made = example.contents("icebreaker")
    project.write(project.render(replace(made, board=made.board.linked("spi"))), folder)
    return folder


@pytest.fixture(name="driver")
def fixture_driver(folder: Path) -> ModuleType:
    return load_driver(folder)


@contextmanager
def serve(folder: Path, noise: float = 0.0, seed: int = 1) -> Iterator[SimulatedBoard]:
    """The board, and its stand-in for pyftdi where programs find it."""
    with spi_sim.serve(folder, noise=noise, seed=seed) as board, pytest.MonkeyPatch.context() as m:
        m.syspath_prepend(board.work)
        forget_pyftdi()
        try:
            yield board
        finally:
            forget_pyftdi()


def forget_pyftdi() -> None:
    for name in ("pyftdi", "pyftdi.spi"):
        sys.modules.pop(name, None)


def codes(count: int) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 16, (count, example.ELEMENTS))


def test_frames_come_back_as_the_golden_model_has_them(folder: Path, driver: ModuleType) -> None:
    graph = example.graph()
    x = np.random.default_rng(5).uniform(-1, 9, (6, example.ELEMENTS)).astype(np.float32)
    golden = graph.evaluate(graph.input.encode(x))
    with serve(folder) as board, driver.Accelerator(board.port, timeout=5.0) as accelerator:
        assert np.array_equal(accelerator.run(x), golden)


def test_every_byte_comes_back(folder: Path, driver: ModuleType) -> None:
    """Outputs −16 … −1 and random tags hold the bytes that stand for others on this bus."""
    sent = codes(60)
    with serve(folder) as board, driver.Accelerator(board.port, timeout=5.0) as accelerator:
        tags = iter([bytes([0xA8, 0xA9, 0xA8, k]) for k in range(200)])
        driver.secrets = type("Tags", (), {"token_bytes": staticmethod(lambda _: next(tags))})
        assert np.array_equal(accelerator.run_codes(sent[:20]), -sent[:20] - 1)
        assert accelerator.link.ask(driver.IDENTIFY, b"", driver.IDENTITY, 16)[:4] == b"HWG1"


def test_a_bad_bus_costs_time_and_no_wrong_answer(folder: Path, driver: ModuleType) -> None:
    """Damaged bytes, and lost and doubled clocks: all bits behind them are moved."""
    driver.ATTEMPTS = 200
    with serve(folder, noise=0.006, seed=4) as board:
        accelerator = driver.Accelerator(board.port, timeout=0.5)
        assert np.array_equal(accelerator.run_codes(codes(12)), -codes(12) - 1)


def test_a_host_that_stops_in_the_middle_and_foreign_bytes_do_no_harm(
    folder: Path, driver: ModuleType
) -> None:
    half = driver.request(driver.FRAME, b"tagt", bytes(example.ELEMENTS))[:9]
    with serve(folder) as board, driver.Accelerator(board.port, timeout=1.0) as accelerator:
        for rubbish in (b"hello", half, b"\xc3", b"\xab" * 9, bytes(range(256))):
            accelerator.link.port.write(rubbish, time.monotonic() + 1)
            assert np.array_equal(accelerator.run_codes(codes(2)), -codes(2) - 1)


def test_a_reset_in_mid_frame_costs_an_attempt(folder: Path, driver: ModuleType) -> None:
    sent = codes(16)
    with serve(folder) as board, driver.Accelerator(board.port, timeout=1.0) as accelerator:
        answers = answers_while(accelerator, sent, lambda: press_reset_often(board))
        assert np.array_equal(answers, -sent - 1)


def test_a_pulled_plug_is_waited_for(folder: Path, driver: ModuleType) -> None:
    sent = codes(16)
    with serve(folder) as board, driver.Accelerator(board.port, timeout=5.0) as accelerator:
        answers = answers_while(accelerator, sent, board.replug)
        assert np.array_equal(answers, -sent - 1)


def test_the_decoder_takes_back_what_the_hardware_does(driver: ModuleType) -> None:
    rng = random.Random(1)
    data = bytes(rng.choice([0xA8, 0xA9, 0x28, 0x29, 0, 255]) for _ in range(500))
    wire = bytearray()
    for byte in data:
        wire += b"\xa9" * rng.randrange(3)
        wire += bytes([0xA8, byte ^ 0x80]) if byte in (0xA8, 0xA9) else bytes([byte])
    made = driver.Port.__init__.__globals__["Decoder"]()
    found = b"".join(made.decode(wire[k : k + 7]) for k in range(0, len(wire), 7))
    assert found == data


def test_without_pyftdi_the_driver_and_run_say_so(
    folder: Path,
    driver: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    forget_pyftdi()
    monkeypatch.setitem(sys.modules, "pyftdi.spi", None)
    with pytest.raises(driver.AcceleratorError, match="pyftdi is needed for SPI"):
        driver.Accelerator("ftdi://ftdi:2232h/1")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    np.savez(tmp_path / "data.npz", x=np.zeros((1, example.ELEMENTS)))
    assert main(["run", str(folder), "--data", str(tmp_path / "data.npz")]) == 3
    assert "the Python module pyftdi is needed" in capsys.readouterr().err


def test_what_is_no_url_is_named(folder: Path, driver: ModuleType) -> None:
    with serve(folder), pytest.raises(driver.AcceleratorError, match="is no port of an FTDI chip"):
        driver.Accelerator("/dev/ttyUSB0")


def test_run_reaches_the_board_and_loads_weights(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By hwgen's own line: build --link spi, weights, run --weights --check."""
    hwgen.save(tiny_mlp().eval(), tmp_path / "net.pt", torch.zeros(1, 6))
    request = PlanRequest(board="upduino", writable=("linear_3",), style="folded", link="spi")
    monkeypatch.setattr(host, "LOAD_CHUNK", 2)
    built = pipeline.build(tmp_path / "net.pt", tmp_path / "built", request, frames=2).folder
    other, of = rolled(read_graph(built)), manifest.read(built)
    words = writes(other, of.writable, families.get("ice40"))
    weights.Image(other, words, of.build_id).save(tmp_path / "other.npz")
    np.savez(tmp_path / "data.npz", x=np.random.default_rng(0).normal(size=(3, 6)))
    line = ["run", str(built), "--data", str(tmp_path / "data.npz"), "--timeout", "5", "--check"]
    with serve(built):
        assert main(line) == 0
        assert main([*line, "--weights", str(tmp_path / "other.npz")]) == 0
    assert capsys.readouterr().out.count("every integer is the golden model's") == 2


def test_boards_without_spi_are_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="ulx3s-85f cannot be reached by spi: its link is uart"):
        boards.load("ulx3s-85f").linked("spi")
    with pytest.raises(UsageError, match="pynq-z2 cannot be reached by spi: it has a processor"):
        boards.load("pynq-z2").linked("spi")
    folder = tmp_path / "uart"
    project.write(project.render(example.contents("icebreaker")), folder)
    with pytest.raises(UsageError, match="must be built for a board with SPI"), serve(folder):
        pass
