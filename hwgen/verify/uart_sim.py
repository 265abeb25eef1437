"""A board's UART in simulation, as a serial port that any host program can open."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hwgen import tools
from hwgen.errors import UsageError
from hwgen.verify import manifest as manifests
from hwgen.verify.served import served

TOP = "hwgen_board"
DIVISOR = 8
FORGET_CYCLES = 1500
STRAIGHT_CLOCK = """module hwgen_clock (input wire in, output wire out, output wire locked);
  assign out = in;
  assign locked = 1'b1;
endmodule
"""


@dataclass(frozen=True, slots=True)
class SimulatedBoard:
    """A board that runs in simulation.

    Members:
        port: name of its serial port; after ``replug`` the same name leads to a new device.
    """

    port: str
    work: Path

    def replug(self) -> None:
        """Pulls the plug of the serial port and puts it back, while the board keeps running."""
        self._command("replug")

    def press_reset(self) -> None:
        """Presses and releases the board's reset button."""
        self._command("reset")

    def _command(self, name: str) -> None:
        (self.work / name).touch()
        while (self.work / name).exists() and not (self.work / "stop").exists():
            time.sleep(0.005)


@contextmanager
def serve(folder: Path, *, noise: float = 0.0, seed: int = 1) -> Iterator[SimulatedBoard]:
    """The project's board, run by Icarus Verilog while the context lasts.

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
        board = next(folder.glob("*/hwgen_board.v")).read_text("utf-8")
        env = {
            "HWGEN_DIVISOR": str(DIVISOR),
            "HWGEN_NOISE": str(noise),
            "HWGEN_SEED": str(seed),
            "HWGEN_RESET_HIGH": str(int(bool(re.search(r"\| reset;", board)))),
        }
        with served(folder, work, job, env) as ready:
            yield SimulatedBoard(ready.read_text("utf-8"), work)


def _sources(folder: Path, work: Path) -> list[Path]:
    """The board's top and what is below it, with its clock straight from the pin."""
    flows = [path.parent for path in folder.glob("*/hwgen_board.v")]
    if not flows:
        raise UsageError(f"{str(folder)!r} must be built for a board with a UART")
    clock = work / "hwgen_clock.v"
    clock.write_text(STRAIGHT_CLOCK, "utf-8")
    ours = [file for file in sorted(flows[0].glob("hwgen_*.v")) if file.name != clock.name]
    return [*manifests.simulated(folder), *ours, clock]
