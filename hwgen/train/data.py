"""Labelled frames split into training, validation and test parts."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from hwgen.errors import UsageError

Pair = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Data:
    """Three pairs of frames (float32, frames first) and labels (int64)."""

    train: Pair
    validation: Pair
    test: Pair

    @property
    def shape(self) -> tuple[int, ...]:
        """One frame's shape."""
        return tuple(self.train[0].shape[1:])

    @property
    def classes(self) -> int:
        return 1 + max(int(labels.max()) for _, labels in (self.train, self.validation, self.test))


def load(path: Path, seed: int = 0, validation: float = 0.1, test: float = 0.2) -> Data:
    """An ``.npz`` with ``x`` and ``y``, and ``x_test`` and ``y_test`` where the test set is given.

    Without them the part ``test`` of the frames is drawn with ``seed``; ``validation`` is always
    drawn from what is left.

    Raises:
        UsageError: not such a file, or a part that is left empty.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise UsageError(f"there is no data set {path}") from None
    except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
        raise UsageError(f"{path} must be an .npz: {error}") from None
    if not {"x", "y"} <= arrays.keys():
        raise UsageError(
            f"{path} must hold arrays x and y, not {', '.join(sorted(arrays)) or 'none'}",
            hint="numpy.savez(path, x=images, y=labels)",
        )
    given = {"x_test", "y_test"} <= arrays.keys()
    pair = _pair(path, arrays["x"], arrays["y"])
    held = _pair(path, arrays["x_test"], arrays["y_test"]) if given else None
    return split(pair, held, seed=seed, validation=validation, test=test)


def split(
    frames: Pair,
    held: Pair | None = None,
    *,
    seed: int = 0,
    validation: float = 0.1,
    test: float = 0.2,
) -> Data:
    """Draw the validation part, and the test part unless it is ``held`` out already.

    Raises:
        UsageError: if a part is left empty.
    """
    x, y = frames
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
    tests = 0 if held is not None else round(len(x) * test)
    checks = round((len(x) - tests) * validation)
    if min(checks, len(x) - tests - checks, len(x) if held is not None else tests) < 1:
        raise UsageError(f"{len(x)} frames are too few to split: a part would be empty")
    parts = order[:tests], order[tests : tests + checks], order[tests + checks :]
    drawn, checked, trained = ((x[part], y[part]) for part in parts)
    return Data(trained, checked, drawn if held is None else held)


def _pair(path: Path, x: npt.NDArray[Any], y: npt.NDArray[Any]) -> Pair:
    if len(x) != len(y) or y.ndim != 1 or not len(x):
        raise UsageError(f"{path} must hold one label per frame, not {y.shape} for {x.shape}")
    if y.dtype.kind not in "iu" or int(y.min()) < 0:
        raise UsageError(f"{path}: labels must be integers from 0, not {y.dtype}")
    frames = torch.from_numpy(np.ascontiguousarray(x, dtype=np.float32))
    if not bool(torch.isfinite(frames).all()):
        raise UsageError(f"{path}: x holds NaN or infinite values")
    return frames, torch.from_numpy(y.astype(np.int64))
