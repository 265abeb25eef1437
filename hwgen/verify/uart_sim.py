"""A board's UART in simulation, as a serial port that any host program can open."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hwgen import tools
from hwgen.errors import BuildError, UsageError
from hwgen.verify import manifest as manifests
from hwgen.verify import verilate

TOP = "hwgen_board"
DIVISOR = 8
FORGET_CYCLES = 1500
START_SECONDS = 120.0
STRAIGHT_CLOCK = """module hwgen_clock (input wire in, output wire out, output wire locked);
  assign out = in;
  assign locked = 1'b1;
endmodule
"""


@contextmanager
def serve(folder: Path, *, noise: float = 0.0, seed: int = 1) -> Iterator[str]:
    """The name of a serial port behind which the project's board runs in Icarus Verilog.

    ``noise`` is the chance that a byte is damaged, lost or doubled, in both directions.

    Raises:
        UsageError: the project is not one for a board with a UART.
        ToolError: Icarus Verilog is missing.
        BuildError: the simulation did not start.
    """
    folder = folder.resolve()
    tools.require("iverilog")
    tools.require("vvp")
    with tempfile.TemporaryDirectory(prefix="hwgen-uart-") as name:
        work = Path(name)
        job = {
            "simulator": "icarus",
            "top": TOP,
            "module": "uart_bench",
            "sources": [str(source) for source in _sources(folder, work)],
            "parameters": {"DIVISOR": DIVISOR, "TIMEOUT": FORGET_CYCLES},
            "build": name,
            "run": name,
            "testcase": None,
        }
        child = str(Path(__file__).with_name("cocotb_child.py"))
        log = work / "cocotb.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, child, json.dumps(job)], stdout=out, stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL, cwd=work, env=_environment(folder, work, noise, seed),
            )  # fmt: skip
        try:
            yield _port(work, process, log)
        finally:
            (work / "stop").touch()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _sources(folder: Path, work: Path) -> list[Path]:
    """The board's top and what is below it, with its clock straight from the pin."""
    flows = [path.parent for path in folder.glob("*/hwgen_board.v")]
    if not flows:
        raise UsageError(f"{str(folder)!r} must be built for a board with a UART")
    clock = work / "hwgen_clock.v"
    clock.write_text(STRAIGHT_CLOCK, "utf-8")
    ours = [flows[0] / "hwgen_board.v", flows[0] / "hwgen_uart.v", clock]
    return [*manifests.simulated(folder), *ours]


def _port(work: Path, process: subprocess.Popen[bytes], log: Path) -> str:
    port, began = work / "port", time.monotonic()
    while not port.is_file():
        if process.poll() is not None or time.monotonic() - began > START_SECONDS:
            raise BuildError(f"the simulation of the board did not start:\n{verilate.tail(log)}")
        time.sleep(0.02)
    return port.read_text("utf-8")


def _environment(folder: Path, work: Path, noise: float, seed: int) -> dict[str, str]:
    env = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    paths = [str(folder / "sim"), *(path for path in sys.path if path)]
    board = next(folder.glob("*/hwgen_board.v")).read_text("utf-8")
    env |= {
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONDONTWRITEBYTECODE": "1",
        "COCOTB_ANSI_OUTPUT": "0",
        "HWGEN_PORT": str(work / "port"),
        "HWGEN_STOP": str(work / "stop"),
        "HWGEN_DIVISOR": str(DIVISOR),
        "HWGEN_NOISE": str(noise),
        "HWGEN_SEED": str(seed),
        "HWGEN_RESET_HIGH": str(int(bool(re.search(r"\| reset;", board)))),
    }
    return env
