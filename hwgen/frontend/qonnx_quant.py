"""Rows of QONNX's quantizers and FINN's thresholds.

Meanings are those of QONNX's executor (qonnx 1.0, custom_op/general).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from hwgen.errors import ModelError
from hwgen.frontend.qonnx_call import Call
from hwgen.frontend.qonnx_table import row
from hwgen.frontend.qonnx_value import Constant, Quantized, Real, Value
from hwgen.ir.meaning import exact
from hwgen.ir.types import Alphabet, Ints
from hwgen.ops.affine import RealAffine, constants
from hwgen.ops.input import ROUND
from hwgen.ops.levels import RealThresholds, RealTruncate
from hwgen.ops.quantize import RealQuantize, RealSign

MAX_BITS = 32
MAX_ALPHABET_BITS = 8
ROUNDINGS = {
    "ROUND": "half_even",
    "HALF_EVEN": "half_even",
    "CEIL": "ceil",
    "FLOOR": "floor",
    "UP": "away_from_zero",
    "DOWN": "toward_zero",
    "ROUND_TO_ZERO": "toward_zero",
    "HALF_UP": "half_away_from_zero",
    "HALF_DOWN": "half_toward_zero",
}
"""QONNX's names: UP and DOWN are away from zero and towards it."""

_SHIFT_INVARIANT = ("floor", "ceil", "half_up")


@dataclass(frozen=True, slots=True)
class _Codes:
    """What a Quant node's integers are: their range, rounding, and whether they are only ±1."""

    lo: int
    hi: int
    rounding: str
    bipolar: bool


@row("qonnx.Quant", "qonnx.IntQuant")
def quant(call: Call) -> Value:
    codes = _codes(call)
    value = call.value(0)
    if isinstance(value, Constant):
        return _constant(call, call.constant(0), codes)
    x = call.elements(0)
    steps = call.rationals(1, x, "the scale")
    zeros = call.rationals(2, x, "the zero point")
    if any(s == 0 for s in steps):
        raise ModelError("a quantizer's scale must not be zero", origin=call.node.origin)
    if codes.bipolar:
        return _bipolar(call, x, steps, zeros)
    if all(s > 0 for s in steps) and _plain(zeros, codes.rounding):
        return call.emit(
            RealQuantize,
            x,
            step=steps,
            zero_point=tuple(int(z) for z in zeros),
            lo=codes.lo,
            hi=codes.hi,
            rounding=codes.rounding,
        )
    inverse = tuple(1 / s for s in steps)
    scaled = call.emit(RealAffine, x, suffix="_scaled", scale=inverse, offset=zeros)
    coded = call.emit(
        RealQuantize,
        scaled,
        step=(Fraction(1),),
        lo=codes.lo,
        hi=codes.hi,
        rounding=codes.rounding,
    )
    return call.emit(RealAffine, coded, suffix="_value", scale=steps, offset=products(steps, zeros))


def _plain(zeros: tuple[Fraction, ...], rounding: str) -> bool:
    """Whether ``round(v + z) = round(v) + z`` for each zero point z and all v."""
    if any(z.denominator != 1 for z in zeros):
        return False
    even = rounding == "half_even" and all(z % 2 == 0 for z in zeros)
    return even or rounding in _SHIFT_INVARIANT or not any(zeros)


def products(steps: tuple[Fraction, ...], zeros: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
    """``−step·zero``, one or one per channel: what the code 0 stands for."""
    count = max(len(steps), len(zeros))
    pairs = zip(steps * (count // len(steps)), zeros * (count // len(zeros)), strict=True)
    return tuple(-s * z for s, z in pairs)


def _bipolar(call: Call, x: Real, steps: tuple[Fraction, ...], zeros: tuple[Fraction, ...]) -> Real:
    """±1 where x/s + z ≥ 0 or not, then ``(±1 − z)·s``: QONNX's Quant of one signed bit."""
    if any(zeros) or any(s < 0 for s in steps):
        inverse = tuple(1 / s for s in steps)
        x = call.emit(RealAffine, x, suffix="_scaled", scale=inverse, offset=zeros)
    return _signed(call, x, steps, products(steps, zeros))


def _signed(call: Call, x: Real, steps: tuple[Fraction, ...], offset: tuple[Fraction, ...]) -> Real:
    if len(steps) == 1 and steps[0] > 0 and not any(offset):
        return call.emit(RealSign, x, scale=steps[0])
    sign = call.emit(RealSign, x)
    return call.emit(RealAffine, sign, suffix="_value", scale=steps, offset=offset)


def _codes(call: Call) -> _Codes:
    bits = call.number(3, "the bit width")
    signed, narrow = bool(call.attribute("signed", 1)), bool(call.attribute("narrow", 0))
    mode = call.attribute("rounding_mode", "ROUND").upper()
    if mode not in ROUNDINGS:
        call.unsupported(f"the rounding mode must be one of {', '.join(ROUNDINGS)}, not {mode}")
    if bits.denominator != 1 or not 1 <= bits <= MAX_BITS:
        call.unsupported(
            f"the bit width must be a whole number from 1 to {MAX_BITS}, not {float(bits):g}",
            "round learned bit widths before exporting",
        )
    lo, hi = _range(int(bits), signed, narrow)
    return _Codes(lo, hi, ROUNDINGS[mode], bits == 1 and signed)


def _range(bits: int, signed: bool, narrow: bool) -> tuple[int, int]:
    """The least and greatest code (qonnx: min_int and max_int)."""
    if signed:
        return -(1 << (bits - 1)) + narrow, (1 << (bits - 1)) - 1
    return 0, (1 << bits) - 1 - narrow


def _constant(call: Call, source: Constant, codes: _Codes) -> Constant:
    """A quantized constant, in float32 as the executor computes it."""
    scale, zero = (call.array(i).astype(np.float32) for i in (1, 2))
    x = source.values.astype(np.float32)
    try:
        same = np.broadcast_shapes(x.shape, scale.shape, zero.shape) == x.shape
    except ValueError:
        same = False
    if not same or (scale == 0).any():
        call.unsupported(
            f"scale {scale.shape} and zero point {zero.shape} must broadcast to {x.shape} "
            "and not be zero"
        )
    real = x / scale + zero
    if codes.bipolar:
        rounded = np.where(real >= 0, np.float32(1), np.float32(-1))
    else:
        rounded = ROUND[codes.rounding](np.clip(real, codes.lo, codes.hi))
    values = np.asarray((rounded - zero) * scale, dtype=np.float32)
    if (zero != np.rint(zero)).any():
        return Constant(values)
    levels = (rounded - zero).astype(np.int64)
    zeros = {int(z) for z in np.unique(zero)}
    alphabet = _alphabet(codes, zeros, levels)
    return Constant(values, Quantized(levels, scale.astype(np.float64), alphabet))


def _alphabet(codes: _Codes, zeros: set[int], levels: Ints) -> Alphabet:
    """The levels that the quantizer can give; of wide ones, those that occur."""
    if codes.bipolar and zeros == {0}:
        return Alphabet((-1, 1))
    if codes.hi - codes.lo >= 1 << MAX_ALPHABET_BITS or codes.bipolar:
        return Alphabet.of(levels)
    return Alphabet(tuple(range(codes.lo - max(zeros), codes.hi - min(zeros) + 1)))


@row("qonnx.BipolarQuant")
def bipolar_quant(call: Call) -> Value:
    value = call.value(0)
    if isinstance(value, Constant):
        scale = call.array(1).astype(np.float32)
        levels = np.where(call.array(0) >= 0, 1, -1).astype(np.int64)
        values = np.asarray(levels * scale, dtype=np.float32)
        if values.shape != levels.shape:
            call.unsupported(f"the scale {scale.shape} must broadcast to {levels.shape}")
        quantized = Quantized(levels, scale.astype(np.float64), Alphabet((-1, 1)))
        return Constant(values, quantized)
    x = call.elements(0)
    steps = call.rationals(1, x, "the scale")
    if any(s == 0 for s in steps):
        raise ModelError("a quantizer's scale must not be zero", origin=call.node.origin)
    return _signed(call, x, steps, (Fraction(0),))


@row("qonnx.Trunc")
def trunc(call: Call) -> Real:
    """Both versions: five inputs keep the scale, six have one of their own and clip."""
    x = call.elements(0)
    scale, zero = call.number(1, "the scale"), call.number(2, "the zero point")
    mode = call.attribute("rounding_mode", "FLOOR").upper()
    if mode not in ROUNDINGS or scale <= 0:
        call.unsupported(f"the scale must be positive and the rounding known, not {mode}")
    if zero:
        offset = (zero * scale,)
        x = call.emit(RealAffine, x, suffix="_shifted", offset=offset)
    if call.given(5):
        return _trunc_scaled(call, x, scale, zero, ROUNDINGS[mode])
    drop = call.number(3, "the input's bit width") - call.number(4, "the output's bit width")
    if drop.denominator != 1 or not 0 <= drop <= MAX_BITS:
        call.unsupported(f"the bits to drop must be from 0 to {MAX_BITS}, not {float(drop):g}")
    return call.emit(
        RealTruncate,
        x,
        unit=scale,
        divisor=1 << int(drop),
        rounding=ROUNDINGS[mode],
        scale=scale,
        offset=-zero * scale,
    )


def _trunc_scaled(call: Call, x: Real, scale: Fraction, zero: Fraction, rounding: str) -> Real:
    out = call.number(4, "the output's scale")
    bits = call.number(5, "the output's bit width")
    if out <= 0 or bits.denominator != 1 or not 1 <= bits <= MAX_BITS:
        call.unsupported("the output's scale and bit width must be positive")
    drop = int(np.rint(np.log2(float(out / scale))))
    if not 0 <= drop <= MAX_BITS:
        call.unsupported(f"the bits to drop must be from 0 to {MAX_BITS}, not {drop}")
    signed, narrow = bool(call.attribute("signed", 1)), bool(call.attribute("narrow", 0))
    lo, hi = _range(int(bits), signed, narrow)
    return call.emit(
        RealTruncate,
        x,
        unit=scale,
        divisor=1 << drop,
        rounding=rounding,
        scale=out,
        offset=-zero / (1 << drop) * out,
        lo=lo,
        hi=hi,
    )


def _is_channel(x: Real, axis: int) -> bool:
    """Whether this axis of the file is the node's channels."""
    spread = np.arange(x.shape[axis]).reshape([-1 if i == axis else 1 for i in range(len(x.shape))])
    rows = x.native_order(np.broadcast_to(spread, x.shape)).reshape(x.native[0], -1)
    return bool((rows == np.arange(x.native[0])[:, None]).all())


@row("qonnx.MultiThreshold")
def multi_threshold(call: Call) -> Real:
    x = call.elements(0)
    rows = call.array(1, "the thresholds")
    if rows.ndim != 2 or rows.shape[0] not in (1, x.native[0]):
        call.unsupported(f"thresholds must be (1 or {x.native[0]}, levels), not {rows.shape}")
    layout = call.attribute("data_layout", "")
    usual = ("", "NC", "NCHW", "NCW")
    last = layout in ("NHWC", "NWC") or (len(x.shape) == 2 and not layout)
    if layout not in usual and not last:
        call.unsupported(f"the data layout must be known, not {layout}")
    axis = len(x.shape) - 1 if last else 0
    if rows.shape[0] > 1 and not _is_channel(x, axis):
        call.unsupported("thresholds must be those of channels")
    return call.emit(
        RealThresholds,
        x,
        thresholds=tuple(tuple(sorted(constants(r))) for r in rows),
        scale=exact(call.attribute("out_scale", 1.0)),
        offset=exact(call.attribute("out_bias", 0.0)),
    )
