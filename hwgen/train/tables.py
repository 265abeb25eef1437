"""From neurons that chose a few inputs to learned tables of the same inputs.

A neuron of few inputs and its sign are one LUT, which could as well be any other function of them.
`as_tables` makes it one that is trained further, entry by entry; `LearnedTables` does so in the
middle of a training.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from hwgen.errors import UsageError
from hwgen.nn.activations import QuantAct
from hwgen.nn.few import FewInputsWeight
from hwgen.nn.layers import QuantLinear
from hwgen.nn.tables import MOST_INPUTS, TruthTables
from hwgen.train.method import Method, State

Triple = tuple[QuantLinear, nn.BatchNorm1d, QuantAct]


def as_tables(model: nn.Module) -> list[TruthTables]:
    """Change ``model`` such that it computes the same in eval mode: in every `torch.nn.Sequential`
    a layer of few inputs of two values, its batch-norm and its quantizer of two levels become a
    `TruthTables` layer and two identities. The new layers, in order.

    A table's entries are what the quantizer saw, less its threshold, so those within ±1 train on
    as they did.

    Raises:
        UsageError: if there is no such layer.
    """
    made = [
        tables
        for module in list(model.modules())
        if isinstance(module, nn.Sequential)
        for tables in _converted(module)
    ]
    if not made:
        raise UsageError(
            "a network must hold a layer of few binary inputs, batch-norm and a sign in a row",
            hint="QuantLinear(…, weight=FewInputs(…)), BatchNorm1d and QuantAct(Binary()) in a "
            "torch.nn.Sequential, behind a quantizer of two levels",
        )
    return made


class LearnedTables(Method):
    """Makes tables of the layers of few inputs at epoch ``at`` (`as_tables`), trains their entries
    from then on at ``rate_factor`` times the learning rate, and keeps the entries of all tables
    within ±1, where gradients reach them. Without ``at`` it only does the last.

    Raises:
        UsageError: as `as_tables`, when that epoch begins.
    """

    def __init__(
        self, model: nn.Module, *, at: int | None = None, rate_factor: float = 0.5
    ) -> None:
        self.model, self.at, self.rate_factor = model, at, rate_factor
        self.made = False

    def start(self, optimizer: torch.optim.Optimizer) -> None:
        self._optimizer = optimizer

    def begin_epoch(self, epoch: int) -> None:
        if self.at is not None and epoch >= self.at and not self.made:
            self._convert()

    @torch.no_grad()
    def step(self, batch: tuple[Tensor, Tensor]) -> None:
        for layer in self.model.modules():
            if isinstance(layer, TruthTables):
                layer.tables.clamp_(-1.0, 1.0)

    def state(self) -> State:
        return {"made": self.made}

    def restore(self, state: State) -> None:
        if state["made"]:
            self._convert()

    def _convert(self) -> None:
        entries = [layer.tables for layer in as_tables(self.model)]
        self.made = True
        self._optimizer.add_param_group({"params": entries, "factor": self.rate_factor})


def _converted(model: nn.Sequential) -> Iterator[TruthTables]:
    levels: tuple[float, ...] = ()
    for at in range(len(model)):
        triple = _triple(list(model)[at : at + 3])
        if triple is not None and len(levels) == 2:
            tables = _tables(*triple, inputs=levels)
            model[at], model[at + 1], model[at + 2] = tables, nn.Identity(), nn.Identity()
            yield tables
        module = model[at]
        if isinstance(module, QuantAct | TruthTables):
            levels = _levels(module)
        elif not isinstance(module, nn.Identity | nn.Flatten):
            levels = ()


def _triple(modules: list[nn.Module]) -> Triple | None:
    """A layer of few inputs, its batch-norm and a quantizer of two levels."""
    match modules:
        case [QuantLinear() as layer, nn.BatchNorm1d() as norm, QuantAct() as act]:
            few = layer.weight_quantizer
            small = isinstance(few, FewInputsWeight) and few.fan_in <= MOST_INPUTS
            return (layer, norm, act) if small and len(act.alphabet) == 2 else None
    return None


def _levels(module: QuantAct | TruthTables) -> tuple[float, ...]:
    """The values that a layer's output can have."""
    if isinstance(module, TruthTables):
        return module.levels
    _, scale = module.quantizer.integers(torch.zeros(1))
    return tuple(float(level * scale) for level in module.alphabet)


@torch.no_grad()
def _tables(
    layer: QuantLinear, norm: nn.BatchNorm1d, act: QuantAct, *, inputs: tuple[float, ...]
) -> TruthTables:
    few = layer.weight_quantizer
    assert isinstance(few, FewInputsWeight), "see _triple"
    low, high = _levels(act)
    made = TruthTables(layer.in_features, layer.out_features, fan_in=few.fan_in, levels=(low, high))
    made.connect(layer.weight.abs().topk(few.fan_in, dim=1).indices)
    chosen = layer.quantized_weight().gather(1, made.connections)
    entry = torch.arange(1 << few.fan_in)
    bits = (entry.unsqueeze(1) >> torch.arange(few.fan_in)) & 1
    sums = chosen @ torch.tensor(inputs)[bits].t()
    if layer.bias is not None:
        sums += layer.bias.unsqueeze(1)
    seen = nn.functional.batch_norm(
        sums.t(), norm.running_mean, norm.running_var, norm.weight, norm.bias, False, 0.0, norm.eps
    ).t()
    positive = act.quantizer(seen) == high
    entries = seen - (low + high) / 2  # where a quantizer of two levels goes from one to the other
    least = torch.finfo(entries.dtype).tiny
    made.tables.copy_(torch.where(positive, entries.clamp(min=0), entries.clamp(max=-least)))
    return made
