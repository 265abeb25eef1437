"""Whole data sets through a compiled Verilator model of the core, at full speed."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from hwgen.errors import BuildError, UsageError
from hwgen.verify import manifest as manifests
from hwgen.verify import verilate
from hwgen.verify.manifest import Manifest, Port

Ints = npt.NDArray[np.int64]

BUILD = "sim/build"
HARNESS = "sim/harness.cpp"
CHUNK_BITS = 1 << 25
FLAGS = ("-O3", "--x-assign", "fast", "--x-initial", "fast", "--no-assert", "--no-timing")
SPLIT = ("--output-split", "20000", "--output-split-cfuncs", "2000")


@dataclass(frozen=True, slots=True)
class DatasetResult:
    """What came out of the core.

    Members:
        outputs: int64 (frames, elements), in stream order.
        latency_cycles: of a lone frame, at the core's streams.
        initiation_interval: in the steady state; None with stalls or a single frame.
        compile_seconds: near 0 where the model was compiled before.
        seconds: simulation alone.
    """

    outputs: Ints
    latency_cycles: int
    initiation_interval: int | None
    compile_seconds: float
    seconds: float

    @property
    def frames_per_second(self) -> float:
        """Simulated frames per second of the host's time."""
        return len(self.outputs) / self.seconds if self.seconds else 0.0


def simulate_dataset(
    folder: Path, inputs: Ints, *, stall_seed: int = 0, progress: bool = True
) -> DatasetResult:
    """All frames, back to back, through the core of the project in ``folder``.

    ``inputs`` are integers (frames, elements) in stream order. With ``stall_seed`` other than 0
    source and sink pause at random.

    Raises:
        UsageError: ``folder`` is not a built project, or inputs of another shape or range.
        ToolError: Verilator, make or g++ is missing.
        BuildError: the design does not compile, or stops taking or giving beats.
    """
    folder = folder.resolve()
    manifest = manifests.read(folder)
    _check(inputs, manifest.input)
    began = time.monotonic()
    model = _model(folder, manifest)
    compiled = time.monotonic()
    work = Path(tempfile.mkdtemp(prefix=".dataset-", dir=folder / BUILD))
    try:
        with (work / "input.bin").open("wb") as file:
            _write(inputs, manifest.input, file)
        started = time.monotonic()
        figures = _run(model, manifest, work, len(inputs), stall_seed, progress)
        seconds = time.monotonic() - started
        outputs = _read(work / "output.bin", manifest.output, len(inputs))
    finally:
        shutil.rmtree(work, ignore_errors=True)
    interval = figures["interval"]
    return DatasetResult(
        outputs=outputs,
        latency_cycles=figures["latency"],
        initiation_interval=interval if interval >= 0 else None,
        compile_seconds=compiled - began,
        seconds=seconds,
    )


def _check(inputs: Ints, port: Port) -> None:
    if inputs.ndim != 2 or inputs.shape[1] != port.elements or not len(inputs):
        raise UsageError(f"inputs must be (frames, {port.elements}), not {inputs.shape}")
    lo = -(1 << (port.width - 1)) if port.signed else 0
    hi = lo + (1 << port.width) - 1
    low, high = int(inputs.min()), int(inputs.max())
    if low < lo or high > hi:
        raise UsageError(f"inputs must be from {lo} to {hi}, not from {low} to {high}")


def _model(folder: Path, manifest: Manifest) -> Path:
    """The compiled harness; a progress note would not be true, so compiling shows none."""
    program = verilate.Program(
        top=manifest.core,
        prefix="core",
        sources=tuple(manifests.simulated(folder)),
        main=folder / HARNESS,
        args=(*FLAGS, *SPLIT, "-CFLAGS", "-std=c++17"),
        optimise=("OPT_FAST=-O1", "OPT_SLOW=-O0", "OPT_GLOBAL=-O2"),
    )
    return verilate.compiled(program, folder / BUILD)


def _run(
    model: Path, manifest: Manifest, work: Path, frames: int, seed: int, progress: bool
) -> dict[str, int]:
    """Runs the model; latency and interval as it prints them."""
    timing = manifest.predicted.core
    patience = 20 * (timing.latency_cycles + timing.initiation_interval) + 10_000
    command = [
        str(model), str(work / "input.bin"), str(work / "output.bin"), str(frames),
        str(manifest.input.beats), str(manifest.output.beats), str(patience), str(seed),
        str(timing.period),
    ]  # fmt: skip
    figures: dict[str, int] = {}
    log = work / "harness.log"
    with (
        log.open("wb") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
        tqdm(total=frames, unit="frame", delay=2, disable=not progress, leave=False) as bar,
    ):
        try:
            for line in process.stdout or ():
                key, number = line.split()
                if key == "done":
                    bar.update(int(number) - bar.n)
                else:
                    figures[key] = int(number)
        except BaseException:
            process.kill()
            raise
    if process.returncode or len(figures) != 2:
        said = verilate.tail(log) or f"    exit code {process.returncode}"
        raise BuildError(f"the simulation of the core did not finish:\n{said}")
    return figures


def beat_words(port: Port) -> int:
    """32-bit words of one beat in the harness's files: those of Verilator's type of the port."""
    bits = port.lanes * port.width
    return 1 if bits <= 32 else -(-bits // 32)


def _chunks(frames: int, port: Port) -> Iterator[slice]:
    step = max(1, CHUNK_BITS // (port.beats * beat_words(port) * 32))
    for start in range(0, frames, step):
        yield slice(start, min(start + step, frames))


def _write(inputs: Ints, port: Port, file: BinaryIO) -> None:
    """Frames as beats of whole 32-bit words."""
    for part in _chunks(len(inputs), port):
        values = np.zeros((part.stop - part.start, port.beats * port.lanes), np.int64)
        values[:, : port.elements] = inputs[part]
        bits = np.empty((*values.shape, port.width), np.uint8)
        for place in range(port.width):
            bits[:, :, place] = values >> place & 1
        beats = bits.reshape(-1, port.lanes * port.width)
        padded = np.zeros((len(beats), beat_words(port) * 32), np.uint8)
        padded[:, : beats.shape[1]] = beats
        file.write(np.packbits(padded, axis=1, bitorder="little").tobytes())


def _read(path: Path, port: Port, frames: int) -> Ints:
    """Inverse of ``_write``, with the sign."""
    size = beat_words(port) * 4
    data = np.fromfile(path, np.uint8)
    if data.size != frames * port.beats * size:
        raise BuildError("the simulation of the core gave a file of the wrong size")
    data = data.reshape(frames, port.beats, size)
    out = np.empty((frames, port.elements), np.int64)
    used = port.lanes * port.width
    for part in _chunks(frames, port):
        bits = np.unpackbits(data[part].reshape(-1, size), axis=1, bitorder="little")[:, :used]
        bits = bits.reshape(part.stop - part.start, port.beats * port.lanes, port.width)
        values = np.zeros(bits.shape[:2], np.int64)
        for place in range(port.width):
            values |= bits[:, :, place].astype(np.int64) << place
        if port.signed:
            values -= (values >> (port.width - 1)) << port.width
        out[part] = values[:, : port.elements]
    return out
