"""From many inputs per neuron to few: closes `hwgen.nn.FewInputs` layers in on their fan-in."""

from __future__ import annotations

from torch import nn

from hwgen.errors import UsageError
from hwgen.nn.few import FewInputsWeight
from hwgen.train.method import Method, weight_layers

STD = 0.2
"""Of the weights at the start: some levels of the weights' quantizer, well within its range."""


class FanIn(Method):
    """The inputs that each neuron uses fall geometrically from ``first`` at epoch 0 to the layer's
    ``fan_in`` at epoch ``end``, and stay there.

    Raises:
        UsageError: if no layer of the model chooses few inputs.
    """

    def __init__(self, model: nn.Module, *, first: int = 40, end: int = 5) -> None:
        if first < 1 or end < 1:
            raise UsageError(f"first and end must be at least 1, not {first} and {end}")
        self.model, self.first, self.end = model, first, end
        self.quantizers = [m for m in model.modules() if isinstance(m, FewInputsWeight)]
        if not self.quantizers:
            raise UsageError(
                "a fan-in needs at least one layer of few inputs",
                hint="make the layers with weight=FewInputs(Int(5, step=1 / 16), fan_in=6)",
            )

    @staticmethod
    def initialize(model: nn.Module, std: float = STD) -> None:
        """Draw the weights of such layers anew, wide enough that none starts at level 0 alone."""
        for layer in weight_layers(model).values():
            if isinstance(layer.weight_quantizer, FewInputsWeight):
                nn.init.normal_(layer.weight, std=std)

    def inputs(self, fan_in: int, epoch: int) -> int:
        """How many inputs a neuron of ``fan_in`` uses in an epoch."""
        left = max(1 - epoch / self.end, 0.0)
        wider: float = max(self.first / fan_in, 1.0) ** left
        return max(round(fan_in * wider), fan_in)

    def begin_epoch(self, epoch: int) -> None:
        for quantizer in self.quantizers:
            quantizer.kept.fill_(self.inputs(quantizer.fan_in, epoch))
