"""A board's SPI bus in simulation, behind a Python module that stands in for ``pyftdi``."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hwgen import paths
from hwgen.verify.board_sim import SimulatedBoard, environment, job
from hwgen.verify.served import served

MODULE = "ftdi_module.py"


@contextmanager
def serve(folder: Path, *, noise: float = 0.0, seed: int = 1) -> Iterator[SimulatedBoard]:
    """The project's board, run by Icarus Verilog while the context lasts.

    With the board's folder ``work`` first on its Python path, a program that uses
    ``pyftdi.spi.SpiController`` reaches it, by any URL. ``noise`` is the chance that a byte is
    damaged, in either direction, or one of its clocks lost or doubled.

    Raises:
        UsageError: the project is not one for a board that is reached by SPI.
        ToolError: Icarus Verilog is missing.
        BuildError: the simulation did not start.
    """
    folder = folder.resolve()
    with tempfile.TemporaryDirectory(prefix="hwgen-spi-") as name:
        work = Path(name)
        package = work / "pyftdi"
        package.mkdir()
        (package / "__init__.py").touch()
        shutil.copyfile(paths.SIM / MODULE, package / "spi.py")
        settings = environment(folder, noise, seed)
        with served(folder, work, job(folder, work, "spi", "spi_bench"), settings):
            yield SimulatedBoard("ftdi://simulated", work)
