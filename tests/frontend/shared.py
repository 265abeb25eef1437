"""Third-party networks and data that lie beside the checkout, with reference outputs."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwgen import paths

SHARED = Path(os.environ.get("HWGEN_SHARED", paths.PACKAGE.parent.parent / "shared"))
INPUT_TYPES = {"qkeras_jettagging": "FIXED<15,4>"}
"""The file leaves its input as real numbers; this is the narrowest type that changes no class."""


def model(name: str) -> Path:
    """The file of a network, or a skip."""
    path = SHARED / "models" / f"{name}.onnx"
    if not path.is_file():
        pytest.skip(f"{path} is not there: set HWGEN_SHARED")
    return path


def mnist_test() -> np.ndarray:
    """The 10,000 test images as TFC takes them: pixel/255, (frames, 1, 28, 28)."""
    data = gzip.decompress((SHARED / "data/mnist/t10k-images-idx3-ubyte.gz").read_bytes())
    pixels = np.frombuffer(data, np.uint8, offset=16).reshape(-1, 1, 28, 28)
    return pixels / np.float32(255)


def reference(name: str) -> dict[str, Any]:
    """Inputs ``x`` and what QONNX's own executor made of them: ``logits`` and ``pred``."""
    stem = f"{name}_mnist_ref" if name.startswith("TFC") else f"{name}_ref"
    with np.load(SHARED / "models" / f"{stem}.npz") as file:
        found = {key: file[key] for key in file.files}
    found["x"] = found["x"].astype(np.float32) if "x" in found else mnist_test()
    return found
