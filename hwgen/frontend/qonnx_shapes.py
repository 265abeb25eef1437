"""Rows that change a tensor's shape and not its values."""

from __future__ import annotations

from hwgen.frontend.qonnx_call import Call, Real, Value
from hwgen.frontend.qonnx_constants import flattened, reshaped, squeezed, unsqueezed
from hwgen.frontend.qonnx_table import row
from hwgen.ops.reshape import RealReshape


@row("Reshape")
def reshape(call: Call) -> Real:
    x = call.real(0)
    return _reshaped(call, x, reshaped(call, call.shape_of(x)))


@row("Flatten")
def flatten(call: Call) -> Real:
    x = call.real(0)
    return _reshaped(call, x, flattened(call, call.shape_of(x)))


@row("Squeeze")
def squeeze(call: Call) -> Real:
    x = call.real(0)
    return _reshaped(call, x, squeezed(call, call.shape_of(x)))


@row("Unsqueeze")
def unsqueeze(call: Call) -> Real:
    x = call.real(0)
    return _reshaped(call, x, unsqueezed(call, call.shape_of(x)))


def _reshaped(call: Call, x: Real, shape: tuple[int, ...]) -> Real:
    if shape[:1] != (call.batch,) or len(shape) < 2:
        call.unsupported(
            f"the batch must stay on axis 0, not go from {call.shape_of(x)} to {shape}",
            "use Flatten with axis 1",
        )
    if shape[1:] == x.shape:
        return x
    return call.emit(RealReshape, x, becomes=shape[1:], shape=shape[1:])


@row("Transpose")
def transpose(call: Call) -> Value:
    x = call.real(0)
    rank = len(x.shape) + 1
    order = call.whole("perm") or tuple(range(rank))[::-1]
    if sorted(order) != list(range(rank)) or order[0] != 0:
        call.unsupported(f"the batch must stay on axis 0, not {order}")
    shape = tuple(x.shape[axis - 1] for axis in order[1:])
    moving = [axis for axis in order[1:] if x.shape[axis - 1] > 1]
    if moving == sorted(moving):
        return _reshaped(call, x, (call.batch, *shape))
    return call.unsupported(
        f"axes cannot be exchanged in a stream: {x.shape} to {shape}",
        "export with channels first (NCHW)",
    )
