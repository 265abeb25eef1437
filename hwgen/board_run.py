"""``hwgen run DIR``: frames through a board, by the driver that lies in the project."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from hwgen import vectors
from hwgen.built import Outcome, read_graph
from hwgen.errors import BuildError, MismatchError, ToolError, UsageError
from hwgen.ir.graph import Graph

if TYPE_CHECKING:
    from hwgen.weights import Image

CHUNK = 256
PARTS = ("hwgen_codec", "hwgen_port")
"""What a driver imports of its own folder."""
SERIAL = ("ttyUSB*", "ttyACM*", "tty.usbserial*", "tty.usbmodem*")


@dataclass(frozen=True)
class Target:
    """Which board a project's driver opens: a serial port or pyftdi's URL, or a bitstream for
    ``pynq``."""

    port: str | None
    bitfile: Path | None
    timeout: float | None


def run(options: argparse.Namespace) -> Outcome:
    """Sends every frame of a data set and reads the answers, with ``--weights`` after loading
    those; with ``--check`` compares them with the golden model.

    Raises:
        UsageError: not a built project, no such data set, no port, or weights of another build.
        ToolError: the board's own Python module ``pynq`` is missing.
        BuildError: the board gives no right answer, or is another build's.
        MismatchError: an answer is not the golden model's.
    """
    folder = options.dir.resolve()
    data = vectors.read(options.data, options.limit)
    loaded = _weights(options.weights, folder) if options.weights else None
    target = Target(options.port, options.bitfile, options.timeout)
    with opened(folder, target) as accelerator:
        if loaded is not None:
            accelerator.load_weights(options.weights)
        integers, seconds = _through(accelerator, data.x, progress=not options.json)
    predictions = _predictions(accelerator, integers)
    if options.check:
        _compare(read_graph(folder) if loaded is None else loaded.graph, data.x, integers)
    rate = len(data.x) / seconds
    found: dict[str, Any] = {
        "frames": len(data.x),
        "seconds": round(seconds, 6),
        "frames_per_second": round(rate, 1),
        "accuracy": None,
        "checked": bool(options.check),
        "words_loaded": 0 if loaded is None else len(loaded.writes),
        "predictions": [int(p) for p in predictions],
    }
    lines = [*map(str, found["predictions"]), f"{len(data.x):,} frames, {rate:,.1f} frames/s"]
    if options.check:
        lines.append("every integer is the golden model's")
    if data.y is not None:
        found["accuracy"] = float(np.mean(predictions == np.asarray(data.y).ravel()))
        lines.append(f"accuracy {100 * found['accuracy']:.2f} %")
    return Outcome(found, "\n".join(lines))


def _weights(file: Path, folder: Path) -> Image:
    from hwgen import weights  # it needs all of the compiler, and frames alone do not

    return weights.read(file, folder)


@contextmanager
def opened(folder: Path, target: Target) -> Iterator[Any]:
    """The project's accelerator, as its own driver opens it; the driver's errors become hwgen's."""
    driver = load_driver(folder)
    try:
        with _accelerator(driver, folder, target) as accelerator:
            yield accelerator
    except driver.AcceleratorError as error:
        raise BuildError(f"the board: {error}") from None
    except ValueError as error:
        raise UsageError(f"the data set does not fit the network: {error}") from None


def load_driver(folder: Path) -> ModuleType:
    """The module ``driver/hwgen_driver.py`` of a project.

    Raises:
        UsageError: there is none.
    """
    file = folder / "driver" / "hwgen_driver.py"
    if not file.is_file():
        raise UsageError(
            f"{str(folder)!r} must be a folder that hwgen build wrote, and has no driver",
            hint="hwgen build MODEL --board BOARD --out DIR",
        )
    spec = importlib.util.spec_from_file_location("hwgen_driver", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    kept = {name: sys.modules.pop(name, None) for name in PARTS}
    sys.path.insert(0, str(file.parent))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(file.parent))
        for name, other in kept.items():
            sys.modules.pop(name, None)
            if other is not None:
                sys.modules[name] = other
    return module


def _accelerator(driver: ModuleType, folder: Path, target: Target) -> Any:
    model = json.loads((folder / "driver" / "model.json").read_text("utf-8"))
    patience = {} if target.timeout is None else {"timeout": target.timeout}
    if "link" not in model:
        raise UsageError(
            f"{str(folder)!r} must be built by this version of hwgen", hint="build it again"
        )
    if model["link"]:
        if target.bitfile:
            raise UsageError("--bitfile is for boards with a processor; this one has a port")
        if model["link"] == "spi":
            _needs("pyftdi", "pip install pyftdi, and see its page on access to USB devices")
        return driver.Accelerator(target.port or model["port"] or _only_port(), **patience)
    if target.port:
        raise UsageError("--port is for boards with a port; this one has a processor")
    _needs("pynq", "run this on the board, under PYNQ's Python")
    return driver.Accelerator(str(target.bitfile or _only_bitfile(folder)), **patience)


def _needs(module: str, hint: str) -> None:
    if importlib.util.find_spec(module) is None:
        raise ToolError(
            f"the Python module {module} is needed to reach this board; it was not found", hint=hint
        )


def _only_port() -> str:
    found = sorted(str(path) for name in SERIAL for path in Path("/dev").glob(name))
    if len(found) != 1:
        seen = f"there are {', '.join(found)}" if found else "none is plugged in"
        raise UsageError(f"which serial port leads to the board must be said: {seen}",
                         hint="--port /dev/ttyUSB0")  # fmt: skip
    return found[0]


def _only_bitfile(folder: Path) -> Path:
    found = sorted((folder / "vivado" / "output").glob("*.bit"))
    if len(found) != 1:
        raise UsageError(
            f"{str(folder)!r} has no bitstream in vivado/output",
            hint="vivado -mode batch -source vivado/build.tcl, or --bitfile FILE.bit",
        )
    return found[0]


def _through(
    accelerator: Any, x: npt.NDArray[Any], progress: bool
) -> tuple[npt.NDArray[np.int64], float]:
    """The network's integers, and the seconds that they took."""
    found, began = [], time.perf_counter()
    with tqdm(total=len(x), unit="frame", delay=2, disable=not progress, leave=False) as bar:
        for start in range(0, len(x), CHUNK):
            found.append(accelerator.run(x[start : start + CHUNK]))
            bar.update(len(found[-1]))
    return np.concatenate(found), time.perf_counter() - began


def _predictions(accelerator: Any, integers: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.asarray(accelerator.classes(integers))


def _compare(graph: Graph, x: npt.NDArray[Any], integers: npt.NDArray[np.int64]) -> None:
    golden = graph.evaluate(graph.input.encode(x))  # type: ignore[attr-defined]
    wrong = (golden != integers).reshape(len(x), -1)
    if wrong.any():
        frame, element = (int(v) for v in np.argwhere(wrong)[0])
        raise MismatchError(
            f"{int(wrong.any(axis=1).sum())} of {len(x)} frames differ from the golden model; the "
            f"first is frame {frame}, element {element}: expected "
            f"{int(golden.reshape(len(x), -1)[frame, element])}, got "
            f"{int(integers.reshape(len(x), -1)[frame, element])}"
        )
