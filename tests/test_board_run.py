"""``hwgen run`` against simulated boards: it prints right answers or an error."""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from hwgen.backend import project
from hwgen.cli import main
from hwgen.verify import pynq_sim, uart_sim
from tests.verify import example

needs_icarus = pytest.mark.skipif(shutil.which("iverilog") is None, reason="iverilog is missing")
FRAMES = 12


@pytest.fixture(name="data", scope="module")
def fixture_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Frames, and the classes that the golden model gives them, but for the first."""
    path = tmp_path_factory.mktemp("data") / "data.npz"
    x = np.random.default_rng(5).uniform(-1, 9, (FRAMES, example.ELEMENTS)).astype(np.float32)
    classes = _classes(x)
    np.savez(path, x=x, y=np.where(np.arange(FRAMES) == 0, classes + 1, classes))
    return path


def _classes(x: np.ndarray) -> np.ndarray:
    graph = example.graph()
    return np.asarray(graph.output.predictions(graph.evaluate(graph.input.encode(x))))


@pytest.fixture(name="zynq", scope="module")
def fixture_zynq(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("zynq") / "project"
    project.write(project.render(example.contents("pynq-z2")), folder)
    return folder


@pytest.fixture(name="serial", scope="module")
def fixture_serial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("serial") / "project"
    project.write(project.render(example.contents("ulx3s-85f")), folder)
    return folder


@pytest.fixture(name="pynq")
def fixture_pynq(zynq: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A bitstream's name, on a machine with a module ``pynq``."""
    with pynq_sim.serve(zynq) as folder:
        monkeypatch.syspath_prepend(folder)
        bitfile = folder / "net.bit"
        bitfile.touch()
        yield bitfile
    sys.modules.pop("pynq", None)


def test_a_project_of_an_older_hwgen_is_named(
    serial: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = tmp_path / "old"
    shutil.copytree(serial, old)
    model = json.loads((old / "driver" / "model.json").read_text())
    del model["link"]
    (old / "driver" / "model.json").write_text(json.dumps(model))
    assert main(["run", str(old), "--data", str(data)]) == 1
    assert "must be built by this version of hwgen" in capsys.readouterr().err


@needs_icarus
def test_a_serial_board_gives_predictions_rate_and_accuracy(
    serial: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with uart_sim.serve(serial) as board:
        words = ["run", str(serial), "--data", str(data), "--port", board.port, "--timeout", "5"]
        assert main([*words, "--check", "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert main([*words, "--limit", "3"]) == 0
        lines = capsys.readouterr().out.splitlines()
    expected = _classes(np.load(data)["x"]).ravel().tolist()
    assert found["predictions"] == expected
    assert found["accuracy"] == pytest.approx((FRAMES - 1) / FRAMES)
    assert found["frames"] == FRAMES
    assert found["frames_per_second"] > 0
    assert lines[:3] == [str(value) for value in expected[:3]]
    assert lines[3].startswith("3 frames, ")
    assert lines[4] == "accuracy 66.67 %"


@needs_icarus
def test_a_zynq_gives_the_same_through_pynq(
    zynq: Path, data: Path, pynq: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["run", str(zynq), "--data", str(data), "--bitfile", str(pynq), "--check", "--json"]
    assert main(words) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["predictions"] == _classes(np.load(data)["x"]).ravel().tolist()
    assert found["checked"]


@needs_icarus
def test_another_program_on_the_same_accelerator_is_noticed(
    zynq: Path, pynq: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its frames and ours mix: the accelerator's own counts betray it."""
    from hwgen.board_run import load_driver

    driver = load_driver(zynq)
    codes = np.random.default_rng(1).integers(0, 16, (3, example.ELEMENTS))
    first = driver.Accelerator(str(pynq))
    second = driver.Accelerator(overlay=first.overlay)
    genuine = first.dma.recvchannel.transfer

    def interrupted(*args: object, **options: object) -> None:
        del first.dma.recvchannel.transfer
        second.run_codes(codes[:1])
        genuine(*args, **options)

    first.dma.recvchannel.transfer = interrupted
    with pytest.raises(driver.AcceleratorError, match=r"3 frames went in .* counted 4"):
        first.run_codes(codes)
    assert np.array_equal(second.run_codes(codes), -codes - 1)


@needs_icarus
def test_an_accelerator_that_gives_nothing_ends_in_an_error(zynq: Path, pynq: Path) -> None:
    from hwgen.board_run import load_driver

    driver = load_driver(zynq)
    accelerator = driver.Accelerator(str(pynq), timeout=0.5)
    accelerator.dma.sendchannel.transfer = lambda *args, **options: None
    with pytest.raises(driver.AcceleratorError, match=r"did not end within 0\.5 s"):
        accelerator.run_codes(np.zeros((1, example.ELEMENTS), np.int64))


@needs_icarus
def test_a_wrong_bitstream_is_refused(
    serial: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = shutil.copytree(serial, tmp_path / "other")
    model = other / "driver" / "model.json"
    model.write_text(model.read_text().replace(str(0xDEADBEEF), "17"))
    with uart_sim.serve(serial) as board:
        words = ["run", str(other), "--data", str(data), "--port", board.port, "--timeout", "5"]
        assert main(words) == 2
    captured = capsys.readouterr()
    assert "the board runs build 0xdeadbeef" in captured.err
    assert captured.out == ""


def test_a_difference_from_the_golden_model_is_told(
    serial: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A board that computes wrongly, as through a timing fault, is found by --check."""

    class Faulty:
        def __enter__(self) -> "Faulty":
            return self

        def __exit__(self, *exception: object) -> None: ...

        def run(self, x: np.ndarray) -> np.ndarray:
            graph = example.graph()
            y = graph.evaluate(graph.input.encode(x))
            y[1, 2] ^= 1
            return y

        def classes(self, integers: np.ndarray) -> np.ndarray:
            return np.argmax(integers, axis=1)

    monkeypatch.setattr("hwgen.board_run._accelerator", lambda *args: Faulty())
    assert main(["run", str(serial), "--data", str(data), "--check"]) == 2
    captured = capsys.readouterr()
    assert "1 of 12 frames differ from the golden model; the first is frame 1, element 2" in (
        captured.err
    )
    assert captured.out == ""


def test_what_is_missing_is_named(
    serial: Path,
    zynq: Path,
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("hwgen.board_run.SERIAL", ("no-such-port*",))
    cases = [
        ([str(serial), "--data", str(data)], 1, "which serial port leads to the board"),
        ([str(serial), "--data", str(data), "--port", "/no/port"], 2, "cannot be opened"),
        ([str(zynq), "--data", str(data), "--port", "/dev/null"], 1, "has a processor"),
        ([str(zynq), "--data", str(data)], 3, "module pynq is needed"),
        ([str(tmp_path), "--data", str(data)], 1, "has no driver"),
        ([str(serial), "--data", str(tmp_path / "none.npz")], 1, "there is no data set"),
    ]
    for words, code, message in cases:
        assert main(["run", *words]) == code
        assert message in capsys.readouterr().err


def test_frames_of_another_shape_are_refused(
    serial: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal, other = os.openpty()
    np.savez(tmp_path / "x.npz", x=np.zeros((2, 5), np.float32))
    code = main(["run", str(serial), "--data", str(tmp_path / "x.npz"), "--port", os.ttyname(other),
                 "--timeout", "0.01"])  # fmt: skip
    assert code == 2
    assert "no answer" in capsys.readouterr().err
    os.close(terminal)
    os.close(other)
