"""Units whose constants are written while they are at work."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from amaranth.sim import Simulator

from hwgen import families
from hwgen.inttype import IntType
from hwgen.rtl import load
from hwgen.rtl.alphabet import Alphabet
from hwgen.rtl.folded import MatVecUnit
from hwgen.rtl.load import Loader
from hwgen.rtl.sim import check_unit, pack, unpack
from hwgen.rtl.stream import raw
from hwgen.rtl.threshold import ThresholdUnit
from tests.rtl.synthesis import compare
from tests.yosys import needs_yosys

XC7 = families.get("xc7")
X = IntType(0, 7)
Y = IntType(-300, 300)


def product(seed: int, memory: str = "lut", pe: int = 2, simd: int = 3) -> MatVecUnit:
    rng = np.random.default_rng(seed)
    alphabet = Alphabet.shift(range(3))
    weights = 2 ** rng.integers(0, 3, (4, 6)) * rng.choice([-1, 1], (4, 6))
    bias = rng.integers(-9, 9, 4)
    return MatVecUnit(
        weights, bias, X, pe=pe, simd=simd, alphabet=alphabet, output=Y, memory=memory,
        writable=True,
    )  # fmt: skip


def thresholds(seed: int, method: str = "compare", lanes: int = 2) -> ThresholdUnit:
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.integers(-280, 280, (4, 3)), axis=1)
    down = tuple(bool(b) for b in rng.integers(0, 2, 4))
    return ThresholdUnit(
        rows, Y, lanes=lanes, descending=down, output=IntType(0, 3), method=method, writable=True
    )  # type: ignore[arg-type]


def golden(unit: Any, x: np.ndarray) -> np.ndarray:
    if isinstance(unit, MatVecUnit):
        return x @ unit.weights.T + unit.bias
    directed = np.where(unit.down, ~x, x)
    return (directed[..., None] >= unit.rows).sum(axis=2)


CASES: dict[str, Any] = {
    "weights in LUTs": lambda seed: product(seed),
    "weights in block RAM": lambda seed: product(seed, "block"),
    "all at once": lambda seed: product(seed, pe=4, simd=6),
    "comparisons": lambda seed: thresholds(seed),
    "comparisons of all channels": lambda seed: thresholds(seed, lanes=4),
    "a search": lambda seed: thresholds(seed, "search"),
}


def frames(unit: Any) -> np.ndarray:
    rng = np.random.default_rng(9)
    kind, columns = (X, 6) if isinstance(unit, MatVecUnit) else (Y, 4)
    return rng.integers(kind.lo, kind.hi + 1, (5, columns))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("stalls", [0.0, 0.4])
def test_a_writable_unit_begins_with_its_own_constants(case: str, stalls: float) -> None:
    unit = CASES[case](0)
    x = frames(unit)
    lanes, given = (port.payload.shape().length for port in (unit.i, unit.o))
    want = golden(unit, x).reshape(-1, given)
    check_unit(unit, [x.reshape(-1, lanes)], want, stalls=stalls, seed=3)


@pytest.mark.parametrize("case", CASES)
def test_what_is_written_counts_from_the_change_of_banks_on(case: str) -> None:
    unit, other = CASES[case](0), CASES[case](1)
    x = frames(unit)
    writes = other.loader().writes()
    seen: list[np.ndarray] = []

    async def bench(ctx: Any) -> None:
        seen.append(await _run(ctx, unit, x))
        for address, data in writes:
            ctx.set(unit.load.address, address)
            ctx.set(unit.load.data, data)
            ctx.set(unit.load.valid, 1)
            await ctx.tick()
        ctx.set(unit.load.valid, 0)
        seen.append(await _run(ctx, unit, x))
        for bank in (1, 0):
            ctx.set(unit.load.bank, bank)
            seen.append(await _run(ctx, unit, x))

    simulator = Simulator(unit)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    old, new = golden(unit, x), golden(other, x)
    assert not np.array_equal(old, new)
    for got, want in zip(seen, (old, old, new, old), strict=True):
        assert np.array_equal(got, want)


async def _run(ctx: Any, unit: Any, x: np.ndarray) -> np.ndarray:
    """All frames through the unit, one after the other."""
    source, sink = unit.i.payload.shape(), unit.o.payload.shape()
    beats = [pack(b, source.elem_shape.width) for b in x.reshape(-1, source.length)]
    wanted = len(x) * golden(unit, x).shape[1] // sink.length
    got: list[list[int]] = []
    ctx.set(unit.o.ready, 1)
    while len(got) < wanted:
        ctx.set(unit.i.valid, bool(beats))
        if beats:
            ctx.set(raw(unit.i.payload), beats[0])
        if ctx.get(unit.o.valid):
            word = ctx.get(raw(unit.o.payload))
            element = sink.elem_shape
            got.append(unpack(word, sink.length, element.width, element.signed))
        if beats and ctx.get(unit.i.ready):
            beats.pop(0)
        await ctx.tick()
    ctx.set(unit.i.valid, 0)
    return np.array(got).reshape(len(x), -1)


def test_words_have_addresses_of_memory_and_place() -> None:
    loader = Loader([([1, 2, 3], 8), ([5 << 32 | 7], 40)])
    assert loader.writes() == [(0, 1), (1, 2), (2, 3), (4, 7), (8, 5)]


@needs_yosys
@pytest.mark.parametrize("case", ["weights in LUTs", "weights in block RAM", "a search"])
def test_writable_units_are_priced(case: str) -> None:
    unit = CASES[case](0)
    errors = compare(unit, "xc7", unit.resources(XC7))
    assert all(abs(error) <= 0.15 for error in errors.values()), errors


@pytest.mark.parametrize(("family", "registers"), [("ice40", 2 * 8 * 5), ("ecp5", 0), ("xc7", 0)])
def test_two_banks_without_lut_ram_are_registers(family: str, registers: int) -> None:
    assert load.price(7, 5, "lut", families.get(family)).ff == registers
    assert load.price(7, 5, "block", families.get(family)).ff == 0
