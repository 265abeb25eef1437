"""Rows of PyTorch's own quantization: the QDQ operators of PT2E and torchao in exported programs.

Meanings are those of torch/ao/quantization/fx/_decomposed.py and torchao's quant_primitives.py:
``q = clamp(round(x·(1/scale)) + zero_point, quant_min, quant_max)``, rounding half to even, and
``x̂ = (q − zero_point)·scale``.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from hwgen.errors import ModelError
from hwgen.frontend.call import Array, Call, Codes, Real, Rows
from hwgen.frontend.torch_ops import HINTS, MAX_BITS, row
from hwgen.ir.types import Alphabet, IntArray
from hwgen.ops.affine import RealAffine, constants
from hwgen.ops.linear import Weight
from hwgen.ops.quantize import RealQuantize

_ONE = (Fraction(1),)
_STATIC = "quantize statically, with scales that calibration or training found (is_dynamic=False)"
_PER_CHANNEL = "use one scale for the tensor, or one per channel"
_MAX_ALPHABET = 1 << 8

HINTS.update(
    {
        "quantized_decomposed.choose_qparams": _STATIC,
        "quantized_decomposed.choose_qparams_symmetric": _STATIC,
        "quantized_decomposed.choose_qparams_per_token": _STATIC,
        "quantized_decomposed.choose_qparams_per_token_asymmetric": _STATIC,
        "quantized_decomposed.quantize_per_token": _STATIC,
        "quantized_decomposed.dequantize_per_token": _STATIC,
        "quantized_decomposed.quantize_per_channel_group": _PER_CHANNEL,
        "quantized_decomposed.dequantize_per_channel_group": _PER_CHANNEL,
        "torchao.choose_qparams_affine": _STATIC,
    }
)


@dataclass(frozen=True, slots=True)
class Parameters:
    """Scale and zero point, one or one per index of ``axis``, and the range of the codes.

    ``scale`` is in the type in which the program holds it, ``axis`` counts the batch.
    """

    scale: Array
    zero: Array
    axis: int
    lo: int
    hi: int

    def along(self, values: Array, ndim: int) -> Array:
        """Scale or zero point, shaped to broadcast over ``ndim`` axes."""
        return values.reshape([-1 if i == self.axis else 1 for i in range(ndim)])


@row(
    "quantized_decomposed.quantize_per_tensor.default",
    "quantized_decomposed.quantize_per_tensor.tensor",
    "quantized_decomposed.quantize_per_tensor.tensor2",
    "quantized_decomposed.quantize_per_channel.default",
    "torchao.quantize_affine.default",
)
def quantize(call: Call) -> Rows:
    """Codes, which wait for the operator that scales them back; of a constant, computed here."""
    value = call.argument("input")
    found = _parameters(call)
    if isinstance(value, np.ndarray):
        return _codes(call, found)
    x = call.real("input")
    if found.hi - found.lo >= 1 << MAX_BITS:
        call.unsupported(f"a quantizer must have at most {MAX_BITS} bits, not {call.raw('dtype')}")
    _check_channels(call, x, found)
    steps = constants(found.scale)
    affine = RealAffine(scale=tuple(1 / s for s in steps), **call.common(x))
    scaled = call.emit(affine, x.shape, "_scaled")
    node = RealQuantize(
        step=_ONE,
        zero_point=tuple(int(z) for z in found.zero),
        lo=found.lo,
        hi=found.hi,
        **call.common(scaled),
    )
    return Codes(call.emit(node, x.shape), node.zero_point)


@row(
    "quantized_decomposed.dequantize_per_tensor.default",
    "quantized_decomposed.dequantize_per_tensor.tensor",
    "quantized_decomposed.dequantize_per_tensor.tensor2",
    "quantized_decomposed.dequantize_per_channel.default",
    "torchao.dequantize_affine.default",
)
def dequantize(call: Call) -> Rows:
    """What codes stand for: a tensor of the network, a weight, or a constant such as a bias."""
    value = call.argument("input")
    found = _parameters(call)
    if isinstance(value, np.ndarray):
        return _weight(call, value, found)
    if not isinstance(value, Codes):
        call.unsupported("only integer codes can be dequantized")
    _check_channels(call, value.source, found)
    scale = constants(found.scale)
    zeros = [value.zero, tuple(int(z) for z in found.zero)]
    count = max(len(scale), *(len(z) for z in zeros))
    shifts = [a - b for a, b in zip(*(z * (count // len(z)) for z in zeros), strict=True)]
    offset = [s * n for s, n in zip(scale * (count // len(scale)), shifts, strict=True)]
    return RealAffine(scale=scale, offset=tuple(offset), **call.common(value.source))


def _weight(call: Call, codes: Array, found: Parameters) -> Weight | Array:
    """A constant with two axes or more as a weight, a vector as its values."""
    if codes.dtype.kind not in "iu" or codes.min() < found.lo or codes.max() > found.hi:
        raise ModelError(
            f"the codes must be integers from {found.lo} to {found.hi}", origin=call.node.origin
        )
    zero, scale = (found.along(values, codes.ndim) for values in (found.zero, found.scale))
    levels = codes.astype(np.int64) - zero
    if codes.ndim < 2:
        return np.asarray(levels * scale.astype(np.float32), dtype=np.float32)
    if found.scale.size > 1 and found.axis:
        call.unsupported(
            f"a weight must have one scale per output channel (axis 0), not per axis {found.axis}"
        )
    if found.hi - found.lo < _MAX_ALPHABET:
        span = range(found.lo - int(found.zero.max()), found.hi - int(found.zero.min()) + 1)
        alphabet = Alphabet(tuple(span))
    else:
        alphabet = Alphabet.of(levels)
    return Weight(IntArray(levels), alphabet, constants(found.scale))


def _codes(call: Call, found: Parameters) -> Array:
    """The codes of a constant, as torch computes them in float32."""
    data = call.required("input")
    scale = np.asarray(1.0 / found.scale).astype(np.float32)
    scaled = np.rint(data.astype(np.float32) * found.along(scale, data.ndim))
    codes = np.clip(scaled + found.along(found.zero, data.ndim), found.lo, found.hi)
    return np.asarray(codes).astype(np.int64)


def _parameters(call: Call) -> Parameters:
    affine = call.node.target.startswith("torchao.")
    lo, hi = _limits(call, "input_dtype" if "dequantize" in call.node.target else "output_dtype")
    scale = _vector(call, "scale", "scales")
    zero = _vector(call, "zero_point", "zero_points", default=0)
    if (scale <= 0).any():
        raise ModelError("a quantizer's scale must be positive", origin=call.node.origin)
    if (zero != np.rint(zero)).any():
        call.unsupported("a zero point must be an integer")
    axis = _block_axis(call) if affine else call.integer("axis", 0)
    axis += len(call.type.shape) if axis < 0 else 0
    if zero.size not in (1, scale.size) or not 0 <= axis < len(call.type.shape):
        call.unsupported(f"{zero.size} zero points and {scale.size} scales along axis {axis}")
    return Parameters(scale, zero.astype(np.int64), axis, lo, hi)


def _vector(call: Call, *keys: str, default: int | None = None) -> Array:
    """A number, or a constant tensor flattened; numbers are float64, as Python has them."""
    for key in keys:
        if isinstance(call.argument(key), np.ndarray):
            found = call.required(key).ravel()
            return found if found.size else np.zeros(1)
        if call.raw(key) is not None:
            return np.array([call.number(key)])
    if default is None:
        call.unsupported(f"{keys[0]} must be constant", _STATIC)
    return np.array([default])


def _limits(call: Call, dtype_key: str) -> tuple[int, int]:
    """The least and greatest code: as given, else those of the integer type."""
    dtype = call.raw("dtype", call.raw(dtype_key))
    bounds = []
    for key, side in (("quant_min", "min"), ("quant_max", "max")):
        if isinstance(call.argument(key), np.ndarray):
            bounds.append(int(call.single(key).item()))
        elif call.raw(key) is not None:
            bounds.append(int(call.number(key)))
        elif isinstance(dtype, str) and np.dtype(dtype).kind in "iu":
            bounds.append(int(getattr(np.iinfo(dtype), side)))
        else:
            call.unsupported(f"codes must be integers, not {dtype}")
    return bounds[0], bounds[1]


def _block_axis(call: Call) -> int:
    """The axis along which torchao's blocks are one element thick; 0 where one block is all.

    A block is the part of the tensor that shares a scale (``block_size``, one size per axis).
    """
    size = call.raw("block_size")
    if not isinstance(size, tuple) or len(size) != len(call.type.shape):
        call.unsupported(f"a block must have a size per axis, not {size}")
    split = [i for i, n in enumerate(call.type.shape) if size[i] not in (n, -1)]
    if len(split) > 1 or any(size[i] != 1 for i in split):
        call.unsupported(
            f"blocks of {size} in a tensor of {call.type.shape} must be one channel each, or all",
            _PER_CHANNEL,
        )
    return split[0] if split else 0


def _check_channels(call: Call, x: Real, found: Parameters) -> None:
    """Of a tensor of the network, channels alone may have scales of their own."""
    several = max(found.scale.size, found.zero.size) > 1
    if several and (found.axis != 1 or found.scale.size != x.shape[0]):
        call.unsupported(
            f"{found.scale.size} scales along axis {found.axis} must be one per channel (axis 1)",
            _PER_CHANNEL,
        )
