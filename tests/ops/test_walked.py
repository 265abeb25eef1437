"""Circuits of nodes that move pixels: golden at any lanes, with stalls, to the cycle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from hwgen.inttype import IntType
from hwgen.ir.types import Alphabet, IntArray, TensorType
from hwgen.ops.base import Config, HardwareNode
from hwgen.ops.concat import Concat
from hwgen.ops.depth_to_space import DepthToSpace
from hwgen.ops.depthwise import Depthwise
from hwgen.ops.linear import Linear
from hwgen.ops.pad import Pad
from hwgen.ops.pool import MaxPool, SumPool
from hwgen.ops.spatial import Kernel
from hwgen.ops.upsample import Upsample
from hwgen.ops.window import Window
from tests.contract import XC7, check_circuit

RNG = np.random.default_rng(0)
KERNELS = {
    "3x3 same": Kernel((3, 3), padding=(1, 1, 1, 1)),
    "3x3 stride 2": Kernel((3, 3), (2, 2), padding=(1, 1, 1, 1)),
    "2x2 by 2": Kernel((2, 2), (2, 2)),
    "3x2 dilated": Kernel((3, 2), (1, 2), (2, 1)),
    "1x1 stride 2": Kernel((1, 1), (2, 2)),
    "2x3 ceil": Kernel((2, 3), (2, 3), padding=(0, 1, 0, 2)),
}
SIGNED, CODES = IntType(-5, 6), IntType(0, 3)


def nodes(kernel: Kernel) -> list[HardwareNode]:
    weight = IntArray(RNG.integers(-3, 4, (4, kernel.taps)))
    signs = IntArray(RNG.choice([-1, 1], (4, kernel.taps)))
    return [
        Window(name="y", kernel=kernel),
        Window(name="y", kernel=kernel, groups=2, pad=-7),
        Window(name="y", kernel=kernel, gain=2, shift=-1),
        Depthwise(name="y", kernel=kernel, weight=weight, alphabet=Alphabet.of(weight.values)),
        Depthwise(name="y", kernel=kernel, weight=signs, alphabet=Alphabet((-1, 1)), pad=2),
        MaxPool(name="y", kernel=kernel),
        MaxPool(name="y", kernel=kernel, smallest=(False, True, True, False)),
        SumPool(name="y", kernel=kernel, pad=1),
    ]


@pytest.mark.parametrize("name", KERNELS)
@given(
    pick=st.integers(0, 7),
    dtype=st.sampled_from([SIGNED, CODES]),
    stalls=st.sampled_from([0.0, 0.4]),
    data=st.data(),
)
@settings(max_examples=6, deadline=None, phases=[Phase.explicit, Phase.generate])
def test_windows(name: str, pick: int, dtype: IntType, stalls: float, data: st.DataObject) -> None:
    node = nodes(KERNELS[name])[pick]
    kind = TensorType((4, 5, 6), (dtype,))
    config = data.draw(st.sampled_from(list(node.configs((kind,), XC7))))
    seed = data.draw(st.integers(0, 99))
    check_circuit(node, (kind,), config, stalls=stalls, seed=seed, count=2)


@pytest.mark.parametrize("name", KERNELS)
@given(pick=st.integers(0, 7), stalls=st.sampled_from([0.0, 0.4]), data=st.data())
@settings(max_examples=4, deadline=None, phases=[Phase.explicit, Phase.generate])
def test_pixels_side_by_side(name: str, pick: int, stalls: float, data: st.DataObject) -> None:
    node = nodes(KERNELS[name])[pick]
    kind = TensorType((4, 5, 6), (SIGNED,))
    wide = [c for c in node.configs((kind,), XC7) if c.pixels]
    config = data.draw(st.sampled_from(wide))
    check_circuit(node, (kind,), config, stalls=stalls, seed=data.draw(st.integers(0, 99)))


@pytest.mark.parametrize("pick", range(8))
def test_one_dimension(pick: int) -> None:
    node = nodes(Kernel((1, 3), (1, 2), (1, 2), (0, 0, 2, 1)))[pick]
    kind = TensorType((4, 12), (SIGNED,))
    configs = list(node.configs((kind,), XC7))
    wide = [c for c in configs if c.pixels]
    assert wide
    for config in (*configs[:2], wide[0], wide[-1]):
        check_circuit(node, (kind,), config, stalls=0.3)


@pytest.mark.parametrize(
    "node",
    [
        Upsample(name="y", factor=(2, 3)),
        Pad(name="y", padding=(1, 0, 2, 1), value=-1),
        DepthToSpace(name="y", block=2),
        DepthToSpace(name="y", block=2, blocks_first=True),
    ],
    ids=lambda node: node.op,
)
def test_moves(node: HardwareNode) -> None:
    kind = TensorType((8, 2, 3), (CODES,))
    for config in node.configs((kind,), XC7):
        check_circuit(node, (kind,), config, stalls=0.3)
    check_circuit(node, (kind,), config)


def test_global_sum_of_an_image_and_of_a_vector() -> None:
    for shape, kernel in (((6, 3, 4), Kernel((3, 4), (3, 4))), ((6, 5), Kernel((1, 5), (1, 5)))):
        node = SumPool(name="y", kernel=kernel, flat=True)
        kind = TensorType(shape, (SIGNED,))
        for config in node.configs((kind,), XC7):
            check_circuit(node, (kind,), config, stalls=0.3)


@pytest.mark.parametrize("shape", [(2, 3), ()])
def test_concat(shape: tuple[int, ...]) -> None:
    kinds = tuple(
        TensorType((c, *shape), (t,)) for c, t in ((4, SIGNED), (2, CODES), (6, IntType(0, 90)))
    )
    node = Concat(name="y")
    for config in node.configs(kinds, XC7):
        check_circuit(node, kinds, config)
        check_circuit(node, kinds, config, stalls=0.4)


@pytest.mark.parametrize("config", [Config("spatial", 3, 4), Config("folded", 1, 2)])
def test_a_matrix_in_every_pixel(config: Config) -> None:
    weight = IntArray(RNG.integers(-3, 4, (3, 4)))
    node = Linear(name="y", weight=weight, alphabet=Alphabet.of(weight.values))
    check_circuit(node, (TensorType((4, 2, 3), (CODES,)),), config, stalls=0.3)
