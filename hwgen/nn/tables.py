"""Neurons that are tables: any function of a few bits, learned entry by entry, one LUT each.

Sources: Bacellar et al. 2024, "Differentiable Weightless Neural Networks" (arXiv 2410.11112), for
learned tables and gradients by finite differences of their entries; Umuroglu et al. 2020,
"LogicNets" (arXiv 2004.03021), for neurons that are LUTs.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from hwgen.errors import UsageError
from hwgen.nn.graph_ops import truth_table
from hwgen.nn.tables_kernel import gradients as add_gradients
from hwgen.nn.tables_kernel import look_up

MOST_INPUTS = 12
"""Of a neuron: its table has two to that number of entries."""


class TruthTables(nn.Module):
    """Neuron n gives the greater of two levels where its table's entry is at least 0, else the
    lesser; bit k of the entry's number is whether input ``connections[n, k]`` is positive.

    Input (batch, in_features), output (batch, out_features). The forward pass sees the signs of
    the inputs and of the entries only. Gradients: an entry within ±1 gets the output's (straight
    through the sign, times half the levels' distance), an input half the difference between the
    entries of its two values.

    State: ``connections`` (out_features, fan_in), drawn at random, no input twice in one neuron;
    ``tables`` (out_features, 2**fan_in), the parameter.

    Raises:
        UsageError: if a neuron has less than 1 or more than 12 inputs, or more than there are, or
            the two levels do not ascend.
    """

    connections: Tensor

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        fan_in: int = 6,
        levels: tuple[float, float] = (-1.0, 1.0),
    ) -> None:
        super().__init__()
        if not 1 <= fan_in <= min(MOST_INPUTS, in_features):
            raise UsageError(
                f"fan_in must be 1 to {min(MOST_INPUTS, in_features)}, not {fan_in}",
                hint="six inputs are one LUT of Xilinx's families, four one of the others",
            )
        low, high = (float(torch.tensor(float(level))) for level in levels)
        if not (low < high and math.isfinite(high - low)):
            raise UsageError(f"levels must be two finite numbers, ascending, not {levels}")
        self.in_features, self.out_features, self.fan_in = in_features, out_features, fan_in
        self.levels = (low, high)
        drawn = torch.rand(out_features, in_features).topk(fan_in, dim=1).indices
        self.register_buffer("connections", drawn)
        self.tables = nn.Parameter(torch.randn(out_features, 1 << fan_in) / 2)

    def connect(self, connections: Tensor) -> None:
        """Use these inputs, (out_features, fan_in).

        Raises:
            UsageError: if the shape differs, or an input is not there.
        """
        shape = (self.out_features, self.fan_in)
        if tuple(connections.shape) != shape or connections.is_floating_point():
            kind = f"{connections.dtype} {tuple(connections.shape)}"
            raise UsageError(f"connections must be integers of shape {shape}, not {kind}")
        if int(connections.min()) < 0 or int(connections.max()) >= self.in_features:
            raise UsageError(f"connections must be inputs 0 to {self.in_features - 1}")
        self.connections.copy_(connections)

    def forward(self, x: Tensor) -> Tensor:
        arguments = x, self.tables, self.connections, self.levels
        y: Tensor = _Lookup.apply(*arguments)  # type: ignore[no-untyped-call]
        return y

    @property
    def codes(self) -> Tensor:
        """Int8, 1 where a neuron gives the greater level."""
        return (self.tables.detach() >= 0).to(torch.int8)

    def frozen(self) -> nn.Module:
        """The same function as one operator of an exported graph."""
        return FrozenTables(self.connections, self.codes, self.levels)

    def extra_repr(self) -> str:
        return f"{self.in_features}, {self.out_features}, fan_in={self.fan_in}"


class FrozenTables(nn.Module):
    """`TruthTables` whose entries are 0 and 1."""

    connections: Tensor
    codes: Tensor

    def __init__(self, connections: Tensor, codes: Tensor, levels: tuple[float, float]) -> None:
        super().__init__()
        self.register_buffer("connections", connections.clone())
        self.register_buffer("codes", codes)
        self.levels = list(levels)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = truth_table(x, self.connections, self.codes, self.levels)
        return y


class _Lookup(torch.autograd.Function):
    """Everything is turned around, neurons first, so that rows are what is gathered and added."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, tables: Tensor, connections: Tensor, levels: tuple[float, float]
    ) -> Tensor:
        bits = (x > 0).t().to(torch.uint8).contiguous()
        address, values = (_looked_up if x.is_cpu else _gathered)(bits, connections, tables)
        ctx.save_for_backward(tables, connections, address, values)
        ctx.features, ctx.half = x.shape[1], (levels[1] - levels[0]) / 2
        return torch.where(values >= 0, levels[1], levels[0]).t().to(x.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None, None]:
        tables, connections, address, values = ctx.saved_tensors
        g = (gradients[0].t().to(tables.dtype) * (values.abs() <= 1) * ctx.half).contiguous()
        to_x = g.new_zeros(ctx.features, g.shape[1])
        to_tables = torch.zeros_like(tables)
        add = _add_compiled if g.is_cpu else _add_scattered
        add(g, address, connections, tables, to_x, to_tables)
        return to_x.t().to(gradients[0].dtype), to_tables, None, None


def _looked_up(bits: Tensor, connections: Tensor, tables: Tensor) -> tuple[Tensor, Tensor]:
    """Addresses and entries, (neurons, frames), on the processor."""
    shape = len(tables), bits.shape[1]
    address, values = np.empty(shape, np.uint16), np.empty(shape, np.float32)
    look_up(bits.numpy(), connections.numpy(), tables.detach().numpy(), address, values)
    return torch.from_numpy(address), torch.from_numpy(values)


def _gathered(bits: Tensor, connections: Tensor, tables: Tensor) -> tuple[Tensor, Tensor]:
    """The same by torch's operators, on any device."""
    address = torch.zeros(len(tables), bits.shape[1], dtype=torch.int64, device=bits.device)
    for k in range(connections.shape[1]):
        address += bits[connections[:, k]].long() << k
    return address, tables.detach().gather(1, address)


def _add_compiled(
    g: Tensor, address: Tensor, connections: Tensor, tables: Tensor, to_x: Tensor, to_tables: Tensor
) -> None:
    arrays = (t.detach().numpy() for t in (g, address, connections, tables, to_x, to_tables))
    add_gradients(*arrays)


def _add_scattered(
    g: Tensor, address: Tensor, connections: Tensor, tables: Tensor, to_x: Tensor, to_tables: Tensor
) -> None:
    to_tables.scatter_add_(1, address, g)
    every = torch.arange(tables.shape[1], device=tables.device)
    for k in range(connections.shape[1]):
        halves = (tables[:, every | (1 << k)] - tables[:, every & ~(1 << k)]) / 2
        to_x.index_add_(0, connections[:, k], g * halves.gather(1, address))
