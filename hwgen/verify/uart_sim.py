"""A board's UART in simulation, as a serial port that any host program can open."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hwgen.verify.board_sim import SimulatedBoard, environment, job
from hwgen.verify.served import served

DIVISOR = 8


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
    with tempfile.TemporaryDirectory(prefix="hwgen-uart-") as name:
        work = Path(name)
        what = job(folder, work, "uart", "uart_bench", {"DIVISOR": DIVISOR})
        settings = {**environment(folder, noise, seed), "HWGEN_DIVISOR": str(DIVISOR)}
        with served(folder, work, what, settings) as ready:
            yield SimulatedBoard(ready.read_text("utf-8"), work)
