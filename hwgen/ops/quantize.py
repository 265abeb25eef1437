"""Activation quantizers: where real functions become integer thresholds, tables or
multiply-and-shift."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import cast

from hwgen.errors import ModelError, UnsupportedError
from hwgen.inttype import IntType
from hwgen.ir.meaning import HostValue, Meaning, RealValue
from hwgen.ir.node import Node
from hwgen.ir.real import Lowering, RealNode
from hwgen.ir.types import IntArray
from hwgen.ops.input import Encoding, Input
from hwgen.ops.lookup import Lookup
from hwgen.ops.monotone import Rule, Step, StepFunction, step_function
from hwgen.ops.requantize import Requantize, find_multiplier
from hwgen.ops.threshold import Threshold

MAX_THRESHOLDS = 15
MAX_TABLE = 1 << 16


@dataclass(frozen=True, kw_only=True)
class RealQuantize(RealNode):
    """A uniform quantizer: ``code = clip(round(x/step) + zero_point, lo, hi)``, ``x̂ = (code −
    zero_point)·step``. One that changes no value that can occur makes no hardware.

    ``step`` and ``zero_point`` hold one value or one per channel. ``rounding`` is a key of
    ``ops.monotone.ROUNDINGS``: ``half_even``, ``half_up``, ``floor``, ``toward_zero``, …
    """

    step: tuple[Fraction, ...]
    zero_point: tuple[int, ...] = (0,)
    lo: int
    hi: int
    rounding: str = "half_even"

    @property
    def levels(self) -> int:
        return self.hi - self.lo

    def lower(self, target: Lowering, *inputs: RealValue) -> RealValue:
        (x,) = inputs
        if any(s <= 0 for s in self.step):
            raise ModelError(
                f"a quantizer's step must be positive, not {float(min(self.step))}",
                origin=self.origin,
                hint="train longer, or fix the step with step=…",
            )
        if isinstance(x, HostValue):
            encoding = Encoding(
                x.functions, self.step, self.zero_point, self.lo, self.hi, rounding=self.rounding
            )
            return self._meaning(target, _input(target, self, x, encoding))
        steps, zeros = x.permuted(self.step), x.permuted(self.zero_point)
        same = replace(self, step=steps, zero_point=zeros)
        rules = tuple(Step(s, z, self.lo, self.hi, self.rounding) for s, z in _zipped(steps, zeros))
        if _unchanged(x, rules):
            return x
        return same._meaning(target, quantized(target, self, x, rules), x.order)

    def _meaning(self, target: Lowering, node: Node, order: IntArray | None = None) -> Meaning:
        kind = target.add(node)
        pairs = _zipped(self.step, self.zero_point)
        offset = tuple(-s * z for s, z in pairs)
        meaning = Meaning(node.name, kind, self.step, offset, order=order)
        target.note(node.name, meaning)
        return meaning


@dataclass(frozen=True, kw_only=True)
class RealSign(RealNode):
    """A binary activation: ``scale`` where ``x ≥ 0``, else ``−scale``; the code is 1 or 0."""

    scale: Fraction = Fraction(1)

    @property
    def levels(self) -> int:
        return 1

    def lower(self, target: Lowering, *inputs: RealValue) -> RealValue:
        (x,) = inputs
        if self.scale <= 0:
            text = f"a binary activation's scale must be positive, not {float(self.scale)}"
            raise ModelError(text, origin=self.origin)
        if isinstance(x, HostValue):
            encoding = Encoding(x.functions, (Fraction(1),), (0,), 0, 1, sign=True)
            node: Node = _input(target, self, x, encoding)
            order = None
        else:
            rule = Step(Fraction(1), 1, 0, 1, "floor")  # floor(x) + 1 ≥ 1 exactly where x ≥ 0
            node, order = quantized(target, self, x, (rule,)), x.order
        kind = target.add(node)
        meaning = Meaning(node.name, kind, (2 * self.scale,), (-self.scale,), order=order)
        target.note(node.name, meaning)
        return meaning


def _unchanged(x: Meaning, rules: tuple[Step, ...]) -> bool:
    """Whether all reachable values lie on the quantizer's grid already, inside its range."""
    if x.functions:
        return False
    alike = len(x.type.ranges) == len(x.scale) == len(x.offset) == len(rules) == 1
    for c in range(1 if alike else x.type.channels):
        rule, kind = rules[c if len(rules) > 1 else 0], x.type.channel(c)
        codes = [x.at(n, c) / rule.step + rule.zero_point for n in (kind.lo, kind.hi)]
        whole = all(v.denominator == 1 for v in (*codes, x.scale_at(c) / rule.step))
        if not whole or min(codes) < rule.lo or max(codes) > rule.hi:
            return False
    return True


def _zipped(steps: tuple[Fraction, ...], zeros: tuple[int, ...]) -> list[tuple[Fraction, int]]:
    count = max(len(steps), len(zeros))
    return list(zip(steps * (count // len(steps)), zeros * (count // len(zeros)), strict=True))


def _input(target: Lowering, node: RealNode, x: HostValue, encoding: Encoding) -> Input:
    return Input(
        name=node.name,
        shape=x.shape,
        lo=encoding.lo,
        hi=encoding.hi,
        encoding=encoding,
        channels_last=x.channels_last,
        origin=node.origin,
    )


def quantized(target: Lowering, node: RealNode, x: Meaning, rules: tuple[Rule, ...]) -> Node:
    """The integer node that gives the quantizer's code for every reachable integer of ``x``.

    ``rules`` holds one quantizer or one per channel (in stream order). Monotone functions become a
    ``Threshold`` of at most 15 levels, else a proved ``Requantize``, else a ``Threshold``; others
    become a ``Lookup``.
    """
    if all(isinstance(rule, Step) for rule in rules):
        steps = cast("tuple[Step, ...]", rules)

        def distance(integer: int, channel: int) -> Fraction:
            rule = steps[channel if len(steps) > 1 else 0]
            return rule.distance(x.at(integer, channel))

        target.boundary(node.name, distance)
    channels = x.type.channels
    alike = len(x.type.ranges) == len(x.scale) == len(x.offset) == len(rules) == 1
    if alike and all(_uniform(f) for f in x.functions):
        channels = 1
    common = {"name": node.name, "inputs": (x.value,), "origin": node.origin}
    if not all(f.monotone for f in x.functions):
        return _table(x, rules, channels, node, common)
    functions = [
        step_function(x, c, rules[c if len(rules) > 1 else 0], x.type.channel(c))
        for c in range(channels)
    ]
    levels = max(f.levels for f in functions)
    if levels > MAX_THRESHOLDS:
        requantize = find_multiplier(functions, [x.type.channel(c) for c in range(channels)])
        if requantize is not None:
            return Requantize(**requantize, **common)  # type: ignore[arg-type]
        small = max(x.type.channel(c).size for c in range(channels)) <= 4 * levels
        if small:
            return _table(x, rules, channels, node, common)
    return _threshold(functions, common)


def _uniform(function: object) -> bool:
    return all(len(v) == 1 for v in vars(function).values() if isinstance(v, tuple))


def _threshold(functions: list[StepFunction], common: dict[str, object]) -> Threshold:
    base = min(f.base for f in functions)
    top = max(f.base + f.levels for f in functions)
    rows = [f.padded(base, top) for f in functions]
    return Threshold(
        thresholds=IntArray(rows),
        descending=tuple(f.descending for f in functions),
        base=base,
        **common,  # type: ignore[arg-type]
    )


def _table(
    x: Meaning, rules: tuple[Rule, ...], channels: int, node: RealNode, common: dict[str, object]
) -> Lookup:
    hull = IntType.hull(x.type.channel(c) for c in range(channels))
    if hull.size > MAX_TABLE:
        raise UnsupportedError(
            f"a function that is not monotone must have at most {MAX_TABLE} inputs, not "
            f"{hull.size}",
            origin=node.origin,
            hint="put a quantizer of at most 16 bits before it",
        )
    rows = [
        [rules[c if len(rules) > 1 else 0].code(x.at(n, c)) for n in range(hull.lo, hull.hi + 1)]
        for c in range(channels)
    ]
    return Lookup(table=IntArray(rows), start=hull.lo, **common)  # type: ignore[arg-type]
