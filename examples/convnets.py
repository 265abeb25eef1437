"""What the convolutional examples share: data, a training run that can be resumed, its files.

Data come from a folder with the arrays that the docstrings name. CIFAR-10 is a re-encoded copy
(JPEG, root mean square error about 8 of 255) for training, and 1,000 exact test images.
"""

from __future__ import annotations

import argparse
import io
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

import hwgen
from hwgen.train.data import Data, Pair
from hwgen.train.fit import FitConfig, accuracy, fit

VALIDATION = 2000
SETTLING = 5
"""Batches that settle batch-norm and learned steps before the first epoch."""

Augment = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Frames:
    """``data`` to train on, and ``exact`` test frames for the hardware; pixels as stored."""

    data: Data
    exact: Pair


class Trained(nn.Module):
    """A network as it is trained: stored pixels times ``scale``, augmented, in bfloat16.

    In eval mode it is the network alone, in float32. Channels come last in memory, which torch's
    convolutions on a processor like best.
    """

    def __init__(self, network: nn.Module, scale: float, augment: Augment) -> None:
        super().__init__()
        self.network, self.scale, self.augment = network, scale, augment

    def forward(self, x: Tensor) -> Tensor:
        x = x.to(torch.float32, memory_format=torch.channels_last) * self.scale
        if not self.training:
            return self.network(x)
        with torch.autocast("cpu", torch.bfloat16):
            return self.network(self.augment(x)).float()


def cifar10(folder: Path) -> Frames:
    """Images (n, 3, 32, 32) as int8, the pixel less 128, so that 0 is the middle grey."""
    train = _jpeg(folder / "cifar10_jpeg_train.npz")
    held = _jpeg(folder / "cifar10_jpeg_test.npz")
    with np.load(folder / "cifar10_lossless_subset.npz", allow_pickle=False) as file:
        exact = _pair(file["x_test"], file["y_test"])
    order = torch.randperm(len(train[1]), generator=torch.Generator().manual_seed(0))
    x, y = (part[order] for part in train)  # the file is sorted by class
    checked, rest = (x[:VALIDATION], y[:VALIDATION]), (x[VALIDATION:], y[VALIDATION:])
    return Frames(Data(rest, checked, held), exact)


def speech(folder: Path, test: int = 200) -> Frames:
    """MFCC features (n, 1, 49, 10) as int8 of 12 words; every fifth frame is held out."""
    with np.load(folder / "kws01_mfcc_int8_1000.npz", allow_pickle=False) as file:
        x = torch.from_numpy(file["x"]).unsqueeze(1)
        y = torch.from_numpy(file["y"].astype(np.int64))
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    held, rest = order[:test], order[test:]
    checks = rest[: test // 4]
    data = Data((x[rest], y[rest]), (x[checks], y[checks]), (x[held], y[held]))
    return Frames(data, data.test)


def mirrored_and_moved(x: Tensor) -> Tensor:
    """Half of the images mirrored, the batch moved by up to 4 pixels each way."""
    down, right = (int(n) for n in torch.randint(-4, 5, (2,)))
    mirrored = torch.where(torch.rand(len(x), 1, 1, 1) < 0.5, x, x.flip(3))
    edges = (max(right, 0), max(-right, 0), max(down, 0), max(-down, 0))
    padded = nn.functional.pad(mirrored, edges)
    top, left = max(-down, 0), max(-right, 0)
    return padded[:, :, top : top + x.shape[2], left : left + x.shape[3]]


def moved_and_noisy(x: Tensor) -> Tensor:
    """Every frame moved by up to 4 steps in time, with a little noise."""
    shifts = torch.randint(-4, 5, (len(x),)).tolist()
    moved = torch.stack([f.roll(s, 1) for f, s in zip(x, shifts, strict=True)])
    return moved + 0.02 * torch.randn_like(moved)


def arguments(description: str | None, data: str) -> argparse.ArgumentParser:
    """The options that all examples take."""
    shared = Path(os.environ.get("HWGEN_SHARED", Path(__file__).parents[2] / "shared"))
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=shared / "data" / data)
    parser.add_argument("--epochs", type=int, default=0, help="in all, also over restarts")
    parser.add_argument("--frames", type=int, help="train on so many frames only")
    parser.add_argument("--start", type=Path, help="train.ckpt of another run to start from")
    return parser


def run(model: Trained, frames: Frames, options: argparse.Namespace, config: FitConfig) -> str:
    """Trains, or goes on from ``train.ckpt``; writes ``model.pt`` and ``test.npz``; the accuracy.

    Raises:
        HwgenError: as `hwgen.train.fit.fit` and `hwgen.save` do.
    """
    logging.basicConfig(level=logging.ERROR)
    torch.set_num_threads(1)  # the same figures on every machine
    options.out.mkdir(parents=True, exist_ok=True)
    if options.start:
        state = torch.load(options.start, weights_only=True)["model"]
        own = model.state_dict()
        model.load_state_dict({k: v for k, v in state.items() if k in own}, strict=False)
    settle(model, frames.data.train[0], config.batch)
    x, y = frames.data.train
    data = replace(frames.data, train=(x[: options.frames], y[: options.frames]))
    if options.epochs:
        fit(model, data, config, checkpoint=options.out / "train.ckpt", progress=True)
    training = f"{options.epochs} epochs of {len(data.train[0])} frames"
    return save(model, frames, options.out, training)


@torch.no_grad()
def settle(model: Trained, x: Tensor, batch: int) -> None:
    """Gives learned steps their start and batch-norm its statistics."""
    model.train()
    for start in range(0, SETTLING * batch, batch):
        model(x[start : start + batch])


def save(model: Trained, frames: Frames, folder: Path, training: str) -> str:
    """Writes the model and its test frames; how good it is after ``training``, in words."""
    model.eval()
    x, y = frames.exact
    real = x.to(torch.float32) * model.scale
    hwgen.save(model.network, folder / "model.pt", real[:8])
    np.savez_compressed(folder / "test.npz", x=real.numpy(), y=y.numpy())
    held = accuracy(model, frames.data.test)
    text = f"accuracy {held:.2%} on {len(frames.data.test[1])} test frames"
    if frames.exact is not frames.data.test:
        text += f", {accuracy(model, frames.exact):.2%} on {len(y)} exact ones"
    text += f", after {training}"
    (folder / "accuracy.txt").write_text(text + "\n")
    return text


def _jpeg(path: Path) -> Pair:
    with np.load(path, allow_pickle=False) as file:
        data, ends, labels = file["jpeg"].tobytes(), file["offsets"], file["y"]
    parts = [data[a:b] for a, b in pairwise(ends)]
    return _pair(np.stack([np.asarray(Image.open(io.BytesIO(p))) for p in parts]), labels)


def _pair(pixels: np.ndarray, labels: np.ndarray) -> Pair:
    """Images (n, 32, 32, 3) of bytes as (n, 3, 32, 32) int8."""
    x = torch.from_numpy((pixels ^ 0x80).view(np.int8).transpose(0, 3, 1, 2).copy())
    return x, torch.from_numpy(labels.astype(np.int64))
