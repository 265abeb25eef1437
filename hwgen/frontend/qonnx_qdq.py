"""Rows of ONNX's own quantization: QuantizeLinear and DequantizeLinear."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from hwgen.errors import ModelError
from hwgen.frontend.qonnx_call import Call
from hwgen.frontend.qonnx_file import Array
from hwgen.frontend.qonnx_quant import MAX_ALPHABET_BITS, products
from hwgen.frontend.qonnx_table import row
from hwgen.frontend.qonnx_value import Coded, Constant, Quantized, Value
from hwgen.ir.types import Alphabet
from hwgen.ops.affine import RealAffine, constants

_SMALL = {"uint4": (0, 15), "int4": (-8, 7), "uint2": (0, 3), "int2": (-2, 1)}


@row("QuantizeLinear")
def quantize_linear(call: Call) -> Value:
    """Integer codes that wait for the DequantizeLinear (or a Clip) behind them."""
    value = call.value(0)
    dtype = call.array(2, "the zero point").dtype if call.given(2) else np.dtype(np.uint8)
    lo, hi = _limits(call, dtype)
    shape = value.values.shape if isinstance(value, Constant) else (1, *value.shape)
    scale, zero = _per_axis(call, shape)
    if (scale <= 0).any():
        raise ModelError("a quantizer's scale must be positive", origin=call.node.origin)
    if isinstance(value, Constant):
        data = call.array(0).astype(np.float32)
        codes = np.clip(np.rint(data / scale) + zero, lo, hi)
        return Constant(np.asarray(codes).astype(dtype))
    x = call.elements(0)
    step = constants(call.per_channel(scale, x, "the scale"))
    zeros = tuple(int(z) for z in call.per_channel(zero, x, "the zero point"))
    return Coded(x, step, zeros, lo, hi)


@row("DequantizeLinear")
def dequantize_linear(call: Call) -> Value:
    value = call.value(0)
    if isinstance(value, Constant):
        return _dequantized(call, value.values)
    if isinstance(value, Coded):
        x = value.source
        scale, zero = _per_axis(call, (1, *x.shape))
        step = constants(call.per_channel(scale, x, "the scale"))
        zeros = constants(call.per_channel(zero, x, "the zero point"))
        same = (step, zeros) == (value.step, tuple(Fraction(z) for z in value.zero))
        if same:
            return call.dequantized(value)
        coded = call.codes(value)
    else:
        coded = call.elements(0)
        scale, zero = _per_axis(call, (1, *coded.shape))
        step = constants(call.per_channel(scale, coded, "the scale"))
        zeros = constants(call.per_channel(zero, coded, "the zero point"))
    return call.emit(RealAffine, coded, scale=step, offset=products(step, zeros))


def _dequantized(call: Call, codes: Array) -> Constant:
    lo, hi = _limits(call, codes.dtype)
    scale, zero = _per_axis(call, codes.shape)
    levels = codes.astype(np.int64) - zero.astype(np.int64)
    wide = hi - lo >= 1 << MAX_ALPHABET_BITS
    alphabet = (
        Alphabet.of(levels)
        if wide
        else Alphabet(tuple(range(lo - int(zero.max()), hi - int(zero.min()) + 1)))
    )
    values = np.asarray(levels * scale, dtype=np.float32)
    return Constant(values, Quantized(levels, scale.astype(np.float64), alphabet))


def _limits(call: Call, dtype: np.dtype[Any]) -> tuple[int, int]:
    """The least and greatest code of an element type, 4-bit ones included."""
    if dtype.name in _SMALL:
        return _SMALL[dtype.name]
    if dtype.kind not in "iu":
        call.unsupported(f"the codes must be integers, not {dtype}")
    info = np.iinfo(dtype)
    return int(info.min), int(info.max)


def _per_axis(call: Call, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Scale and zero point, shaped to broadcast: one value, or one per index of ``axis``."""
    scale = call.array(1, "the scale").astype(np.float32)
    zero = call.array(2, "the zero point") if call.given(2) else np.zeros(scale.shape, np.int8)
    if call.attribute("block_size", 0):
        call.unsupported("scales must be per tensor or per axis, not per block")
    if scale.size == 1 and zero.size == 1:
        return scale.reshape(1), zero.astype(np.float32).reshape(1)
    axis = call.attribute("axis", 1)
    axis += len(shape) if axis < 0 else 0
    if not axis < len(shape) or scale.shape != (shape[axis],) or zero.shape != scale.shape:
        call.unsupported(f"scale {scale.shape} must have one value per index of axis {axis}")
    spread = tuple(-1 if i == axis else 1 for i in range(len(shape)))
    return scale.reshape(spread), zero.astype(np.float32).reshape(spread)
