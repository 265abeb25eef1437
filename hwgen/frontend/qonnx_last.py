"""Tensors whose channels come last: QONNX's wrapped operators, and inputs in that layout.

Streams have the channels first in their shape (and fastest in their order), so a tensor with the
channels last is only another view of one, see ``Real``.
"""

from __future__ import annotations

from collections import ChainMap
from dataclasses import replace

import numpy as np

from hwgen.frontend.qonnx_call import STANDARD, Call
from hwgen.frontend.qonnx_file import OnnxModel, OnnxNode
from hwgen.frontend.qonnx_table import LAST, TABLE, key, row
from hwgen.frontend.qonnx_value import Constant, Real, Value

ELEMENTWISE = frozenset(
    [
        "Quant",
        "IntQuant",
        "BipolarQuant",
        "MultiThreshold",
        "QuantizeLinear",
        "DequantizeLinear",
        "Add",
        "Sub",
        "Mul",
        "Div",
        "Neg",
        "Relu",
        "Clip",
        "LeakyRelu",
        "Identity",
        "Cast",
        "DebugMarker",
    ]
)
"""Operators between the input and the first one that shows its layout."""


@row(*(f"{LAST}.{op}" for op in ("Conv", "MaxPool", "BatchNormalization")))
def wrapped(call: Call) -> Value:
    """The standard operator on the tensor with its channels first, and back
    (qonnx/custom_op/channels_last); the weight of a convolution is (out, …, in)."""
    x = call.elements(0)
    rank = len(x.shape)
    first = x.transposed((rank - 1, *range(rank - 1)))
    if first is None or rank < 2:
        call.unsupported(f"the channels of {x.shape} must be an axis of the stream {x.native}")
    values: dict[str, Value] = {call.node.inputs[0]: first}
    if call.node.op == "Conv":
        values[call.node.inputs[1]] = _channels_first(call.constant(1, "the weight"))
    inner = replace(
        call, node=replace(call.node, domain=""), values=ChainMap(values, dict(call.values))
    )
    made = TABLE[call.node.op](inner)
    assert isinstance(made, Real), "these operators give a tensor of the network"
    back = made.transposed((*range(1, rank), 0))
    assert back is not None, "axes that were exchanged can be exchanged back"
    return back


def _channels_first(weight: Constant) -> Constant:
    quantized = weight.quantized
    return Constant(
        np.moveaxis(weight.values, -1, 1),
        quantized and quantized.mapped(lambda a: np.moveaxis(a, -1, 1)),
    )


def comes_last(model: OnnxModel) -> bool:
    """Whether the first layer takes the input's last axis for its channels: an operator of the
    wrapped ones, or a transposition that moves it to the front."""
    found = {model.input.name}
    for node in model.nodes:
        if not node.inputs or node.inputs[0] not in found:
            continue
        if key(node).startswith(f"{LAST}."):
            return True
        if node.op == "Transpose" and node.domain in STANDARD:
            return _moves_to_front(node, len(model.input.dims))
        if node.op in ELEMENTWISE:
            found.update(node.outputs)
    return False


def _moves_to_front(node: OnnxNode, rank: int) -> bool:
    order = node.attributes.get("perm")
    return rank > 2 and order == (0, rank - 1, *range(1, rank - 1))
