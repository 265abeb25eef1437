"""Data sets through the compiled core: equal integers, measured cycles, one compilation."""

from pathlib import Path

import numpy as np
import pytest

from hwgen.errors import BuildError, UsageError
from hwgen.verify import dataset
from hwgen.verify.dataset import simulate_dataset
from hwgen.verify.manifest import Port
from tests.verify import example


@pytest.fixture(name="project", scope="module")
def fixture_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return example.write(tmp_path_factory.mktemp("data set") / "a project")


def _frames(count: int) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 16, (count, example.ELEMENTS))


def test_every_integer_and_the_cycles_are_right(project: Path) -> None:
    inputs = _frames(1000)
    result = simulate_dataset(project, inputs)
    assert np.array_equal(result.outputs, -inputs - 1)
    assert (result.latency_cycles, result.initiation_interval) == (4, 3)
    assert result.frames_per_second > 1000


@pytest.mark.parametrize("seed", [1, 2, 77])
def test_stalls_change_no_integer(project: Path, seed: int) -> None:
    inputs = _frames(200)
    result = simulate_dataset(project, inputs, stall_seed=seed)
    assert np.array_equal(result.outputs, -inputs - 1)
    assert result.initiation_interval is None


def test_a_second_run_compiles_nothing(project: Path) -> None:
    simulate_dataset(project, _frames(1))
    assert simulate_dataset(project, _frames(1)).compile_seconds < 0.5
    assert len(list((project / "sim" / "build").glob("core-*"))) == 1
    assert not list((project / "sim" / "build").glob(".*"))


def test_inputs_of_another_shape_or_range_are_refused(project: Path) -> None:
    with pytest.raises(UsageError, match=r"must be \(frames, 6\), not \(2, 5\)"):
        simulate_dataset(project, np.zeros((2, 5), np.int64))
    with pytest.raises(UsageError, match="must be from 0 to 15, not from 0 to 16"):
        simulate_dataset(project, np.array([[0, 0, 0, 0, 0, 16]]))


def test_a_core_that_stands_still_is_named(tmp_path: Path) -> None:
    project = example.write(tmp_path / "project")
    example.edit(project, "rtl/core.v", ".i__valid(mid_valid)", ".i__valid(1'b0)")
    with pytest.raises(BuildError, match=r"no beat moved for .* 3 of 3 beats went in, 0 of 3 came"):
        simulate_dataset(project, _frames(2), progress=False)


@pytest.mark.parametrize("lanes", [1, 3, 7])
@pytest.mark.parametrize(("width", "signed"), [(1, False), (2, True), (11, True), (40, False)])
def test_files_of_beats_survive_a_round_trip(
    lanes: int, width: int, signed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset, "CHUNK_BITS", 1000)
    port = Port(5, width, signed, 64, 64, lanes, -(-5 // lanes))
    lo = -(1 << (width - 1)) if signed else 0
    values = np.random.default_rng(width).integers(lo, lo + (1 << width), (31, 5))
    with (tmp_path / "beats.bin").open("wb") as file:
        dataset._write(values, port, file)
    assert np.array_equal(dataset._read(tmp_path / "beats.bin", port, 31), values)
