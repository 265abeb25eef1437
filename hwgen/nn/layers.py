"""Linear and convolution layers whose weight goes through a quantizer.

Each is torch's own layer with one more argument, ``weight``: the quantizer's spec. It computes
exactly torch's linear or convolution of its input with the dequantized weight, plus bias.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from hwgen.errors import UsageError
from hwgen.nn.quantizer import IntegerView, WeightQuantizer, WeightSpec

Size = int | tuple[int, ...]


class QuantizedWeight(nn.Module):
    """What the layers share: a weight, its quantizer and its integer view."""

    weight: Any
    weight_quantizer: WeightQuantizer

    def quantize_weight_with(self, spec: WeightSpec) -> None:
        """Use ``spec`` from now on; the weight stays, unless the new quantizer has its own latents.

        Raises:
            UsageError: if ``spec`` is no weight quantizer's spec.
        """
        if not isinstance(spec, WeightSpec):
            raise UsageError(
                f"weight must be a weight quantizer such as Binary(), not {spec!r}",
                hint="choose Binary(), Ternary(), Shift(bits=3) or Int(bits=8)",
            )
        self.weight_quantizer = spec.weight_quantizer(self.weight.detach())
        if not self.weight_quantizer.keeps_weight:
            self.register_parameter("weight", None)
        self._spec = spec

    def quantized_weight(self) -> Tensor:
        """The dequantized weight that the layer computes with; differentiable."""
        value: Tensor = self.weight_quantizer(self.weight)
        return value

    @property
    def integer_weight(self) -> IntegerView:
        """Codes, scale and alphabet of the present weight."""
        return self.weight_quantizer.view(self.weight)

    @property
    def codes(self) -> Tensor:
        """Integer levels as int64, in the weight's shape."""
        return self.integer_weight.codes

    @property
    def scale(self) -> Tensor:
        """Float32, of no dimension or broadcasting to the codes."""
        return self.integer_weight.scale

    @property
    def alphabet(self) -> tuple[int, ...]:
        """All levels a code may have, ascending."""
        return self.weight_quantizer.alphabet

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, weight={self._spec}"


class QuantLinear(QuantizedWeight, nn.Linear):
    """`torch.nn.Linear` with a quantized weight."""

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, *, weight: WeightSpec
    ) -> None:
        super().__init__(in_features, out_features, bias)
        self.quantize_weight_with(weight)

    def forward(self, input: Tensor) -> Tensor:
        return F.linear(input, self.quantized_weight(), self.bias)


class QuantizedConvolution(QuantizedWeight):
    """What convolutions over one and two axes share; torch's own class comes behind it."""

    _conv_forward: Callable[[Tensor, Tensor, Tensor | None], Tensor]
    bias: Tensor | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: str | Size = 0,
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
        *,
        weight: WeightSpec,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias
        )
        self.quantize_weight_with(weight)

    def forward(self, input: Tensor) -> Tensor:
        return self._conv_forward(input, self.quantized_weight(), self.bias)


class QuantConv1d(QuantizedConvolution, nn.Conv1d):
    """`torch.nn.Conv1d` with a quantized weight; ``groups=in_channels`` makes it depthwise."""


class QuantConv2d(QuantizedConvolution, nn.Conv2d):
    """`torch.nn.Conv2d` with a quantized weight; ``groups=in_channels`` makes it depthwise."""
