"""Fully connected layers: constant matrix-vector products, spatial, bit-serial or folded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from math import ceil, prod, sqrt
from typing import ClassVar

import numpy as np

from hwgen.errors import ModelError, Origin, UnsupportedError
from hwgen.families.base import Family, Resources
from hwgen.ir.meaning import HostValue, Meaning, RealValue, common_scale
from hwgen.ir.real import Lowering, RealNode
from hwgen.ir.types import Alphabet, IntArray, Ints, TensorType
from hwgen.ops.base import Config, HardwareNode, divisors
from hwgen.ops.product import (
    adder_graph,
    any_product_type,
    exact_product,
    magnitudes,
    product_type,
)
from hwgen.ops.truth_table import TruthTable, combined
from hwgen.rtl import alphabet as rtl_alphabet
from hwgen.rtl.adder_graph import AdderGraphUnit
from hwgen.rtl.bit_serial import BitSerial, BitSerialUnit, SerialForm, digit_widths
from hwgen.rtl.folded import MatVecShape, MatVecUnit

BLOCK_BUFFER_BITS = 4096
SPATIAL_FLOOR = 0.2
"""LUTs of an adder graph per non-zero weight and square root of the input's width, at least."""

SHARING = 4
"""Pixels that a word of weights in memory is read for, at most."""

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


@dataclass(frozen=True, kw_only=True)
class Linear(HardwareNode):
    """``y = W·x + bias`` in every pixel: weight (out, in) of levels in ``alphabet``, bias (1,) or
    (out,); x is (in,), (in, L) or (in, H, W). ``signs_only``: what reads it reads only whether
    each output is negative."""

    weight: IntArray
    alphabet: Alphabet
    bias: IntArray = NO_BIAS
    signs_only: bool = False
    writable: bool = False

    op: ClassVar[str] = "linear"

    @property
    def fixed(self) -> bool:
        return not self.writable

    def loadable(self) -> Linear:
        return replace(self, writable=True)

    def refilled(self, other: HardwareNode) -> Linear | None:
        if not isinstance(other, Linear) or other.weight.shape != self.weight.shape:
            return None
        spread = (self.bias.values.min(), self.bias.values.max())
        if not self.alphabet.holds(other.weight.values) or not (
            spread[0] <= other.bias.values.min() and other.bias.values.max() <= spread[1]
        ):
            return None
        return replace(self, weight=other.weight, bias=other.bias)

    @property
    def outputs(self) -> int:
        return self.weight.shape[0]

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        if x.channels != self.weight.shape[1]:
            raise wrong_shape(self.weight.shape[1], x.shape, self.origin)
        if self.writable:
            return any_product_type(self.alphabet, self.bias, self.outputs, x)
        return product_type(self.weight, self.bias, x)

    def evaluate(self, *inputs: Ints) -> Ints:
        (x,) = inputs
        rows = np.moveaxis(x, 1, -1).reshape(-1, x.shape[1])
        y = exact_product(rows, self.weight.values) + self.bias.values
        return np.moveaxis(y.reshape(len(x), *x.shape[2:], self.outputs), -1, 1)

    def configs(self, inputs: tuple[TensorType, ...], family: Family) -> Iterator[Config]:
        outputs, columns = self.weight.shape
        if not self.writable:
            yield Config("spatial", pe=outputs, simd=columns)
        if self.weight.values.any() and not self.writable:
            for bits in digit_widths(inputs[0].element.width):
                yield Config("bit-serial", pe=outputs, simd=columns, bits=bits)
        rams = ("lut", "block") if family.rams else ("lut",)
        for pe, simd in product(divisors(outputs), divisors(columns)):
            for memory in rams if pe * simd < outputs * columns else rams[:1]:
                yield Config("folded", pe, simd, memory)
                if self._stored.kind == "digits":
                    yield Config("folded", pe, simd, memory, "dsp")
        for pixels in divisors(inputs[0].row)[1:] if not self.writable else ():
            for style in ("spatial", "folded"):
                yield Config(style, outputs, columns, pixels=pixels)
            if pixels <= SHARING:
                yield from self._shared(pixels, rams)

    def _shared(self, pixels: int, rams: Sequence[str]) -> Iterator[Config]:
        """Weights in memory, every word of them for several pixels."""
        outputs, columns = self.weight.shape
        for pe, simd in product(divisors(outputs), divisors(columns)):
            for memory in rams if pe * simd < outputs * columns else ():
                yield Config("folded", pe, simd, memory, pixels=pixels)

    def lanes(self, config: Config, inputs: tuple[TensorType, ...]) -> tuple[int, int]:
        if config.pixels:
            outputs, columns = self.weight.shape
            return config.pixels * columns, config.pixels * outputs
        return config.simd, config.pe

    def interval(self, config: Config, inputs: tuple[TensorType, ...]) -> int:
        outputs, columns = self.weight.shape
        steps = ceil(inputs[0].element.width / config.bits) if config.bits else 1
        turns = inputs[0].pixels // config.side
        return turns * (outputs // config.pe) * (columns // config.simd) * steps

    def feed_limit(self, config: Config, interval: int, wanted: int) -> int:
        """The first pass waits for its input, later ones take their time after it."""
        if config.style != "folded" or config.pixels:
            return wanted
        passes = self.outputs // config.pe
        first = interval // passes
        return max(first, wanted - (interval - first))

    def queue(self, config: Config, inputs: tuple[TensorType, ...]) -> int:
        """A vector, to come while the last one goes through its later passes."""
        if config.style != "folded" or self.outputs == config.pe or config.pixels:
            return 0
        return max(self.weight.shape[1] // config.simd, 2)

    def floor(self, config: Config, inputs: tuple[TensorType, ...], family: Family) -> Resources:
        if config.style == "folded":
            return self.resources(config, inputs, family)
        used = np.count_nonzero(np.unique(self.weight.values, axis=0))
        graph = SPATIAL_FLOOR * used * sqrt(config.bits or inputs[0].element.width)
        if config.style == "spatial":
            return Resources(lut=graph * config.side)
        form = self._form(config, inputs[0])
        return form.price(form.least_widths, 1, family) + Resources(lut=graph)

    def resources(
        self, config: Config, inputs: tuple[TensorType, ...], family: Family
    ) -> Resources:
        if config.style == "spatial":
            return self._spatial(config, inputs[0], family).resources(family)
        if config.style == "bit-serial":
            return self._serial(config, inputs[0], family).resources(family)
        return self._shape(config, inputs[0]).resources(family)

    def circuit(
        self, config: Config, inputs: tuple[TensorType, ...], family: Family
    ) -> AdderGraphUnit | BitSerialUnit | MatVecUnit:
        (x,) = inputs
        if config.style == "spatial":
            return self._spatial(config, x, family)
        if config.style == "bit-serial":
            return self._serial(config, x, family)
        shape = self._shape(config, x)
        return MatVecUnit(
            self.weight.values,
            np.broadcast_to(self.bias.values, (self.outputs,)),
            x.element,
            pe=config.pe,
            simd=config.simd,
            alphabet=shape.alphabet,
            output=shape.output,
            memory=shape.memory,
            multiplier=shape.multiplier,
            buffer=shape.buffer,
            writable=self.writable,
            pixels=shape.pixels,
            whole=shape.whole,
        )

    def tabulated(self, x: TruthTable, kind: TensorType, most: int) -> TruthTable | None:
        bias = np.broadcast_to(self.bias.values, (self.outputs,))
        if np.count_nonzero(self.weight.values, axis=1).max(initial=0) > most:
            return None  # a column that needs no bit is not worth looking for
        made = []
        for row, offset in zip(self.weight.values, bias, strict=True):
            used = np.flatnonzero(row)
            found = combined(x, [int(c) for c in used], row[used], most)
            if found is None:
                return None
            made.append((found[0], found[1] + offset))
        size = max(len(values) for _, values in made)
        values = np.stack([np.tile(v, size // len(v)) for _, v in made])
        return TruthTable.of(self.name, x.inputs[0], [bits for bits, _ in made], values)

    def scaled(self, multiplier: IntArray, bias: IntArray) -> Linear:
        values = self.weight.values * multiplier.values[:, None]
        return replace(
            self,
            weight=IntArray(values),
            alphabet=self.alphabet if self.alphabet.holds(values) else Alphabet.of(values),
            bias=IntArray(self.bias.values * multiplier.values + bias.values),
        )

    def columns_read(self) -> list[int]:
        return [int(c) for c in np.flatnonzero(self.weight.values.any(axis=0))]

    def with_columns(self, kept: Sequence[int]) -> Linear:
        return replace(self, weight=IntArray(self.weight.values[:, list(kept)]))

    @property
    def _stored(self) -> rtl_alphabet.Alphabet:
        """What a folded unit's memory can hold: the weights that there are, or that may come."""
        return magnitudes(IntArray(self.alphabet.levels) if self.writable else self.weight)

    def _spatial(self, config: Config, x: TensorType, family: Family) -> AdderGraphUnit:
        bias = np.broadcast_to(self.bias.values, (self.outputs,))
        design = adder_graph(self.weight, IntArray(bias), x.per_channel(), family, self.signs_only)
        return AdderGraphUnit(design, family, f"{self.name}_adders", config.side)

    def _form(self, config: Config, x: TensorType) -> SerialForm:
        bias = np.broadcast_to(self.bias.values, (self.outputs,))
        return SerialForm.of(self.weight.values, bias, x.element, config.bits)

    def _serial(self, config: Config, x: TensorType, family: Family) -> BitSerialUnit:
        form = self._form(config, x)
        graph = adder_graph(IntArray(form.matrix), IntArray(form.beta), form.kinds, family)
        design = BitSerial(form, graph, self.infer(x).element)
        return BitSerialUnit(design, x.channels, family, module=f"{self.name}_adders")

    def _shape(self, config: Config, x: TensorType) -> MatVecShape:
        outputs, columns = self.weight.shape
        beats = columns // config.simd
        large = beats > 64 and beats * config.simd * x.element.width > BLOCK_BUFFER_BITS
        return MatVecShape(
            rows=outputs,
            columns=columns,
            pe=config.pe,
            simd=config.simd,
            pixels=config.side,
            whole=config.pixels > 0,
            alphabet=self._stored,
            writable=self.writable,
            input=x.element,
            output=self.infer(x).element,
            memory="block" if config.memory == "block" else "lut",
            multiplier="dsp" if config.multiplier == "dsp" else "lut",
            buffer="block" if large and config.memory == "block" else "lut",
        )


@dataclass(frozen=True, kw_only=True)
class RealLinear(RealNode):
    """``y = (scale·W)·x + bias`` with quantized W (out, in); ``bias`` (out,) exact rationals or
    empty."""

    weight: Weight
    bias: tuple[Fraction, ...] = ()

    def lower(self, target: Lowering, *inputs: RealValue) -> RealValue:
        x = affine_input(inputs[0], self)
        if len(x.shape) != 1 or x.shape[0] != self.weight.values.shape[1]:
            raise wrong_shape(self.weight.values.shape[1], x.shape, self.origin)
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
        check_accumulator(kind, self.origin)
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


def wrong_shape(columns: int, shape: tuple[int, ...], origin: Origin) -> ModelError:
    """The error of a linear layer whose input has another size."""
    return ModelError(
        f"a linear layer of {columns} inputs cannot take a tensor of shape {shape}",
        origin=origin,
        hint="flatten before the layer" if prod(shape) == columns else "",
    )


def check_accumulator(kind: TensorType, origin: Origin) -> None:
    """
    Raises:
        UnsupportedError: sums of more bits than integers are exact in.
    """
    if kind.element.width > MAX_ACCUMULATOR_BITS:
        raise UnsupportedError(
            f"an accumulator must have at most {MAX_ACCUMULATOR_BITS} bits, not "
            f"{kind.element.width}",
            origin=origin,
            hint="use fewer weight or activation bits",
        )


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
