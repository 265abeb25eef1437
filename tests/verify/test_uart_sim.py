"""The serial driver against the simulated board: right answers, or an error, never a wrong one."""

import fcntl
import os
import shutil
import struct
import threading
import time
import types
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from hwgen.backend import project
from hwgen.board_run import load_driver
from hwgen.errors import UsageError
from hwgen.verify.uart_sim import serve
from tests.verify import example
from tests.verify.disturbed import answers_while, press_reset_often

pytestmark = pytest.mark.skipif(shutil.which("iverilog") is None, reason="iverilog is missing")


@pytest.fixture(name="folder", scope="module")
def fixture_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("uart") / "project"
    project.write(project.render(example.contents("ulx3s-85f")), folder)
    return folder


@pytest.fixture(name="driver")
def fixture_driver(folder: Path) -> types.ModuleType:
    return load_driver(folder)


def _codes(count: int) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 16, (count, example.ELEMENTS))


@contextmanager
def _opened(
    driver: types.ModuleType, port: str, patience: float = 4.0
) -> Iterator[types.SimpleNamespace]:
    """``patience`` in seconds: a busy machine simulates slowly, and a lost byte costs as much."""
    with driver.Accelerator(port, timeout=patience) as accelerator:
        yield accelerator


def test_frames_come_back_as_the_golden_model_has_them(
    folder: Path, driver: types.ModuleType
) -> None:
    graph = example.graph()
    x = np.random.default_rng(5).uniform(-1, 9, (6, example.ELEMENTS)).astype(np.float32)
    golden = graph.evaluate(graph.input.encode(x))
    with serve(folder) as board, _opened(driver, board.port) as accelerator:
        assert np.array_equal(accelerator.run(x), golden)
        assert np.array_equal(accelerator.predict(x), graph.output.predictions(golden))


def test_a_bad_cable_costs_time_and_no_wrong_answer(
    folder: Path, driver: types.ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "ATTEMPTS", 200)
    codes = _codes(12)
    with (
        serve(folder, noise=0.02, seed=3) as board,
        _opened(driver, board.port, 1.0) as accelerator,
    ):
        assert np.array_equal(accelerator.run_codes(codes), -codes - 1)


def test_a_host_that_stops_in_the_middle_and_foreign_bytes_do_no_harm(
    folder: Path, driver: types.ModuleType
) -> None:
    body = bytes([driver.FRAME]) + b"tagt" + bytes(4)
    half = b"\xc3\x5a" + body[:7]
    wrong = b"\xc3\x5a" + body + struct.pack("<I", zlib.crc32(body) ^ 1)
    codes = _codes(2)
    with serve(folder) as board:
        port = board.port
        for rubbish in (b"hello", half, wrong, b"\xc3", b"\xc3\x5a\xff", bytes(range(256))):
            file = os.open(port, os.O_RDWR | os.O_NOCTTY)
            os.write(file, rubbish)
            with driver.Accelerator(port, timeout=3.0) as accelerator:
                assert np.array_equal(accelerator.run_codes(codes), -codes - 1)
            os.close(file)


def test_another_build_is_refused(folder: Path, driver: types.ModuleType, tmp_path: Path) -> None:
    model = tmp_path / "model.json"
    text = (folder / "driver" / "model.json").read_text()
    model.write_text(text.replace(str(0xDEADBEEF), "17"))
    message = "runs build 0xdeadbeef, and this driver is of build 0x00000011"
    with serve(folder) as board, pytest.raises(driver.AcceleratorError, match=message):
        driver.Accelerator(board.port, model=model, timeout=3.0)


def test_a_silent_port_is_an_error(driver: types.ModuleType) -> None:
    terminal, other = os.openpty()
    driver.ATTEMPTS = 2
    with pytest.raises(driver.AcceleratorError, match="no answer after 2 attempts"):
        driver.Accelerator(os.ttyname(other), timeout=0.05)
    os.close(terminal)
    os.close(other)


def test_only_whole_right_answers_with_the_tag_are_taken(driver: types.ModuleType) -> None:
    body = b"\x81" + b"abcd" + b"xyz"
    answer = b"\x3c\xa5" + body + struct.pack("<I", zlib.crc32(body))
    sizes, tags = {0x81: 3}, {b"abcd": 0, b"wxyz": 1}
    found = driver.find_answer(b"\x3c\xa5\x3c" + answer + b"rest", tags, sizes)
    assert found == (0x81, b"abcd", b"xyz", 3 + len(answer))
    assert driver.find_answer(answer, {b"abce": 0}, sizes) is None
    for cut in range(len(answer)):
        assert driver.find_answer(answer[:cut], tags, sizes) is None
        damaged = bytearray(answer)
        damaged[cut] ^= 0x10
        assert driver.find_answer(bytes(damaged), tags, sizes) is None


def test_two_requests_are_under_way_at_a_time(driver: types.ModuleType) -> None:
    """A board that answers no request before it has the next one is served without a timeout."""
    terminal, other = os.openpty()
    link = driver.Link(os.ttyname(other), 1_000_000, timeout=5.0)
    answers: dict[int, bytes] = {}
    asked = {key: bytes([key] * 4) for key in range(6)}
    size = len(driver.request(0x01, b"tagt", asked[0]))
    work = threading.Thread(target=link.ask_all, args=(0x01, asked, 0x81, 4, answers))
    began = time.monotonic()
    work.start()
    data, done = b"", 0
    while done < len(asked):
        data += os.read(terminal, 4096)
        seen = len(data) // size
        while done < seen - 1 or seen == len(asked) > done:
            body = b"\x81" + data[size * done + 3 : size * done + 11]  # tag and payload
            os.write(terminal, b"\x3c\xa5" + body + struct.pack("<I", zlib.crc32(body)))
            done += 1
    work.join()
    assert answers == asked
    assert time.monotonic() - began < 4
    link.close()


def test_a_reset_in_mid_frame_costs_an_attempt(folder: Path, driver: types.ModuleType) -> None:
    codes = _codes(20)
    with serve(folder) as board, _opened(driver, board.port) as accelerator:
        answers = answers_while(accelerator, codes, lambda: press_reset_often(board))
        assert np.array_equal(answers, -codes - 1)


def test_a_pulled_plug_is_waited_for(folder: Path, driver: types.ModuleType) -> None:
    codes = _codes(30)
    with serve(folder) as board, _opened(driver, board.port) as accelerator:
        answers = answers_while(accelerator, codes, lambda: (board.replug(), board.replug()))
        assert np.array_equal(answers, -codes - 1)


def test_a_plug_that_stays_out_is_an_error(
    driver: types.ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(driver, "AWAY", 0.2)
    terminal, other = os.openpty()
    port = tmp_path / "port"
    port.symlink_to(os.ttyname(other))
    link = driver.Link(str(port), 1_000_000, timeout=5.0)
    os.close(terminal)
    os.close(other)
    port.unlink()
    with pytest.raises(OSError, match=r"Input/output error|was closed"):
        link.ask(driver.FRAME, b"x", driver.OUTPUTS, 1)
    with pytest.raises(driver.AcceleratorError, match=r"the port is gone: .*No such file"):
        link.reopen()


def test_a_second_program_is_kept_out(folder: Path, driver: types.ModuleType) -> None:
    terminal, other = os.openpty()
    first = driver.Link(os.ttyname(other), 1_000_000)
    with pytest.raises((driver.AcceleratorError, OSError), match=r"another program uses|busy"):
        driver.Link(os.ttyname(other), 1_000_000)
    first.close()
    os.close(terminal)
    os.close(other)


def test_two_hosts_at_once_get_right_answers_or_errors(
    folder: Path, driver: types.ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Programs that ignore the lock read each other's answers and break each other's requests."""
    monkeypatch.setattr(driver.Port, "_claim", lambda self: None)
    monkeypatch.setattr(fcntl, "ioctl", lambda *args: None)
    found: list[tuple[np.ndarray, np.ndarray]] = []
    failed: list[Exception] = []

    def host(seed: int, port: str) -> None:
        codes = np.random.default_rng(seed).integers(0, 16, (4, example.ELEMENTS))
        try:
            with driver.Accelerator(port, timeout=0.05 * (seed + 1)) as accelerator:
                found.append((accelerator.run_codes(codes), codes))
        except driver.AcceleratorError as error:
            failed.append(error)

    with serve(folder) as board:
        hosts = [threading.Thread(target=host, args=(seed, board.port)) for seed in (1, 2)]
        for work in hosts:
            work.start()
        for work in hosts:
            work.join()
        with _opened(driver, board.port) as accelerator:
            codes = _codes(2)
            assert np.array_equal(accelerator.run_codes(codes), -codes - 1)
    assert len(found) + len(failed) == 2
    for answers, codes in found:
        assert np.array_equal(answers, -codes - 1)


def test_a_project_without_a_uart_is_named(tmp_path: Path) -> None:
    folder = example.write(tmp_path / "project")
    with pytest.raises(UsageError, match="must be built for a board with a UART"), serve(folder):
        pass
