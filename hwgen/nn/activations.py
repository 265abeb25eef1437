"""Layers that quantize an activation."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from hwgen.errors import UsageError
from hwgen.nn.quantizer import ActQuantizer, ActSpec, IntegerView


class QuantAct(nn.Module):
    """Quantizes its input elementwise.

    Raises:
        UsageError: if ``spec`` is no activation quantizer's spec.
    """

    quantizer: ActQuantizer

    def __init__(self, spec: ActSpec) -> None:
        super().__init__()
        if not isinstance(spec, ActSpec):
            raise UsageError(
                f"{type(self).__name__} needs an activation quantizer, not {spec!r}",
                hint="choose Binary(), UInt(bits=4) or SInt(bits=8)",
            )
        self.quantizer = spec.act_quantizer()
        self._spec = spec

    def forward(self, x: Tensor) -> Tensor:
        value: Tensor = self.quantizer(x)
        return value

    def integers(self, x: Tensor) -> IntegerView:
        """Codes, scale and alphabet of this layer's output for ``x``."""
        return self.quantizer.view(x)

    @property
    def alphabet(self) -> tuple[int, ...]:
        """All levels of the output, ascending."""
        return self.quantizer.alphabet

    def extra_repr(self) -> str:
        return str(self._spec)


class QuantIdentity(QuantAct):
    """Quantizes and does nothing else; the usual first layer, for the network's input."""


class QuantReLU(QuantAct):
    """ReLU, then the quantizer.

    Raises:
        UsageError: if the quantizer is a sign, which is +1 everywhere behind a ReLU.
    """

    def __init__(self, spec: ActSpec) -> None:
        super().__init__(spec)
        if self.quantizer.alphabet == (-1, 1):
            raise UsageError(
                "QuantReLU must not be binary: the sign of a ReLU's output is always +1",
                hint="use QuantAct(Binary()), or QuantReLU(UInt(bits=1))",
            )

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(F.relu(x))

    def integers(self, x: Tensor) -> IntegerView:
        return super().integers(F.relu(x))
