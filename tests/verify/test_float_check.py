"""Differences between float32 and integers are counted and explained."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from hwgen.ir.real import RealGraph
from hwgen.ir.types import Alphabet, IntArray
from hwgen.ops.input import RealInput
from hwgen.ops.linear import RealLinear, Weight
from hwgen.ops.output import RealOutput
from hwgen.ops.quantize import RealQuantize
from hwgen.passes.integerize import integerize
from hwgen.verify.float_check import float_check


def network() -> RealGraph:
    """Codes of 1/4, a layer of ones, codes of 1/2: every odd sum is a tie."""
    weight = Weight(IntArray([[1, 1]]), Alphabet((1,)), (Fraction(1),))
    return RealGraph(
        "net",
        (
            RealInput(name="x", shape=(2,)),
            RealQuantize(name="q", inputs=("x",), step=(Fraction(1, 4),), lo=-8, hi=7),
            RealLinear(name="fc", inputs=("q",), weight=weight),
            RealQuantize(name="a", inputs=("fc",), step=(Fraction(1, 2),), lo=-8, hi=7),
            RealOutput(name="out", inputs=("a",)),
        ),
    )


def test_ties_are_told_from_other_differences() -> None:
    lowered = integerize(network())
    x = np.array([[0.25, 0.0], [0.25, 0.25], [0.5, 0.5]], dtype=np.float32)
    codes = {"": x, "q": np.array([[1, 0], [1, 1], [2, 2]]), "a": np.array([[1], [1], [3]])}
    found = float_check(lowered, codes)
    assert found is not None
    assert (found.frames, found.elements, found.differ, found.ties) == (3, 9, 2, 1)
    assert "1 are no ties, most of them in a" in found.text()
    assert found.as_dict()["quantizers"][1] == {"name": "a", "elements": 3, "differ": 2, "ties": 1}


def test_without_examples_nothing_is_said() -> None:
    lowered = integerize(network())
    assert float_check(lowered, {}) is None
