"""From an ONNX file to the real-valued quantized graph: QONNX, FINN's dialect, and QDQ."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field, replace

from hwgen.errors import HwgenError, ModelError, Origin, UnsupportedError, combined
from hwgen.frontend import (
    qonnx_last,
    qonnx_layers,
    qonnx_qdq,
    qonnx_quant,
    qonnx_shapes,
    qonnx_spatial,
)
from hwgen.frontend.qonnx_call import STANDARD, Call
from hwgen.frontend.qonnx_constants import fold
from hwgen.frontend.qonnx_file import OnnxModel, OnnxNode, read
from hwgen.frontend.qonnx_input import input_quantizer
from hwgen.frontend.qonnx_table import HINTS, TABLE, key
from hwgen.frontend.qonnx_value import Coded, Constant, Real, Value
from hwgen.ir.real import RealGraph, RealNode
from hwgen.ops.affine import RealAffine, RealFunction
from hwgen.ops.input import RealInput
from hwgen.ops.output import RealOutput
from hwgen.ops.quantize import RealQuantize, RealSign
from hwgen.ops.reshape import RealReshape

ROWS = (qonnx_last, qonnx_layers, qonnx_qdq, qonnx_quant, qonnx_shapes, qonnx_spatial)
"""The modules whose import fills the table."""

_HOST_SIDE = (RealAffine, RealFunction, RealReshape)
MAX_FRAME = 1 << 24
_OLDEST_OPSET = 7


def load(path: str | os.PathLike[str], input_type: str | None = None) -> RealGraph:
    """Read an ONNX file and import its graph.

    ``input_type`` says what integers the network's input is, as ``input_quantizer`` reads it.

    Raises:
        ModelFileError: a file that cannot be read as a model.
        UnsupportedError: names every node that cannot be built, and the nearest that can.
    """
    found = survey(path, input_type)
    if found.problems:
        raise combined(found.problems)
    return found.graph


@dataclass(frozen=True)
class Survey:
    """What of a file can be built, and every reason why the rest cannot."""

    graph: RealGraph
    problems: tuple[HwgenError, ...]


def survey(path: str | os.PathLike[str], input_type: str | None = None) -> Survey:
    """As ``load``, but all problems are given beside the nodes that do not depend on them."""
    importer = _Importer(read(path))
    importer.start(input_type)
    for node in importer.model.nodes:
        importer.take(node)
    return importer.finish()


@dataclass
class _Importer:
    model: OnnxModel
    batch: int = 1
    nodes: list[RealNode] = field(default_factory=list)
    values: dict[str, Value] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    problems: list[HwgenError] = field(default_factory=list)
    uses: Counter[str] = field(default_factory=Counter)
    host: set[str] = field(default_factory=set)
    made: dict[Hashable, Real] = field(default_factory=dict)

    def start(self, input_type: str | None) -> None:
        """The constants, and the input with the integers it is stated to be."""
        version = max((self.model.opsets.get(d, 0) for d in STANDARD), default=0)
        if version and version < _OLDEST_OPSET:
            raise UnsupportedError(
                f"the operator set must be {_OLDEST_OPSET} or newer, not {version}",
                hint="convert the file with onnx.version_converter",
            )
        self.uses.update(name for node in self.model.nodes for name in node.inputs)
        self.values.update({n: Constant(v) for n, v in self.model.constants.items()})
        source = self.model.input
        shape = self._frame_shape()
        last = qonnx_last.comes_last(self.model)
        native = (shape[-1], *shape[:-1]) if last else shape
        name = self._append(RealInput(name="input", shape=native, channels_last=last))
        stated = input_quantizer(source, input_type)
        if stated is not None:
            name = self._append(stated.node(name, Origin(source.name, "input")))
        x = Real.of(name, native)
        if last:
            x = Real(name, shape, native, (*range(1, len(shape)), 0))
        self.values[source.name] = x

    def _frame_shape(self) -> tuple[int, ...]:
        """The input's shape without the batch; the batch of the file is noted."""
        source = self.model.input
        known = all(d is not None and d > 0 for d in source.dims[1:])
        if len(source.dims) < 2 or not known:
            shown = tuple("?" if d is None else d for d in source.dims)
            raise ModelError(
                f"the input must have the batch on axis 0 and known sizes after it, not {shown}",
                origin=source.name,
                hint="export with a fixed input shape: onnx.tools.update_model_dims",
            )
        self.batch = source.dims[0] or 1
        shape = tuple(int(d or 0) for d in source.dims[1:])
        count = 1
        for size in shape:
            count *= size
        if count > MAX_FRAME:
            raise ModelError(f"a frame must have at most {MAX_FRAME:,} values, not {count:,}")
        return shape

    def take(self, node: OnnxNode) -> None:
        """Import one operator, or remember why it cannot be."""
        if any(name and name not in self.values for name in node.inputs):
            return  # what depends on an operator that failed is not reported again
        try:
            result = self._result(node)
        except HwgenError as error:
            self.problems.append(error)
            return
        results = result if isinstance(result, tuple) else (result,)
        for name, value in zip(node.outputs, results, strict=False):
            if name and value is not None:
                self.values[name] = value

    def _result(self, node: OnnxNode) -> Value | tuple[Value | None, ...]:
        opset = self.model.opsets.get(node.domain) or self.model.opsets.get("", 0)
        call = Call(node, self.values, self.batch, opset, self._emitter(node), self.uses, self.made)
        name = key(node)
        if node.domain in STANDARD:
            folded = fold(call)
            if folded is not None:
                return folded
        if name not in TABLE:
            raise UnsupportedError(
                f"{name} is not an operator that hwgen builds",
                origin=node.origin,
                hint=HINTS.get(name, "build it from the operators listed in docs/import.md"),
            )
        return TABLE[name](call)

    def _emitter(self, node: OnnxNode):  # type: ignore[no-untyped-def]
        wanted = _identifier(node.name or "_".join((node.op, *node.outputs[:1])), node.op)

        def emit(made: RealNode, suffix: str) -> str:
            return self._append(replace(made, name=wanted + suffix))

        return emit

    def _append(self, node: RealNode) -> str:
        name, count = node.name, 2
        while name in self.names:
            name, count = f"{node.name}_{count}", count + 1
        self.names.add(name)
        self.nodes.append(replace(node, name=name))
        self._follow(self.nodes[-1])
        return name

    def _follow(self, node: RealNode) -> None:
        """Keep account of what is still real numbers, on the host."""
        if isinstance(node, RealInput):
            self.host.add(node.name)
        if not self.host.intersection(node.inputs) or isinstance(node, RealQuantize | RealSign):
            return
        if not isinstance(node, _HOST_SIDE):
            raise ModelError(
                "the network's input must be quantized before this layer, not real numbers",
                origin=node.origin,
                hint="say what it is: --input-type 'FIXED<16,6>' (16 bits, 6 before the point), "
                "UINT8 or the like",
            )
        self.host.add(node.name)

    def finish(self) -> Survey:
        """The graph as far as it goes."""
        name = _identifier(self.model.path.stem, "network")
        value = self.values.get(self.model.output)
        if isinstance(value, Constant):
            self.problems.append(
                ModelError("the output must depend on the input", origin=self.model.output)
            )
        elif value is not None:
            try:
                self._end(value)
            except HwgenError as error:
                self.problems.append(error)
        return Survey(RealGraph(name, tuple(self.nodes)), tuple(self.problems))

    def _end(self, value: Real | Coded) -> None:
        """The output; axes of size 1 do not count."""
        node = OnnxNode("Output", "", "output", (self.model.output,), (), {})
        call = Call(node, self.values, self.batch, 0, self._emitter(node), self.uses, self.made)
        x = call.elements(0)
        last = x.perm == (*range(1, len(x.perm)), 0) and x.shape == x.permuted and not x.in_order
        if not last and (not x.in_order or len(x.shape) < len(x.native)):
            x = call.real(0)
        self._append(RealOutput(name="output", inputs=(x.node,), channels_last=last))


def _identifier(text: str, start: str) -> str:
    """``text`` as an identifier, behind ``start`` where it would begin with a digit."""
    found = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_")[:60]
    return found if found and not found[0].isdigit() else f"{start}_{found}".strip("_")
