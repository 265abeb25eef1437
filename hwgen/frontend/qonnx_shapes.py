"""Rows that change a tensor's shape and not its values: no node, only how the file sees it."""

from __future__ import annotations

from hwgen.frontend.qonnx_call import Call
from hwgen.frontend.qonnx_constants import flattened, reshaped, squeezed, unsqueezed
from hwgen.frontend.qonnx_table import row
from hwgen.frontend.qonnx_value import Real


@row("Reshape")
def reshape(call: Call) -> Real:
    x = call.elements(0)
    return _seen_as(call, x, reshaped(call, call.shape_of(x)))


@row("Flatten")
def flatten(call: Call) -> Real:
    x = call.elements(0)
    return _seen_as(call, x, flattened(call, call.shape_of(x)))


@row("Squeeze")
def squeeze(call: Call) -> Real:
    x = call.elements(0)
    return _seen_as(call, x, squeezed(call, call.shape_of(x)))


@row("Unsqueeze")
def unsqueeze(call: Call) -> Real:
    x = call.elements(0)
    return _seen_as(call, x, unsqueezed(call, call.shape_of(x)))


def _seen_as(call: Call, x: Real, shape: tuple[int, ...]) -> Real:
    if shape[:1] != (call.batch,) or len(shape) < 2:
        call.unsupported(
            f"the batch must stay on axis 0, not go from {call.shape_of(x)} to {shape}",
            "use Flatten with axis 1",
        )
    return x.reshaped(shape[1:])


@row("Transpose")
def transpose(call: Call) -> Real:
    x = call.elements(0)
    rank = len(x.shape) + 1
    order = call.whole("perm") or tuple(range(rank))[::-1]
    if sorted(order) != list(range(rank)) or order[0] != 0:
        call.unsupported(f"the batch must stay on axis 0, not {order}")
    found = x.transposed(tuple(axis - 1 for axis in order[1:]))
    if found is None:
        call.unsupported(
            f"axes of {x.shape} that are no axes of the stream {x.native} cannot be exchanged",
            "export with channels first (NCHW)",
        )
    return found
