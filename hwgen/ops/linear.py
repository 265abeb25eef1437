"""Fully connected layers: constant matrix-vector products, spatial or folded."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

import numpy as np

from hwgen.errors import ModelError, UnsupportedError
from hwgen.inttype import IntType
from hwgen.ir.meaning import HostValue, Meaning, RealValue, common_scale
from hwgen.ir.real import Lowering, RealNode
from hwgen.ir.types import Alphabet, IntArray, Ints, TensorType
from hwgen.ops.base import HardwareNode

MAX_ACCUMULATOR_BITS = 48
MAX_RESCALE = 256
NO_BIAS = IntArray([0])


@dataclass(frozen=True)
class Weight:
    """A quantized weight: integer levels (out, in, …), their alphabet, and the exact scale.

    ``scale`` holds one rational, or one per output channel.
    """

    values: IntArray
    alphabet: Alphabet
    scale: tuple[Fraction, ...] = (Fraction(1),)


def product_ranges(weight: Ints, bias: Ints, x: TensorType) -> list[IntType]:
    """The exact range of every output of ``W·x + b``, each input over its own range."""
    positive, negative = np.maximum(weight, 0), np.minimum(weight, 0)
    lo = (positive * x.lo + negative * x.hi).sum(axis=1) + bias
    hi = (positive * x.hi + negative * x.lo).sum(axis=1) + bias
    return [IntType(int(a), int(b)) for a, b in zip(lo, hi, strict=True)]


def exact_product(x: Ints, weight: Ints) -> Ints:
    """``x @ weight.T`` in integers, through float64 where every partial sum is below 2^53."""
    bound = float(np.abs(weight).sum(axis=1).max(initial=0)) * float(np.abs(x).max(initial=0))
    if bound < 2**53:
        return (x.astype(np.float64) @ weight.T.astype(np.float64)).astype(np.int64)
    return x @ weight.T


@dataclass(frozen=True, kw_only=True)
class Linear(HardwareNode):
    """``y = W·x + bias``: weight (out, in) of levels in ``alphabet``, bias (1,) or (out,)."""

    weight: IntArray
    alphabet: Alphabet
    bias: IntArray = NO_BIAS

    op: ClassVar[str] = "linear"

    @property
    def outputs(self) -> int:
        return self.weight.shape[0]

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        if len(x.shape) != 1 or x.elements != self.weight.shape[1]:
            raise ModelError(
                f"a linear layer of {self.weight.shape[1]} inputs cannot take a tensor of "
                f"shape {x.shape}",
                origin=self.origin,
                hint="flatten before the layer" if x.elements == self.weight.shape[1] else "",
            )
        return TensorType.of(
            (self.outputs,), product_ranges(self.weight.values, self.bias.values, x)
        )

    def evaluate(self, *inputs: Ints) -> Ints:
        (x,) = inputs
        return exact_product(x, self.weight.values) + self.bias.values


@dataclass(frozen=True, kw_only=True)
class RealLinear(RealNode):
    """``y = (scale·W)·x + bias`` with quantized W (out, in); ``bias`` (out,) exact rationals or
    empty."""

    weight: Weight
    bias: tuple[Fraction, ...] = ()

    def lower(self, target: Lowering, *inputs: RealValue) -> RealValue:
        x = affine_input(inputs[0], self)
        unit, columns = aligned_columns(x, self.weight.values.values, self)
        alphabet = (
            self.weight.alphabet
            if columns is self.weight.values.values or self.weight.alphabet.holds(columns)
            else Alphabet.of(columns)
        )
        node = Linear(
            name=self.name,
            inputs=(x.value,),
            weight=IntArray(columns),
            alphabet=alphabet,
            origin=self.origin,
        )
        kind = target.add(node)
        if kind.element.width > MAX_ACCUMULATOR_BITS:
            raise UnsupportedError(
                f"an accumulator must have at most {MAX_ACCUMULATOR_BITS} bits, not "
                f"{kind.element.width}",
                origin=self.origin,
                hint="use fewer weight or activation bits",
            )
        scale = tuple(s * unit for s in self.weight.scale)
        offset = self._offset(x, scale)
        meaning = Meaning(self.name, kind, scale, offset)
        target.note(self.name, meaning)
        return meaning

    def _offset(self, x: Meaning, scale: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
        """Per output: the bias, and what the inputs' offsets contribute."""
        weight = self.weight.values.values[:, x.order.values if x.order else slice(None)]
        outputs = len(weight)
        bias = self.bias or (Fraction(0),) * outputs
        if len(bias) != outputs:
            text = f"the bias must have {outputs} values, not {len(bias)}"
            raise ModelError(text, origin=self.origin)
        scales = self.weight.scale * (outputs // len(self.weight.scale))
        if len(x.offset) == 1:
            sums = [x.offset[0] * int(s) for s in weight.sum(axis=1)]
        else:
            sums = [
                sum((o * int(w) for o, w in zip(x.offset, row, strict=True)), Fraction(0))
                for row in weight
            ]
        return tuple(s * total + b for s, total, b in zip(scales, sums, bias, strict=True))


def affine_input(x: RealValue, node: RealNode) -> Meaning:
    """The input as integers with an affine meaning.

    Raises:
        ModelError: no quantizer lies between the input and this layer, or a function is still
        pending.
    """
    if isinstance(x, HostValue) or x.functions:
        what = "real numbers" if isinstance(x, HostValue) else "a function of integers"
        raise ModelError(
            f"this layer's input must be quantized, not {what}",
            origin=node.origin,
            hint="put a quantizer (QuantIdentity, QuantReLU or QuantAct) before the layer",
        )
    return x


def aligned_columns(x: Meaning, weight: Ints, node: RealNode) -> tuple[Fraction, Ints]:
    """``(unit, columns)``: W·(scale·int) = unit·columns·int, with columns in stream order."""
    columns = weight if x.order is None else weight[:, x.order.values]
    if len(x.scale) == 1:
        return x.scale[0], columns
    unit = common_scale(x.scale)
    factors = [s / unit for s in x.scale]
    if max(abs(f) for f in factors) > MAX_RESCALE:
        raise UnsupportedError(
            f"input channels' scales must be multiples (≤ {MAX_RESCALE}) of a common one",
            origin=node.origin,
            hint=(
                "use one step for the tensor, or power-of-two steps, in the quantizer "
                "before this layer"
            ),
        )
    return unit, columns * np.array([int(f) for f in factors], dtype=np.int64)
