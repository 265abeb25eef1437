"""Estimates of LUTs and flip-flops beside what yosys makes of the same unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pytest

from hwgen import families
from hwgen.inttype import IntType
from hwgen.ops.spatial import Kernel
from hwgen.ops.walked import window_walk
from hwgen.rtl.accumulate import AccumulateUnit
from hwgen.rtl.add import AddUnit
from hwgen.rtl.alphabet import Alphabet
from hwgen.rtl.fifo import Fifo
from hwgen.rtl.folded import MatVecUnit
from hwgen.rtl.gearbox import Gearbox
from hwgen.rtl.lookup import LookupUnit
from hwgen.rtl.reduce import ReduceUnit
from hwgen.rtl.requantize import RequantizeUnit
from hwgen.rtl.stream import Elastic
from hwgen.rtl.threshold import ThresholdUnit
from hwgen.rtl.window import WalkUnit
from tests.rtl.synthesis import compare, needs_yosys

pytestmark = needs_yosys

SHIFT, ZERO = Alphabet.shift(range(4)), Alphabet.shift(range(3), zero=True)
INT4 = Alphabet.integers(-7, 7)


def signed(bits: int) -> IntType:
    return IntType.bits(bits, True)


def unsigned(bits: int) -> IntType:
    return IntType.bits(bits, False)


def product(
    alphabet: Alphabet,
    shape: tuple[int, int],
    tile: tuple[int, int],
    input: IntType,
    **options: Any,
) -> MatVecUnit:
    rng = np.random.default_rng(1)
    signs = rng.choice([-1, 1], shape) if alphabet.signed else 1
    weights = rng.choice(np.array(alphabet.magnitudes), shape) * signs
    bias = rng.integers(-20, 20, shape[0])
    return MatVecUnit(weights, bias, input, pe=tile[0], simd=tile[1], alphabet=alphabet, **options)


def threshold(channels: int, levels: int, lanes: int, input: IntType) -> ThresholdUnit:
    rng = np.random.default_rng(3)
    table = np.sort(rng.integers(input.lo + 1, input.hi + 1, (channels, levels)), axis=1)
    return ThresholdUnit(table, input, lanes=lanes)


def requantizer() -> RequantizeUnit:
    rng = np.random.default_rng(5)
    factors, bias = rng.integers(20, 4000, 16), rng.integers(-9000, 9000, 16)
    return RequantizeUnit(factors, bias, 14, unsigned(4), signed(12), lanes=2)


def window(
    shape: tuple[int, int, int], lanes: int, input: IntType, memory: Literal["lut", "block"]
) -> WalkUnit:
    walk = window_walk(Kernel((3, 3), padding=(1, 1, 1, 1)), shape, shape[0] // lanes)
    return WalkUnit(walk, input, lanes, memory=memory)


def depthwise(levels: Sequence[int], channels: int, lanes: int) -> ReduceUnit:
    weights = np.random.default_rng(7).choice(np.array(levels), (channels, 9))
    kernel = Kernel((3, 3), padding=(1, 1, 1, 1))
    walk = window_walk(kernel, (channels, 12, 12), channels // lanes, inner=False)
    output = IntType(-1080, 1080)
    return ReduceUnit(walk, unsigned(4), lanes, "sum", output, weights=weights, memory="block")


FAST: dict[str, Any] = {
    "binary x 1 bit, 1x16": lambda: product(Alphabet.binary(), (8, 64), (1, 16), unsigned(1)),
    "binary x 4 bits, 4x4": lambda: product(Alphabet.binary(), (16, 16), (4, 4), signed(4)),
    "thresholds 3, 4 lanes": lambda: threshold(64, 3, 4, signed(10)),
    "thresholds 1, spatial": lambda: threshold(16, 1, 16, signed(10)),
    "queue": lambda: Fifo(unsigned(8), 4, 32),
    "elastic": lambda: Elastic(unsigned(8), 4),
    "window": lambda: window((16, 32, 32), 16, unsigned(4), "lut"),
    "sum of two": lambda: AddUnit(signed(6), signed(6), [[1], [4]], signed(9), 4),
}

SLOW: dict[str, Any] = {
    "binary x 1 bit, 16x16": lambda: product(Alphabet.binary(), (64, 64), (16, 16), unsigned(1)),
    "binary x 1 bit, block": lambda: product(
        Alphabet.binary(), (64, 64), (16, 32), unsigned(1), memory="block"
    ),
    "binary x 2 bits, 8x16": lambda: product(Alphabet.binary(), (64, 64), (8, 16), unsigned(2)),
    "binary x 8 bits, 16x49": lambda: product(Alphabet.binary(), (64, 784), (16, 49), unsigned(8)),
    "ternary x 4 bits, 8x16": lambda: product(Alphabet.ternary(), (64, 64), (8, 16), unsigned(4)),
    "shift x 4 bits, 8x16": lambda: product(SHIFT, (64, 64), (8, 16), unsigned(4)),
    "shift or 0 x 4 bits, 8x16": lambda: product(ZERO, (64, 64), (8, 16), unsigned(4)),
    "int4 x 4 bits, 8x16": lambda: product(INT4, (64, 64), (8, 16), unsigned(4)),
    "int4 x 4 bits, 1x16": lambda: product(INT4, (10, 64), (1, 16), unsigned(4)),
    "thresholds 3, spatial": lambda: threshold(64, 3, 64, signed(10)),
    "thresholds 15, spatial": lambda: threshold(16, 15, 16, signed(12)),
    "thresholds 7, 8 bits": lambda: threshold(16, 7, 16, signed(8)),
    "thresholds 15, 8 lanes": lambda: threshold(64, 15, 8, signed(14)),
    "thresholds 3, 512 channels": lambda: threshold(512, 3, 8, signed(10)),
    "tables": lambda: LookupUnit(
        np.random.default_rng(0).integers(0, 16, (64, 16)), 0, unsigned(4), lanes=4
    ),
    "requantizer": requantizer,
    "queue in block RAM": lambda: Fifo(unsigned(8), 4, 512),
    "window in block RAM": lambda: window((3, 32, 32), 3, signed(8), "block"),
    "window of one lane": lambda: window((1, 49, 10), 1, signed(8), "lut"),
    "depthwise int4": lambda: depthwise(range(-7, 8), 64, 8),
    "depthwise shift": lambda: depthwise((-8, -4, -2, -1, 1, 2, 4, 8), 16, 4),
    "pool": lambda: AccumulateUnit(unsigned(1), 8, 8, (14, 14), (2, 2), "max", unsigned(1)),
    "mean": lambda: AccumulateUnit(unsigned(4), 1, 64, (1, 1), (8, 8), "sum", unsigned(10)),
    "gearbox": lambda: Gearbox(signed(12), 64, 8, 64 * 900),
}

TOLERANCE = 0.15


@pytest.mark.parametrize("name", FAST)
def test_estimates_of_small_units(name: str) -> None:
    errors = compare(FAST[name](), "xc7", FAST[name]().resources(families.get("xc7")))
    assert all(abs(error) <= TOLERANCE for error in errors.values()), errors


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW)
def test_estimates_of_whole_layers(name: str) -> None:
    errors = compare(SLOW[name](), "xc7", SLOW[name]().resources(families.get("xc7")))
    assert all(abs(error) <= TOLERANCE for error in errors.values()), errors


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in SLOW if "x 4 bits" in n or "1 bit, 16" in n])
def test_estimates_on_ecp5(name: str) -> None:
    errors = compare(SLOW[name](), "ecp5", SLOW[name]().resources(families.get("ecp5")))
    assert all(abs(error) <= 0.2 for error in errors.values()), errors


def test_thousands_of_shapes_are_priced_in_a_second() -> None:
    import time

    shape = product(Alphabet.binary(), (64, 64), (8, 16), unsigned(2)).shape
    start = time.perf_counter()
    for pe in (1, 2, 4, 8, 16) * 200:
        type(shape)(**{**vars_of(shape), "pe": pe}).resources(families.get("xc7"))
    assert time.perf_counter() - start < 2


def vars_of(shape: Any) -> dict[str, Any]:
    return {name: getattr(shape, name) for name in shape.__dataclass_fields__}
