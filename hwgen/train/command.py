"""``hwgen train``: a data set and a method's name to a model file."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import Any

import torch

from hwgen.errors import UsageError
from hwgen.frontend.save import save
from hwgen.train import config as configs
from hwgen.train import data as datasets
from hwgen.train.curve import plot
from hwgen.train.fit import accuracy, fit
from hwgen.train.recipes import RECIPES, Context

log = logging.getLogger("hwgen")


def train(options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """Train, save and describe; the same command goes on from where a killed one was.

    Raises:
        HwgenError: options, data or a configuration that cannot be used, or divergence.
    """
    out: Path = options.out
    if out.suffix != ".pt" or not out.parent.is_dir():
        raise UsageError(f"-o must be a .pt file in a folder that exists, not {out}")
    settings, config = configs.read(options.config, options.method, options.seed)
    data = datasets.load(options.data, config.seed)
    torch.manual_seed(config.seed)
    job = RECIPES[options.method](Context(settings, data, config, _cost(options)))
    checkpoint = out.with_suffix(".ckpt")
    try:
        history = fit(
            job.model, data, config, job.methods,
            checkpoint=checkpoint, progress=not options.quiet,
        )  # fmt: skip
    except KeyboardInterrupt:
        log.warning("stopped; the same command goes on from %s", checkpoint)
        raise
    save(job.model, out, data.test[0][:1])
    if options.plot:
        plot(history, options.plot, f"{options.method}, seed {config.seed}")
    checkpoint.unlink(missing_ok=True)
    result: dict[str, Any] = {
        "model": str(out),
        "method": options.method,
        "seed": config.seed,
        "epochs": config.epochs,
        "test_accuracy": accuracy(job.model, data.test),
        "validation_accuracy": history.rows[-1]["accuracy"],
        "findings": history.findings,
        "history": history.rows,
    }
    for method in job.methods:
        if hasattr(method, "allocation"):
            result["bits"] = method.allocation()
    return result, _text(result)


def _cost(options: argparse.Namespace) -> Any:
    if not options.cost:
        return None
    from hwgen.train.cost import HardwareCost

    return HardwareCost(options.board, options.cost).of


def _text(result: dict[str, Any]) -> str:
    lines = [
        f"test accuracy {100 * result['test_accuracy']:.2f} % after {result['epochs']} epochs, "
        f"seed {result['seed']}"
    ]
    if "bits" in result:
        lines.append("bits: " + ", ".join(f"{n} {b}" for n, b in result["bits"].items()))
    return "\n".join([*lines, *result["findings"], f"wrote {result['model']}"])
