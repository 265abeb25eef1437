"""Sums of many terms as trees of the family's adders."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

from hwgen.cmvm.graph import Builder, Term
from hwgen.families.base import Family


def digits(weight: int) -> list[tuple[int, bool]]:
    """The canonical signed digits of ``weight`` as (shift, negate): the fewest there are."""
    found, shift = [], 0
    while weight:
        if weight & 1:
            digit = 2 - (weight & 3)
            found.append((shift, digit < 0))
            weight -= digit
        weight >>= 1
        shift += 1
    return found


def add_up(builder: Builder, terms: Sequence[Term], bias: int, family: Family) -> Term | None:
    """A tree of adders over ``terms`` and ``bias``, low and narrow terms first; None if empty.

    The result is a term: its shift and sign are what all terms have in common.
    """
    if not terms:
        return None
    shift = min(t.shift for t in terms)
    if bias:
        shift = min(shift, (bias & -bias).bit_length() - 1)
    flip = not bias and all(t.negate for t in terms)
    parts = [Term(t.source, t.shift - shift, t.negate != flip) for t in terms]
    heap = [(_key(builder, t), t.source, t.shift, t.negate) for t in parts]
    heapq.heapify(heap)
    constant = bias >> shift
    while len(heap) > 1 or constant:
        count = _operands(len(heap), bool(constant), family)
        take = [heapq.heappop(heap) for _ in range(min(count, len(heap)))]
        used = 0
        if not heap and len(take) < 3:
            used, constant = constant, 0
        made = _combine(builder, [Term(s, h, g) for _, s, h, g in take], used)
        heapq.heappush(heap, (_key(builder, made), made.source, made.shift, made.negate))
    _, source, low, negate = heap[0]
    return Term(source, low + shift, negate != flip)


def _operands(terms: int, constant: bool, family: Family) -> int:
    """How many terms the next adder takes so that only the first has fewer than the most."""
    if family.adder_operands < 3:
        return 2
    total = terms + constant
    return 2 if total % 2 == 0 else min(3, terms)


def _key(builder: Builder, t: Term) -> tuple[int, int]:
    return builder.level[t.source], t.shift + builder.types[t.source].width


def _combine(builder: Builder, terms: list[Term], bias: int) -> Term:
    shift = min(t.shift for t in terms)
    if bias:
        shift = min(shift, (bias & -bias).bit_length() - 1)
    flip = not bias and all(t.negate for t in terms)
    inner = [Term(t.source, t.shift - shift, t.negate != flip) for t in terms]
    return Term(builder.add(inner, bias >> shift), shift, flip)
