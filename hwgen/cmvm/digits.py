"""The optimiser for inputs of several bits: shared sums of signed digits, added by carry chains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hwgen.cmvm.assemble import add_up, digits
from hwgen.cmvm.center import Matrix, find_centers
from hwgen.cmvm.graph import Builder, Term
from hwgen.cmvm.literals import Ints, empty_rows, literal
from hwgen.cmvm.search import optimise
from hwgen.families.base import Family

PATTERNS, POWER, EXACT, NOISE = 40.0, 0.3, 0.7, 0.3
"""How many pairs a step looks at; see ``patterns.extract``."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How hard one block is worked on: rounds, depth of shared sums, and the random seed.

    The rounds are spread over ``restarts`` searches, each from another center and seed.
    """

    rounds: int
    cap: int
    seed: int
    center: bool = True
    restarts: int = 1


def share_sums(
    builder: Builder, sources: Sequence[int], weights: Matrix, family: Family, plan: Plan,
    depth: int | None,
) -> tuple[list[Term | None], float]:  # fmt: skip
    """``weights · sources`` as a term per row, and the LUTs that the search counted.

    ``sources`` are the builder's; rows must differ from each other and from zero.
    """
    problem = _Problem(builder, sources, weights, family, plan)
    centers = problem.centers()
    tried = [problem.run(center, 0, 0) for center in centers] if len(centers) > 1 else []
    order = sorted(range(len(centers)), key=lambda k: tried[k].luts if tried else 0.0)
    if plan.rounds or not tried:
        tried += [
            problem.run(centers[order[k % len(order)]], plan.rounds // plan.restarts, k)
            for k in range(plan.restarts)
        ]
    done = min(tried, key=lambda shared: shared.luts)
    return _build(builder, sources, done.rows, done.used, len(weights), family, depth), done.luts


@dataclass(frozen=True, slots=True)
class _Shared:
    """Sums as the search left them: literals per row, and the LUTs that it counted."""

    rows: Ints
    used: Ints
    luts: float


@dataclass(frozen=True, slots=True)
class _Problem:
    builder: Builder
    sources: Sequence[int]
    weights: Matrix
    family: Family
    plan: Plan

    def centers(self) -> list[tuple[Matrix, Matrix] | None]:
        """What rows may be differences from: nothing, one of some centers, or the sum of all.

        With the sum of all inputs every correction has one sign, so that sums of unsigned inputs
        stay unsigned and their adders need no sign extension.
        """
        if not self.plan.center:
            return [None]
        found = find_centers(self.weights, np.random.default_rng(self.plan.seed), 8)
        if not found:
            return [None]
        unsigned = all(self.builder.types[s].lo >= 0 for s in self.sources)
        most = 6 if self.weights.size <= 1024 else 3 if self.weights.size <= 4096 else 1
        some: list[tuple[Matrix, Matrix] | None] = [*found[:most]]
        if unsigned and np.all(np.abs(self.weights) == 1):
            signs = np.where(self.weights.sum(axis=1) < 0, -1, 1)
            some.append((np.ones(len(self.sources), np.int64), signs))
            if self.weights.size > 8192:  # trying both would take long, and this one is smaller
                some = some[-1:]
        return some

    def run(self, center: tuple[Matrix, Matrix] | None, rounds: int, again: int) -> _Shared:
        weights, inputs, family = self.weights, len(self.sources), self.family
        rows, used = _start(weights, center)
        targets = len(weights) + (center is not None)
        lo, hi = _row_ranges(self.builder, self.sources, weights, center, len(rows))
        levels = np.zeros(inputs + len(rows), np.int64)
        levels[:inputs] = [self.builder.level[s] for s in self.sources]
        if center is not None:
            levels[inputs + targets - 1] = int(np.log(inputs) / np.log(3))
        settings = np.array([PATTERNS, POWER, EXACT, float(self.plan.cap)])
        slim = 1 if family.chain_passes else 0
        trace = np.zeros(2)
        heat = 8.0 + 0.003 * np.count_nonzero(weights)  # about an adder, more where there are many
        optimise(rows, used, lo, hi, levels, inputs, targets, settings, rounds,
                 min(0.3, 40.0 / targets), NOISE, heat, self.plan.seed + again,
                 family.adder_operands, slim, trace)  # fmt: skip
        return _Shared(rows, used, float(trace[1]))


def _start(weights: Matrix, center: tuple[Matrix, Matrix] | None) -> tuple[Ints, Ints]:
    """Rows of literals: the digits of each row, or of its difference from the center."""
    count, inputs = weights.shape
    residue = [np.asarray(row) for row in weights]
    if center is not None:
        residue = [r - s * center[0] for r, s in zip(residue, center[1], strict=True)]
        residue.append(center[0])
    found: list[list[int]] = []
    for j, row in enumerate(residue):
        line = [
            literal(int(k), shift, negate)
            for k in np.flatnonzero(row)
            for shift, negate in digits(int(row[k]))
        ]
        if center is not None and j < count and center[1][j]:
            line.append(literal(inputs + count, 0, center[1][j] < 0))
        found.append(line)
    longest = max(len(line) for line in found)
    total = sum(len(line) for line in found)
    rows, used = empty_rows(len(found) + total // 2 + 16, longest + 40)
    for j, line in enumerate(found):
        rows[j, : len(line)] = line
        used[j] = len(line)
    return rows, used


def _row_ranges(
    builder: Builder, sources: Sequence[int], weights: Matrix,
    center: tuple[Matrix, Matrix] | None, room: int,
) -> tuple[Ints, Ints]:  # fmt: skip
    inputs = len(sources)
    lo, hi = np.zeros(inputs + room, np.int64), np.zeros(inputs + room, np.int64)
    lo[:inputs] = [builder.types[s].lo for s in sources]
    hi[:inputs] = [builder.types[s].hi for s in sources]
    every = weights if center is None else np.vstack([weights, center[0]])
    up, down = np.maximum(every, 0), np.minimum(every, 0)
    lo[inputs : inputs + len(every)] = up @ lo[:inputs] + down @ hi[:inputs]
    hi[inputs : inputs + len(every)] = up @ hi[:inputs] + down @ lo[:inputs]
    return lo, hi


def _build(
    builder: Builder, sources: Sequence[int], rows: Ints, used: Ints, count: int, family: Family,
    depth: int | None,
) -> list[Term | None]:  # fmt: skip
    """The rows as adders in the builder, in the order in which they need each other."""
    inputs = len(sources)
    made: dict[int, Term | None] = {k: Term(source) for k, source in enumerate(sources)}

    def needed(row: int) -> list[int]:
        return [int(code) for code in rows[row, : used[row]]]

    for target in range(inputs, inputs + count):
        stack = [target]
        while stack:
            source = stack[-1]
            missing = {c >> 8 for c in needed(source - inputs) if c >> 8 not in made}
            if source in made:
                stack.pop()
            elif missing:
                stack.extend(sorted(missing))
            else:
                parts = [_term(made[c >> 8], c) for c in needed(source - inputs)]
                # The center, which rows wait for, is as shallow as it can be.
                limit = 0 if source == inputs + count else depth
                total = add_up(builder, [p for p in parts if p is not None], 0, family, limit)
                made[source] = total
                stack.pop()
    return [made[inputs + j] for j in range(count)]


def _term(base: Term | None, code: int) -> Term | None:
    if base is None:
        return None
    return Term(base.source, base.shift + ((code >> 1) & 127), base.negate != bool(code & 1))
