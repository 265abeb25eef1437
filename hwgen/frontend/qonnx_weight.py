"""Constant weights of the file as integer levels and an exact scale per output channel."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from hwgen.frontend.qonnx_call import Call
from hwgen.frontend.qonnx_file import Array
from hwgen.frontend.qonnx_value import Constant, Quantized
from hwgen.ir.meaning import common_scale, exact
from hwgen.ir.types import Alphabet, IntArray
from hwgen.ops.linear import Weight

MAX_LEVEL = 1 << 15
_MAX_DISTINCT = 1 << 16


def weight_of(call: Call, constant: Constant, axes: tuple[int, ...]) -> Weight:
    """The weight, its axes in the order (out, in, …) that ``axes`` give.

    Raises:
        UnsupportedError: values that are no multiples, up to 2^15, of a step per output channel.
    """
    quantized = constant.quantized
    if quantized is not None:
        moved = quantized.mapped(lambda a: np.transpose(a, axes))
        found = _per_output(moved)
        if found is not None:
            return found
        values = [exact(s) for s in np.unique(moved.step)]
        return _weight(call, _rescaled(call, moved, values))
    return _weight(call, _lattice(call, np.transpose(constant.values, axes)))


def _per_output(weight: Quantized) -> Weight | None:
    """With the quantizer's own steps, where each output channel has one."""
    steps = weight.step.reshape(len(weight.step), -1)
    if (steps != steps[:, :1]).any() or (steps == 0).any():
        return None
    scale = tuple(exact(s) for s in steps[:, 0])
    levels = IntArray(weight.levels)
    return Weight(levels, weight.alphabet, scale[:1] if len(set(scale)) == 1 else scale)


def _rescaled(call: Call, weight: Quantized, steps: list[Fraction]) -> tuple[Array, Fraction]:
    """One step for all, where the steps differ inside an output channel."""
    unit = common_scale([s for s in steps if s] or [Fraction(1)])
    factors = {float(s): s / unit for s in steps}
    if max(factors.values()) * int(np.abs(weight.levels).max(initial=1)) > MAX_LEVEL:
        _refuse(call)
    lookup = {key: int(value) for key, value in factors.items()}
    spread = np.vectorize(lookup.__getitem__, otypes=[np.int64])(weight.step)
    return weight.levels * spread, unit


def _lattice(call: Call, values: Array) -> tuple[Array, Fraction]:
    """Plain numbers as multiples of their greatest common step."""
    distinct = np.unique(values)
    if distinct.size > _MAX_DISTINCT:
        _refuse(call)
    exact_values = {float(v): exact(v) for v in distinct}
    nonzero = [v for v in exact_values.values() if v]
    unit = abs(common_scale(nonzero)) if nonzero else Fraction(1)
    if max((abs(v) for v in nonzero), default=Fraction(0)) / unit > MAX_LEVEL:
        _refuse(call)
    table = {float(v): int(e / unit) for v, e in exact_values.items()}
    return np.vectorize(table.__getitem__, otypes=[np.int64])(values.astype(np.float64)), unit


def _weight(call: Call, found: tuple[Array, Fraction]) -> Weight:
    levels, unit = found
    return Weight(IntArray(levels), Alphabet.of(levels), (unit,))


def _refuse(call: Call) -> None:
    call.unsupported(
        f"the weight must be quantized: its values are no multiples, up to {MAX_LEVEL}, "
        "of one step per output channel",
        "put a Quant, BipolarQuant or DequantizeLinear node behind the weight",
    )
