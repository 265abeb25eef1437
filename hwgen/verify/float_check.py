"""How the integer network differs from the float32 evaluation it was trained in, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from hwgen.ir.meaning import Meaning
from hwgen.ir.real import Distance
from hwgen.ir.types import Ints
from hwgen.ops.input import Input
from hwgen.passes.integerize import Integerized

TIE = Fraction(1, 1000)
"""Quantizer steps from a rounding boundary within which float32 sums may fall on its other side."""

MAX_EXPLAINED = 1000


@dataclass(frozen=True)
class QuantizerCheck:
    """One quantizer: outputs compared, those that differ, and those of them that are ties."""

    name: str
    elements: int
    differ: int
    ties: int


@dataclass(frozen=True)
class FloatCheck:
    """All quantizers, each fed what the float32 network fed it, on ``frames`` frames."""

    frames: int
    quantizers: tuple[QuantizerCheck, ...]

    @property
    def elements(self) -> int:
        return sum(q.elements for q in self.quantizers)

    @property
    def differ(self) -> int:
        return sum(q.differ for q in self.quantizers)

    @property
    def ties(self) -> int:
        return sum(q.ties for q in self.quantizers)

    def as_dict(self) -> dict[str, Any]:
        """For ``report.json``."""
        names = ("name", "elements", "differ", "ties")
        rows = [{k: getattr(q, k) for k in names} for q in self.quantizers]
        totals = {"elements": self.elements, "differ": self.differ, "ties": self.ties}
        return {"frames": self.frames, **totals, "quantizers": rows}

    def text(self) -> str:
        """One line for the report."""
        line = (
            f"float32 check, {self.frames} example frame(s): {self.differ} of {self.elements:,} "
            "quantizer outputs differ from torch's"
        )
        if not self.differ:
            return line
        if self.ties == self.differ:
            return f"{line}, all of them ties: within {float(TIE)} steps of a rounding boundary"
        worst = max(self.quantizers, key=lambda q: q.differ - q.ties)
        return f"{line}; {self.differ - self.ties} are no ties, most of them in {worst.name}"


def float_check(
    lowered: Integerized, examples: Mapping[str, npt.NDArray[Any]]
) -> FloatCheck | None:
    """Compares every quantizer with the trained network's own codes; None without examples.

    Differences do not add up: each quantizer sees the codes that the float32 network had before it.
    """
    graph, distances = lowered.graph, lowered.distances
    node = graph.input
    real = examples.get("")
    if real is None or not isinstance(node, Input):
        return None
    values: dict[str, Ints] = {}
    checks: list[QuantizerCheck] = []
    for node in graph:
        inputs = [values[i] for i in node.inputs]
        value = node.evaluate(*inputs) if inputs else graph.input.encode(real)  # type: ignore[attr-defined]
        theirs = _in_stream_order(examples.get(node.name), lowered.meanings.get(node.name))
        if theirs is not None and theirs.shape == value.shape:
            wrong = np.argwhere(value != theirs)
            distance = distances.get(node.name)
            ties = _ties(wrong, inputs[0], distance) if inputs and distance else len(wrong)
            checks.append(QuantizerCheck(node.name, value.size, len(wrong), ties))
            value = theirs
        values[node.name] = value
    return FloatCheck(len(real), tuple(checks))


def _in_stream_order(codes: Ints | None, meaning: Meaning | None) -> Ints | None:
    """The real tensor's codes (frame, channel, …) as the hardware has them."""
    if codes is None or meaning is None or meaning.order is None:
        return codes
    return codes[:, meaning.order.values]


def _ties(wrong: npt.NDArray[np.intp], inputs: Ints, distance: Distance) -> int:
    """How many of the differing elements (frame, channel, …) lie at a boundary."""
    near = [distance(int(inputs[tuple(at)]), int(at[1])) <= TIE for at in wrong[:MAX_EXPLAINED]]
    return sum(near)
