"""What a planned accelerator takes and how fast it is, before anything is generated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from hwgen.backend.boards import Board
from hwgen.design.accelerator import Accelerator
from hwgen.design.layout import Block
from hwgen.estimate.clock import fmax_mhz
from hwgen.families.base import Resources
from hwgen.passes.schedule import MARGIN, overrun, total
from hwgen.rtl.tokens import TokenGraph


@dataclass(frozen=True)
class LayerFigures:
    """One circuit of the accelerator; ``op`` is empty for converters, FIFOs and the AXI shell."""

    name: str
    op: str
    style: str
    pe: int
    simd: int
    pixels: int
    memory: str
    latency_cycles: int
    initiation_interval: int
    resources: Resources


@dataclass(frozen=True)
class Figures:
    """A whole accelerator on a board, at ``clock_mhz``."""

    board: Board
    clock_mhz: float
    layers: tuple[LayerFigures, ...]
    latency_cycles: int
    initiation_interval: int
    fmax_mhz: float
    core_latency_cycles: int
    core_initiation_interval: int

    @property
    def resources(self) -> Resources:
        return total([layer.resources for layer in self.layers])

    @property
    def fps(self) -> float:
        return self.clock_mhz * 1e6 / self.initiation_interval

    @property
    def over(self) -> dict[str, float]:
        """How much of each resource lies beyond the margin; empty when the board holds it."""
        return overrun(self.resources, capacity(self.board))

    def as_dict(self) -> dict[str, Any]:
        """The keys that ``report.json`` and ``--json`` promise."""
        layers = [layer for layer in self.layers if layer.op]
        return {
            "board": self.board.name,
            "family": self.board.family,
            "clock_mhz": self.clock_mhz,
            "fmax_mhz": round(self.fmax_mhz, 1),
            "latency_cycles": self.latency_cycles,
            "latency_us": round(self.latency_cycles / self.clock_mhz, 4),
            "initiation_interval": self.initiation_interval,
            "fps": round(self.fps, 1),
            "core": {
                "latency_cycles": self.core_latency_cycles,
                "initiation_interval": self.core_initiation_interval,
            },
            "resources": as_counts(self.resources),
            "budget": as_counts(capacity(self.board)),
            "margin": MARGIN,
            "fits": not self.over,
            "layers": [self._layer(layer) for layer in layers],
            "plumbing": [self._layer(layer) for layer in self.layers if not layer.op],
        }

    def _layer(self, layer: LayerFigures) -> dict[str, Any]:
        return {
            "name": layer.name,
            "op": layer.op,
            "style": layer.style,
            "pe": layer.pe,
            "simd": layer.simd,
            "pixels": layer.pixels,
            "memory": layer.memory,
            "latency_cycles": layer.latency_cycles,
            "initiation_interval": layer.initiation_interval,
            "fps": round(self.clock_mhz * 1e6 / max(layer.initiation_interval, 1), 1),
            "resources": as_counts(layer.resources),
        }


def capacity(board: Board) -> Resources:
    """Everything the board's part has."""
    return Resources(lut=board.lut, ff=board.ff, bram36=board.bram36, dsp=board.dsp)


def as_counts(resources: Resources) -> dict[str, float]:
    """Whole LUTs, flip-flops and DSPs; block RAMs in halves."""
    return {
        "lut": ceil(resources.lut),
        "ff": ceil(resources.ff),
        "bram36": resources.bram36,
        "dsp": ceil(resources.dsp),
    }


def figures(accelerator: Accelerator, board: Board, clock_mhz: float) -> Figures:
    """Prices and times every circuit, and the whole by the token-level model."""
    whole, core = accelerator.measure(), accelerator.layout.measure()
    return Figures(
        board=board,
        clock_mhz=clock_mhz,
        layers=tuple(_layers(accelerator)),
        latency_cycles=whole.latency,
        initiation_interval=ceil(whole.interval),
        fmax_mhz=fmax_mhz(accelerator),
        core_latency_cycles=core.latency,
        core_initiation_interval=ceil(core.interval),
    )


def _layers(accelerator: Accelerator) -> Sequence[LayerFigures]:
    family, graph = accelerator.layout.family, accelerator.layout.graph
    rows = [_layer(b, graph[b.node].op if b.node else "", family) for b in accelerator.blocks]
    shell = LayerFigures(
        "registers", "", "", 1, 1, 1, "", 0, 0, accelerator.registers_price(family)
    )
    return [*rows, shell]


def _layer(block: Block, op: str, family: Any) -> LayerFigures:
    config = block.config
    latency, interval = _alone(block)
    return LayerFigures(
        name=block.node or block.instance,
        op=op,
        style=config.style if config else "",
        pe=config.pe if config else 1,
        simd=config.simd if config else 1,
        pixels=config.side if config else 1,
        memory=config.memory if config else "",
        latency_cycles=latency,
        initiation_interval=interval,
        resources=block.unit.resources(family),
    )


def _alone(block: Block) -> tuple[int, int]:
    """Latency and interval of one circuit by itself."""
    timing = getattr(block.unit, "timing", None)
    if timing is None:
        return 0, block.inputs[0].beats
    tokens = TokenGraph()
    tokens.sink(tokens.node(timing, *(tokens.source(s.beats) for s in block.inputs)))
    measured = tokens.measure()
    return measured.latency, ceil(measured.interval)
