"""Estimates of LUTs and flip-flops beside what yosys makes of the same unit."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pytest

from hwgen import families
from hwgen.inttype import IntType
from hwgen.ops.spatial import Kernel
from hwgen.ops.walked import window_grid, window_walk
from hwgen.rtl.accumulate import AccumulateUnit
from hwgen.rtl.add import AddUnit
from hwgen.rtl.alphabet import Alphabet
from hwgen.rtl.axi import AxiStreamIn, AxiStreamOut
from hwgen.rtl.fifo import Fifo
from hwgen.rtl.folded import MatVecUnit
from hwgen.rtl.gearbox import Gearbox
from hwgen.rtl.lookup import LookupUnit
from hwgen.rtl.reduce import ReduceUnit
from hwgen.rtl.requantize import RequantizeUnit
from hwgen.rtl.stream import Elastic
from hwgen.rtl.threshold import ThresholdUnit
from hwgen.rtl.window import WalkUnit, WindowUnit
from tests.rtl.synthesis import beside, compare
from tests.yosys import needs_yosys

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


def threshold(
    channels: int, levels: int, lanes: int, input: IntType, seed: int = 3
) -> ThresholdUnit:
    rng = np.random.default_rng(seed)
    table = np.sort(rng.integers(input.lo + 1, input.hi + 1, (channels, levels)), axis=1)
    return ThresholdUnit(table, input, lanes=lanes)


def trained(
    channels: int, levels: int, lanes: int, input: IntType, seed: int, *, mixed: bool = False
) -> ThresholdUnit:
    """Thresholds as training leaves them: from near zero on, in steps that are much the same in
    all channels, in a part of the range; of both directions where ``mixed``."""
    rng = np.random.default_rng(seed)
    span = input.hi - input.lo
    first = rng.normal(0, span / 24, (channels, 1))
    step = np.abs(rng.normal(1, 0.25, (channels, 1))) * span / (6 * (levels + 1))
    table = np.round(first + step * np.arange(levels)).astype(np.int64)
    table = np.sort(np.clip(table, input.lo + 1, input.hi), axis=1)
    down = tuple((rng.random(channels) < 0.3).tolist()) if mixed else (False,)
    return ThresholdUnit(table, input, lanes=lanes, descending=down)


def requantizer() -> RequantizeUnit:
    rng = np.random.default_rng(5)
    factors, bias = rng.integers(20, 4000, 16), rng.integers(-9000, 9000, 16)
    return RequantizeUnit(factors, bias, 14, unsigned(4), signed(12), lanes=2)


def window(
    shape: tuple[int, int, int], lanes: int, input: IntType, memory: Literal["lut", "block"]
) -> WalkUnit:
    walk = window_walk(Kernel((3, 3), padding=(1, 1, 1, 1)), shape, shape[0] // lanes)
    return WalkUnit(walk, input, lanes, memory=memory)


def whole_windows(
    shape: tuple[int, int, int],
    pixels: int,
    input: IntType,
    padding: int = 1,
    memory: Literal["lut", "block"] = "lut",
    **options: Any,
) -> WindowUnit:
    grid = window_grid(Kernel((3, 3), padding=(padding,) * 4), shape, pixels)
    return WindowUnit(grid, input, shape[0], memory=memory, **options)


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
    "windows, 4 pixels": lambda: whole_windows((4, 16, 16), 4, unsigned(2)),
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
    "binary x 2 bits, 8x16 of 2 pixels": lambda: product(
        Alphabet.binary(), (64, 64), (8, 16), unsigned(2), pixels=2, whole=True
    ),
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
    "windows, 4 pixels of 4 bits": lambda: whole_windows((16, 32, 32), 4, unsigned(4)),
    "windows of 64 channels": lambda: whole_windows((64, 30, 30), 1, unsigned(1), 0),
    "windows, 2 pixels": lambda: whole_windows((3, 32, 32), 2, signed(8), 0),
    "windows with an exact zero": lambda: whole_windows(
        (16, 32, 32), 1, unsigned(1), gain=2, shift=-1
    ),
    "windows in block RAM": lambda: whole_windows((64, 56, 56), 2, unsigned(4), memory="block"),
    "pool, 4 pixels": lambda: AccumulateUnit(
        unsigned(2), 32, 1, (14, 14), (2, 2), "max", unsigned(2), group=2, pixels=2
    ),
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


THRESHOLDS: dict[str, Any] = {
    "15 of 64 channels, 2 lanes": lambda: trained(64, 15, 2, signed(12), 21),
    "15 of 64 channels, 8 lanes": lambda: trained(64, 15, 8, signed(10), 22),
    "7 of 128 channels, 4 lanes": lambda: trained(128, 7, 4, signed(11), 23),
    "3 of 64 channels, 4 lanes, both ways": lambda: trained(64, 3, 4, signed(10), 24, mixed=True),
    "1 of 64 channels, 4 lanes": lambda: trained(64, 1, 4, signed(9), 25),
    "1 of 64 channels, all lanes": lambda: trained(64, 1, 64, signed(9), 6),
    "15 at random, 2 lanes": lambda: threshold(64, 15, 2, signed(12), 27),
    "3 at random, 16 lanes": lambda: threshold(64, 3, 16, signed(10), 28),
}
MORE_THRESHOLDS: dict[str, Any] = {
    "15 of 96 channels, 1 lane": lambda: trained(96, 15, 1, signed(13), 31),
    "15 of 48 channels, 4 lanes": lambda: trained(48, 15, 4, signed(12), 32),
    "7 of 256 channels, 2 lanes": lambda: trained(256, 7, 2, signed(13), 33),
    "3 of 512 channels, 8 lanes": lambda: trained(512, 3, 8, signed(10), 34),
    "3 of 64 channels, all lanes": lambda: trained(64, 3, 64, signed(10), 35),
    "2 at random, all lanes": lambda: threshold(64, 2, 64, signed(14), 36),
    "7 at random, 16 lanes": lambda: threshold(128, 7, 16, signed(11), 37),
    "3 at random of 512 channels": lambda: threshold(512, 3, 8, signed(10), 38),
}


def errors_of(makers: dict[str, Any], family: str) -> dict[str, float]:
    """Relative errors of the LUTs; three LUTs off are none."""
    found = beside(makers, families.get(family))
    return {n: 0.0 if abs(e - r) <= 3 else e / r - 1 for n, (e, r) in found.items()}


def test_thresholds_are_priced_by_their_values() -> None:
    """Trained ones are more regular than random ones, and both are held to synthesis."""
    errors = errors_of(THRESHOLDS, "xc7")
    assert max(map(abs, errors.values())) <= 0.1, errors
    assert statistics.median(map(abs, errors.values())) <= 0.05, errors


@pytest.mark.slow
def test_more_thresholds_are_priced_by_their_values() -> None:
    errors = errors_of(MORE_THRESHOLDS, "xc7")
    assert max(map(abs, errors.values())) <= 0.1, errors
    assert statistics.median(map(abs, errors.values())) <= 0.05, errors


@pytest.mark.slow
@pytest.mark.parametrize("family", ["ecp5", "gowin"])
def test_thresholds_of_families_of_small_luts(family: str) -> None:
    errors = errors_of(THRESHOLDS, family)
    assert max(map(abs, errors.values())) <= 0.2, errors
    assert statistics.median(map(abs, errors.values())) <= 0.1, errors


SHELL: dict[str, Any] = {
    "beats of one pixel": lambda: AxiStreamIn(unsigned(8), 784, 8, 64),
    "one word a frame": lambda: AxiStreamIn(unsigned(8), 784, 784, 8192),
    "one of 2,048 slots": lambda: AxiStreamOut(unsigned(4), 1, 1, 8192),
    "one sum a beat": lambda: AxiStreamOut(signed(7), 10, 1, 64),
    "beats that do not fill words": lambda: Gearbox(signed(9), 3, 8, 27),
    "words that do not fill beats": lambda: Gearbox(unsigned(4), 16, 5, 640),
    "one of 32": lambda: Gearbox(signed(12), 64, 2, 64),
}


def test_adapters_are_priced_by_their_frames() -> None:
    errors = errors_of(SHELL, "xc7")
    assert max(map(abs, errors.values())) <= 0.15, errors


def test_thousands_of_shapes_are_priced_in_a_second() -> None:
    import time

    shape = product(Alphabet.binary(), (64, 64), (8, 16), unsigned(2)).shape
    start = time.perf_counter()
    for pe in (1, 2, 4, 8, 16) * 200:
        type(shape)(**{**vars_of(shape), "pe": pe}).resources(families.get("xc7"))
    assert time.perf_counter() - start < 2


def vars_of(shape: Any) -> dict[str, Any]:
    return {name: getattr(shape, name) for name in shape.__dataclass_fields__}
