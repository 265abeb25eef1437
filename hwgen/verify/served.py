"""Simulations that serve a host program until it is done, each a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hwgen.errors import BuildError
from hwgen.verify import verilate

START_SECONDS = 240.0
STOP_SECONDS = 20.0


@contextmanager
def served(
    folder: Path, work: Path, job: Mapping[str, Any], env: Mapping[str, str]
) -> Iterator[Path]:
    """Runs a bench of the project in ``folder`` by ``cocotb_child.py`` while the context lasts.

    The bench writes the file ``ready`` in ``work`` (given back) when it can be talked to, and ends
    when the file ``stop`` appears there; it finds both by the variable HWGEN_WORK.

    Raises:
        BuildError: it was not ready in time.
    """
    child = str(Path(__file__).with_name("cocotb_child.py"))
    log, ready = work / "cocotb.log", work / "ready"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, child, json.dumps(job)], stdout=out, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL, cwd=work, env={**_environment(folder, work), **env},
        )  # fmt: skip
    try:
        began = time.monotonic()
        while not ready.is_file():
            if process.poll() is not None or time.monotonic() - began > START_SECONDS:
                raise BuildError(
                    f"the simulation of the board did not start:\n{verilate.tail(log)}"
                )
            time.sleep(0.02)
        yield ready
    finally:
        (work / "stop").touch()
        try:
            process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _environment(folder: Path, work: Path) -> dict[str, str]:
    env = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    paths = [str(folder / "sim"), *(path for path in sys.path if path)]
    env |= {
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONDONTWRITEBYTECODE": "1",
        "COCOTB_ANSI_OUTPUT": "0",
        "HWGEN_WORK": str(work),
    }
    return env
