"""A small project as hwgen build would write it, by hand: x + 1, then negated, on six integers."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path

import numpy as np

from hwgen import paths
from hwgen.backend import boards
from hwgen.backend.project import Contents
from hwgen.ir.graph import Graph
from hwgen.ir.types import IntArray
from hwgen.ops.input import Encoding, Input
from hwgen.ops.output import Output
from hwgen.ops.requantize import Requantize
from hwgen.verify import manifest as manifests
from hwgen.verify.manifest import Layer, Manifest, Port, Predicted, Timing

HERE = Path(__file__).parent
FRAMES, ELEMENTS = 8, 6

MANIFEST = Manifest(
    top="accelerator",
    core="core",
    version="0.1.0",
    build_id=0xDEADBEEF,
    clock_mhz=100.0,
    input=Port(ELEMENTS, 4, False, 4, 16, 2, 3),
    output=Port(ELEMENTS, 6, True, 8, 16, 2, 3),
    predicted=Predicted(6, 5, Timing(4, 3)),
    layers=(
        Layer("inc", "layer_inc", ELEMENTS, 2, 5, False),
        Layer("neg", "layer_neg", ELEMENTS, 2, 6, True),
    ),
    frames=FRAMES,
    seed=1,
)


def write(folder: Path, manifest: Manifest = MANIFEST) -> Path:
    """The project in ``folder``, ready to simulate."""
    inputs = np.random.default_rng(0).integers(0, 16, (FRAMES, ELEMENTS))
    inputs[0], inputs[1] = 15, 0
    shutil.copytree(HERE / "rtl", folder / "rtl")
    vectors = folder / "sim" / "vectors"
    (vectors / "layers").mkdir(parents=True)
    for file in paths.SIM.iterdir():
        if file.is_file():
            shutil.copy(file, folder / "sim")
    np.save(vectors / "input.npy", inputs)
    np.save(vectors / "layers" / "inc.npy", inputs + 1)
    np.save(vectors / "layers" / "neg.npy", -inputs - 1)
    np.save(vectors / "output.npy", -inputs - 1)
    (folder / manifests.FILE).write_text(manifest.to_json())
    return folder


def edit(folder: Path, file: str, old: str, new: str) -> None:
    """Puts a fault into the project; ``old`` must be there once."""
    path = folder / file
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def graph() -> Graph:
    """The integer graph of the example: steps of 0.5 in, −x − 1 out."""
    encoding = Encoding((), (Fraction(1, 2),), (0,), 0, 15)
    source = Input(name="x", inputs=(), shape=(ELEMENTS,), lo=0, hi=15, encoding=encoding)
    negated = Requantize(
        name="neg",
        inputs=("x",),
        multiplier=IntArray([-1]),
        bias=IntArray([-1]),
        shift=0,
        lo=-16,
        hi=-1,
    )
    sink = Output(name="y", inputs=("neg",), scale=(0.25,), offset=(1.0,))
    return Graph("example", (source, negated, sink))


def contents(board: str) -> Contents:
    """The example as ``project.render`` takes it."""
    inputs = np.random.default_rng(0).integers(0, 16, (FRAMES, ELEMENTS))
    vectors = {"input": inputs, "output": -inputs - 1}
    vectors |= {"layers/inc": inputs + 1, "layers/neg": -inputs - 1}
    rtl = {path.name: path.read_text() for path in (HERE / "rtl").glob("*.v")}
    return Contents(boards.load(board), MANIFEST, graph(), rtl, vectors, {"board": board})
