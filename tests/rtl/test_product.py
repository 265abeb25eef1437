"""Products with weights of a table: every weight of an alphabet times every element."""

from __future__ import annotations

import numpy as np
import pytest
from amaranth.hdl import Module, Signal
from amaranth.sim import Simulator

from hwgen.inttype import IntType
from hwgen.rtl.product import Weights
from hwgen.rtl.stream import element

ALPHABETS = [(-1, 1), (-1, 0, 1), (1,), (-2,), (-8, -2, 1, 4), (0, 1, 2, 4), (-7, 0, 3, 5), (5, 6)]


@pytest.mark.parametrize("values", ALPHABETS, ids=str)
@pytest.mark.parametrize("dtype", [IntType(0, 7), IntType(-5, 6)], ids=str)
def test_every_product(values: tuple[int, ...], dtype: IntType) -> None:
    weights = Weights.of(np.array(values))
    x, word = Signal(element(dtype)), Signal(max(weights.width, 1))
    y = Signal(element(IntType(-99, 99)))
    m = Module()
    m.d.comb += y.eq(weights.times(word, x))

    async def bench(ctx: object) -> None:
        for value in values:
            for number in range(dtype.lo, dtype.hi + 1):
                ctx.set(word, weights.word(value))  # type: ignore[attr-defined]
                ctx.set(x, number)  # type: ignore[attr-defined]
                await ctx.delay(1e-9)  # type: ignore[attr-defined]
                assert ctx.get(y) == value * number  # type: ignore[attr-defined]

    simulator = Simulator(m)
    simulator.add_testbench(bench)
    simulator.run()
