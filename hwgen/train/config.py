"""``hwgen train``'s TOML file: ``[model]``, ``[train]`` and ``[method]``, every key optional."""

from __future__ import annotations

import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

from hwgen.errors import UsageError
from hwgen.train.fit import FitConfig
from hwgen.train.models import POOL
from hwgen.train.recipes import OPTIONS, RECIPES, Settings


def read(path: Path | None, method: str, seed: int | None = None) -> tuple[Settings, FitConfig]:
    """Settings of network and method, and how to train; ``seed`` overrides the file's.

    Raises:
        UsageError: if the file is no TOML, or a key is unknown or of another type.
    """
    if method not in RECIPES:
        raise UsageError(f"--method must be one of {', '.join(RECIPES)}, not {method!r}")
    data = _parsed(path) if path is not None else {}
    _known(data, ("model", "train", "method"), "the configuration")
    for section, table in data.items():
        if not isinstance(table, dict):
            raise UsageError(f"{section} must be a table, [{section}]")
    model, train, options = (dict(data.get(key, {})) for key in ("model", "train", "method"))
    _known(options, OPTIONS[method], f"[method] of {method}")
    if seed is not None:
        train["seed"] = seed
    for key, words in (("hidden", ()), ("convolutions", (POOL,))):
        if key in model:
            model[key] = _widths(key, model[key], words)
    own = tuple(f.name for f in fields(Settings) if f.name != "options")
    _known(model, own, "[model]")
    _known(train, tuple(f.name for f in fields(FitConfig)), "[train]")
    _typed(model, Settings(), "[model]")
    _typed(train, FitConfig(), "[train]")
    return Settings(**model, options=options), FitConfig(**train)


def _parsed(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path} must be a TOML file: {error}") from None


def _known(table: dict[str, Any], names: tuple[str, ...], where: str) -> None:
    if unknown := sorted(set(table) - set(names)):
        raise UsageError(f"{where} may hold {', '.join(names)}, not {unknown[0]!r}")


def _typed(table: dict[str, Any], defaults: Any, where: str) -> None:
    for key, value in table.items():
        default = getattr(defaults, key)
        wanted = (int, float) if isinstance(default, float | None) else type(default)
        if not isinstance(value, wanted) or isinstance(value, bool):
            raise UsageError(f"{key} in {where} must be like {default!r}, not {value!r}")


def _widths(key: str, value: Any, words: tuple[str, ...]) -> tuple[int | str, ...]:
    """Positive numbers, and ``words`` where the key allows any."""
    own = isinstance(value, list) and all(
        v in words or (isinstance(v, int) and not isinstance(v, bool) and v > 0) for v in value
    )
    if not own:
        more = "".join(f" and {word!r}" for word in words)
        raise UsageError(f"{key} in [model] must be a list of widths{more}, not {value!r}")
    return tuple(value)
