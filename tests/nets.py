"""Random small quantized networks as real graphs, without torch."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np

from hwgen.ir.real import RealGraph, RealNode
from hwgen.ir.types import Alphabet, IntArray
from hwgen.ops.add import RealAdd
from hwgen.ops.affine import RELU, RealAffine, RealFunction
from hwgen.ops.conv import RealConv
from hwgen.ops.input import RealInput
from hwgen.ops.linear import RealLinear, Weight
from hwgen.ops.output import RealOutput
from hwgen.ops.pool import RealAvgPool
from hwgen.ops.quantize import RealQuantize, RealSign
from hwgen.ops.spatial import Kernel
from hwgen.ops.topk import RealTopK

ALPHABETS = [(-1, 1), (-1, 0, 1), (-4, -2, -1, 1, 2, 4), (-2, -1, 0, 1, 2), tuple(range(-8, 8))]


class Net:
    """Appends random layers; every choice comes from ``rng``."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.nodes: list[RealNode] = []
        self.last = ""

    def add(self, node: RealNode) -> str:
        self.nodes.append(node)
        self.last = node.name
        return node.name

    def linear(self, name: str, columns: int, rows: int) -> str:
        levels = ALPHABETS[self.rng.integers(len(ALPHABETS))]
        values = self.rng.choice(levels, (rows, columns))
        scale = tuple(Fraction(int(k), 16) for k in self.rng.integers(1, 40, 1))
        weight = Weight(IntArray(values), Alphabet(levels), scale)
        bias = tuple(Fraction(int(k), 8) for k in self.rng.integers(-9, 9, rows))
        return self.add(RealLinear(name=name, inputs=(self.last,), weight=weight, bias=bias))

    def norm(self, name: str, channels: int) -> str:
        draw = self.rng.normal
        return self.add(
            RealAffine.batch_norm(
                name,
                (self.last,),
                mean=draw(size=channels).astype(np.float32),
                variance=self.rng.uniform(0.5, 4, channels).astype(np.float32),
                gamma=draw(size=channels).astype(np.float32),
                beta=draw(size=channels).astype(np.float32),
                eps=1e-5,
            )
        )

    def activation(self, name: str) -> str:
        kind = self.rng.integers(4)
        step = Fraction(int(self.rng.integers(1, 12)), 16)
        if kind == 0:
            return self.add(RealSign(name=name, inputs=(self.last,)))
        if kind == 1:
            bits = int(self.rng.integers(2, 9))
            half = 1 << (bits - 1)
            return self.add(
                RealQuantize(name=name, inputs=(self.last,), step=(step,), lo=-half, hi=half - 1)
            )
        self.add(RealFunction(name=f"{name}_relu", inputs=(self.last,), function=RELU))
        top = (1 << int(self.rng.integers(1, 5))) - 1
        return self.add(RealQuantize(name=name, inputs=(self.last,), step=(step,), lo=0, hi=top))


def random_mlp(seed: int) -> RealGraph:
    """Two to four linear layers with batch-norm and activations, perhaps a residual sum,
    perhaps argmax."""
    net = Net(seed)
    rng = net.rng
    widths = [int(w) for w in rng.choice([1, 2, 3, 4, 6, 8, 12], rng.integers(3, 6))]
    bits = int(rng.integers(1, 6))
    net.add(RealInput(name="x", shape=(widths[0],)))
    half = (1 << bits) // 2
    net.add(RealQuantize(name="q", inputs=("x",), step=(Fraction(1, 4),), lo=-half, hi=half - 1))
    for k, (columns, rows) in enumerate(pairwise(widths[:-1])):
        net.linear(f"fc{k}", columns, rows)
        if rng.integers(2):
            net.norm(f"bn{k}", rows)
        source = net.activation(f"act{k}")
        if rng.integers(3) == 0:
            net.add(RealAdd(name=f"sum{k}", inputs=(source, source)))
            if rng.integers(2):
                net.activation(f"again{k}")
    net.linear("head", widths[-2], widths[-1])
    if rng.integers(3) == 0:
        net.add(RealTopK(name="top", inputs=(net.last,)))
    net.add(RealOutput(name="out", inputs=(net.last,)))
    return RealGraph(f"mlp{seed}", tuple(net.nodes))


def residual(seed: int) -> RealGraph:
    """A sum of two branches of unequal length that read one stream."""
    net = Net(seed)
    net.add(RealInput(name="x", shape=(6,)))
    net.add(RealQuantize(name="q", inputs=("x",), step=(Fraction(1, 4),), lo=-8, hi=7))
    net.linear("fc0", 6, 4)
    start = net.add(RealQuantize(name="a0", inputs=("fc0",), step=(Fraction(1, 2),), lo=-8, hi=7))
    net.linear("fc1", 4, 4)
    net.add(RealQuantize(name="a1", inputs=("fc1",), step=(Fraction(1, 2),), lo=-8, hi=7))
    net.linear("fc2", 4, 4)
    net.add(RealQuantize(name="a2", inputs=("fc2",), step=(Fraction(1, 4),), lo=-8, hi=7))
    net.add(RealAdd(name="sum", inputs=("a2", start)))
    net.add(RealQuantize(name="a3", inputs=("sum",), step=(Fraction(1, 2),), lo=-8, hi=7))
    net.linear("head", 4, 3)
    net.add(RealOutput(name="out", inputs=("head",)))
    return RealGraph(f"residual{seed}", tuple(net.nodes))


def residual_cnn(seed: int, size: int = 6, stride: int = 1) -> RealGraph:
    """A residual block of two 3×3 convolutions beside the identity, or beside a strided 1×1
    convolution, then the mean and a head."""
    net = Net(seed)

    def conv(name: str, outputs: int, inputs: int, side: int, step: int) -> None:
        values = net.rng.choice((-2, -1, 1, 2), (outputs, inputs, side, side))
        weight = Weight(IntArray(values), Alphabet((-2, -1, 1, 2)), (Fraction(1, 16),))
        margin = side // 2
        kernel = Kernel((side, side), (step, step), padding=(margin,) * 4)
        net.add(RealConv(name=name, inputs=(net.last,), weight=weight, kernel=kernel))

    def quantizer(name: str) -> str:
        step = (Fraction(1, 4),)
        return net.add(RealQuantize(name=name, inputs=(net.last,), step=step, lo=-8, hi=7))

    net.add(RealInput(name="x", shape=(2, size, size)))
    quantizer("q")
    conv("c0", 4, 2, 3, 1)
    start = quantizer("a0")
    conv("c1", 4, 4, 3, stride)
    quantizer("a1")
    conv("c2", 4, 4, 3, 1)
    main = quantizer("a2")
    if stride > 1:
        net.last = start
        conv("side", 4, 4, 1, stride)
        start = quantizer("s0")
    net.add(RealAdd(name="sum", inputs=(main, start)))
    quantizer("a3")
    out = size // stride
    net.add(
        RealAvgPool(
            name="mean", inputs=(net.last,), kernel=Kernel((out, out), (out, out)), flat=True
        )
    )
    quantizer("a4")
    net.linear("head", 4, 3)
    net.add(RealOutput(name="out", inputs=("head",)))
    return RealGraph(f"residual_cnn{seed}", tuple(net.nodes))
