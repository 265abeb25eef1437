"""The verbs on a built project: bench, data set, synthesis; each gives data, text and a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwgen.errors import UsageError
from hwgen.ir.graph import Graph
from hwgen.ir.serialize import from_json


@dataclass(frozen=True)
class Outcome:
    """The result of a verb."""

    data: dict[str, Any]
    text: str
    good: bool = True


def read_graph(folder: Path) -> Graph:
    """The integer graph of a built project.

    Raises:
        UsageError: ``folder`` is not a built project.
        ModelFileError: its graph is damaged.
    """
    import hwgen.ops  # noqa: F401  (fills the registry of nodes)

    try:
        text = (folder / "graph.json").read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise UsageError(
            f"{str(folder)!r} must be a folder that hwgen build wrote, and has no graph.json",
            hint="hwgen build MODEL --board BOARD --out DIR",
        ) from None
    return from_json(text)
