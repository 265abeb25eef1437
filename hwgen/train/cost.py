"""Bit lengths priced by this compiler: its estimate of a board's fabric, tabulated.

Each weight layer is priced as the circuit that its node would make, with the layer's own weights
rounded to a few bit widths and its input of a few widths; in between the table is bilinear, so it
has a gradient in real-valued bit lengths. ``lut`` counts LUTs of spatial adder graphs and of the
thresholds behind them; ``memory`` counts bits of stored weights and of a frame's activations;
``latency`` counts the pipeline stages of the adder graphs.

Approximations, each for speed: graphs are made with the least effort of the optimiser; of a layer
with more than ``ROWS`` outputs that many are priced and the rest in proportion (a convolution is
one matrix, as it is when built spatially); thresholds are priced up to 4 bits, and more bits as 4
(above that hwgen multiplies and shifts).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from hwgen import families
from hwgen.backend import boards
from hwgen.cmvm.pipeline import pipeline
from hwgen.cmvm.solve import solve
from hwgen.errors import UsageError
from hwgen.families.base import Family
from hwgen.inttype import IntType
from hwgen.ir.types import IntArray, Ints, TensorType
from hwgen.nn.activations import QuantAct
from hwgen.nn.layers import QuantizedWeight
from hwgen.ops.base import Config
from hwgen.ops.product import product_ranges
from hwgen.ops.threshold import Threshold
from hwgen.train.method import activation_layers, weight_layers
from hwgen.train.shapes import measure

KINDS = ("lut", "memory", "latency")
ROWS = 24
WEIGHT_BITS = (2, 3, 4, 6, 8)
INPUT_BITS = (1, 2, 4, 8)
MOST_THRESHOLD_BITS = 4


@dataclass(frozen=True)
class HardwareCost:
    """Makes a table of a model for a board; ``kind`` is one of `KINDS`.

    Raises:
        UsageError: if the board or the kind is unknown.
    """

    board: str
    kind: str = "lut"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UsageError(f"--cost must be one of {', '.join(KINDS)}, not {self.kind!r}")
        boards.load(self.board)

    def of(self, model: nn.Module, example: Tensor) -> CostTable:
        """The table of a model's layers, from its present weights."""
        board = boards.load(self.board)
        family = replace(families.get(board.family), period_ns=1000 / board.clock_mhz)
        layers = {name: _float_rows(layer) for name, layer in weight_layers(model).items()}
        acts = activation_layers(model)
        rows = []
        for name, size in measure(model, example).items():
            if name in layers:
                prices = self._weights(layers[name], size.values, family)
                rows.append(Row(name, size.source, prices, _bits(acts, size.source)))
            else:
                weight = layers.get(size.source)
                prices = self._activation(weight, size.values, family)
                rows.append(Row("", name, prices[None], _bits(acts, name)))
        return CostTable(tuple(rows), self.kind)

    def _weights(self, weight: Tensor, count: int, family: Family) -> Tensor:
        """By weight bits (rows) and input bits (columns).

        More weight bits are never cheaper: where their graph came out smaller, they cost the same.
        """
        if self.kind == "memory":
            return torch.tensor(WEIGHT_BITS).float()[:, None].expand(-1, len(INPUT_BITS)) * count
        part = weight[:ROWS]
        factor = len(weight) / len(part)
        found = [
            [self._circuit(_rounded(part, wide), into, factor, family) for into in INPUT_BITS]
            for wide in WEIGHT_BITS
        ]
        return torch.cummax(torch.tensor(found), dim=0).values

    def _circuit(self, codes: Ints, input_bits: int, factor: float, family: Family) -> float:
        inputs = [IntType.bits(input_bits, signed=False)] * codes.shape[1]
        graph = solve(codes, inputs, family=family, effort=0.0)
        design = pipeline(graph, family, target_ns=family.period_ns)
        if self.kind == "latency":
            return float(design.stages)
        return design.resources(family).lut * factor

    def _activation(self, weight: Tensor | None, values: int, family: Family) -> Tensor:
        """The quantizer itself, by its own bits: thresholds on the sums of the layer before it."""
        if self.kind == "memory":
            return torch.tensor(INPUT_BITS).float() * values
        if self.kind == "latency" or weight is None:
            return torch.zeros(len(INPUT_BITS))
        codes = _rounded(weight[:1], 4)
        inputs = TensorType((codes.shape[1],), (IntType(0, 7),))
        sums = TensorType((1,), tuple(product_ranges(codes, np.zeros(1, np.int64), inputs)))
        whole = [min(bits, MOST_THRESHOLD_BITS) for bits in INPUT_BITS]
        return torch.tensor([values * thresholds(bits, sums, family) for bits in whole])


@dataclass(frozen=True)
class Row:
    """Prices by weight bits (rows) and bits of the activation ``source`` (columns).

    ``fixed`` are the source's bits where no method moves them.
    """

    name: str
    source: str
    prices: Tensor
    fixed: float


@dataclass(frozen=True)
class CostTable:
    """A `hwgen.train.bitpruning.Cost`: 1 with 8 bits everywhere."""

    rows: tuple[Row, ...]
    kind: str

    def __call__(self, bits: dict[str, Tensor]) -> Tensor:
        return self.estimate(bits) / self.estimate({name: torch.tensor(8.0) for name in bits})

    def estimate(self, bits: dict[str, Tensor]) -> Tensor:
        """The price in LUTs, bits or cycles; lengths that are missing stay as in the model."""
        return torch.stack([self._row(row, bits) for row in self.rows]).sum()

    def price(self, name: str, bits: int) -> float:
        """One layer at whole weight bits, its input as in the model; for `hwgen.train.bmpq`."""
        row = next(row for row in self.rows if row.name == name)
        return float(self._row(row, {name: torch.tensor(float(bits))}))

    def _row(self, row: Row, bits: dict[str, Tensor]) -> Tensor:
        wide = bits[row.name].mean() if row.name in bits else torch.tensor(8.0)
        into = bits[row.source].mean() if row.source in bits else torch.tensor(row.fixed)
        if len(row.prices) == 1:
            return _interpolated(row.prices[0], INPUT_BITS, into)
        columns = [_interpolated(column, WEIGHT_BITS, wide) for column in row.prices.T]
        return _interpolated(torch.stack(columns), INPUT_BITS, into)


def _interpolated(values: Tensor, at: Sequence[int], x: Tensor) -> Tensor:
    """Linear between the points, and beyond them as in the last interval."""
    place = sum(float(x.detach()) >= point for point in at[1:-1])
    low, high = at[place], at[place + 1]
    return values[place] + (x - low) / (high - low) * (values[place + 1] - values[place])


def _rounded(rows: Tensor, bits: int) -> Ints:
    greatest = (1 << (bits - 1)) - 1
    step = rows.abs().max().clamp(min=1e-12) / greatest
    return torch.round(rows / step).to(torch.int64).numpy()


def _float_rows(layer: QuantizedWeight) -> Tensor:
    """The weight as (outputs, inputs); the quantized one where a layer has no other."""
    weight = layer.weight if isinstance(layer.weight, Tensor) else layer.quantized_weight()
    return weight.detach().reshape(len(weight), -1)


def thresholds(bits: int, sums: TensorType, family: Family) -> float:
    """LUTs of one channel's quantizer, its thresholds evenly spaced."""
    element = sums.element
    at = np.linspace(element.lo, element.hi, (1 << bits) + 1)[1:-1].astype(np.int64)
    node = Threshold(name="priced", inputs=("x",), thresholds=IntArray(at[None]))
    return node.resources(Config("stream", pe=1), (sums,), family).lut


def _bits(acts: dict[str, QuantAct], name: str) -> float:
    """The bits of an activation as it is; 8 where none came before."""
    if name not in acts:
        return 8.0
    return float(max(len(acts[name].alphabet) - 1, 1).bit_length())
