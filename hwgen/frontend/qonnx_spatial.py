"""Rows of convolutions, pooling, and what moves pixels and channels."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import ceil

from hwgen.frontend.qonnx_call import Call
from hwgen.frontend.qonnx_table import row
from hwgen.frontend.qonnx_value import Real
from hwgen.frontend.qonnx_weight import weight_of
from hwgen.ir.meaning import exact
from hwgen.ops.concat import RealConcat
from hwgen.ops.conv import RealConv
from hwgen.ops.depth_to_space import RealDepthToSpace
from hwgen.ops.pad import RealPad
from hwgen.ops.pool import RealAvgPool, RealMaxPool
from hwgen.ops.spatial import Kernel, Pair, image, like
from hwgen.ops.upsample import RealUpsample

MAX_WINDOW = 1 << 16


@row("Conv")
def conv(call: Call) -> Real:
    x = _image(call)
    constant = call.constant(1, "the weight")
    shape = constant.values.shape
    groups = call.attribute("group", 1)
    if len(shape) != len(x.shape) + 1 or groups < 1 or shape[1] * groups != x.shape[0]:
        call.unsupported(f"a weight of {shape} in {groups} groups cannot take an input {x.shape}")
    weight = weight_of(call, constant, tuple(range(len(shape))))
    kernel = _kernel(call, x, tuple(shape[2:]))
    bias: tuple[Fraction, ...] = ()
    if call.given(2):
        values = call.array(2, "the bias").reshape(-1)
        bias = tuple(exact(float(v)) for v in values)
    return call.emit(
        RealConv,
        x,
        becomes=_outputs(call, kernel, x, shape[0]),
        weight=weight,
        kernel=kernel,
        bias=bias,
        groups=groups,
    )


@row("MaxPool")
def max_pool(call: Call) -> Real:
    x = _image(call)
    if len([o for o in call.node.outputs if o]) > 1:
        call.unsupported("the indices of the largest elements are not built")
    kernel = _kernel(call, x, call.attribute("kernel_shape", (0,)))
    return call.emit(RealMaxPool, x, becomes=_outputs(call, kernel, x, x.shape[0]), kernel=kernel)


@row("AveragePool")
def average_pool(call: Call) -> Real:
    x = _image(call)
    kernel = _kernel(call, x, call.attribute("kernel_shape", (0,)))
    if kernel.padded and (
        not call.attribute("count_include_pad", 0) or call.attribute("ceil_mode", 0)
    ):
        call.unsupported(
            "every window must be divided by the same number",
            "use no padding, or count_include_pad=1",
        )
    return call.emit(RealAvgPool, x, becomes=_outputs(call, kernel, x, x.shape[0]), kernel=kernel)


@row("GlobalAveragePool")
def global_average_pool(call: Call) -> Real:
    return _mean_of_all(call, _image(call), keep=True)


@row("ReduceMean")
def reduce_mean(call: Call) -> Real:
    x = _image(call)
    axes = call.axes() or ()
    rank = len(x.shape) + 1
    if {a % rank for a in axes} != set(range(2, rank)):
        call.unsupported(f"the mean must be over all pixels, not over axes {axes}")
    return _mean_of_all(call, x, keep=bool(call.attribute("keepdims", 1)))


@row("GlobalMaxPool")
def global_max_pool(call: Call) -> Real:
    x = _image(call)
    size = image(x.shape)[1:]
    kernel = Kernel(size=size, stride=size)
    return call.emit(RealMaxPool, x, becomes=like(x.shape, x.shape[0], 1, 1), kernel=kernel)


def _mean_of_all(call: Call, x: Real, *, keep: bool) -> Real:
    size = image(x.shape)[1:]
    kept = like(x.shape, x.shape[0], 1, 1)
    kernel = Kernel(size=size, stride=size)
    made = call.emit(RealAvgPool, x, becomes=kept, kernel=kernel)
    return made if keep else made.reshaped(x.shape[:1])


@row("Concat")
def concat(call: Call) -> Real:
    parts = [_viewed(call, index) for index in range(len(call.node.inputs))]
    perm = parts[0].perm
    others = {(part.native[1:], part.perm) for part in parts}
    axis = call.attribute("axis", 1) % (len(perm) + 1)
    if not axis or perm[axis - 1] or len(others) != 1:
        call.unsupported("it must be along the channels of tensors of one size")
    native = (sum(part.native[0] for part in parts), *parts[0].native[1:])
    made = call.emit(RealConcat, *parts, becomes=native)
    return Real(made.node, tuple(native[a] for a in perm), native, perm)


def _viewed(call: Call, index: int = 0) -> Real:
    """A tensor whose axes are the stream's, in any order; else in the file's shape and order."""
    x = call.elements(index)
    return x if x.shape == x.permuted else call.plain(x)


@row("Pad")
def pad(call: Call) -> Real:
    x = _image(call)
    if call.attribute("mode", "constant") != "constant":
        call.unsupported("padding must be of a constant")
    if call.given(3):
        call.unsupported("padding must name all axes")
    pads = call.integers(1, "pads") if call.given(1) else call.attribute("pads", (0,))
    rank = len(x.shape) + 1
    if len(pads) != 2 * rank or any(pads[a] for a in (0, 1, rank, rank + 1)):
        call.unsupported(f"padding must be of rows and columns only, not {pads}")
    value = exact(call.attribute("value", 0.0))
    if call.given(2):
        value = call.number(2, "the value")
    sides = _sides(call, (*pads[2:rank], *pads[rank + 2 :]))
    _, height, width = image(x.shape)
    top, bottom, left, right = sides
    becomes = like(x.shape, x.shape[0], height + top + bottom, width + left + right)
    return call.emit(RealPad, x, becomes=becomes, padding=sides, value=value)


@row("Resize", "Upsample")
def resize(call: Call) -> Real:
    """Nearest neighbours, by whole factors, where every convention takes pixel ⌊i/factor⌋."""
    seen = _viewed(call)
    x = Real.of(seen.node, seen.native)
    if len(x.shape) not in (2, 3):
        call.unsupported(f"it must act on (C, L) or (C, H, W), not {x.shape}")
    mode = call.attribute("coordinate_transformation_mode", "half_pixel")
    nearest = call.attribute("nearest_mode", "round_prefer_floor")
    if call.node.op == "Upsample":
        mode, nearest = "asymmetric", "floor"
    usual = (mode == "asymmetric" and nearest == "floor") or (
        mode in ("half_pixel", "pytorch_half_pixel") and nearest.startswith("round")
    )
    if call.attribute("mode", "nearest") != "nearest" or not usual:
        call.unsupported(
            f"it must repeat pixels, not {mode} and {nearest}",
            "use mode='nearest' with half_pixel, or asymmetric and floor",
        )
    factors = _factors(call, seen)
    _, height, width = image(x.shape)
    factor = (1, *factors) if len(factors) == 1 else factors
    becomes = like(x.shape, x.shape[0], height * factor[0], width * factor[1])
    made = call.emit(RealUpsample, x, becomes=becomes, factor=factor)
    return Real(made.node, tuple(becomes[a] for a in seen.perm), becomes, seen.perm)


def _factors(call: Call, x: Real) -> tuple[int, ...]:
    old = (1, *x.shape)
    if call.node.op == "Resize" and call.given(3):
        sizes = call.integers(3, "sizes")
        scales = tuple(n / o for n, o in zip(sizes[1:], old[1:], strict=False))
    else:
        index = 1 if call.node.op == "Upsample" or len(call.node.inputs) == 2 else 2
        if not call.given(index):
            call.unsupported("its scales or sizes must be given")
        scales = tuple(float(v) for v in call.array(index, "scales").ravel()[1:])
    whole = len(scales) == len(x.shape) and all(s == int(s) and 1 <= s < 256 for s in scales)
    if not whole or scales[x.perm.index(0)] != 1:
        call.unsupported(f"it must be by whole factors of rows and columns, not {scales}")
    return tuple(int(scales[x.perm.index(axis)]) for axis in range(1, len(scales)))


@row("DepthToSpace")
def depth_to_space(call: Call) -> Real:
    x = _image(call)
    block, mode = call.attribute("blocksize", 1), call.attribute("mode", "DCR")
    if len(x.shape) != 3 or block < 1 or x.shape[0] % block**2 or mode not in ("DCR", "CRD"):
        call.unsupported(f"blocks of {block} ({mode}) do not fit {x.shape}")
    channels, height, width = x.shape
    becomes = (channels // block**2, height * block, width * block)
    return call.emit(RealDepthToSpace, x, becomes=becomes, block=block, blocks_first=mode == "DCR")


def pointwise(call: Call, x: Real) -> Real:
    """MatMul on the channels of a tensor whose file order has them last: a convolution of one
    pixel."""
    matrix = call.constant(1, "the weight")
    weight = weight_of(call, matrix, (1, 0))
    outputs, inputs = weight.values.shape
    if inputs != x.native[0]:
        call.unsupported(f"a weight of {inputs} inputs cannot take {x.native[0]} channels")
    square = weight.values.values.reshape(outputs, inputs, *[1] * (len(x.native) - 1))
    moved = replace(weight, values=type(weight.values)(square))
    native = (outputs, *x.native[1:])
    made = call.emit(RealConv, x, becomes=native, weight=moved, kernel=Kernel())
    return Real(made.node, (*x.shape[:-1], outputs), native, x.perm)


def _image(call: Call) -> Real:
    x = call.real(0)
    if len(x.shape) not in (2, 3):
        call.unsupported(f"it must act on (C, L) or (C, H, W), not {x.shape}")
    return x


def _kernel(call: Call, x: Real, size: tuple[int, ...]) -> Kernel:
    """Window, strides and padding, ``auto_pad`` and ``ceil_mode`` made explicit."""
    axes = len(x.shape) - 1
    plain = Kernel(
        size=_pair(call, size, 1),
        stride=_pair(call, call.attribute("strides", (1,) * axes), 1),
        dilation=_pair(call, call.attribute("dilations", (1,) * axes), 1),
    )
    mode = call.attribute("auto_pad", "NOTSET")
    if mode in ("SAME_UPPER", "SAME_LOWER"):
        return replace(plain, padding=_same(plain, x, lower=mode == "SAME_LOWER"))
    if mode not in ("NOTSET", "VALID"):
        call.unsupported(f"auto_pad must be one of the standard, not {mode}")
    pads = call.attribute("pads", (0,) * (2 * axes)) if mode == "NOTSET" else (0,) * (2 * axes)
    kernel = replace(plain, padding=_sides(call, pads))
    return _ceiled(kernel, x) if call.attribute("ceil_mode", 0) else kernel


def _same(kernel: Kernel, x: Real, *, lower: bool) -> tuple[int, int, int, int]:
    sides: list[int] = []
    for length, extent, stride in zip(
        image(x.shape)[1:], kernel.extent, kernel.stride, strict=True
    ):
        total = max((ceil(length / stride) - 1) * stride + extent - length, 0)
        small, large = total // 2, total - total // 2
        sides += [large, small] if lower else [small, large]
    return (sides[0], sides[1], sides[2], sides[3])


def _ceiled(kernel: Kernel, x: Real) -> Kernel:
    """With the padding behind that the last, partial window needs; a window that would start in
    it is left out, as in torch."""
    sides = list(kernel.padding)
    lengths = zip(image(x.shape)[1:], kernel.extent, kernel.stride, (0, 2), strict=True)
    for length, extent, stride, at in lengths:
        padded = length + sides[at] + sides[at + 1]
        count = ceil((padded - extent) / stride) + 1
        if (count - 1) * stride >= length + sides[at]:
            count -= 1
        need = (count - 1) * stride + extent - length - sides[at]
        sides[at + 1] = max(sides[at + 1], need)
    return replace(kernel, padding=(sides[0], sides[1], sides[2], sides[3]))


def _sides(call: Call, pads: tuple[int, ...]) -> tuple[int, int, int, int]:
    """ONNX's begins and ends as (top, bottom, left, right)."""
    if len(pads) not in (2, 4) or not all(0 <= p < MAX_WINDOW for p in pads):
        call.unsupported(f"padding must be of one or two axes, not {pads}")
    if len(pads) == 2:
        return (0, 0, pads[0], pads[1])
    return (pads[0], pads[2], pads[1], pads[3])


def _pair(call: Call, values: tuple[int, ...], neutral: int) -> Pair:
    if len(values) not in (1, 2) or not all(1 <= v < MAX_WINDOW for v in values):
        call.unsupported(f"windows must have one or two sizes from 1, not {values}")
    return (neutral, values[0]) if len(values) == 1 else (values[0], values[1])


def _outputs(call: Call, kernel: Kernel, x: Real, channels: int) -> tuple[int, ...]:
    _, height, width = image(x.shape)
    rows, columns = kernel.outputs(height, width)
    if min(rows, columns) < 1:
        call.unsupported(f"a window of {kernel.extent} must fit the padded image of {x.shape}")
    return like(x.shape, channels, rows, columns)
