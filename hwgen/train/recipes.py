"""The standard cases of ``hwgen train``: a method's name to a network and the method's hooks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

from torch import Tensor, nn

from hwgen import nn as q
from hwgen.errors import UsageError
from hwgen.train.adaqat import AdaQAT
from hwgen.train.annealing import ConfidenceAnnealing
from hwgen.train.bitpruning import BitPruning, Cost
from hwgen.train.bmpq import BMPQ
from hwgen.train.data import Data
from hwgen.train.fan_in import FanIn
from hwgen.train.fit import FitConfig
from hwgen.train.method import Method
from hwgen.train.models import cnn, mlp
from hwgen.train.oscillation import Freezing, Oscillation
from hwgen.train.progressive import Progressive, float_layers, sensitivities
from hwgen.train.prune import Pruning
from hwgen.train.tables import LearnedTables

CostMaker = Callable[[nn.Module, Tensor], Cost]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a configuration says of network and method; ``options`` are the method's own."""

    convolutions: tuple[int | str, ...] = ()
    hidden: tuple[int, ...] = (64, 64)
    weight_bits: int = 3
    activation_bits: int = 3
    input_bits: int = 8
    input_step: float | None = None
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def convolved(self) -> int:
        """How many convolutions there are."""
        return sum(not isinstance(item, str) for item in self.convolutions)


@dataclass(frozen=True)
class Job:
    """A network to train and the hooks to train it with."""

    model: nn.Module
    methods: Sequence[Method]


@dataclass(frozen=True)
class Context:
    """All that a recipe may look at."""

    settings: Settings
    data: Data
    config: FitConfig
    cost: CostMaker | None = None

    def pruning(self, model: nn.Module) -> list[Method]:
        """Gradual pruning over the middle of the training, if the option ``prune`` asks for it."""
        share = self.option("prune", 0.0)
        if not share:
            return []
        return [Pruning(model, share, start=self.late(0.2), end=max(self.late(0.7), 2))]

    def net(
        self,
        weight: q.WeightSpec | Sequence[q.WeightSpec],
        activation: q.ActSpec | None = None,
        *,
        relu: bool = True,
    ) -> nn.Sequential:
        """The settings' network: fully connected layers, behind convolutions where it has any."""
        settings, shape = self.settings, self.data.shape
        act = activation or q.UInt(settings.activation_bits)
        first = input_spec(self.data.train[0], settings)
        if settings.convolutions:
            return cnn(shape, settings.convolutions, settings.hidden, self.data.classes,
                       weight=weight, activation=act, input=first, relu=relu)  # fmt: skip
        return mlp(prod(shape), settings.hidden, self.data.classes,
                   weight=weight, activation=act, input=first, relu=relu)  # fmt: skip

    def late(self, part: float) -> int:
        """The epoch after this part of the training."""
        return max(1, round(self.config.epochs * part))

    def option(self, name: str, default: Any) -> Any:
        """One of the method's options, of the default's type.

        Raises:
            UsageError: if it is of another type.
        """
        value = self.settings.options.get(name, default)
        wanted = (int, float) if isinstance(default, float) else type(default)
        if default is not None and not isinstance(value, wanted):
            raise UsageError(f"{name} must be like {default!r}, not {value!r}", origin="[method]")
        return value


def input_spec(x: Tensor, settings: Settings) -> q.ActSpec:
    """The input's quantizer: the given step, or the one that covers the training frames."""
    signed = bool(x.min() < 0)
    greatest = (1 << (settings.input_bits - signed)) - 1
    step = settings.input_step or float(x.abs().max()) / greatest or 1.0
    kind = q.SInt if signed else q.UInt
    return kind(settings.input_bits, step=step)


def _lsq(context: Context) -> Job:
    per_channel = context.option("per_channel", False)
    model = context.net(q.Int(context.settings.weight_bits, per_channel=per_channel))
    return Job(model, [*context.pruning(model), Oscillation(model)])


def _pact_sawb(context: Context) -> Job:
    act = q.PACT(context.settings.activation_bits, alpha=context.option("alpha", 10.0))
    return Job(context.net(q.SAWB(context.settings.weight_bits), act), [])


def _statsq(context: Context) -> Job:
    model = context.net(q.StatsQ(context.settings.weight_bits))
    start = context.option("anneal_at", context.late(0.8))
    return Job(model, [ConfidenceAnnealing(model, start), Oscillation(model)])


def _syq(context: Context) -> Job:
    spec = q.SYQ(
        context.option("groups", "channel"),
        ternary=context.option("ternary", True),
        columns=context.option("columns", 8),
        scale_bits=context.option("scale_bits", 4),
    )
    return Job(context.net(spec), [])


def _denseshift(context: Context) -> Job:
    spec = q.DenseShift(context.settings.weight_bits, std=context.option("std", 1e-3))
    model = context.net(spec)
    return Job(model, [Freezing(model)])


class _Dense(Method):
    """S³'s regularizer as a method."""

    def __init__(self, model: nn.Module, strength: float) -> None:
        self.model, self.strength = model, strength

    def loss(self) -> Tensor:
        from hwgen.nn.s3 import dense_regularizer

        return dense_regularizer(self.model, self.strength)


def _s3(context: Context) -> Job:
    model = context.net(q.S3(context.settings.weight_bits))
    return Job(model, [_Dense(model, context.option("strength", 1e-5)), Freezing(model)])


def _deepshift(context: Context) -> Job:
    zero = context.option("zero", True)
    model = context.net(q.Shift(context.settings.weight_bits, zero=zero))
    return Job(model, [Freezing(model)])


def _progressive(context: Context) -> Job:
    binary = context.option("activations", "uint") == "binary"
    act = q.Float(clip=1.0) if binary else None
    model = context.net(q.Float(), act, relu=not binary)
    to: q.ActSpec | None = q.Binary() if binary else None
    layers = float_layers(model, q.Sign(), to)
    every = context.option("every", max(1, context.config.epochs // (len(layers) + 1)))
    order: Any = context.option("order", "forward")
    if order in ("sensitive_first", "sensitive_last"):
        found = sensitivities(
            model, context.data, context.config, activation=to, epochs=min(every, 3)
        )
        order = sorted(found, key=lambda name: found[name], reverse=order == "sensitive_first")
    seed = context.config.seed
    return Job(model, [Progressive(model, activation=to, order=order, every=every, seed=seed)])


def _learned(context: Context) -> nn.Sequential:
    spec = q.LearnedBits(float(context.option("start_bits", 8)))
    return context.net(spec, spec)


def _cost(context: Context, model: nn.Module) -> Cost | None:
    return context.cost(model, context.data.train[0][:2]) if context.cost else None


def _bitpruning(context: Context) -> Job:
    model = _learned(context)
    method = BitPruning(
        model,
        strength=context.option("strength", 0.1),
        weighting=context.option("weighting", "equal"),
        freeze_at=context.option("freeze_at", context.late(0.6)),
        example=context.data.train[0][:2],
        cost=_cost(context, model),
        rate_factor=context.option("rate_factor", 10.0),
    )
    return Job(model, [method, *context.pruning(model)])


def _adaqat(context: Context) -> Job:
    model = _learned(context)
    method = AdaQAT(
        model,
        rate=context.option("rate", 0.1),
        strength=context.option("strength", 0.15),
        layers=context.option("layers", False),
        freeze_at=context.option("freeze_at", context.late(0.6)),
        cost=_cost(context, model),
    )
    return Job(model, [method, *context.pruning(model)])


def _bmpq(context: Context) -> Job:
    spec = q.LearnedBits(8.0)
    model = context.net(spec)
    method = BMPQ(
        model,
        budget=context.option("budget", 3.0),
        widths=context.option("widths", [2, 3, 4, 6]),
        interval=context.option("interval", max(1, context.config.epochs // 6)),
        last=context.late(0.7),
    )
    return Job(model, [method, *context.pruning(model)])


def _few_inputs(context: Context) -> Job:
    fan_in, tables = context.option("fan_in", 6), context.option("tables", False)
    layers = len(context.settings.hidden) + context.settings.convolved
    spec = q.FewInputs(q.Int(5, step=1 / 16), fan_in)
    ternary = q.FewInputs(q.Ternary(scale=0.2, threshold=0.0), context.option("class_inputs", 30))
    model = context.net([*[spec] * layers, ternary], q.Binary(), relu=False)
    FanIn.initialize(model)
    end = context.late(0.25 if tables else 0.5)
    methods: list[Method] = [FanIn(model, first=context.option("first", 40), end=end)]
    if tables:
        methods.append(LearnedTables(model, at=context.late(0.4)))
    return Job(model, methods)


RECIPES: dict[str, Callable[[Context], Job]] = {
    "lsq": _lsq,
    "pact-sawb": _pact_sawb,
    "statsq": _statsq,
    "syq": _syq,
    "denseshift": _denseshift,
    "s3": _s3,
    "deepshift": _deepshift,
    "progressive": _progressive,
    "few-inputs": _few_inputs,
    "bitpruning": _bitpruning,
    "adaqat": _adaqat,
    "bmpq": _bmpq,
}
"""By the name that ``--method`` takes."""

OPTIONS: dict[str, tuple[str, ...]] = {
    "lsq": ("per_channel", "prune"),
    "pact-sawb": ("alpha",),
    "statsq": ("anneal_at",),
    "syq": ("groups", "ternary", "columns", "scale_bits"),
    "denseshift": ("std",),
    "s3": ("strength",),
    "deepshift": ("zero",),
    "progressive": ("activations", "every", "order"),
    "few-inputs": ("fan_in", "class_inputs", "first", "tables"),
    "bitpruning": ("start_bits", "strength", "weighting", "rate_factor", "freeze_at", "prune"),
    "adaqat": ("start_bits", "rate", "strength", "layers", "freeze_at", "prune"),
    "bmpq": ("budget", "widths", "interval", "prune"),
}
"""What ``[method]`` of a configuration may say, by method."""
