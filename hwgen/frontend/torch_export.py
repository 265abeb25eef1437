"""From a torch.export archive to the real-valued quantized graph, without torch."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy.typing as npt

from hwgen.errors import HwgenError, ModelError, Origin, UnsupportedError, combined
from hwgen.frontend import torch_qdq, torch_spatial
from hwgen.frontend.archive import Archive, ArchiveNode, TensorRef, TensorType, Value, read
from hwgen.frontend.call import Bound, Call, Codes, Real, Rows
from hwgen.frontend.torch_constants import fold
from hwgen.frontend.torch_ops import HINTS, TABLE
from hwgen.ir.real import RealGraph, RealNode
from hwgen.ops.affine import RealAffine, RealFunction, RealIdentity
from hwgen.ops.input import RealInput
from hwgen.ops.output import RealOutput

ROWS = (torch_qdq, torch_spatial)
"""The modules whose import fills the table, beside its own."""

_PASSING = (RealAffine, RealFunction, RealIdentity)
_IGNORED = frozenset({"aten._assert_tensor_metadata.default", "aten.sym_size.int"})
_QUANTIZER = re.compile(r"\.?(weight_)?quantizer$")


def load(path: str | os.PathLike[str]) -> RealGraph:
    """Read a model file and import its graph.

    Raises:
        ModelFileError: if the file cannot be read as a model.
        ModelError: as `import_archive`.
    """
    return import_archive(read(path))


def import_archive(archive: Archive) -> RealGraph:
    """The network as real nodes; each has its module's name where that is possible.

    Raises:
        UnsupportedError: names every operator that cannot be built, and the nearest that can.
        ModelError: if the network has not one input and one output, or a constant is NaN.
    """
    importer = _Importer(archive)
    importer.start()
    for node in archive.nodes:
        importer.take(node)
    return importer.finish()


@dataclass
class _Importer:
    archive: Archive
    nodes: list[RealNode] = field(default_factory=list)
    bound: dict[str, Bound] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    problems: list[HwgenError] = field(default_factory=list)

    def start(self) -> None:
        """The input, and the archive's constants."""
        used = {name for node in self.archive.nodes for name in _used(node)}
        inputs = [name for name in self.archive.inputs if name in used] or self.archive.inputs
        if len(inputs) != 1 or len(self.archive.outputs) != 1:
            raise ModelError(
                f"a network must have one input and one output, not {len(inputs)} and "
                f"{len(self.archive.outputs)}",
                hint="concatenate inputs, and save the part up to the output that matters",
            )
        self.bound.update(self.archive.tensors)
        (name,) = inputs
        shape = self.archive.types[name].shape
        if len(shape) < 2:
            raise ModelError(f"the input must have the batch on axis 0, not shape {shape}")
        node = RealInput(name=self._name("input"), shape=shape[1:])
        self.nodes.append(node)
        self.bound[name] = Real(node.name, shape[1:])

    def take(self, node: ArchiveNode) -> None:
        """Import one operator, or remember why it cannot be."""
        if node.target in _IGNORED or not _used(node) <= self.bound.keys():
            return  # what depends on an operator that failed is not reported again
        try:
            self._bind(node, _result(self._call(node)))
        except ModelError as error:
            self.problems.append(error)

    def finish(self) -> RealGraph:
        """The graph, or all problems in one error."""
        if self.problems:
            raise combined(self.problems)
        (output,) = self.archive.outputs
        value = self.bound.get(output)
        if not isinstance(value, Real):
            raise ModelError("the output must depend on the input", origin=Origin(output))
        node = RealOutput(name=self._name("output"), inputs=(value.node,))
        name = _identifier(Path(self.archive.path).stem)
        return RealGraph(name, (*self.nodes, node), self._examples())

    def _examples(self) -> dict[str, npt.NDArray[Any]]:
        """The archive's example codes by the real node that gives them."""
        found = {}
        for name, codes in self.archive.examples.items():
            value = self.bound.get(name)
            if not name:
                found[""] = codes
            elif isinstance(value, Codes):
                found[value.source.node] = codes
            elif isinstance(value, Real):
                found[value.node] = codes
        return found

    def _call(self, node: ArchiveNode) -> Call:
        first = node.outputs[0] if node.outputs else ""
        kind = self.archive.types.get(first, TensorType((), "unknown"))
        return Call(node, self.bound, kind, partial(self._append, node))

    def _bind(self, node: ArchiveNode, result: Rows) -> None:
        results = result if isinstance(result, tuple) else (result,)
        for name, value in zip(node.outputs, results, strict=False):
            if isinstance(value, RealNode):
                made = self._append(node, value)
                self.bound[name] = Real(made, self.archive.types[name].shape[1:])
            elif value is not None:
                self.bound[name] = value

    def _append(self, node: ArchiveNode, value: RealNode, suffix: str = "") -> str:
        """Enters a node under a name of its module; the name."""
        named = replace(value, name=self._name(_module_name(node, value) + suffix))
        self.nodes.append(named)
        return named.name

    def _name(self, wanted: str) -> str:
        name, count = wanted, 2
        while name in self.names:
            name, count = f"{wanted}_{count}", count + 1
        self.names.add(name)
        return name


def _result(call: Call) -> Rows:
    """What the operator is worth: a constant, or what its row gives."""
    folded = fold(call) if call.constant_only else None
    if folded is not None:
        return folded
    row = TABLE.get(call.node.target)
    if row is None:
        raise _without_row(call.node)
    return row(call)


def _used(node: ArchiveNode) -> set[str]:
    """The values that an operator reads."""
    return {name for value in node.inputs.values() for name in _references(value)}


def _references(value: Value) -> Iterator[str]:
    if isinstance(value, TensorRef):
        yield value.name
    elif isinstance(value, tuple):
        for element in value:
            yield from _references(element)


def _module_name(node: ArchiveNode, value: RealNode) -> str:
    """The module's path as an identifier; what makes no hardware has the operator's name too."""
    kind = node.target.split(".")[1].strip("_")
    path = _identifier(_QUANTIZER.sub("", node.origin.path))
    if not path or path[0].isdigit():
        return f"{kind}_{path}" if path else kind
    return f"{path}_{kind}" if isinstance(value, _PASSING) else path


def _identifier(text: str) -> str:
    return re.sub(r"\W", "_", text, flags=re.ASCII)


def _without_row(node: ArchiveNode) -> UnsupportedError:
    operator = node.target.rpartition(".")[0]
    return UnsupportedError(
        f"{node.target} is not an operator that hwgen builds",
        origin=node.origin,
        hint=HINTS.get(operator, "build it from the operators listed in docs/operators.md"),
    )
