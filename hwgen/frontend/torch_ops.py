"""The table of torch operators: one row each, giving the real node that means the same."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np

from hwgen.errors import ModelError
from hwgen.frontend.call import Call, Real, Rows, Transposed
from hwgen.ir.meaning import Clamp, exact
from hwgen.ir.types import Alphabet, IntArray
from hwgen.ops.add import RealAdd
from hwgen.ops.affine import RELU, RealAffine, RealFunction, RealIdentity, constants, hardtanh
from hwgen.ops.input import ROUND
from hwgen.ops.linear import RealLinear, Weight
from hwgen.ops.quantize import RealQuantize, RealSign
from hwgen.ops.reshape import RealReshape
from hwgen.ops.topk import RealTopK
from hwgen.ops.truth_table import RealTruthTable

MAX_BITS = 16
MOST_TABLE_BITS = 12

Row = Callable[[Call], Rows]
TABLE: dict[str, Row] = {}
"""Operator, such as ``aten.relu.default``, to its row."""

HINTS = {
    "aten.softmax": "leave the softmax to the host: it does not change which logit is largest",
    "aten.log_softmax": "leave it to the loss (cross_entropy) and the host",
    "aten.layer_norm": "use torch.nn.BatchNorm1d, whose statistics are constants",
    "aten.group_norm": "use torch.nn.BatchNorm2d, whose statistics are constants",
    "aten.instance_norm": "use torch.nn.BatchNorm2d, whose statistics are constants",
    "aten.round": "write the model with hwgen.save, which keeps each quantizer one operator",
    "aten.fake_quantize": "use the quantizers of hwgen.nn",
}
"""The nearest supported form of operators that have no row, by the operator's name."""


def row(*targets: str) -> Callable[[Row], Row]:
    """Enter a function in the table for these operators."""

    def enter(function: Row) -> Row:
        TABLE.update(dict.fromkeys(targets, function))
        return function

    return enter


@row("hwgen.weight.default")
def weight(call: Call) -> Weight:
    codes, scale = call.required("codes"), call.required("scale")
    levels = _levels(call)
    if codes.dtype.kind != "i" or codes.ndim < 2:
        call.unsupported(f"a weight's codes must be integers (out, in, …), not {codes.shape}")
    if not levels.holds(codes):
        raise ModelError(
            f"a weight's codes must be among its levels {levels}", origin=call.node.origin
        )
    rows = (len(codes),) + (1,) * (codes.ndim - 1)
    if scale.size != 1 and scale.shape != rows:
        call.unsupported(
            f"a weight's scale must be one value or one per output channel, not {scale.shape}"
        )
    return Weight(IntArray(codes), levels, constants(scale))


@row("hwgen.quantize.default")
def quantize(call: Call) -> RealQuantize:
    zero, rounding = call.single("zero_point").item(), call.raw("rounding")
    lo, hi = call.integer("lo"), call.integer("hi")
    if zero != int(zero) or lo > hi or rounding not in ROUND:
        call.unsupported(f"a quantizer cannot be {rounding}, {lo} to {hi}, zero point {zero}")
    if hi - lo >= 1 << MAX_BITS:
        call.unsupported(f"a quantizer must have at most {MAX_BITS} bits, not {lo} to {hi}")
    return RealQuantize(
        step=constants(call.single("step")),
        zero_point=(int(zero),),
        lo=lo,
        hi=hi,
        rounding=str(rounding),
        **call.common(call.real("x")),
    )


@row("hwgen.sign.default")
def sign(call: Call) -> RealSign:
    (scale,) = constants(call.single("scale"))
    return RealSign(scale=scale, **call.common(call.real("x")))


@row("hwgen.truth_table.default")
def truth_table(call: Call) -> RealTruthTable:
    x = call.real("x")
    connections, codes = call.required("connections"), call.required("codes")
    given = call.raw("levels")
    levels = [v for v in given if isinstance(v, int | float)] if isinstance(given, tuple) else []
    if len(levels) != 2 or not -math.inf < levels[0] < levels[1] < math.inf:
        call.unsupported(f"truth tables must have two ascending levels, not {given}")
    bits = connections.shape[1] if connections.ndim == 2 else 0
    if not 1 <= bits <= MOST_TABLE_BITS or codes.shape != (len(connections), 1 << bits):
        call.unsupported(f"a table of {bits} bits must have {1 << bits} entries, of "
                         f"1 to {MOST_TABLE_BITS} bits, not {codes.shape}")  # fmt: skip
    if not np.isin(codes, (0, 1)).all():
        call.unsupported("a truth table's entries must be 0 and 1")
    if connections.min() < 0 or connections.max() >= math.prod(x.shape):
        call.unsupported(f"a truth table must read inputs 0 to {math.prod(x.shape) - 1}")
    low, high = constants(levels)
    return RealTruthTable(
        connections=IntArray(connections), values=IntArray(codes), low=low, high=high,
        **call.common(x),
    )  # fmt: skip


@row("aten.linear.default")
def linear(call: Call) -> RealLinear:
    return RealLinear(
        weight=quantized_weight(call),
        bias=call.rationals("bias"),
        **call.common(call.real("input")),
    )


@row("aten.t.default", "aten.permute.default")
def transpose(call: Call) -> Transposed:
    """Of a weight matrix: how decomposed programs (run_decompositions) write linear layers."""
    value = call.argument("self")
    if not isinstance(value, Weight) or value.values.values.ndim != 2:
        call.unsupported(
            "only a weight matrix can be transposed, not a tensor of the network",
            "keep channels on axis 1",
        )
    if call.raw("dims", (1, 0)) not in ((1, 0), (-1, -2), (-1, 0), (1, -2)):
        call.unsupported("a weight matrix must have its two axes exchanged")
    return Transposed(value)


@row("aten.addmm.default", "aten.mm.default")
def product(call: Call) -> RealLinear:
    """``x·Wᵀ + bias``; addmm has the bias as ``self``."""
    matrix = call.argument("mat2")
    if not isinstance(matrix, Transposed):
        call.unsupported("the second matrix must be a quantized weight, transposed")
    if call.number("alpha", 1) != 1 or call.number("beta", 1) != 1:
        call.unsupported("alpha and beta must be 1")
    bias = "self" if call.node.target == "aten.addmm.default" else "bias"
    x = call.real("mat1") if bias == "self" else call.real("self")
    return RealLinear(weight=matrix.weight, bias=call.rationals(bias), **call.common(x))


@row("aten.batch_norm.default", "aten._native_batch_norm_legit_no_training.default")
def batch_norm(call: Call) -> RealAffine:
    x = call.real("input")
    mean, variance = call.per_feature("running_mean", x), call.per_feature("running_var", x)
    if mean is None or variance is None or call.raw("training", False):
        call.unsupported(
            "batch-norm must use its running statistics, not those of the batch",
            "save the model in eval mode, with track_running_stats=True",
        )
    eps = call.number("eps")
    least = variance.min() + eps
    if least <= 0:
        call.unsupported(
            f"batch-norm's variance + eps must be positive, not {variance.min() + eps}"
        )
    return RealAffine.batch_norm(
        **call.common(x),
        mean=mean,
        variance=variance,
        gamma=call.per_feature("weight", x),
        beta=call.per_feature("bias", x),
        eps=eps,
    )


@row("aten.relu.default", "aten.relu_.default")
def relu(call: Call) -> RealFunction:
    return RealFunction(function=RELU, **call.common(call.real("self")))


@row("aten.relu6.default", "aten.relu6_.default")
def relu6(call: Call) -> RealFunction:
    return RealFunction(function=hardtanh(0, 6), **call.common(call.real("self")))


@row("aten.hardtanh.default", "aten.hardtanh_.default")
def hard_tanh(call: Call) -> RealFunction:
    return _clamped(call, call.number("min_val", -1), call.number("max_val", 1))


@row("aten.clamp.default", "aten.clamp_.default")
def clamp(call: Call) -> RealFunction:
    lo, hi = call.raw("min"), call.raw("max")
    return _clamped(
        call,
        None if lo is None or lo == -np.inf else call.number("min"),
        None if hi is None or hi == np.inf else call.number("max"),
    )


@row(
    "aten.dropout.default",
    "aten.feature_dropout.default",
    "aten.alpha_dropout.default",
    "aten.dropout_.default",
)
def dropout(call: Call) -> RealIdentity:
    if call.raw("train", False):
        call.unsupported("dropout must be in eval mode", "call hwgen.save, which evaluates")
    return RealIdentity(**call.common(call.real("input", "self")))


@row(
    "aten.contiguous.default",
    "aten.clone.default",
    "aten.alias.default",
    "aten.detach.default",
    "aten.detach_.default",
    "aten.lift_fresh_copy.default",
)
def unchanged(call: Call) -> Rows:
    value = call.argument("self")
    assert value is not None, "these operators take a tensor"
    return value


@row(
    "aten.flatten.using_ints",
    "aten.view.default",
    "aten.reshape.default",
    "aten.unsqueeze.default",
    "aten.squeeze.dim",
    "aten.squeeze.dims",
    "aten.unflatten.int",
)
def reshape(call: Call) -> RealReshape:
    x = call.real("self")
    if int(np.prod(call.shape)) != int(np.prod(x.shape)):
        call.unsupported(
            "a reshape must keep the batch on axis 0",
            "use torch.flatten(x, 1) or x.view(x.shape[0], …)",
        )
    return RealReshape(shape=call.shape, **call.common(x))


@row("aten.add.Tensor", "aten.add_.Tensor", "aten.add.Scalar")
def add(call: Call) -> RealAdd | RealAffine:
    return _sum(call, call.number("alpha", 1))


@row("aten.sub.Tensor", "aten.sub_.Tensor", "aten.sub.Scalar")
def sub(call: Call) -> RealAdd | RealAffine:
    return _sum(call, -call.number("alpha", 1))


@row("aten.rsub.Scalar", "aten.rsub.Tensor")
def rsub(call: Call) -> RealAffine:
    x = call.real("self")
    offset = _operand(call, x)
    if call.number("alpha", 1) != 1 or isinstance(offset, Real):
        call.unsupported("a reversed subtraction must be of one tensor from a constant")
    return RealAffine(scale=(Fraction(-1),), offset=offset, **call.common(x))


@row("aten.neg.default")
def neg(call: Call) -> RealAffine:
    return RealAffine(scale=(Fraction(-1),), **call.common(call.real("self")))


@row("aten.mul.Tensor", "aten.mul_.Tensor", "aten.mul.Scalar")
def mul(call: Call) -> RealAffine:
    x, factor = _with_constant(call)
    return RealAffine(scale=factor, **call.common(x))


@row("aten.div.Tensor", "aten.div_.Tensor", "aten.div.Scalar")
def div(call: Call) -> RealAffine:
    x = call.real("self")
    divisor = _operand(call, x)
    if isinstance(divisor, Real) or 0 in divisor:
        call.unsupported("a divisor must be a constant other than zero")
    return RealAffine(scale=tuple(1 / d for d in divisor), **call.common(x))


@row("aten.argmax.default")
def argmax(call: Call) -> RealTopK:
    x = call.real("self")
    _check_features(call, x, call.raw("dim"))
    return RealTopK(k=1, **call.common(x))


@row("aten.max.dim")
def max_index(call: Call) -> tuple[None, RealTopK]:
    x = call.real("self")
    _check_features(call, x, call.raw("dim"))
    return None, RealTopK(k=1, **call.common(x))


@row("aten.topk.default")
def topk(call: Call) -> tuple[None, RealTopK]:
    x = call.real("self")
    _check_features(call, x, call.raw("dim", -1))
    if not (call.raw("largest", True) and call.raw("sorted", True)):
        call.unsupported("topk must be of the largest, sorted", "use largest=True, sorted=True")
    return None, RealTopK(k=call.integer("k"), **call.common(x))


def quantized_weight(call: Call) -> Weight:
    """The quantized weight of a linear or convolution call."""
    value = call.argument("weight")
    if isinstance(value, Weight):
        return value
    if isinstance(value, Real):
        call.unsupported("the weight must be constant, not computed from the input")
    return call.unsupported(
        "missing quantizer: the weight is float",
        "use QuantLinear or QuantConv2d of hwgen.nn, with weight=Binary(), Ternary(), "
        "Shift(bits=3) or Int(bits=4)",
    )


def _clamped(call: Call, lo: float | None, hi: float | None) -> RealFunction:
    if lo is not None and hi is not None and lo > hi:
        call.unsupported(f"the lower limit must not exceed the upper one: {lo} > {hi}")
    limits = Clamp(None if lo is None else exact(lo), None if hi is None else exact(hi))
    return RealFunction(function=limits, **call.common(call.real("self")))


def _levels(call: Call) -> Alphabet:
    """The alphabet of a weight: ascending integers."""
    levels = call.raw("alphabet")
    if not isinstance(levels, tuple):
        return call.unsupported(f"alphabet must be a list of integers, not {levels}")
    whole = [v for v in levels if isinstance(v, int)]
    if not whole or len(whole) < len(levels) or whole != sorted(set(whole)):
        call.unsupported(f"alphabet must be ascending integers, not {levels[:20]}")
    return Alphabet(tuple(whole))


def _operand(call: Call, x: Real) -> Real | tuple[Fraction, ...]:
    """``other``: a tensor of the network, or constants per channel of ``x``."""
    if isinstance(call.argument("other"), Real):
        return call.real("other")
    constant = call.constant("other")
    if constant is None:
        return constants([call.number("other")])
    return call.per_channel(constant, x)


def _with_constant(call: Call) -> tuple[Real, tuple[Fraction, ...]]:
    """A commutative call of one tensor of the network and one constant, in either order."""
    left, right = call.argument("self"), call.argument("other")
    if isinstance(left, Real) and isinstance(right, Real):
        call.unsupported("a product must be of one tensor and a constant, not of two tensors")
    if isinstance(right, Real):
        constant = call.constant("self")
        assert constant is not None, "the other operand is the network's"
        return right, call.per_channel(constant, right)
    x = call.real("self")
    factor = _operand(call, x)
    assert not isinstance(factor, Real), "excluded above"
    return x, factor


def _sum(call: Call, sign: float) -> RealAdd | RealAffine:
    left, right = call.argument("self"), call.argument("other")
    if isinstance(left, Real) and isinstance(right, Real):
        if abs(sign) != 1:
            call.unsupported("alpha of a sum of two tensors must be 1 or -1")
        if left.shape != right.shape:
            call.unsupported(f"summands must have one shape, not {left.shape} and {right.shape}")
        return RealAdd(sign=int(sign), **call.common(left, right))
    factor = Fraction(sign)
    if isinstance(right, Real):
        constant = call.constant("self")
        assert constant is not None, "the other operand is the network's"
        offset = call.per_channel(constant, right)
        return RealAffine(scale=(factor,), offset=offset, **call.common(right))
    x = call.real("self")
    term = _operand(call, x)
    assert not isinstance(term, Real), "excluded above"
    return RealAffine(offset=tuple(factor * t for t in term), **call.common(x))


def _check_features(call: Call, x: Real, dim: object) -> None:
    if len(x.shape) != 1 or dim not in (1, -1):
        call.unsupported(
            f"the largest must be taken over the features (dim=1), not over {dim} of {x.shape}",
            "use argmax(x, dim=1) on a batch of vectors",
        )
