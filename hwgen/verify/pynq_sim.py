"""A Zynq's programmable logic in simulation, behind a Python module that stands in for ``pynq``."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hwgen import paths, tools
from hwgen.errors import UsageError
from hwgen.verify import manifest as manifests
from hwgen.verify.served import served

MODULE = "pynq_module.py"


@contextmanager
def serve(folder: Path) -> Iterator[Path]:
    """A folder with a module ``pynq`` that reaches the simulated accelerator of the project.

    With that folder first on its Python path, a program that uses ``pynq.Overlay``, its registers,
    its DMA and ``pynq.allocate`` runs as on the board. Icarus Verilog simulates.

    Raises:
        UsageError: the project is not one for a Zynq.
        ToolError: Icarus Verilog is missing.
        BuildError: the simulation did not start.
    """
    folder = folder.resolve()
    if not (folder / "vivado" / "package_ip.tcl").is_file():
        raise UsageError(f"{str(folder)!r} must be built for a board with a processor")
    tools.require("iverilog")
    tools.require("vvp")
    with tempfile.TemporaryDirectory(prefix="hwgen-pynq-") as name:
        work = Path(name)
        shutil.copyfile(paths.SIM / MODULE, work / "pynq.py")
        job = {
            "simulator": "icarus",
            "top": manifests.read(folder).top,
            "module": "pynq_bench",
            "sources": [str(source) for source in manifests.simulated(folder)],
            "build": name,
            "run": name,
            "testcase": None,
        }
        with served(folder, work, job, {}):
            yield work
