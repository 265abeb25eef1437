"""A small project as hwgen build would write it, by hand: x + 1, then negated, on six integers."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from hwgen import paths
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
