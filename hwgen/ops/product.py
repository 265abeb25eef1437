"""Constant matrix-vector products: their exact ranges and values, and the graphs that make them."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from hwgen.cmvm.clocked import solve_for_clock
from hwgen.cmvm.graph import AdderGraph, Node, Output, Term
from hwgen.cmvm.pipeline import Pipelined
from hwgen.content import dumps, loads
from hwgen.families.base import Family
from hwgen.inttype import IntType
from hwgen.ir.types import Alphabet, IntArray, Ints, TensorType
from hwgen.rtl import alphabet as rtl_alphabet
from hwgen.store import store

GRAPH_PARTS = (Pipelined, AdderGraph, Node, Output, Term, IntType)


def product_ranges(weight: Ints, bias: Ints, x: TensorType) -> list[IntType]:
    """The exact range of every output of ``W·x + b``, each input over its own range."""
    positive, negative = np.maximum(weight, 0), np.minimum(weight, 0)
    lo = (positive * x.lo + negative * x.hi).sum(axis=1) + bias
    hi = (positive * x.hi + negative * x.lo).sum(axis=1) + bias
    return [IntType(int(a), int(b)) for a, b in zip(lo, hi, strict=True)]


@lru_cache(maxsize=256)
def product_type(weight: IntArray, bias: IntArray, x: TensorType) -> TensorType:
    """The type of ``W·x + b`` in every pixel of ``x``."""
    ranges = product_ranges(weight.values, bias.values, x)
    return TensorType.of((len(weight.values), *x.shape[1:]), ranges)


@lru_cache(maxsize=256)
def any_product_type(alphabet: Alphabet, bias: IntArray, outputs: int, x: TensorType) -> TensorType:
    """The type of ``W·x + b`` for all W of an alphabet and all b from the least to the greatest."""
    ends = [w * v for w in (alphabet.levels[0], alphabet.levels[-1]) for v in (x.lo, x.hi)]
    each = x.channels // len(x.ranges)
    lo = int(np.min(ends, axis=0).sum()) * each + int(bias.values.min())
    hi = int(np.max(ends, axis=0).sum()) * each + int(bias.values.max())
    return TensorType((outputs, *x.shape[1:]), (IntType(lo, hi),))


def exact_product(x: Ints, weight: Ints) -> Ints:
    """``x @ weight.T`` in integers, through float64 where every partial sum is below 2^53."""
    bound = float(np.abs(weight).sum(axis=1).max(initial=0)) * float(np.abs(x).max(initial=0))
    if bound < 2**53:
        return (x.astype(np.float64) @ weight.T.astype(np.float64)).astype(np.int64)
    return x @ weight.T


@lru_cache(maxsize=256)
def magnitudes(weight: IntArray) -> rtl_alphabet.Alphabet:
    """The alphabet that a folded unit stores."""
    return rtl_alphabet.Alphabet.of(weight.values)


@lru_cache(maxsize=256)
def adder_graph(
    weight: IntArray,
    bias: IntArray,
    inputs: tuple[IntType, ...],
    family: Family,
    signs_only: bool = False,
) -> Pipelined:
    """The optimised adder graph of a spatial layer, pipelined for the family's clock period.

    One that was found before is read, and checked like a new one.
    """
    kept = store()
    key = kept.key("adder graph", weight.values, bias.values, inputs, family, signs_only)
    try:
        known: Pipelined | None = loads(kept.get(key) or "null", GRAPH_PARTS)
    except ValueError:
        known = None
    if known is not None:
        known.graph.verify(weight.values, bias.values)
        known.check()
        return known
    made = solve_for_clock(weight.values, inputs, target_ns=family.period_ns, family=family,
                           bias=bias.values, signs_only=signs_only)  # fmt: skip
    kept.put(key, dumps(made))
    return made
