"""A pipelined adder graph as the text of one Verilog module, and the cells it instantiates."""

from __future__ import annotations

from collections.abc import Sequence

from hwgen.cmvm.cells import Cell, Operand, sums
from hwgen.cmvm.graph import AdderGraph, Node, Term
from hwgen.cmvm.packs import PackedSum, laid_out, packs
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
        self.n = len(self.graph.sources)
        self.x_slot = x_slot or IntType.hull(self.graph.inputs).width
        self.y_slot = y_slot or IntType.hull(o.type for o in self.graph.outputs).width
        self.born = [0] * self.n + list(design.stage)
        self.lines: list[str] = []
        self.clocked: list[str] = []

    def text(self) -> str:
        self._inputs()
        self._registers()  # declared before they are used
        for k, node in enumerate(self.graph.nodes, self.n):
            self.lines.append(f"  wire [{node.type.width - 1}:0] n{k};")
        for k, node in enumerate(self.graph.nodes, self.n):
            self._node(k, node)
        for number, chain in enumerate(packs(self.design, self.family)):
            self._packed(number, chain)
        self._outputs()
        return "\n".join(
            [
                *self._header(),
                *self.lines,
                *self._always(),
                "endmodule",
                "/* verilator lint_on UNUSEDSIGNAL */",
                "",
            ]
        )

    def _header(self) -> list[str]:
        bits_x, bits_y = len(self.graph.inputs) * self.x_slot, len(self.graph.outputs) * self.y_slot
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
        places = zip(self.graph.places, self.graph.sources, strict=True)
        for k, ((source, bit), dtype) in enumerate(places):
            low = source * self.x_slot + bit
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
        made = self.graph.cells(self.family)[k - self.n]
        stage = self.born[k]
        if made.kind == "packed":
            return  # with the others on its chain
        if made.kind == "table":
            self._table(k, node, stage)
        elif made.kind == "absorb":
            self._absorb(k, node, made, stage)
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
        pairs = sorted(zip(node.terms, self.graph.operands(node), strict=True),
                       key=lambda p: -min(p[1].top, width))  # fmt: skip
        words = [(self._extend(t, stage, start, width), t.negate) for t, _ in pairs]
        if node.bias:
            word = (f"{span}'d{(node.bias >> start) % (1 << span)}", False)
            long = node.bias < 0 or node.bias.bit_length() > min(pairs[0][1].top, width)
            words.insert(0 if long else len(words), word)
        size = 3 if made.kind == "add3" else 2
        words += [(f"{span}'d0", False)] * (size - len(words))
        flags = "".join("1" if negate else "0" for _, negate in reversed(words))
        ports = ", ".join(f".{p}({w})" for p, (w, _) in zip("abc", words, strict=False))
        parameters = f".W({span}), .NEG({size}'b{flags})"
        if size == 3 and made.live < span:
            parameters += f", .P({made.live})"
        self._instance(k, node, made, stage, f"hwgen_{made.kind} #({parameters}) u{k} ({ports}")

    def _instance(self, k: int, node: Node, made: Cell, stage: int, text: str) -> None:
        """A chain whose sum is the node from ``start`` on; its lowest operand is below. A sum whose
        range ends below ``start`` is that operand alone."""
        target = f"n{k}" if made.start == 0 else f"n{k}[{made.width - 1}:{made.start}]"
        if made.start < made.width:
            self.lines.append(f"  {text}, .y({target}));")
        if made.start:
            end = min(made.start, made.width)
            self.lines.append(f"  assign n{k}[{end - 1}:0] = {self._below(node, stage, end)};")

    def _below(self, node: Node, stage: int, end: int) -> str:
        """Bits 0 … ``end - 1`` of a sum whose chain starts there: those of its lowest operand."""
        return self._extend(min(node.terms, key=lambda t: t.shift), stage, 0, end)

    def _packed(self, number: int, chain: Sequence[int]) -> None:
        """The nodes that share a chain, one above the other."""
        cells = self.graph.cells(self.family)
        sums: list[PackedSum] = []
        for k in chain:
            made, node, stage = cells[k], self.graph.nodes[k], self.design.stage[k]
            words = [t for i, t in enumerate(node.terms) if i != made.carry]
            top = max(o.top for i, o in enumerate(self.graph.operands(node)) if i != made.carry)
            end = min(top, made.width)
            a, b = (self._extend(t, stage, made.start, end) for t in words)
            carry = self._at(node.terms[made.carry].source, stage) if made.carry >= 0 else ""
            sums.append(PackedSum(a, b, carry, end - made.start, made.width - made.start))
        a, b, places, width = laid_out(sums)
        self.lines.append(f"  wire [{width - 1}:0] p{number};")
        self.lines.append(f"  hwgen_add2 #(.W({width}), .NEG(2'b00)) c{number} "
                          f"(.a({a}), .b({b}), .y(p{number}));")  # fmt: skip
        for k, low in zip(chain, places, strict=True):
            made, node = cells[k], self.graph.nodes[k]
            value = f"p{number}[{low + made.width - made.start - 1}:{low}]"
            if made.start:
                rest = self._below(node, self.design.stage[k], made.start)
                value = f"{{{value}, {rest}}}"
            self.lines.append(f"  assign n{k + self.n} = {value};")

    def _absorb(self, k: int, node: Node, made: Cell, stage: int) -> None:
        operands = self.graph.operands(node)
        inside = [o for i, o in enumerate(operands) if i not in (made.wide, made.carry)]
        span = made.width - made.start
        bits, init, address = self._contents(inside, node.bias, made.start, span, stage)
        wide = self._extend(node.terms[made.wide], stage, made.start, made.width)
        carry = "1'b0" if made.carry < 0 else self._at(node.terms[made.carry].source, stage)
        self._instance(k, node, made, stage,
                       f"hwgen_absorb #(.N({bits}), .W({span}), .INIT({span << bits}'h{init:x})) "
                       f"u{k} (.a({wide}), .t({address}), .c({carry})")  # fmt: skip

    def _table(self, k: int, node: Node, stage: int) -> None:
        width = node.type.width
        bits, init, address = self._contents(self.graph.operands(node), node.bias, 0, width, stage)
        self.lines.append(
            f"  hwgen_table #(.N({bits}), .W({width}), .INIT({width << bits}'h{init:x})) u{k} "
            f"(.a({address}), .y(n{k}));"
        )

    def _contents(
        self, operands: Sequence[Operand], bias: int, start: int, width: int, stage: int
    ) -> tuple[int, int, str]:
        """``(address bits, contents, address)`` of the table of a sum's bits from ``start`` on."""
        values = sums(operands, bias)
        bits = len(values).bit_length() - 1
        init = sum(
            ((value >> (start + b)) & 1) << ((b << bits) + address)
            for address, value in enumerate(values)
            for b in range(width)
        )
        sources = sorted({o.source for o in operands}, reverse=True)
        return bits, init, "{" + ", ".join(self._at(s, stage) for s in sources) + "}"
