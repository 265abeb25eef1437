"""Adder graphs: exact linear forms, built from cells that a family's fabric has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hwgen.cmvm.cells import Cell, Operand, cell
from hwgen.families.base import Family, Resources
from hwgen.inttype import IntType

Matrix = NDArray[np.int64]
SIGN = IntType(-1, 0)  # a signed input of one bit is its own sign


@dataclass(frozen=True, slots=True)
class Term:
    """``± (source << shift)``; the graph's ``sources`` are first, then its nodes in order."""

    source: int
    shift: int = 0
    negate: bool = False


@dataclass(frozen=True, slots=True)
class Node:
    """``Σ terms + bias``, one cell of the fabric; ``type`` holds exactly the values it can take."""

    terms: tuple[Term, ...]
    bias: int
    type: IntType


@dataclass(frozen=True, slots=True)
class Output:
    """``source << shift``, or the constant ``bias`` where ``source`` is None."""

    source: int | None
    shift: int
    bias: int
    type: IntType


@dataclass(frozen=True)
class AdderGraph:
    """``outputs = W · inputs + b`` as nodes in topological order.

    The ``sources`` that nodes start from are the inputs, or, where the graph is ``split``, the
    single bits of all inputs, lowest first: that is how tables see narrow inputs.
    ``signs_only`` says that of all outputs only the sign is used: synthesis then removes every
    register that holds another bit of one.

    Raises:
        AssertionError: from ``verify``; a graph that fails it is a bug of hwgen.
    """

    inputs: tuple[IntType, ...]
    nodes: tuple[Node, ...]
    outputs: tuple[Output, ...]
    split: bool = False
    signs_only: bool = False

    @cached_property
    def places(self) -> tuple[tuple[int, int], ...]:
        """Of every source, its input and its lowest bit in it."""
        if not self.split:
            return tuple((k, 0) for k in range(len(self.inputs)))
        return tuple((k, b) for k, t in enumerate(self.inputs) for b in range(t.width))

    @cached_property
    def sources(self) -> tuple[IntType, ...]:
        """The range of every source before the nodes."""
        return (IntType(0, 1),) * len(self.places) if self.split else self.inputs

    def type_of(self, source: int) -> IntType:
        n = len(self.sources)
        return self.sources[source] if source < n else self.nodes[source - n].type

    @cached_property
    def levels(self) -> tuple[int, ...]:
        """Cells between the inputs and each source, itself included; inputs are at 0."""
        level = [0] * len(self.sources)
        for node in self.nodes:
            level.append(1 + max((level[t.source] for t in node.terms), default=0))
        return tuple(level)

    @property
    def depth(self) -> int:
        """Cells on the longest path from an input to an output."""
        return max((self.levels[o.source] for o in self.outputs if o.source is not None), default=0)

    @cached_property
    def forms(self) -> tuple[Matrix, Matrix]:
        """``(rows, biases)``: every source and node as ``rows[s] · sources + biases[s]``."""
        n = len(self.sources)
        rows: Matrix = np.zeros((n + len(self.nodes), n), np.int64)
        biases: Matrix = np.zeros(n + len(self.nodes), np.int64)
        rows[np.arange(n), np.arange(n)] = 1
        for k, node in enumerate(self.nodes, n):
            biases[k] = node.bias
            for t in node.terms:
                factor = -(1 << t.shift) if t.negate else 1 << t.shift
                rows[k] += factor * rows[t.source]
                biases[k] += factor * biases[t.source]
        return rows, biases

    def linear_form(self) -> tuple[Matrix, Matrix]:
        """``(W, b)``, W of shape (outputs, inputs): what the graph computes, exactly.

        Raises:
            AssertionError: an output is no multiple of an input that it uses bit by bit.
        """
        rows, biases = self.forms
        n = len(self.sources)
        weights: Matrix = np.zeros((len(self.outputs), n), np.int64)
        offsets: Matrix = np.zeros(len(self.outputs), np.int64)
        for j, out in enumerate(self.outputs):
            if out.source is None:
                offsets[j] = out.bias
            else:
                weights[j] = rows[out.source] << out.shift
                offsets[j] = biases[out.source] << out.shift
        if not self.split:
            return weights, offsets
        first = [k for k, (_, bit) in enumerate(self.places) if bit == 0]
        whole = weights[:, first] * np.array([-1 if t == SIGN else 1 for t in self.inputs])
        assert np.array_equal(weights, whole[:, [i for i, _ in self.places]] * self._bit_weights)
        return whole, offsets

    @cached_property
    def _bit_weights(self) -> Matrix:
        """What a 1 in each source stands for in its input."""
        signs = [
            -1 if self.split and self.inputs[k].signed and b == self.inputs[k].width - 1 else 1
            for k, b in self.places
        ]
        return np.array([s << b for s, (_, b) in zip(signs, self.places, strict=True)], np.int64)

    def evaluate(self, x: Matrix) -> Matrix:
        """Outputs, shape (batch, outputs), for inputs of shape (batch, inputs), node by node."""
        lanes = np.asarray(x, np.int64).T
        values = list(lanes)
        if self.split:
            values = [(lanes[k] >> b) & 1 for k, b in self.places]
        batch = len(x)
        for node in self.nodes:
            total = np.full(batch, node.bias, np.int64)
            for t in node.terms:
                part = values[t.source] << t.shift
                total = total - part if t.negate else total + part
            values.append(total)
        columns = [
            np.full(batch, o.bias, np.int64) if o.source is None else values[o.source] << o.shift
            for o in self.outputs
        ]
        return np.stack(columns, axis=1) if columns else np.zeros((batch, 0), np.int64)

    def verify(self, weights: Matrix, bias: Matrix | None = None) -> None:
        """Check the whole graph against ``W`` and ``b``, and every node's range.

        Raises:
            AssertionError: the graph computes something else, or a range is not exact.
        """
        form, offsets = self.linear_form()
        wanted = np.zeros(len(self.outputs), np.int64) if bias is None else np.asarray(bias)
        assert np.array_equal(form, weights), "the adder graph is not the matrix"
        assert np.array_equal(offsets, wanted), "the adder graph has another bias"
        lo, hi = ranges(self.sources, *self.forms)
        n = len(self.sources)
        for k, node in enumerate(self.nodes, n):
            assert (node.type.lo, node.type.hi) == (lo[k], hi[k]), "a node's range is not exact"
            assert all(t.source < k for t in node.terms), "nodes are out of order"

    def operands(self, node: Node) -> tuple[Operand, ...]:
        return tuple(
            Operand(self.type_of(t.source), t.shift, t.negate, t.source) for t in node.terms
        )

    def cells(self, family: Family) -> tuple[Cell, ...]:
        """The cell of every node."""
        if family not in self._mapped:
            self._mapped[family] = tuple(
                cell(self.operands(n), n.bias, n.type, family) for n in self.nodes
            )
        return self._mapped[family]

    @cached_property
    def _mapped(self) -> dict[Family, tuple[Cell, ...]]:
        """Cells by family: many steps ask for them, and finding them takes time."""
        return {}

    def cost(self, family: Family) -> float:
        """LUTs of all cells, and of the inverters of what chains subtract where they need any."""
        return sum(made.lut for made in self.cells(family)) + self._inverters(family)

    def _inverters(self, family: Family) -> float:
        if not family.inverter:
            return 0.0
        chains = zip(self.nodes, self.cells(family), strict=True)
        turned = {
            t.source for node, made in chains if made.kind in ("add2", "add3")
            for t in node.terms if t.negate
        }  # fmt: skip
        return family.inverter * sum(self.type_of(source).width for source in turned)

    def resources(self, family: Family, stages: Sequence[int] | None = None) -> Resources:
        """LUTs, and the registers of a pipeline: ``stages[k]`` is the stage of node ``k``."""
        lut = self.cost(family)
        if stages is None:
            return Resources(lut=lut)
        from hwgen.cmvm.pipeline import Pipelined

        return Resources(lut=lut, ff=Pipelined(self, tuple(stages), 1 + max(stages)).register_bits)


def ranges(inputs: Sequence[IntType], rows: Matrix, biases: Matrix) -> tuple[Matrix, Matrix]:
    """The least and greatest value of every linear form over independent ``inputs``."""
    lo = np.array([t.lo for t in inputs], np.int64)
    hi = np.array([t.hi for t in inputs], np.int64)
    up: Matrix = np.maximum(rows, 0)
    down: Matrix = np.minimum(rows, 0)
    return np.matmul(up, lo) + np.matmul(down, hi) + biases, (
        np.matmul(up, hi) + np.matmul(down, lo) + biases
    )


class Builder:
    """Makes an ``AdderGraph`` node by node; equal nodes are made once."""

    def __init__(self, inputs: Sequence[IntType], *, split: bool = False) -> None:
        self.empty = AdderGraph(tuple(inputs), (), (), split)
        sources = self.empty.sources
        self.nodes: list[Node] = []
        self.types: list[IntType] = list(sources)
        self.rows: list[Matrix] = list(np.eye(len(sources), dtype=np.int64))
        self.biases: list[int] = [0] * len(sources)
        self.level: list[int] = [0] * len(sources)
        self._known: dict[tuple[tuple[Term, ...], int], int] = {}
        self._lo = np.array([t.lo for t in sources], np.int64)
        self._hi = np.array([t.hi for t in sources], np.int64)

    def add(self, terms: Sequence[Term], bias: int = 0) -> int:
        """The source that holds ``Σ terms + bias``."""
        ordered = tuple(sorted(terms, key=lambda t: (t.shift, t.negate, t.source)))
        found = self._known.get((ordered, bias))
        if found is not None:
            return found
        row = np.zeros(len(self._lo), np.int64)
        offset = bias
        for t in ordered:
            factor = -(1 << t.shift) if t.negate else 1 << t.shift
            row = row + factor * self.rows[t.source]
            offset += factor * self.biases[t.source]
        up, down = np.maximum(row, 0), np.minimum(row, 0)
        lo = int(up @ self._lo + down @ self._hi) + offset
        hi = int(up @ self._hi + down @ self._lo) + offset
        dtype = IntType(lo, hi)
        self.nodes.append(Node(ordered, bias, dtype))
        self.types.append(dtype)
        self.rows.append(row)
        self.biases.append(offset)
        self.level.append(1 + max((self.level[t.source] for t in ordered), default=0))
        self._known[ordered, bias] = len(self.types) - 1
        return len(self.types) - 1

    def output(self, term: Term | None, bias: int = 0) -> Output:
        """``term``, negated by a cell of its own if it must be, or the constant ``bias``."""
        if term is None:
            return Output(None, 0, bias, IntType(bias, bias))
        source = term.source
        if term.negate:
            source = self.add([Term(source, 0, True)])
        dtype = self.types[source]
        return Output(
            source, term.shift, 0, IntType(dtype.lo << term.shift, dtype.hi << term.shift)
        )

    def graph(self, outputs: Sequence[Output]) -> AdderGraph:
        """The graph without the nodes that no output needs."""
        n = len(self._lo)
        needed = [False] * len(self.types)
        for out in outputs:
            if out.source is not None:
                needed[out.source] = True
        for k in range(len(self.types) - 1, n - 1, -1):
            if needed[k]:
                for t in self.nodes[k - n].terms:
                    needed[t.source] = True
        place = list(range(n)) + [0] * len(self.nodes)
        nodes: list[Node] = []
        for k, node in enumerate(self.nodes, n):
            if needed[k]:
                place[k] = n + len(nodes)
                terms = tuple(Term(place[t.source], t.shift, t.negate) for t in node.terms)
                nodes.append(Node(terms, node.bias, node.type))
        moved = tuple(
            o if o.source is None else Output(place[o.source], o.shift, o.bias, o.type)
            for o in outputs
        )
        return AdderGraph(self.empty.inputs, tuple(nodes), moved, self.empty.split)
