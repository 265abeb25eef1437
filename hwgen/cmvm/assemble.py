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


def add_up(
    builder: Builder, terms: Sequence[Term], bias: int, family: Family, depth: int | None = None
) -> Term | None:
    """A tree of adders over ``terms`` and ``bias``, None if there are none.

    Narrow terms are added first; where the tree would then be deeper than ``depth``, early terms
    are. The result's shift and sign are what all terms have in common.
    """
    if not terms:
        return None
    shift = min(t.shift for t in terms)
    if bias:
        shift = min(shift, (bias & -bias).bit_length() - 1)
    flip = not bias and all(t.negate for t in terms)
    parts = [Term(t.source, t.shift - shift, t.negate != flip) for t in terms]
    total = _tree(builder, parts, bias >> shift, family, early=False)
    if depth is not None and builder.level[total.source] > depth:
        total = _tree(builder, parts, bias >> shift, family, early=True)
    return Term(total.source, total.shift + shift, total.negate != flip)


def _tree(builder: Builder, parts: list[Term], constant: int, family: Family, early: bool) -> Term:
    def entry(t: Term) -> tuple[tuple[int, int], int, int, bool]:
        key = (builder.level[t.source] if early else 0, builder.types[t.source].size << t.shift)
        return key, t.source, t.shift, t.negate

    heap = [entry(t) for t in parts]
    heapq.heapify(heap)
    own: set[int] = set()
    while len(heap) > 1 or constant:
        count = _operands(len(heap), bool(constant), family)
        take = [heapq.heappop(heap) for _ in range(min(count, len(heap)))]
        terms = [Term(s, h, g) for _, s, h, g in take]
        used = 0
        if not heap and len(take) < 3:
            used, constant = constant, 0
        if not heap and not constant and all(t.negate for t in terms):
            terms = _turn(builder, terms, own, family)
        made = _combine(builder, terms, used)
        own.add(made.source)
        heapq.heappush(heap, entry(made))
    _, source, low, negate = heap[0]
    return Term(source, low, negate)


def _operands(terms: int, constant: bool, family: Family) -> int:
    """How many terms the next adder takes so that only the first has fewer than the most."""
    if family.adder_operands < 3:
        return 2
    return 2 if (terms + constant) % 2 == 0 else min(3, terms)


def _turn(builder: Builder, terms: list[Term], own: set[int], family: Family) -> list[Term]:
    """The terms, all negative, one of them made anew with the other sign if it is the tree's own.

    Their sum is then made with its sign, and needs no cell to be negated.
    """
    first = len(builder.types) - len(builder.nodes)
    for k, t in enumerate(terms):
        if t.source not in own:
            continue
        node = builder.nodes[t.source - first]
        turned = [Term(x.source, x.shift, not x.negate) for x in node.terms]
        if sum(x.negate for x in turned) < family.adder_operands and not node.bias:
            return [*terms[:k], Term(builder.add(turned), t.shift), *terms[k + 1 :]]
    return terms


def _combine(builder: Builder, terms: list[Term], bias: int) -> Term:
    shift = min(t.shift for t in terms)
    if bias:
        shift = min(shift, (bias & -bias).bit_length() - 1)
    flip = not bias and all(t.negate for t in terms)
    inner = [Term(t.source, t.shift - shift, t.negate != flip) for t in terms]
    return Term(builder.add(inner, bias >> shift), shift, flip)
