"""Alphabets of integer levels by name, and the nearest level."""

from __future__ import annotations

import re

import torch
from torch import Tensor

from hwgen.errors import UsageError
from hwgen.nn.shift import shift_alphabet
from hwgen.nn.ste import nearest


def levels(name: str) -> tuple[int, ...]:
    """``binary``, ``ternary``, ``int2`` … ``int8``, ``shift2`` … (with 0), ``dense2`` … (without).

    ``int`` alphabets are symmetric, ``-(2**(b-1) - 1) … 2**(b-1) - 1``.

    Raises:
        UsageError: if the name is none of these.
    """
    if name == "binary":
        return (-1, 1)
    if name == "ternary":
        return (-1, 0, 1)
    found = re.fullmatch(r"(int|shift|dense)([2-8])", name)
    if found and (found[1] == "int" or int(found[2]) <= 5):
        bits = int(found[2])
        if found[1] == "int":
            most = (1 << (bits - 1)) - 1
            return tuple(range(-most, most + 1))
        return shift_alphabet(bits, zero=found[1] == "shift")
    raise UsageError(
        f"an alphabet must be binary, ternary, int2 … int8, shift2 … shift5 or dense2 … dense5, "
        f"not {name!r}"
    )


def rounded(v: Tensor, alphabet: tuple[int, ...]) -> Tensor:
    """The nearest level to each of ``v``, as float; a tie goes to the greater."""
    return nearest(v, torch.tensor(alphabet, dtype=torch.float32))
