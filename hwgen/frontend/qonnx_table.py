"""The table of ONNX operators: a row each, from a call to what its output is."""

from __future__ import annotations

from collections.abc import Callable

from hwgen.frontend.qonnx_call import STANDARD, Call
from hwgen.frontend.qonnx_file import OnnxNode
from hwgen.frontend.qonnx_value import Value

Row = Callable[[Call], Value | tuple[Value | None, ...]]
TABLE: dict[str, Row] = {}
"""Operator to its row; those of QONNX and FINN start with ``qonnx.``."""

LAST = "channels_last"
"""What rows of QONNX's operators on tensors with channels last start with."""

QONNX_DOMAINS = ("onnx.brevitas", "finn.custom_op.general", "qonnx.custom_op.general")

HINTS = {
    "Selu": "use Relu",
    "Softplus": "use Relu",
    "LSTM": "use feed-forward layers",
    "GRU": "use feed-forward layers",
    "LayerNormalization": "use BatchNormalization, whose statistics are constants",
    "InstanceNormalization": "use BatchNormalization, whose statistics are constants",
    "DynamicQuantizeLinear": "use QuantizeLinear with constant scales (static quantization)",
    "QLinearConv": "export with QDQ pairs: onnxruntime's QuantFormat.QDQ",
    "QLinearMatMul": "export with QDQ pairs: onnxruntime's QuantFormat.QDQ",
    "ConvInteger": "use static quantization with QDQ pairs",
    "MatMulInteger": "use static quantization with QDQ pairs",
    "Quant": "the node lacks its domain, qonnx.custom_op.general",
    "BipolarQuant": "the node lacks its domain, qonnx.custom_op.general",
    "qonnx.FloatQuant": "use integer quantizers (Quant)",
    "LogSoftmax": "leave it to the host: it does not change which logit is largest",
    "If": "export for one fixed branch",
    "Loop": "unroll it before exporting",
    "ConvTranspose": "use Resize (nearest) and a convolution",
}
"""The nearest supported form of operators that have no row."""


def row(*operators: str) -> Callable[[Row], Row]:
    """Enter a function in the table for these operators."""

    def enter(function: Row) -> Row:
        TABLE.update(dict.fromkeys(operators, function))
        return function

    return enter


def key(node: OnnxNode) -> str:
    """The name under which a node's row is entered."""
    if node.domain in STANDARD:
        return node.op
    if node.domain in QONNX_DOMAINS:
        return f"qonnx.{node.op}"
    if node.domain == f"qonnx.custom_op.{LAST}":
        return f"{LAST}.{node.op}"
    return f"{node.domain}.{node.op}"
