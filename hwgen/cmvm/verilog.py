"""A pipelined adder graph as the text of one Verilog module, and the cells it instantiates."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from hwgen.cmvm.cells import Cell, cell
from hwgen.cmvm.graph import AdderGraph, Node, Term
from hwgen.cmvm.pipeline import Pipelined
from hwgen.families.base import Family
from hwgen.inttype import IntType
from hwgen.paths import RTL_TEMPLATES


def library(family: Family | None = None) -> dict[str, str]:
    """The cells that emitted modules instantiate, as Verilog files by name.

    Without a family, or for one without structural cells, they are behavioural: the twin that
    simulators run. Both define the same modules.
    """
    folders = ["generic"]
    if family is not None and family.instantiate == "xilinx":
        folders = ["xilinx", "xilinx_ultrascale"] if family.name == "xcup" else ["xilinx"]
    paths = [path for folder in folders for path in (RTL_TEMPLATES / folder).glob("hwgen_*.v")]
    return {path.name: path.read_text() for path in sorted(paths, key=lambda p: p.name)}


def emit(
    design: Pipelined | AdderGraph, name: str, family: Family, *, x_slot: int = 0, y_slot: int = 0
) -> str:
    """Module ``name`` with ports ``clk``, ``ce``, ``x`` and ``y``, and nothing but text in it.

    Input ``k`` is read from the low bits of ``x[k * x_slot +: x_slot]``, output ``j`` is extended
    to ``y[j * y_slot +: y_slot]``; a slot of 0 is the least that holds every element. Registers
    advance where ``ce`` is 1; outputs come ``design.stages`` advances after their inputs.
    """
    piped = (
        design if isinstance(design, Pipelined) else Pipelined(design, (0,) * len(design.nodes), 0)
    )
    return _Writer(piped, name, family, x_slot, y_slot).text()


class _Writer:
    def __init__(
        self, design: Pipelined, name: str, family: Family, x_slot: int, y_slot: int
    ) -> None:
        self.design, self.graph, self.name, self.family = design, design.graph, name, family
        self.n = len(self.graph.inputs)
        self.x_slot = x_slot or IntType.hull(self.graph.inputs).width
        self.y_slot = y_slot or IntType.hull(o.type for o in self.graph.outputs).width
        self.born = [0] * self.n + list(design.stage)
        self.lines: list[str] = []
        self.clocked: list[str] = []

    def text(self) -> str:
        self._inputs()
        for k, node in enumerate(self.graph.nodes, self.n):
            self._node(k, node)
        self._registers()
        self._outputs()
        return "\n".join([*self._header(), *self.lines, *self._always(), "endmodule",
                          "/* verilator lint_on UNUSEDSIGNAL */", ""])

    def _header(self) -> list[str]:
        bits_x, bits_y = self.n * self.x_slot, len(self.graph.outputs) * self.y_slot
        return [
            "/* verilator lint_off UNUSEDSIGNAL */  // bits that no sum needs, clk of bare wires",
            f"module {self.name} (",
            "  input wire clk,",
            "  input wire ce,",
            f"  input wire [{bits_x - 1}:0] x,",
            f"  output wire [{bits_y - 1}:0] y",
            ");",
        ]

    def _always(self) -> list[str]:
        if not self.clocked:
            return []
        return ["  always @(posedge clk) if (ce) begin", *self.clocked, "  end"]

    def _inputs(self) -> None:
        for k, dtype in enumerate(self.graph.inputs):
            low = k * self.x_slot
            self.lines.append(
                f"  wire [{dtype.width - 1}:0] n{k} = x[{low + dtype.width - 1}:{low}];"
            )

    def _registers(self) -> None:
        for source, life in enumerate(self.design.lifetimes):
            top = self.graph.type_of(source).width - 1
            for step in range(1, life + 1):
                self.lines.append(f"  reg [{top}:0] n{source}_{step};")
                before = f"n{source}" if step == 1 else f"n{source}_{step - 1}"
                self.clocked.append(f"    n{source}_{step} <= {before};")

    def _outputs(self) -> None:
        parts = []
        for out in self.graph.outputs:
            if out.source is None:
                parts.append(f"{self.y_slot}'d{out.bias % (1 << self.y_slot)}")
            else:
                parts.append(
                    self._extend(Term(out.source, out.shift), self.design.stages, 0, self.y_slot)
                )
        body = ",\n    ".join(reversed(parts))
        self.lines.append(f"  assign y = {{\n    {body}\n  }};")

    def _at(self, source: int, stage: int) -> str:
        """The name of ``source`` as it is in ``stage``."""
        late = stage - self.born[source]
        return f"n{source}_{late}" if late else f"n{source}"

    def _extend(self, term: Term, stage: int, low: int, high: int) -> str:
        """Bits ``low … high-1`` of ``source << shift``, sign-extended, without its negation."""
        dtype, name = self.graph.type_of(term.source), self._at(term.source, stage)
        zeros = max(0, min(term.shift, high) - low)
        first = max(0, low - term.shift)
        last = min(dtype.width, high - term.shift)
        parts = []
        extra = (high - low) - zeros - max(0, last - first)
        if extra:
            sign = f"{{{extra}{{{name}[{dtype.width - 1}]}}}}" if dtype.signed else f"{extra}'d0"
            parts.append(sign)
        if last > first:
            whole = first == 0 and last == dtype.width
            parts.append(name if whole else f"{name}[{last - 1}:{first}]")
        if zeros:
            parts.append(f"{zeros}'d0")
        return parts[0] if len(parts) == 1 else "{" + ", ".join(parts) + "}"

    def _node(self, k: int, node: Node) -> None:
        operands = self.graph.operands(node)
        made = cell(operands, node.bias, node.type, self.family)
        stage = self.born[k]
        self.lines.append(f"  wire [{made.width - 1}:0] n{k};")
        if made.kind == "table":
            self._table(k, node, stage)
        elif made.kind == "wire":
            self._wire(k, node, stage)
        else:
            self._adder(k, node, made, stage)

    def _wire(self, k: int, node: Node, stage: int) -> None:
        width = node.type.width
        value = (
            self._extend(node.terms[0], stage, 0, width)
            if node.terms
            else f"{width}'d{node.bias % (1 << width)}"
        )
        self.lines.append(f"  assign n{k} = {value};")

    def _adder(self, k: int, node: Node, made: Cell, stage: int) -> None:
        width, start = made.width, made.start
        span = width - start
        words = [(self._extend(t, stage, start, width), t.negate) for t in node.terms]
        if node.bias:
            words.append((f"{span}'d{(node.bias >> start) % (1 << span)}", False))
        while len(words) < (3 if made.kind == "add3" else 2):
            words.append((f"{span}'d0", False))
        flags = "".join("1" if negate else "0" for _, negate in reversed(words))
        ports = ", ".join(f".{p}({w})" for p, (w, _) in zip("abc", words, strict=False))
        parameters = f".W({span}), .NEG({len(words)}'b{flags})"
        target = f"n{k}" if start == 0 else f"n{k}[{width - 1}:{start}]"
        self.lines.append(f"  hwgen_{made.kind} #({parameters}) u{k} ({ports}, .y({target}));")
        if start:
            low = min(node.terms, key=lambda t: t.shift)
            self.lines.append(
                f"  assign n{k}[{start - 1}:0] = {self._extend(low, stage, 0, start)};"
            )

    def _table(self, k: int, node: Node, stage: int) -> None:
        sources = sorted({t.source for t in node.terms})
        types = [self.graph.type_of(s) for s in sources]
        bits = sum(t.width for t in types)
        contents = _contents(node, sources, types)
        width = node.type.width
        init = sum(
            ((value >> b) & 1) << (b * (1 << bits) + address)
            for address, value in enumerate(contents)
            for b in range(width)
        )
        address = ", ".join(self._at(s, stage) for s in reversed(sources))
        size = width << bits
        self.lines.append(
            f"  hwgen_table #(.N({bits}), .W({width}), .INIT({size}'h{init:x})) u{k} "
            f"(.a({{{address}}}), .y(n{k}));"
        )


def _contents(node: Node, sources: Sequence[int], types: Sequence[IntType]) -> list[int]:
    """The node's value, at its width, for every pattern of its sources' bits."""
    factors = dict.fromkeys(sources, 0)
    for t in node.terms:
        factors[t.source] += -(1 << t.shift) if t.negate else 1 << t.shift
    mask = (1 << node.type.width) - 1
    values = []
    for address in range(prod(1 << t.width for t in types)):
        total, rest = node.bias, address
        for source, dtype in zip(sources, types, strict=True):
            field = rest & ((1 << dtype.width) - 1)
            rest >>= dtype.width
            if dtype.signed and field >> (dtype.width - 1):
                field -= 1 << dtype.width
            total += factors[source] * field
        values.append(total & mask)
    return values
