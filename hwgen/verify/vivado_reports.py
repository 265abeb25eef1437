"""Vivado's text reports as data: utilization by hierarchy, and the timing summary.

The formats are those that UG835 (report_utilization, report_timing_summary) and UG906 describe;
columns are found by their headings, which differ between the families.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hwgen.errors import BuildError
from hwgen.families.base import Resources

_VERSION = re.compile(r"^\|?\s*Tool Version\s*:\s*(.+?)\s*$", re.M)
_SLACK = re.compile(r"^Slack\s*(?:\((?:MET|VIOLATED)\)\s*)?:\s+(-?\d+\.\d+)ns", re.M)
_REQUIREMENT = re.compile(r"^\s*Requirement:\s+(\d+\.\d+)ns", re.M)
_HOP = re.compile(r"(?:^|\s)(-?\d+\.\d+)\s+-?\d+\.\d+\s+(?:[rf]\s+)?(\S+)\s*$")
_RULE = re.compile(r"^\s*-{20,}(?:\s+-+)?\s*$")


@dataclass(frozen=True, slots=True)
class Instance:
    """A row of the utilization: an instance with all that is in it.

    Members:
        path: names from the top's children down, the last one its own; () for the top.
        lutram: LUTs within ``resources.lut`` that are memory or shift register.
    """

    path: tuple[str, ...]
    module: str
    resources: Resources
    lutram: int


@dataclass(frozen=True, slots=True)
class Hop:
    """A cell or net of a data path: its netlist resource, and the time that it takes."""

    resource: str
    kind: str
    ns: float


@dataclass(frozen=True, slots=True)
class TimingPath:
    """The setup path of least slack."""

    slack_ns: float
    requirement_ns: float
    hops: tuple[Hop, ...]

    @property
    def achieved_mhz(self) -> float:
        """The clock at which the slack would be 0."""
        return 1000 / (self.requirement_ns - self.slack_ns)


def tool_version(text: str) -> str:
    """Of the tool that wrote a report, such as ``Vivado v.2023.2``."""
    found = _VERSION.search(text)
    return " ".join(found[1].split()[:2]) if found else "Vivado"


def utilization(text: str) -> list[Instance]:
    """The rows of ``report_utilization -hierarchical``, the top first.

    Rows in brackets, which hold what an instance has outside its children, are left out.

    Raises:
        BuildError: there is no such table.
    """
    rows = [line for line in text.splitlines() if line.startswith("|") and line.count("|") > 6]
    head = [cell.strip() for cell in rows[0].strip("|").split("|")] if rows else []
    if head[:2] != ["Instance", "Module"] or "Total LUTs" not in head:
        raise BuildError(
            "Vivado's utilization report must have a table by hierarchy",
            hint="report_utilization -hierarchical, as the project's build.tcl writes it",
        )
    found: list[Instance] = []
    stack: list[str] = []
    for line in rows[1:]:
        cells = line[1:].rstrip().removesuffix("|").split("|")
        name = cells[0].strip()
        depth = (len(cells[0]) - len(cells[0].lstrip()) - 1) // 2
        if name.startswith("("):
            continue
        stack[depth:] = [name]
        counts = dict(zip(head[2:], (float(c.strip() or 0) for c in cells[2:]), strict=True))
        path = tuple(stack[1:])
        found.append(Instance(path, cells[1].strip(), _resources(counts), _lutram(counts)))
    return found


def _resources(counts: dict[str, float]) -> Resources:
    return Resources(
        lut=counts["Total LUTs"],
        ff=counts.get("FFs", 0),
        bram36=counts.get("RAMB36", 0) + counts.get("RAMB18", 0) / 2 + 8 * counts.get("URAM", 0),
        dsp=sum(value for key, value in counts.items() if key.startswith("DSP")),
    )


def _lutram(counts: dict[str, float]) -> int:
    return int(counts.get("LUTRAMs", 0) + counts.get("SRLs", 0))


def slowest(text: str) -> TimingPath:
    """The setup path of least slack of a ``report_timing_summary``.

    Raises:
        BuildError: the report holds no such path, as for a design without a clock.
    """
    paths = [_path(part) for part in _max_delay_paths(text)]
    if not paths:
        raise BuildError(
            "Vivado's timing report holds no path",
            hint="the design has no clock: see constraints.xdc",
        )
    return min(paths, key=lambda path: path.slack_ns)


def _max_delay_paths(text: str) -> Iterator[str]:
    """The text of each setup path."""
    for section in re.split(r"^Max Delay Paths\s*$", text, flags=re.M)[1:]:
        body = re.split(r"^(?:Min Delay Paths|Pulse Width Checks)\s*$", section, flags=re.M)[0]
        starts = [found.start() for found in _SLACK.finditer(body)]
        for start, end in zip(starts, [*starts[1:], len(body)], strict=True):
            yield body[start:end]


def _path(text: str) -> TimingPath:
    slack, required = _SLACK.search(text), _REQUIREMENT.search(text)
    if slack is None or required is None:
        raise BuildError("a path in Vivado's timing report must have a slack and a requirement")
    return TimingPath(float(slack[1]), float(required[1]), tuple(_hops(text)))


def _hops(text: str) -> Iterator[Hop]:
    """The data path: what lies between the second and the third rule of dashes."""
    rules = 0
    for line in text.splitlines():
        if _RULE.match(line):
            rules += 1
        elif rules == 2 and (found := _HOP.search(line)):
            kind = "routing" if "net (" in line else "logic"
            yield Hop(found[2], kind, float(found[1]))
