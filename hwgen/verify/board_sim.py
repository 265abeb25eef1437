"""What simulations of a board's top have in common, whatever its link to the host."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwgen import tools
from hwgen.errors import UsageError
from hwgen.verify import manifest as manifests

TOP = "hwgen_board"
FORGET_CYCLES = 1500
STRAIGHT_CLOCK = """module hwgen_clock (input wire in, output wire out, output wire locked);
  assign out = in;
  assign locked = 1'b1;
endmodule
"""
NAMES = {"uart": "a UART", "spi": "SPI"}


@dataclass(frozen=True, slots=True)
class SimulatedBoard:
    """A board that runs in simulation.

    Members:
        port: what its driver opens; after ``replug`` the same name leads to a new device.
    """

    port: str
    work: Path

    def replug(self) -> None:
        """Pulls the plug of the port and puts it back, while the board keeps running."""
        self._command("replug")

    def press_reset(self) -> None:
        """Presses and releases the board's reset button."""
        self._command("reset")

    def _command(self, name: str) -> None:
        (self.work / name).touch()
        while (self.work / name).exists() and not (self.work / "stop").exists():
            time.sleep(0.005)


def job(
    folder: Path, work: Path, link: str, bench: str, parameters: Mapping[str, int] | None = None
) -> dict[str, Any]:
    """What ``verify.served`` runs: the board's top under Icarus Verilog, with ``bench`` of the
    project's ``sim`` folder.

    Raises:
        UsageError: the project is not one for a board with that link.
        ToolError: Icarus Verilog is missing.
    """
    tools.require("iverilog")
    tools.require("vvp")
    return {
        "simulator": "icarus",
        "top": TOP,
        "module": bench,
        "sources": [str(source) for source in _sources(folder, work, link)],
        "parameters": {"TIMEOUT": FORGET_CYCLES, **(parameters or {})},
        "build": str(work),
        "run": str(work),
        "testcase": None,
    }


def environment(folder: Path, noise: float, seed: int) -> dict[str, str]:
    """What a bench of the board's top must know."""
    board = next(folder.glob(f"*/{TOP}.v")).read_text("utf-8")
    return {
        "HWGEN_NOISE": str(noise),
        "HWGEN_SEED": str(seed),
        "HWGEN_RESET_HIGH": str(int(bool(re.search(r"\| reset;", board)))),
    }


def _sources(folder: Path, work: Path, link: str) -> list[Path]:
    """The board's top and what is below it, with its clock straight from the pin."""
    flows = [path.parent for path in folder.glob(f"*/hwgen_{link}.v")]
    if not flows:
        raise UsageError(f"{str(folder)!r} must be built for a board with {NAMES[link]}")
    clock = work / "hwgen_clock.v"
    clock.write_text(STRAIGHT_CLOCK, "utf-8")
    ours = [file for file in sorted(flows[0].glob("hwgen_*.v")) if file.name != clock.name]
    return [*manifests.simulated(folder), *ours, clock]
