"""The store finds what was kept, and nothing else."""

import os
from pathlib import Path

import pytest

from hwgen import store as stores
from hwgen.store import Store, store


def test_what_is_kept_is_found(tmp_path: Path) -> None:
    kept = Store(tmp_path)
    key = kept.key("text", 1)
    assert kept.get(key) is None
    kept.put(key, "first\nsecond")
    assert kept.get(key) == "first\nsecond"
    assert kept.get(kept.key("text", 2)) is None


def test_keys_change_with_the_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Store(tmp_path)
    before = kept.key("text")
    monkeypatch.setattr(stores, "_sources", lambda: "others")
    assert kept.key("text") != before


@pytest.mark.parametrize("damage", [b"", b"no newline", b"\xff\xfe", b"0" * 64 + b"\nfirst"])
def test_a_damaged_entry_is_none(tmp_path: Path, damage: bytes) -> None:
    kept = Store(tmp_path)
    key = kept.key("text")
    kept.put(key, "first")
    (entry,) = (p for p in tmp_path.rglob("*") if p.is_file())
    entry.write_bytes(damage)
    assert kept.get(key) is None
    kept.put(key, "first")
    assert kept.get(key) == "first"


def test_the_least_recently_used_go_first(tmp_path: Path) -> None:
    kept = Store(tmp_path)
    keys = [kept.key(k) for k in range(4)]
    for age, key in enumerate(keys):
        kept.put(key, "x" * 1000)
        for path in (p for p in tmp_path.rglob("*") if p.name == key[2:]):
            os.utime(path, (age, age))
    assert kept.get(keys[0]) is not None  # used now
    kept.trim(2500)
    assert [kept.get(key) is not None for key in keys] == [True, False, False, True]


def test_a_folder_that_cannot_be_written_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    place = tmp_path / "file"
    place.write_text("")
    kept = Store(place)
    for number in range(2):
        kept.put(kept.key(number), "text")
        assert kept.get(kept.key(number)) is None
    kept.trim()
    assert len(caplog.records) == 1
    assert "HWGEN_CACHE" in caplog.text


def test_the_environment_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(stores.VARIABLE, str(tmp_path))
    assert store() == Store(tmp_path)
    stores.switch_off()
    off = store()
    assert off.folder is None
    off.put(off.key("a"), "text")
    assert off.get(off.key("a")) is None
    monkeypatch.delenv(stores.VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert store().folder == tmp_path / "hwgen" / "store"
