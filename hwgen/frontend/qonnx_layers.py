"""Rows of the layers: products with constant weights, batch-norm, sums, functions, indices."""

from __future__ import annotations

import logging
from dataclasses import replace
from fractions import Fraction

import numpy as np

from hwgen.errors import ModelError
from hwgen.frontend.qonnx_call import Call
from hwgen.frontend.qonnx_spatial import pointwise
from hwgen.frontend.qonnx_table import row
from hwgen.frontend.qonnx_value import Coded, Constant, Real, Value
from hwgen.frontend.qonnx_weight import weight_of
from hwgen.ir.meaning import Clamp, exact
from hwgen.ir.types import IntArray
from hwgen.ops.add import RealAdd
from hwgen.ops.affine import RELU, RealAffine, RealFunction
from hwgen.ops.functions import Elu, Gelu, HardSwish, LeakyRelu, Sigmoid, Tanh
from hwgen.ops.linear import RealLinear
from hwgen.ops.topk import RealTopK

log = logging.getLogger("hwgen")

LARGEST = float(np.finfo(np.float32).max)


@row("MatMul")
def matmul(call: Call) -> Real:
    x = call.elements(0)
    matrix = call.constant(1, "the weight")
    if matrix.values.ndim != 2:
        call.unsupported(f"the weight must have two axes, not {matrix.values.ndim}")
    if len(x.shape) > 1 and x.shape == x.permuted and x.perm[-1] == 0:
        return pointwise(call, x)
    return _product(call, x, matrix, transpose=True)


@row("Gemm")
def gemm(call: Call) -> Real:
    if call.attribute("transA", 0):
        call.unsupported("the input must not be transposed")
    matrix = call.constant(1, "the weight")
    alpha, beta = (exact(call.attribute(name, 1.0)) for name in ("alpha", "beta"))
    y = _product(call, call.elements(0), matrix, transpose=not call.attribute("transB", 0))
    if not call.given(2):
        return y if alpha == 1 else call.emit(RealAffine, y, suffix="_scale", scale=(alpha,))
    offset = tuple(beta * b for b in call.rationals(2, y, "the bias"))
    return call.emit(RealAffine, y, suffix="_bias", scale=(alpha,), offset=offset)


def _product(call: Call, x: Real, matrix: Constant, *, transpose: bool) -> Real:
    """``W·x``; ``transpose``: the constant is (in, out)."""
    weight = weight_of(call, matrix, (1, 0) if transpose else (0, 1))
    outputs, inputs = weight.values.shape
    if len(x.shape) == 1 and not x.in_order:
        columns = weight.values.values[:, x.places()]
        weight = replace(weight, values=IntArray(columns))
        x = Real(x.node, x.shape, x.native, tuple(range(len(x.native))))
    x = call.plain(x)
    if x.shape != (inputs,):
        call.unsupported(
            f"the input must be a vector of {inputs}, not {x.shape}", "flatten before the layer"
        )
    return call.emit(RealLinear, x, becomes=(outputs,), weight=weight)


@row("BatchNormalization")
def batch_norm(call: Call) -> Real:
    x = call.elements(0)
    if call.attribute("training_mode", 0) or len([o for o in call.node.outputs if o]) > 1:
        call.unsupported(
            "it must use its running statistics, not those of the batch", "export in eval mode"
        )
    names = ("the scale", "the bias", "the mean", "the variance")
    gamma, beta, mean, variance = (
        call.per_channel(call.array(i + 1, name).reshape(-1, *[1] * (len(x.shape) - 1)), x, name)
        for i, name in enumerate(names)
    )
    if (variance < 0).any():
        raise ModelError("the variance must not be negative", origin=call.node.origin)
    eps = call.attribute("epsilon", 1e-5)
    return call.emit(
        RealAffine.batch_norm,
        x,
        mean=mean,
        variance=variance,
        gamma=gamma,
        beta=beta,
        eps=eps,
    )


@row("Add")
def add(call: Call) -> Real:
    return _sum(call, 1)


@row("Sub")
def sub(call: Call) -> Real:
    return _sum(call, -1)


def _sum(call: Call, sign: int) -> Real:
    left, right = call.value(0), call.value(1)
    if isinstance(right, Constant):
        x = call.elements(0)
        offset = tuple(sign * t for t in call.rationals(1, x))
        return call.emit(RealAffine, x, offset=offset)
    if isinstance(left, Constant):
        x = call.elements(1)
        return call.emit(RealAffine, x, scale=(Fraction(sign),), offset=call.rationals(0, x))
    a, b = call.elements(0), call.elements(1)
    if a.shape != b.shape:
        call.unsupported(f"the summands must have one shape, not {a.shape} and {b.shape}")
    if (a.native, a.perm) != (b.native, b.perm):
        a, b = call.real(0), call.real(1)
    return call.emit(RealAdd, a, b, sign=sign)


@row("Mul")
def mul(call: Call) -> Real:
    left, right = call.value(0), call.value(1)
    if not isinstance(left, Constant) and not isinstance(right, Constant):
        call.unsupported("a product must be of one tensor and a constant, not of two tensors")
    real, constant = (1, 0) if isinstance(left, Constant) else (0, 1)
    x = call.elements(real)
    return call.emit(RealAffine, x, scale=call.rationals(constant, x))


@row("Div")
def div(call: Call) -> Real:
    x = call.elements(0)
    divisor = call.rationals(1, x, "the divisor")
    if 0 in divisor:
        call.unsupported("the divisor must not be zero")
    return call.emit(RealAffine, x, scale=tuple(1 / d for d in divisor))


@row("Neg")
def neg(call: Call) -> Real:
    return call.emit(RealAffine, call.elements(0), scale=(Fraction(-1),))


@row("Relu")
def relu(call: Call) -> Real:
    return call.emit(RealFunction, call.elements(0), function=RELU)


@row("Clip")
def clip(call: Call) -> Value:
    bounds: list[Fraction | None] = []
    for index, name in ((1, "min"), (2, "max")):
        default = -np.inf if name == "min" else np.inf
        value = call.attribute(name, default)
        if call.given(index):
            value = float(call.number(index, name))
        bounds.append(exact(value) if abs(value) < LARGEST else None)
    value_in = call.value(0)
    if isinstance(value_in, Coded):
        return _clipped_codes(value_in, bounds)
    return call.emit(RealFunction, call.elements(0), function=Clamp(*bounds))


def _clipped_codes(codes: Coded, bounds: list[Fraction | None]) -> Coded:
    """Codes of fewer bits: how QDQ files hold widths that ONNX has no type for."""
    lo = codes.lo if bounds[0] is None else max(codes.lo, int(np.ceil(float(bounds[0]))))
    hi = codes.hi if bounds[1] is None else min(codes.hi, int(np.floor(float(bounds[1]))))
    return Coded(codes.source, codes.step, codes.zero, lo, hi)


@row("Sigmoid", "Tanh", "HardSwish")
def curve(call: Call) -> Real:
    function = {"Sigmoid": Sigmoid, "Tanh": Tanh, "HardSwish": HardSwish}[call.node.op]()
    return call.emit(RealFunction, call.elements(0), function=function)


@row("LeakyRelu")
def leaky_relu(call: Call) -> Real:
    slope = exact(call.attribute("alpha", float(np.float32(0.01))))
    return call.emit(RealFunction, call.elements(0), function=LeakyRelu(slope))


@row("Elu")
def elu(call: Call) -> Real:
    alpha = exact(call.attribute("alpha", 1.0))
    if alpha < 0:
        call.unsupported("alpha must not be negative")
    return call.emit(RealFunction, call.elements(0), function=Elu(alpha))


@row("Gelu")
def gelu(call: Call) -> Real:
    tanh = call.attribute("approximate", "none") == "tanh"
    return call.emit(RealFunction, call.elements(0), function=Gelu(tanh=tanh))


@row("HardSigmoid")
def hard_sigmoid(call: Call) -> Real:
    scale = exact(call.attribute("alpha", float(np.float32(0.2))))
    offset = exact(call.attribute("beta", 0.5))
    x = call.emit(RealAffine, call.elements(0), suffix="_line", scale=(scale,), offset=(offset,))
    return call.emit(RealFunction, x, function=Clamp(Fraction(0), Fraction(1)))


@row("Identity", "Dropout", "qonnx.DebugMarker")
def identity(call: Call) -> Value:
    return call.value(0)


@row("Cast")
def cast(call: Call) -> Value:
    value = call.value(0)
    if call.attribute("to", 1) not in (1, 10, 11, 16) and not isinstance(value, Coded):
        call.unsupported("a tensor of the network can only be cast to a real type")
    return value


@row("Softmax", "LogSoftmax")
def softmax(call: Call) -> Real:
    """At the output only: it keeps the order of the logits, so the host may do it."""
    x = call.real(0)
    axis = call.attribute("axis", -1 if call.opset >= 13 else 1)
    if call.uses[call.node.outputs[0]] or len(x.shape) != 1 or axis not in (1, -1):
        call.unsupported(
            "it must be at the output, over the classes", "quantize the attention's weights"
        )
    log.info("%s stays on the host: the hardware gives the logits before it", call.node.op)
    return x


@row("ArgMax")
def argmax(call: Call) -> Real:
    x = call.real(0)
    if call.attribute("select_last_index", 0):
        call.unsupported("of equal elements the first must be taken")
    _check_features(call, x, call.attribute("axis", 0))
    return call.emit(RealTopK, x, becomes=(1,), k=1)


@row("TopK")
def topk(call: Call) -> tuple[None, Real]:
    x = call.real(0)
    k = call.integers(1, "k")[0] if call.given(1) else call.attribute("k", 1)
    _check_features(call, x, call.attribute("axis", -1))
    if not call.attribute("largest", 1) or not call.attribute("sorted", 1):
        call.unsupported("it must be of the largest elements, sorted")
    return None, call.emit(RealTopK, x, becomes=(k,), k=k)


def _check_features(call: Call, x: Real, axis: int) -> None:
    if len(x.shape) != 1 or axis not in (1, -1):
        call.unsupported(f"the largest must be taken over the features, not axis {axis}")
