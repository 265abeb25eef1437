"""The operators that stand for quantizers and tables in an exported graph, one each.

An importer reads `hwgen::quantize`, `hwgen::sign`, `hwgen::weight` and `hwgen::truth_table` as what
they stand for and never sees their arithmetic. Only frozen copies of a model (see `hwgen.save`)
call them; training uses `hwgen.nn.ste` and `hwgen.nn.tables`.
"""

from __future__ import annotations

import torch
from torch import Tensor

HALF_EVEN = "half_even"


@torch.library.custom_op("hwgen::quantize", mutates_args=())
def quantize(
    x: Tensor, step: Tensor, zero_point: Tensor, lo: int, hi: int, rounding: str
) -> Tensor:
    """``(clamp(round(x / step) + zero_point, lo, hi) - zero_point) * step`` in float32.

    ``rounding`` is ``half_even``; ``step`` and ``zero_point`` hold one value each.
    """
    if rounding != HALF_EVEN:
        raise ValueError(f"rounding must be {HALF_EVEN}, not {rounding}")
    codes = torch.clamp(torch.round(x / step) + zero_point, lo, hi)
    return (codes - zero_point) * step


@torch.library.custom_op("hwgen::sign", mutates_args=())
def sign(x: Tensor, scale: Tensor) -> Tensor:
    """``+scale`` where ``x >= 0``, else ``-scale``: the sign of zero is plus."""
    return torch.where(x >= 0, scale, -scale)


@torch.library.custom_op("hwgen::weight", mutates_args=())
def weight(codes: Tensor, scale: Tensor, alphabet: list[int]) -> Tensor:
    """``codes * scale`` in float32; ``scale`` broadcasts to the shape of ``codes``.

    ``alphabet`` lists, ascending, every integer level that a code may have.
    """
    return codes.to(torch.float32) * scale


@torch.library.custom_op("hwgen::truth_table", mutates_args=())
def truth_table(x: Tensor, connections: Tensor, codes: Tensor, levels: list[float]) -> Tensor:
    """Feature n of the output (batch, features) is ``levels[codes[n, a]]`` where bit k of ``a`` is
    whether ``x[:, connections[n, k]]`` is positive; ``codes`` holds 0 and 1."""
    bits = (x[:, connections] > 0).to(torch.int64)
    address = (bits << torch.arange(connections.shape[1])).sum(dim=2)
    chosen = codes[torch.arange(len(codes)), address].to(torch.int64)
    return torch.tensor(levels, dtype=x.dtype)[chosen]


@quantize.register_fake
def _quantize_fake(
    x: Tensor, step: Tensor, zero_point: Tensor, lo: int, hi: int, rounding: str
) -> Tensor:
    return torch.empty_like(x)


@sign.register_fake
def _sign_fake(x: Tensor, scale: Tensor) -> Tensor:
    return torch.empty_like(x)


@weight.register_fake
def _weight_fake(codes: Tensor, scale: Tensor, alphabet: list[int]) -> Tensor:
    return codes.new_empty(codes.shape, dtype=torch.float32)


@truth_table.register_fake
def _truth_table_fake(x: Tensor, connections: Tensor, codes: Tensor, levels: list[float]) -> Tensor:
    return x.new_empty((x.shape[0], connections.shape[0]))
