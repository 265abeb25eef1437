"""A pipelined adder graph as a unit of streams."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Cat, ClockSignal, Const, Instance, Module, Shape, Signal, Value
from amaranth.lib.wiring import In, Out

from hwgen.cmvm.graph import Term
from hwgen.cmvm.pipeline import Pipelined
from hwgen.cmvm.verilog import emit, library
from hwgen.families.base import Family, Resources
from hwgen.inttype import IntType
from hwgen.rtl.stream import Unit, layout, raw, signature
from hwgen.rtl.timing import Timing


class Datapath:
    """The circuit of a pipelined adder graph, to be placed into a module.

    With ``module``, it is an instance of the Verilog module of that name, whose text ``files``
    gives; without, it is Amaranth, which the simulator runs.

    Members:
        i_type, o_type: the elements of its inputs and outputs: the hulls of their ranges.
    """

    def __init__(self, design: Pipelined, family: Family, module: str | None = None) -> None:
        self.design, self.family, self.module = design, family, module
        self.i_type = IntType.hull(design.graph.inputs)
        self.o_type = IntType.hull(o.type for o in design.graph.outputs)

    def files(self, *, structural: bool = True) -> dict[str, str]:
        """The module's text and that of the cells it uses; empty without ``module``.

        ``structural`` chooses the family's own cells, otherwise their behavioural twins.
        """
        if self.module is None:
            return {}
        slots = {"x_slot": self.i_type.width, "y_slot": self.o_type.width}
        text = emit(self.design, self.module, self.family, **slots)
        return {f"{self.module}.v": text, **library(self.family if structural else None)}

    def place(self, m: Module, ce: Any, x: Any, y: Any, name: str = "datapath") -> None:
        """Drives ``y``, ``design.stages`` cycles with ``ce`` after ``x``; both are arrays."""
        if self.module is None:
            self._amaranth(m, ce, x, y)
        else:
            m.submodules[name] = Instance(
                self.module,
                i_clk=ClockSignal() if self.design.stages else Const(0),
                i_ce=ce,
                i_x=raw(x),
                o_y=raw(y),
            )

    def beside(self, m: Module, ce: Any, x: Any, y: Any, pixels: int) -> None:
        """As many datapaths side by side, each with its share of ``x`` and ``y``."""
        if pixels == 1:
            self.place(m, ce, x, y)
            return
        graph = self.design.graph
        for k in range(pixels):
            own_x = Signal(layout(self.i_type, len(graph.inputs)), name=f"x_{k}")
            own_y = Signal(layout(self.o_type, len(graph.outputs)), name=f"y_{k}")
            taken, given = len(raw(own_x)), len(raw(own_y))
            m.d.comb += [
                raw(own_x).eq(raw(x)[k * taken : (k + 1) * taken]),
                raw(y)[k * given : (k + 1) * given].eq(raw(own_y)),
            ]
            self.place(m, ce, own_x, own_y, name=f"datapath_{k}")

    def _amaranth(self, m: Module, ce: Any, x: Any, y: Any) -> None:
        graph, stages = self.design.graph, self.design.stages
        n = len(graph.sources)
        born = [0] * n + list(self.design.stage)
        rows: list[list[Value]] = []
        for source, life in enumerate(self.design.lifetimes):
            dtype = graph.type_of(source)
            now = Signal(Shape(dtype.width, dtype.signed), name=f"n{source}")
            if source < n:
                number, bit = graph.places[source]
                lane = Value.cast(x[number])
                m.d.comb += now.eq(lane[bit:] if graph.split else x[number])
            else:
                node = graph.nodes[source - n]
                total: Value = Const(node.bias)
                for t in node.terms:
                    total = _plus(total, t, rows[t.source][born[source] - born[t.source]])
                m.d.comb += now.eq(total)
            row: list[Value] = [now]
            for step in range(life):
                later = Signal.like(now, name=f"n{source}_{step + 1}", reset_less=True)
                with m.If(ce):
                    m.d.sync += later.eq(row[-1])
                row.append(later)
            rows.append(row)
        for lane, out in enumerate(graph.outputs):
            value: Value = Const(out.bias)
            if out.source is not None:
                value = rows[out.source][stages - born[out.source]] << out.shift
            m.d.comb += y[lane].eq(value)


class AdderGraphUnit(Unit):
    """Gives for every beat of inputs the beat of ``design``'s outputs, of ``pixels`` pixels.

    Throughput: one beat per cycle. Latency: ``design.stages`` cycles; 0 is wires only.

    With ``module``, the datapath is an instance of the Verilog module of that name, whose text
    ``verilog_files`` gives; without, it is Amaranth, which the simulator runs.

    Members:
        i: In(stream of one lane per pixel and input, elements of the hull of their ranges)
        o: Out(stream of one lane per pixel and output, elements of the hull of their ranges)
    """

    def __init__(
        self, design: Pipelined, family: Family, module: str | None = None, pixels: int = 1
    ) -> None:
        self.design, self.datapath = design, Datapath(design, family, module)
        self.pixels = pixels
        i_type, o_type = self.datapath.i_type, self.datapath.o_type
        self.timing = Timing.each(design.stages)
        super().__init__(
            {
                "i": In(signature(i_type, pixels * len(design.graph.inputs))),
                "o": Out(signature(o_type, pixels * len(design.graph.outputs))),
            }
        )

    def path_ns(self, family: Family) -> float:
        return self.design.delay_ns(family)

    def resources(self, family: Family) -> Resources:
        """The graphs, their registers, and the valid bits."""
        stages = self.design.stages
        return self.design.resources(family).scaled(self.pixels) + Resources(lut=2, ff=stages)

    def verilog_files(self, *, structural: bool = True) -> dict[str, str]:
        """See ``Datapath.files``."""
        return self.datapath.files(structural=structural)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        ce = Signal()
        if self.design.stages:
            valid = Signal(self.design.stages)
            m.d.comb += [ce.eq(~self.o.valid | self.o.ready), self.i.ready.eq(ce)]
            m.d.comb += self.o.valid.eq(valid[-1])
            with m.If(ce):
                m.d.sync += valid.eq(Cat(self.i.valid, valid))
        else:
            m.d.comb += [self.i.ready.eq(self.o.ready), self.o.valid.eq(self.i.valid)]
        self.datapath.beside(m, ce, self.i.payload, self.o.payload, self.pixels)
        return m


def _plus(total: Value, term: Term, value: Value) -> Value:
    shifted = value << term.shift
    return total - shifted if term.negate else total + shifted
