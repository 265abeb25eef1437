"""Digests tell equal values from others; stored values come back equal."""

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import pytest

from hwgen.content import digest, dumps, loads
from hwgen.inttype import IntType


@dataclass(frozen=True)
class Pair:
    left: int
    right: tuple[int, ...] = ()
    note: str = field(default="", compare=False)


@dataclass(frozen=True)
class Other:
    left: int
    right: tuple[int, ...] = ()


DIFFERENT = [
    1,
    1.0,
    True,
    "1",
    None,
    (1,),
    ((1,),),
    (1, 1),
    {"a": 1},
    Fraction(1, 3),
    Fraction(2, 3),
    Pair(1),
    Pair(1, (2,)),
    Other(1),
    IntType(0, 1),
    np.array([1]),
    np.array([[1]]),
    np.array([1], np.int8),
    np.array([2]),
]


def test_unequal_values_have_unequal_digests() -> None:
    digests = [digest(value) for value in DIFFERENT]
    assert len(set(digests)) == len(DIFFERENT)
    assert digest("ab", "c") != digest("a", "bc")
    assert digest((1, 2), 3) != digest((1,), 2, 3)


def test_equal_values_have_equal_digests() -> None:
    assert digest(Pair(1, note="a")) == digest(Pair(1, note="b"))
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest([1, 2]) == digest((1, 2))
    flipped = np.arange(6).reshape(2, 3)[:, ::-1]
    assert digest(flipped) == digest(flipped.copy())


def test_what_has_no_content_is_refused() -> None:
    for value in (object(), {1, 2}, len, IntType):
        with pytest.raises(TypeError, match="no content"):
            digest(value)


def test_values_come_back_equal() -> None:
    value = (Pair(1, (2, 3), "x"), IntType(-4, 3), None, ("a", 1.5, True), ())
    assert loads(dumps(value), (Pair, IntType)) == value
    assert dumps(np.int64(7)) == "7"


@pytest.mark.parametrize(
    "text", ["", "{", '{"Other":[1,[]]}', "{}", '{"Pair":[1,2,3,4]}', '{"Pair":1}']
)
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a stored value"):
        loads(text, (Pair,))
