"""Windows side by side: largest, smallest, sums, as their elements come."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.inttype import IntType
from hwgen.rtl.accumulate import AccumulateUnit
from hwgen.rtl.sim import check_unit


@pytest.mark.parametrize("size", [(2, 2), (1, 3), (3, 1), (4, 6)])
@pytest.mark.parametrize("lanes", [1, 2, 6])
@pytest.mark.parametrize("reduction", ["max", "sum"])
def test_windows_side_by_side(size: tuple[int, int], lanes: int, reduction: str) -> None:
    dtype = IntType(-9, 6)
    rows, columns = 12 // size[0], 6 // size[1]
    x = np.random.default_rng(lanes).integers(-9, 7, (2, 12, 6, 6))
    blocks = x.reshape(2, rows, size[0], columns, size[1], 6)
    want = blocks.max(axis=(2, 4)) if reduction == "max" else blocks.sum(axis=(2, 4))
    output = dtype if reduction == "max" else IntType(-9 * 24, 6 * 24)
    for stalls in (0.0, 0.4):
        unit = AccumulateUnit(
            dtype,
            lanes,
            6 // lanes,
            (rows, columns),
            size,
            reduction,
            output,  # type: ignore[arg-type]
        )
        check_unit(unit, [x.reshape(-1, lanes)], want.reshape(-1, lanes), stalls=stalls, seed=1)


def test_smallest_of_windows_side_by_side_in_some_channels() -> None:
    x = np.random.default_rng(0).integers(0, 4, (2, 4, 4, 2))
    blocks = x.reshape(2, 2, 2, 2, 2, 2)
    want = np.stack([blocks[..., 0].max(axis=(2, 4)), blocks[..., 1].min(axis=(2, 4))], -1)
    for lanes in (1, 2):
        unit = AccumulateUnit(
            IntType(0, 3), lanes, 2 // lanes, (2, 2), (2, 2), "max", IntType(0, 3),
            flip=(False, True),
        )  # fmt: skip
        check_unit(unit, [x.reshape(-1, lanes)], want.reshape(-1, lanes), stalls=0.3)


@pytest.mark.parametrize("reduction", ["max", "sum"])
@pytest.mark.parametrize(("size", "beat"), [((2, 2), 2), ((2, 2), 4), ((3, 3), 6), ((4, 6), 2)])
def test_several_pixels_in_a_beat(reduction: str, size: tuple[int, int], beat: int) -> None:
    dtype, channels, width = IntType(-9, 6), 3, 12
    rows, columns = 12 // size[0], width // size[1]
    x = np.random.default_rng(beat).integers(-9, 7, (2, 12, width, channels))
    blocks = x.reshape(2, rows, size[0], columns, size[1], channels)
    want = blocks.max(axis=(2, 4)) if reduction == "max" else blocks.sum(axis=(2, 4))
    output = dtype if reduction == "max" else IntType(-9 * 24, 6 * 24)
    group = min(beat, size[1])
    pixels = beat // group
    for stalls in (0.0, 0.4):
        unit = AccumulateUnit(
            dtype, pixels * channels, 1, (rows, columns), size, reduction, output,  # type: ignore[arg-type]
            group=group, pixels=pixels,
        )  # fmt: skip
        given = want.reshape(-1, pixels * channels)
        check_unit(unit, [x.reshape(-1, beat * channels)], given, stalls=stalls, seed=1)
