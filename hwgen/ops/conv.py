"""Convolutions: a window of the input in front of a matrix-vector product, or a depthwise node."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from hwgen.errors import ModelError, UnsupportedError
from hwgen.ir.meaning import Meaning, RealValue, collapse
from hwgen.ir.real import Lowering, RealNode
from hwgen.ir.types import Alphabet, IntArray, Ints
from hwgen.ops.depthwise import Depthwise
from hwgen.ops.linear import Linear, Weight, affine_input, aligned_columns, check_accumulator
from hwgen.ops.spatial import Kernel, check, zero_code
from hwgen.ops.window import Window

MAX_GAIN = 256


@dataclass(frozen=True)
class _Border:
    """How taps inside and beyond the border become integers of one meaning."""

    pad: int = 0
    gain: int = 1
    shift: int = 0


@dataclass(frozen=True, kw_only=True)
class RealConv(RealNode):
    """``y = (scale·W) ⋆ x + bias``: W (out, in/groups, kh, kw) or (out, in/groups, k), real zeros
    beyond the border.

    A border that no integer stands for (±1 activations, say) is made exact by widening the taps,
    see ``Window``.
    """

    weight: Weight
    kernel: Kernel
    bias: tuple[Fraction, ...] = ()
    groups: int = 1

    def lower(self, target: Lowering, *inputs: RealValue) -> RealValue:
        x = affine_input(inputs[0], self)
        check(self.kernel, x.shape, self.origin)
        self._check_channels(x)
        border, x = self._border(x)
        units, levels = self._levels(x)
        source = x.value
        if self.groups == x.shape[0] == len(levels) and self.kernel.taps > 1:
            node: Depthwise | Linear = self._depthwise(source, levels, border)
        else:
            if not self.kernel.trivial:
                source = self._window(target, source, border)
            node = self._product(source, levels)
        kind = target.add(node)
        check_accumulator(kind, self.origin)
        meaning = Meaning(self.name, kind, self._scale(units), self._offset(x))
        target.note(self.name, meaning)
        return meaning

    def _check_channels(self, x: Meaning) -> None:
        outputs, columns = self.weight.values.shape[:2]
        if columns * self.groups != x.shape[0] or outputs % self.groups:
            raise ModelError(
                f"a convolution of {columns * self.groups} channels in {self.groups} groups cannot "
                f"take a tensor of shape {x.shape}",
                origin=self.origin,
            )

    def _border(self, x: Meaning) -> tuple[_Border, Meaning]:
        """What stands for zero beyond the border, and the meaning of the taps."""
        if not self.kernel.padded:
            return _Border(), x
        code = zero_code(x)
        if code is not None:
            return _Border(pad=code), x
        if len(x.scale) == 1 and len(x.offset) == 1 and x.scale[0]:
            ratio = x.offset[0] / x.scale[0]
            if ratio.denominator <= MAX_GAIN:
                taps = Meaning(x.value, x.type, (x.scale[0] / ratio.denominator,), (Fraction(0),))
                return _Border(0, ratio.denominator, ratio.numerator), taps
        raise UnsupportedError(
            "a padded convolution's input must have one integer that stands for 0 in all channels",
            origin=self.origin,
            hint="use a quantizer with a zero point (or no offset) and one step for the tensor",
        )

    def _levels(self, x: Meaning) -> tuple[tuple[Fraction, ...], Ints]:
        """``(units, W)``: weights (out, in/groups, taps) that take in the input channels' scales.

        There is one unit, or one per group: groups need not have a common one.
        """
        values = self.weight.values.values
        outputs, columns = values.shape[:2]
        flat = values.reshape(outputs, columns, -1)
        if len(x.scale) == 1:
            return x.scale, flat
        ones = np.ones((1, columns), dtype=np.int64)
        parts = [
            aligned_columns(replace(x, scale=x.scale[start : start + columns]), ones, self)
            for start in range(0, x.shape[0], columns)
        ]
        per_group = np.concatenate([factors for _, factors in parts])
        rows = np.repeat(per_group, outputs // self.groups, axis=0)
        return tuple(unit for unit, _ in parts), flat * rows[:, :, None]

    def _scale(self, units: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
        """Per output, or one for all: the weight's scale times its group's unit."""
        outputs = self.weight.values.shape[0]
        if len(units) == 1:
            return tuple(s * units[0] for s in self.weight.scale)
        scales = self.weight.scale * (outputs // len(self.weight.scale))
        per_unit = outputs // len(units)
        return collapse([s * units[o // per_unit] for o, s in enumerate(scales)])

    def _offset(self, x: Meaning) -> tuple[Fraction, ...]:
        """Per output: the bias, and what the inputs' offsets contribute."""
        values = self.weight.values.values
        outputs, columns = values.shape[:2]
        bias = self.bias or (Fraction(0),) * outputs
        if len(bias) != outputs:
            text = f"the bias must have {outputs} values, not {len(bias)}"
            raise ModelError(text, origin=self.origin)
        sums = values.reshape(outputs, columns, -1).sum(axis=2)
        scales = self.weight.scale * (outputs // len(self.weight.scale))
        found = []
        for o, row in enumerate(sums):
            first = o // (outputs // self.groups) * columns
            terms = (x.offset_at(first + c) * int(w) for c, w in enumerate(row))
            found.append(scales[o] * sum(terms, Fraction(0)) + bias[o])
        return tuple(found)

    def _alphabet(self, levels: Ints) -> Alphabet:
        return self.weight.alphabet if self.weight.alphabet.holds(levels) else Alphabet.of(levels)

    def _window(self, target: Lowering, source: str, border: _Border) -> str:
        node = Window(
            name=f"{self.name}_window",
            inputs=(source,),
            origin=self.origin,
            kernel=self.kernel,
            pad=border.pad,
            gain=border.gain,
            shift=border.shift,
            groups=self.groups,
        )
        target.add(node)
        return node.name

    def _product(self, source: str, levels: Ints) -> Linear:
        """The matrix over a window's elements; the blocks off a group's own are zero."""
        outputs, columns, count = levels.shape
        per_group = outputs // self.groups
        block = np.swapaxes(levels, 1, 2).reshape(outputs, columns * count)
        matrix = np.zeros((outputs, self.groups, columns * count), dtype=np.int64)
        matrix[np.arange(outputs), np.arange(outputs) // per_group] = block
        matrix = matrix.reshape(outputs, -1)
        return Linear(
            name=self.name,
            inputs=(source,),
            origin=self.origin,
            weight=IntArray(matrix),
            alphabet=self._alphabet(matrix),
        )

    def _depthwise(self, source: str, levels: Ints, border: _Border) -> Depthwise:
        return Depthwise(
            name=self.name,
            inputs=(source,),
            origin=self.origin,
            kernel=self.kernel,
            weight=IntArray(levels[:, 0]),
            alphabet=self._alphabet(levels),
            pad=border.pad,
            gain=border.gain,
            shift=border.shift,
        )
