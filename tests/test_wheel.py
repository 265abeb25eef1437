"""The wheel works far from the checkout: boards, templates and benches travel in it."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from hwgen import paths
from tests.verify import example

ROOT = Path(__file__).parent.parent

PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
import hwgen
assert hwgen.__file__.startswith(sys.argv[1]), hwgen.__file__
from pathlib import Path
from hwgen import paths
from hwgen.backend import boards, flow
from hwgen.verify import cocotb_run, manifest
assert paths.BOARDS.parent.name == "_data"
assert "pynq-z2" in boards.names()
for name in boards.names():
    assert flow.files(boards.load(name), manifest.read(Path(sys.argv[2])), "net")
result = cocotb_run.simulate(Path(sys.argv[2]), simulator="icarus")
assert result.ok, result
print("works")
"""


@pytest.fixture(name="wheel", scope="module")
def fixture_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of this checkout, built without touching it and without the network."""
    work = tmp_path_factory.mktemp("wheel")
    source = work / "source"
    source.mkdir()
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=False,
    )  # fmt: skip
    if listed.returncode:
        pytest.skip("not a git checkout")
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"]
    command += ["--no-build-isolation", "--wheel-dir", str(work), str(source)]
    subprocess.run(command, check=True, capture_output=True, cwd=work)
    return next(work.glob("hwgen-*.whl"))


def test_the_wheel_holds_boards_templates_and_benches(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in (paths.BOARDS, paths.RTL_TEMPLATES, paths.SIM):
        for file in folder.rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                assert f"hwgen/_data/{folder.name}/{file.relative_to(folder).as_posix()}" in names
    assert not [name for name in names if name.startswith("tests/") or "__pycache__" in name]


def test_an_installed_hwgen_works_outside_the_checkout(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    project = example.write(tmp_path / "project")
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(site), str(project)],
        cwd=tmp_path, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == "works\n"
