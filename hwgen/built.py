"""A built project as the verbs read it, and what a verb answers."""

from __future__ import annotations

import json
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


def read_report(folder: Path) -> dict[str, Any]:
    """``report.json`` of a built project.

    Raises:
        UsageError: ``folder`` is not a built project, or the file is damaged.
    """
    try:
        data: dict[str, Any] = json.loads((folder / "report.json").read_text("utf-8"))
        return {"family": data["family"], **data}
    except (OSError, ValueError, KeyError):
        raise UsageError(
            f"{str(folder)!r} must be a folder that hwgen build wrote, and has no report.json",
            hint="hwgen build MODEL --board BOARD --out DIR",
        ) from None
