"""A training loop that is the same for every method: seeds, checkpoints, learning curve, reports.

A run depends on its configuration and data only: each epoch draws its order and its random numbers
from (seed, epoch), so a run that was killed and resumed gives the same bytes as one that was not.
"""

from __future__ import annotations

import logging
import math
import os
import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

from hwgen.errors import UsageError
from hwgen.train.data import Data, Pair
from hwgen.train.method import Method
from hwgen.train.watch import Watch, check_loss

log = logging.getLogger("hwgen")
_UNREADABLE = (RuntimeError, KeyError, ValueError, EOFError, OSError, pickle.UnpicklingError)


@dataclass(frozen=True, kw_only=True)
class FitConfig:
    """How to train; ``schedule`` is ``cosine`` (to zero) or ``constant``."""

    epochs: int = 30
    batch: int = 64
    lr: float = 0.003
    optimizer: str = "adam"
    weight_decay: float = 0.0
    momentum: float = 0.9
    schedule: str = "cosine"
    seed: int = 0

    def __post_init__(self) -> None:
        for name, value, least in (("epochs", self.epochs, 1), ("batch", self.batch, 2)):
            if value < least:
                raise UsageError(f"{name} must be at least {least}, not {value}")
        if not (math.isfinite(self.lr) and self.lr > 0):
            raise UsageError(f"lr must be positive and finite, not {self.lr}")
        if self.optimizer not in ("adam", "sgd"):
            raise UsageError(f"optimizer must be adam or sgd, not {self.optimizer!r}")
        if self.schedule not in ("cosine", "constant"):
            raise UsageError(f"schedule must be cosine or constant, not {self.schedule!r}")


@dataclass
class History:
    """One row per epoch: training loss, validation accuracy, learning rate, the method's own."""

    rows: list[dict[str, float]] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)


def fit(
    model: nn.Module,
    data: Data,
    config: FitConfig,
    methods: Sequence[Method] = (),
    *,
    checkpoint: Path | None = None,
    progress: bool = False,
) -> History:
    """Train ``model`` in place, from ``checkpoint`` if that file exists.

    Raises:
        ModelError: if the loss becomes NaN or infinite.
        UsageError: if the checkpoint is of another run.
    """
    optimizer = make_optimizer(model, config)
    for method in methods:
        method.start(optimizer)
    history = History()
    first = 0
    if checkpoint is not None and checkpoint.exists():
        first = _resume(checkpoint, config, model, optimizer, methods, history)
    watch = Watch(model)
    bar = tqdm(range(first, config.epochs), disable=not progress, unit="epoch", initial=first,
               total=config.epochs)  # fmt: skip
    for epoch in bar:
        watch.begin()
        loss = _epoch(model, data.train, config, optimizer, methods, epoch)
        row = {"loss": loss, "accuracy": accuracy(model, data.validation)}
        row |= {"lr": config.lr * rate(config, epoch)}
        for method in methods:
            method.end_epoch(epoch)
            row |= method.report()
        history.rows.append(row)
        for text in watch.end():
            history.findings.append(f"epoch {epoch + 1}: {text}")
            log.warning("epoch %d: %s", epoch + 1, text)
        bar.set_postfix(loss=f"{loss:.3f}", accuracy=f"{row['accuracy']:.3f}")
        if checkpoint is not None:
            _save(checkpoint, config, model, optimizer, methods, history)
    return history


def make_optimizer(model: nn.Module, config: FitConfig) -> torch.optim.Optimizer:
    """Adam or SGD over all parameters, with decoupled weight decay where it is Adam."""
    parameters = list(model.parameters())
    if config.optimizer == "sgd":
        return torch.optim.SGD(
            parameters, config.lr, momentum=config.momentum, weight_decay=config.weight_decay
        )
    return torch.optim.AdamW(parameters, config.lr, weight_decay=config.weight_decay)


def rate(config: FitConfig, epoch: int) -> float:
    """The factor on the learning rate in an epoch."""
    if config.schedule == "constant":
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * epoch / config.epochs))


def batches(pair: Pair, size: int, seed: int) -> Iterator[Pair]:
    """The frames in an order drawn with ``seed``; a last batch of one frame is left out."""
    x, y = pair
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
    for start in range(0, len(x), size):
        part = order[start : start + size]
        if len(part) > 1:
            yield x[part], y[part]


@torch.no_grad()
def accuracy(model: nn.Module, pair: Pair) -> float:
    """The share of frames whose largest output is at the label, in eval mode."""
    training = model.training
    model.eval()
    predicted = torch.cat([model(part).argmax(dim=1) for part in torch.split(pair[0], 1000)])
    model.train(training)
    return float((predicted == pair[1]).float().mean())


def _epoch(
    model: nn.Module,
    pair: Pair,
    config: FitConfig,
    optimizer: torch.optim.Optimizer,
    methods: Sequence[Method],
    epoch: int,
) -> float:
    torch.manual_seed(config.seed * 1_000_003 + epoch)
    model.train()
    for method in methods:
        method.begin_epoch(epoch)
    for group in optimizer.param_groups:
        group["lr"] = config.lr * group.get("factor", 1.0) * rate(config, epoch)
    total, count = 0.0, 0
    for x, y in batches(pair, config.batch, config.seed * 1_000_003 + epoch):
        optimizer.zero_grad()
        task = F.cross_entropy(model(x), y)
        loss: Tensor = task + sum(method.loss() for method in methods)
        check_loss(loss, model, x, epoch)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        for method in methods:
            method.step((x, y))
        total, count = total + float(task.detach()) * len(x), count + len(x)
    return total / max(count, 1)


def _save(
    path: Path,
    config: FitConfig,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    methods: Sequence[Method],
    history: History,
) -> None:
    """Written beside and renamed, so that a kill leaves the last whole checkpoint."""
    state = {
        "config": vars(config),
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "methods": [method.state() for method in methods],
        "rows": history.rows,
        "findings": history.findings,
    }
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    torch.save(state, temporary)
    temporary.replace(path)


def _resume(
    path: Path,
    config: FitConfig,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    methods: Sequence[Method],
    history: History,
) -> int:
    """The epoch to go on from."""
    try:
        state: dict[str, Any] = torch.load(path, weights_only=True)
        if state["config"] != vars(config) or len(state["methods"]) != len(methods):
            raise UsageError(
                f"{path} must be of this very run, but its configuration differs",
                hint="delete the checkpoint, or repeat the options that it was made with",
            )
        for method, own in zip(methods, state["methods"], strict=True):
            method.restore(own)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
    except _UNREADABLE as error:
        raise UsageError(
            f"{path} must be a checkpoint of this model: {str(error).splitlines()[0]}",
            hint="delete it to start again",
        ) from error
    history.rows.extend(state["rows"])
    history.findings.extend(state["findings"])
    return len(history.rows)
