"""A project is the same bytes every time, and is written wholly or not at all."""

import importlib.util
import json
import os
import sys
import types
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hwgen.backend import boards, project
from hwgen.errors import BuildError, UsageError
from hwgen.verify import cocotb_run
from hwgen.verify.manifest import Manifest
from tests.verify import example

BOARDS = boards.names()


def test_rendering_twice_gives_the_same_bytes_and_names_no_place() -> None:
    for name in BOARDS:
        files = project.render(example.contents(name))
        assert files == project.render(example.contents(name))
        for content in files.values():
            assert str(Path.home()).encode() not in content
            assert str(Path.cwd()).encode() not in content


@pytest.mark.parametrize("name", BOARDS)
def test_a_project_holds_what_the_design_page_lists(name: str) -> None:
    files = project.render(example.contents(name))
    wanted = {"rtl/core.v", "sim/manifest.json", "sim/bench.py", "sim/vectors/input.npy"}
    wanted |= {"graph.txt", "graph.json", "report.json", "sim/vectors/layers/inc.npy"}
    assert wanted <= set(files)
    assert Manifest.from_json(files["sim/manifest.json"].decode()) == example.MANIFEST
    flow = boards.load(name).flow
    assert any(path.startswith(f"{flow}/") for path in files)


def test_a_written_project_simulates(tmp_path: Path) -> None:
    out = tmp_path / "out"
    project.write(project.render(example.contents("pynq-z2")), out)
    assert cocotb_run.simulate(out, simulator="icarus").ok


def test_vectors_of_another_shape_are_refused() -> None:
    contents = example.contents("pynq-z2")
    vectors = {**contents.vectors, "output": np.zeros((2, 3), np.int64)}
    with pytest.raises(BuildError, match=r"vectors output must be \(8, 6\), not \(2, 3\)"):
        project.render(replace(contents, vectors=vectors))


def test_a_new_build_replaces_an_old_one_and_keeps_compiled_simulations(tmp_path: Path) -> None:
    out = tmp_path / "out"
    project.write({"sim/manifest.json": b"{}", "old.txt": b"old"}, out)
    (out / "sim" / "build").mkdir()
    (out / "sim" / "build" / "model").write_text("x")
    project.write({"sim/manifest.json": b"{}", "new.txt": b"new"}, out)
    assert not (out / "old.txt").exists()
    assert (out / "new.txt").read_bytes() == b"new"
    assert (out / "sim" / "build" / "model").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("step", ["write_bytes", "rename"])
@pytest.mark.parametrize("fault", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_leaves_the_old_build_as_it_was(
    step: str, fault: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    project.write({"sim/manifest.json": b"{}", "old.txt": b"old"}, out)
    genuine = getattr(Path, step)

    def failing(self: Path, *args: object) -> object:
        if "new" in self.name:
            raise fault
        return genuine(self, *args)

    monkeypatch.setattr(Path, step, failing)
    expected = BuildError if isinstance(fault, OSError) else KeyboardInterrupt
    with pytest.raises(expected):
        project.write({"sim/manifest.json": b"{}", "new.txt": b"new"}, out)
    monkeypatch.undo()
    assert (out / "old.txt").read_bytes() == b"old"
    assert not (out / "new.txt").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_foreign_files_are_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(UsageError, match="files that hwgen build did not write"):
        project.write({"a": b""}, tmp_path)
    assert (tmp_path / "thesis.tex").is_file()
    with pytest.raises(UsageError, match="is a file"):
        project.write({"a": b""}, tmp_path / "thesis.tex")


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    out = tmp_path / "a" / "b"
    out.mkdir(parents=True)
    project.write({"c/d": b"1"}, out)
    assert (out / "c" / "d").read_bytes() == b"1"


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_cannot_be_written_is_a_build_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(BuildError, match="cannot be written"):
        project.write({"a": b""}, tmp_path / "out")


@pytest.mark.parametrize(
    ("name", "identifier"),
    [("tfc 1w1a", "tfc_1w1a"), ("784-64", "net_784_64"), ("", "net_"), ("é;rm", "rm")],
)
def test_names_of_networks_become_identifiers(name: str, identifier: str) -> None:
    contents = example.contents("pynq-z2")
    files = project.render(replace(contents, graph=replace(contents.graph, name=name)))
    assert f"create_project -force {identifier} " in files["vivado/build.tcl"].decode()


def test_tcl_words_quote_what_tcl_would_read() -> None:
    contents = example.contents("pynq-z2")
    board = replace(contents.board, part="x[exit]; $y")
    files = project.render(replace(contents, board=board))
    assert rb"-part x\[exit\]\;\ \$y" in files["vivado/build.tcl"]


class FakeBuffer(np.ndarray):
    """What pynq.allocate gives: an array with flush, invalidate and freebuffer."""

    def flush(self) -> None: ...

    def invalidate(self) -> None: ...

    def freebuffer(self) -> None: ...


class FakeChannel:
    def __init__(self, done: list[tuple[str, bytes]], kind: str) -> None:
        self.done, self.kind = done, kind

    def transfer(self, array: np.ndarray, start: int = 0, nbytes: int = 0) -> None:
        flat = array.reshape(-1).view(np.ndarray)
        if self.kind == "receive":
            self.target = flat[start : start + nbytes]
        else:
            self.done.append((self.kind, flat[start : start + nbytes].tobytes()))

    idle = True

    def wait(self) -> None:
        if self.kind == "receive":
            self.target[:] = np.frombuffer(self.answer(self.done[-1][1]), np.uint8)

    @staticmethod
    def answer(data: bytes) -> bytes:
        """What the example's accelerator makes of a frame, by hand: 4-bit slots to 8-bit ones."""
        frames = [data[start : start + 4] for start in range(0, len(data), 4)]
        nibbles = [byte >> shift & 15 for frame in frames for byte in frame[:3] for shift in (0, 4)]
        return bytes((-x - 1) & 0xFF for x in nibbles)


class FakeOverlay:
    def __init__(self, identity: int = 0xDEADBEEF) -> None:
        self.memory = {0x00: 0x48574731, 0x04: 0x00000100, 0x08: identity}
        self.done: list[tuple[str, bytes]] = []
        self.accelerator = self
        self.dma = types.SimpleNamespace(
            sendchannel=FakeChannel(self.done, "send"),
            recvchannel=FakeChannel(self.done, "receive"),
        )

    def read(self, offset: int) -> int:
        if offset in (0x0C, 0x10):
            return sum(len(data) for _, data in self.done) // 4
        return self.memory.get(offset, 0)

    def write(self, offset: int, value: int) -> None:
        if offset == 0x1C:
            self.memory[offset] = self.memory.get(offset, 0) & ~value


@pytest.fixture(name="driver")
def fixture_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """The rendered driver, with a fake pynq."""
    project.write(project.render(example.contents("pynq-z2")), tmp_path / "out")
    pynq = types.ModuleType("pynq")
    pynq.allocate = lambda shape, dtype: np.zeros(shape, dtype).view(FakeBuffer)
    pynq.Overlay = lambda path: FakeOverlay()
    monkeypatch.setitem(sys.modules, "pynq", pynq)
    monkeypatch.syspath_prepend(tmp_path / "out" / "driver")
    monkeypatch.delitem(sys.modules, "hwgen_codec", raising=False)
    file = tmp_path / "out" / "driver" / "hwgen_driver.py"
    spec = importlib.util.spec_from_file_location("hwgen_driver", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_driver_encodes_packs_and_decodes_as_the_golden_model(
    driver: types.ModuleType,
) -> None:
    graph = example.graph()
    x = np.random.default_rng(3).uniform(-1, 9, (21, example.ELEMENTS)).astype(np.float32)
    golden = graph.evaluate(graph.input.encode(x))
    with driver.Accelerator("net.bit", batch=8) as accelerator:
        assert np.array_equal(accelerator.run(x), golden)
        assert np.array_equal(accelerator.logits(x), graph.output.logits(golden))
        assert np.array_equal(accelerator.predict(x), graph.output.predictions(golden))


def test_the_driver_refuses_another_build(driver: types.ModuleType) -> None:
    with pytest.raises(driver.AcceleratorError, match="register BUILD must be 0xdeadbeef"):
        driver.Accelerator(overlay=FakeOverlay(identity=1))


def test_the_driver_reports_error_flags(driver: types.ModuleType) -> None:
    overlay = FakeOverlay()
    accelerator = driver.Accelerator(overlay=overlay)
    overlay.memory[0x1C] = 3
    with pytest.raises(driver.AcceleratorError, match=r"reports: TLAST came early$"):
        accelerator.run_codes(np.zeros((1, example.ELEMENTS), np.int64))
    assert overlay.memory[0x1C] == 0


def test_the_driver_refuses_numbers_that_are_none_and_codes_out_of_range(
    driver: types.ModuleType,
) -> None:
    accelerator = driver.Accelerator(overlay=FakeOverlay())
    with pytest.raises(ValueError, match="finite"):
        accelerator.run(np.full((1, example.ELEMENTS), np.nan))
    with pytest.raises(ValueError, match="from 0 to 15"):
        accelerator.run_codes(np.full((1, example.ELEMENTS), 16))


@pytest.mark.parametrize("slot", [1, 2, 4, 8, 16, 32])
@pytest.mark.parametrize("signed", [False, True])
def test_the_driver_unpacks_what_it_packs(
    driver: types.ModuleType, slot: int, signed: bool
) -> None:
    port = {"elements": 13, "width": slot, "signed": signed, "slot_bits": slot, "word_bits": 64}
    lo = -(1 << (slot - 1)) if signed else 0
    codes = np.random.default_rng(slot).integers(lo, lo + (1 << slot), (5, 13))
    data = driver.pack(codes, port)
    assert data.shape[1] % 8 == 0
    assert np.array_equal(driver.unpack(data, port), codes)


def test_report_and_model_are_json() -> None:
    files = project.render(example.contents("zcu104"))
    assert json.loads(files["report.json"])["board"] == "zcu104"
    assert json.loads(files["driver/model.json"])["output"]["slot_bits"] == 8


def test_families_without_lut_ram_are_told_so_before_synthesis() -> None:
    for name, there in (("icebreaker", True), ("ulx3s-85f", False)):
        makefile = project.render(example.contents(name))["nextpnr/Makefile"].decode()
        assert (
            "; setattr -unset ram_style a:ram_style=distributed; hierarchy" in makefile
        ) is there
        assert "hierarchy -top hwgen_board; alumacc A:hwgen_adder; synth_" in makefile
        assert " -top hwgen_board -json $@" in makefile
