"""Errors a user can cause, each with one message, the place and the fix.

HwgenError                 exit code
├── UsageError             1   options, data sets, boards
├── ModelError             1   the network itself
│   ├── UnsupportedError   1   a layer, shape or type that hwgen does not build
│   │   └── ProblemsError  1   several such, all named at once
│   └── ModelFileError     1   the file: truncated, hostile, of another version
├── BuildError             2   a build or a simulation that could not finish
│   └── MismatchError      2   outputs differ
└── ToolError              3   a tool is missing or too old
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a thing came from: a module path (``features.3.conv``) and a source line
    (``net.py:41``)."""

    path: str = ""
    source: str = ""

    def __str__(self) -> str:
        return (
            f"{self.path} ({self.source})"
            if self.path and self.source
            else self.path or self.source
        )


NOWHERE = Origin()


class HwgenError(Exception):
    """A user's error: ``message`` says "X must be Y, not Z"; ``origin`` where; ``hint`` what to
    do."""

    exit_code = 1

    def __init__(self, message: str, *, origin: Origin | str = NOWHERE, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.origin = Origin(origin) if isinstance(origin, str) else origin
        self.hint = hint

    def __str__(self) -> str:
        where = f"\n  at: {self.origin}" if str(self.origin) else ""
        return self.message + where + (f"\n  fix: {self.hint}" if self.hint else "")


class UsageError(HwgenError):
    """An option, a data set or a board that cannot be used."""


class ModelError(HwgenError):
    """The network is not one that has an exact integer meaning."""


class UnsupportedError(ModelError):
    """A layer, shape or type that hwgen does not build."""


class ProblemsError(UnsupportedError):
    """Several reasons why a network cannot be built: ``problems``."""

    problems: tuple[HwgenError, ...] = ()


def combined(problems: Sequence[HwgenError]) -> HwgenError:
    """The one problem, or an error that names them all."""
    if len(problems) == 1:
        return problems[0]
    lines = [f"{len(problems)} operations of the network cannot be built:"]
    for problem in problems:
        where = f" at {problem.origin}" if str(problem.origin) else ""
        lines.append(f"  - {problem.message}{where}")
        if problem.hint:
            lines.append(f"    fix: {problem.hint}")
    error = ProblemsError("\n".join(lines))
    error.problems = tuple(problems)
    return error


class ModelFileError(ModelError):
    """A model file that cannot be read as one."""


class BuildError(HwgenError):
    """A build or a simulation that could not finish."""

    exit_code = 2


class MismatchError(BuildError):
    """Hardware and golden model differ."""


class ToolError(HwgenError):
    """A tool is missing or too old."""

    exit_code = 3
