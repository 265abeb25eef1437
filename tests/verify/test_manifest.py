"""The manifest survives a round trip, and a damaged one is named."""

from pathlib import Path

import pytest

from hwgen.errors import BuildError, UsageError
from hwgen.verify import manifest
from hwgen.verify.manifest import Layer, Manifest, Port, Predicted, Timing

MANIFEST = Manifest(
    top="accelerator",
    core="core",
    version="0.1.0",
    build_id=0xDEADBEEF,
    clock_mhz=100.0,
    input=Port(10, 4, False, 4, 64, 2, 5),
    output=Port(3, 11, True, 16, 64, 3, 1),
    predicted=Predicted(20, 5, Timing(18, 5)),
    layers=(Layer("fc1", "layer_fc1", 8, 1, 5, True),),
    frames=8,
    seed=1,
)


def test_a_manifest_survives_its_file_and_gives_the_same_bytes() -> None:
    text = MANIFEST.to_json()
    assert Manifest.from_json(text) == MANIFEST
    assert Manifest.from_json(text).to_json() == text


def test_words_of_a_frame_follow_from_slots() -> None:
    assert (MANIFEST.input.words, MANIFEST.output.words) == (1, 1)
    assert Port(5, 17, True, 32, 64, 1, 5).words == 3
    assert Port(5, 17, True, 32, 8, 1, 5).words == 20


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"schema": 2}', '{"schema": 1}', "\x00"])
def test_a_damaged_manifest_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "sim").mkdir()
    (tmp_path / manifest.FILE).write_text(text)
    with pytest.raises(BuildError, match=r"manifest\.json must be"):
        manifest.read(tmp_path)


def test_a_folder_that_is_no_build_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="must be a folder that hwgen build wrote"):
        manifest.read(tmp_path)
