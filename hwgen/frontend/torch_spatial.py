"""Rows of the operator table for convolutions, pooling and what moves pixels and channels."""

from __future__ import annotations

from hwgen.frontend.archive import TensorRef
from hwgen.frontend.call import Call, Real
from hwgen.frontend.torch_ops import quantized_weight, row
from hwgen.ir.meaning import exact
from hwgen.ops.affine import RealFunction, RealIdentity
from hwgen.ops.concat import RealConcat
from hwgen.ops.conv import RealConv
from hwgen.ops.depth_to_space import RealDepthToSpace
from hwgen.ops.functions import (
    Elu,
    Gelu,
    HardSigmoid,
    HardSwish,
    LeakyRelu,
    Sigmoid,
    Silu,
    Tanh,
)
from hwgen.ops.pad import RealPad
from hwgen.ops.pool import RealAvgPool, RealMaxPool
from hwgen.ops.spatial import Kernel, Pair, image
from hwgen.ops.upsample import RealUpsample

MAX_WINDOW = 1 << 16
"""No kernel, stride, dilation or padding is as large."""


@row(
    "aten.conv2d.default",
    "aten.conv1d.default",
    "aten.conv2d.padding",
    "aten.conv1d.padding",
    "aten.convolution.default",
)
def conv(call: Call) -> RealConv:
    if call.raw("transposed", False):
        call.unsupported(
            "a convolution must not be transposed", "use nn.Upsample and a convolution"
        )
    x, weight = call.real("input"), quantized_weight(call)
    axes = weight.values.values.ndim - 2
    if len(x.shape) != axes + 1:
        call.unsupported(f"the input must have {axes} spatial axes, not shape {x.shape}")
    size = _image_pair(weight.values.shape[2:], 1)
    dilation = _pair(call, "dilation", 1, axes)
    kernel = Kernel(
        size=size,
        stride=_pair(call, "stride", 1, axes),
        dilation=dilation,
        padding=_conv_padding(call, size, dilation, axes),
    )
    return RealConv(
        weight=weight,
        kernel=kernel,
        bias=call.rationals("bias"),
        groups=call.integer("groups", 1),
        **call.common(x),
    )


def _conv_padding(call: Call, size: Pair, dilation: Pair, axes: int) -> tuple[int, int, int, int]:
    value = call.raw("padding", 0)
    if isinstance(value, str):
        if value == "valid":
            return (0, 0, 0, 0)
        totals = [d * (k - 1) for k, d in zip(size, dilation, strict=True)]
        return (totals[0] // 2, -(-totals[0] // 2), totals[1] // 2, -(-totals[1] // 2))
    rows, columns = _pair(call, "padding", 0, axes)
    return (rows, rows, columns, columns)


@row(
    "aten.max_pool2d.default",
    "aten.max_pool1d.default",
    "aten.max_pool2d_with_indices.default",
)
def max_pool(call: Call) -> RealMaxPool:
    x = call.real("self")
    return RealMaxPool(kernel=_pool_kernel(call, x), **call.common(x))


@row("aten.avg_pool2d.default", "aten.avg_pool1d.default")
def avg_pool(call: Call) -> RealAvgPool:
    x = call.real("self")
    kernel = _pool_kernel(call, x)
    if kernel.padded and (call.raw("ceil_mode") or not call.raw("count_include_pad", True)):
        call.unsupported(
            "average pooling must divide every window by the same number",
            "use ceil_mode=False, and padding=0 or count_include_pad=True",
        )
    divisor = call.raw("divisor_override")
    return RealAvgPool(
        kernel=kernel, divisor=divisor if isinstance(divisor, int) else None, **call.common(x)
    )


def _pool_kernel(call: Call, x: Real) -> Kernel:
    """The kernel whose bottom and right padding give the shape that torch gives."""
    axes = len(x.shape) - 1
    if axes not in (1, 2):
        call.unsupported(f"pooling must be over (C, L) or (C, H, W), not {x.shape}")
    size = _pair(call, "kernel_size", 1, axes)
    stride = call.raw("stride")
    kernel = Kernel(
        size=size,
        stride=size if stride in (None, ()) else _pair(call, "stride", 1, axes),
        dilation=_pair(call, "dilation", 1, axes),
    )
    top, left = _pair(call, "padding", 0, axes)
    _, height, width = image(x.shape)
    _, rows, columns = image(call.shape)
    bottom = (rows - 1) * kernel.stride[0] + kernel.extent[0] - height - top
    right = (columns - 1) * kernel.stride[1] + kernel.extent[1] - width - left
    padding = (top, max(bottom, 0), left, max(right, 0))
    return Kernel(kernel.size, kernel.stride, kernel.dilation, padding)


@row(
    "aten.adaptive_avg_pool2d.default",
    "aten.adaptive_avg_pool1d.default",
    "aten._adaptive_avg_pool2d.default",
)
def adaptive_avg_pool(call: Call) -> RealAvgPool:
    x = call.real("self")
    _, height, width = image(x.shape)
    _, rows, columns = image(call.shape)
    if height % rows or width % columns:
        call.unsupported(
            f"adaptive pooling of {height}×{width} must give a divisor of it, not {rows}×{columns}",
            "use AvgPool2d with a fixed kernel",
        )
    size = (height // rows, width // columns)
    return RealAvgPool(kernel=Kernel(size=size, stride=size), **call.common(x))


@row("aten.mean.dim")
def mean(call: Call) -> RealAvgPool:
    x = call.real("self")
    dims = call.raw("dim")
    axes = (
        {d % (len(x.shape) + 1) for d in dims if isinstance(d, int)}
        if (isinstance(dims, tuple))
        else set()
    )
    if len(x.shape) < 2 or axes != set(range(2, len(x.shape) + 1)):
        call.unsupported(
            f"a mean must be over all pixels, not over axes {dims} of {x.shape}",
            "use x.mean((2, 3)) or AdaptiveAvgPool2d(1)",
        )
    size = image(x.shape)[1:]
    flat = not call.raw("keepdim", False)
    return RealAvgPool(kernel=Kernel(size=size, stride=size), flat=flat, **call.common(x))


@row("aten.cat.default")
def cat(call: Call) -> RealConcat:
    tensors = call.raw("tensors")
    refs = tensors if isinstance(tensors, tuple) else ()
    parts = [call.bound[ref.name] for ref in refs if isinstance(ref, TensorRef)]
    reals = [part for part in parts if isinstance(part, Real)]
    if len(reals) != len(parts) or not reals:
        call.unsupported("a concatenation must be of the network's tensors, not of constants")
    if call.integer("dim", 0) % (len(reals[0].shape) + 1) != 1:
        call.unsupported("a concatenation must be along the channels", "use torch.cat(…, dim=1)")
    return RealConcat(**call.common(*reals))


@row(
    "aten.upsample_nearest2d.vec",
    "aten.upsample_nearest2d.default",
    "aten.upsample_nearest1d.vec",
    "aten.upsample_nearest1d.default",
)
def upsample(call: Call) -> RealUpsample:
    x = call.real("input", "self")
    _, height, width = image(x.shape)
    _, rows, columns = image(call.shape)
    if rows % height or columns % width:
        call.unsupported(
            f"upsampling must be by whole factors, not from {height}×{width} to {rows}×{columns}"
        )
    return RealUpsample(factor=(rows // height, columns // width), **call.common(x))


@row("aten.pad.default", "aten.constant_pad_nd.default")
def pad(call: Call) -> RealPad:
    x = call.real("self")
    if call.raw("mode", "constant") != "constant":
        call.unsupported("padding must be of a constant", "use mode='constant'")
    sides = call.raw("pad")
    amounts = [int(v) for v in sides if isinstance(v, int)] if isinstance(sides, tuple) else []
    amounts += [0] * (6 - len(amounts))
    left, right, top, bottom, *rest = amounts
    if any(rest) or (len(x.shape) == 2 and (top or bottom)):
        call.unsupported("padding must be of rows and columns only")
    value = exact(call.number("value", 0.0) if call.raw("value") is not None else 0.0)
    return RealPad(padding=(top, bottom, left, right), value=value, **call.common(x))


@row("aten.pixel_shuffle.default")
def pixel_shuffle(call: Call) -> RealDepthToSpace:
    x = call.real("self")
    return RealDepthToSpace(block=call.integer("upscale_factor"), **call.common(x))


@row("aten.sigmoid.default", "aten.sigmoid_.default")
def sigmoid(call: Call) -> RealFunction:
    return RealFunction(function=Sigmoid(), **call.common(call.real("self")))


@row("aten.tanh.default", "aten.tanh_.default")
def tanh(call: Call) -> RealFunction:
    return RealFunction(function=Tanh(), **call.common(call.real("self")))


@row("aten.hardsigmoid.default", "aten.hardsigmoid_.default")
def hard_sigmoid(call: Call) -> RealFunction:
    return RealFunction(function=HardSigmoid(), **call.common(call.real("self")))


@row("aten.silu.default", "aten.silu_.default")
def silu(call: Call) -> RealFunction:
    return RealFunction(function=Silu(), **call.common(call.real("self")))


@row("aten.hardswish.default", "aten.hardswish_.default")
def hard_swish(call: Call) -> RealFunction:
    return RealFunction(function=HardSwish(), **call.common(call.real("self")))


@row("aten.gelu.default")
def gelu(call: Call) -> RealFunction:
    function = Gelu(tanh=call.raw("approximate", "none") == "tanh")
    return RealFunction(function=function, **call.common(call.real("self")))


@row("aten.leaky_relu.default", "aten.leaky_relu_.default")
def leaky_relu(call: Call) -> RealFunction:
    function = LeakyRelu(exact(call.number("negative_slope", 0.01)))
    return RealFunction(function=function, **call.common(call.real("self")))


@row("aten.elu.default", "aten.elu_.default")
def elu(call: Call) -> RealFunction:
    if call.number("scale", 1) != 1 or call.number("input_scale", 1) != 1:
        call.unsupported("ELU must have no scales of its own")
    function = Elu(exact(call.number("alpha", 1)))
    return RealFunction(function=function, **call.common(call.real("self")))


@row("aten.dropout2d.default", "aten.dropout1d.default")
def dropout(call: Call) -> RealIdentity:
    return RealIdentity(**call.common(call.real("self", "input")))


def _pair(call: Call, key: str, neutral: int, axes: int) -> Pair:
    """Torch's int or list for one or two axes as (rows, columns); ``neutral``, which is also the
    least legal number, where it is absent and for the rows of one axis."""
    value = call.raw(key)
    if value is None or value == ():
        return neutral, neutral
    listed = value if isinstance(value, tuple) else (value,)
    numbers = [v for v in listed if isinstance(v, int) and neutral <= v < MAX_WINDOW]
    if len(numbers) != len(listed) or len(numbers) not in (1, axes):
        call.unsupported(f"{key} must be {axes} integers of at least {neutral}, not {value}")
    return _image_pair(tuple(numbers) if axes == 1 else (numbers[0], numbers[-1]), neutral)


def _image_pair(numbers: tuple[int, ...], neutral: int) -> Pair:
    """One or two numbers as (rows, columns)."""
    return (neutral, numbers[0]) if len(numbers) == 1 else (numbers[0], numbers[1])
