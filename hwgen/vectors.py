"""Test frames and what the golden model makes of them, as the benches read them."""

from __future__ import annotations

import zipfile
from collections.abc import Container, Iterator
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import hwgen
from hwgen.design.accelerator import Accelerator, slot_bits
from hwgen.design.layout import Layout, Stream
from hwgen.errors import UsageError
from hwgen.ir.graph import Graph
from hwgen.ir.node import Node
from hwgen.ir.types import Ints
from hwgen.ops.input import Input
from hwgen.verify.manifest import Layer, Manifest, Port, Predicted, Timing, Writable


@dataclass(frozen=True)
class DataSet:
    """Real frames ``x`` (frames first), and labels ``y`` or None."""

    x: npt.NDArray[Any]
    y: npt.NDArray[Any] | None


def read(path: Path, limit: int | None = None) -> DataSet:
    """A data set from an ``.npz`` with ``x`` and, where there are labels, ``y``. Nothing is
    unpickled.

    Raises:
        UsageError: not such a file.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            x = file["x"]
            y = file["y"] if "y" in file.files else None
    except FileNotFoundError:
        raise UsageError(f"there is no data set {path}") from None
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, EOFError, AttributeError) as error:
        raise UsageError(
            f"{path} must be an .npz with arrays x and y: {error}",
            hint="numpy.savez(path, x=images, y=labels)",
        ) from None
    if x.ndim < 1 or len(x) == 0 or x.dtype.kind not in "iufb":
        raise UsageError(f"{path}: x must hold at least one frame of numbers, not {x.dtype}")
    if y is not None and len(y) != len(x):
        raise UsageError(f"{path}: x has {len(x)} frames and y {len(y)} labels")
    return DataSet(x[:limit], None if y is None else y[:limit])


def make(graph: Graph, frames: int, seed: int, data: Path | None = None) -> Ints:
    """Integer input frames (frames, …): from a data set, or random with the two extremes first.

    Raises:
        UsageError: no frames, or a data set that does not fit the network.
    """
    if frames < 1:
        raise UsageError(f"--frames must be at least 1, not {frames}")
    node = graph.input
    assert isinstance(node, Input)
    if data is not None:
        return node.encode(read(data, frames).x)
    rng = np.random.default_rng(seed)
    x = rng.integers(node.lo, node.hi, (frames, *node.shape), endpoint=True)
    x[0] = node.lo
    x[min(1, frames - 1)] = node.hi
    return x


def streamed(x: Ints) -> Ints:
    """(frames, channels, …) to (frames, elements) in stream order: pixel-major, channel fastest."""
    return np.ascontiguousarray(np.moveaxis(x, 1, -1).reshape(len(x), -1))


def unstreamed(y: Ints, shape: tuple[int, ...]) -> Ints:
    """The inverse of ``streamed`` for frames of ``shape``."""
    return np.moveaxis(y.reshape(len(y), *shape[1:], shape[0]), -1, 1)


def port(stream: Stream, word_bits: int) -> Port:
    """One end of the accelerator as the manifest describes it."""
    return Port(
        elements=stream.elements,
        width=stream.dtype.width,
        signed=stream.dtype.signed,
        slot_bits=slot_bits(stream.dtype),
        word_bits=word_bits,
        lanes=stream.lanes,
        beats=stream.beats,
    )


def manifest(
    accelerator: Accelerator, clock_mhz: float, identity: int, seed: int, frames: int
) -> Manifest:
    """What the benches must know of this accelerator."""
    layout = accelerator.layout
    whole, core = accelerator.measure(), layout.measure()
    layers = tuple(
        Layer(name, s.source, s.elements, s.lanes, s.dtype.width, s.dtype.signed)
        for name, s in layout.taps.items()
    )
    return Manifest(
        top="accelerator",
        core="core",
        version=hwgen.__version__,
        build_id=identity,
        clock_mhz=clock_mhz,
        input=port(layout.input, accelerator.input_bits),
        output=port(layout.output, accelerator.output_bits),
        predicted=Predicted(
            whole.latency,
            ceil(whole.interval),
            Timing(core.latency, ceil(core.interval), core.period),
            whole.period,
        ),
        layers=layers,
        frames=frames,
        seed=seed,
        writable=tuple(writables(layout)),
        load_words=layout.load_words,
    )


def writables(layout: Layout) -> Iterator[Writable]:
    """The nodes whose constants can be written, as the manifest describes them."""
    for number, block in enumerate(layout.writable):
        c = block.config
        assert c is not None, "only nodes have writable constants"
        assert block.node is not None
        yield Writable(block.node, number, c.style, c.pe, c.simd, c.memory, c.multiplier)


def golden(graph: Graph, taps: Container[str], x: Ints) -> dict[str, Ints]:
    """(frames, elements) in stream order: ``input``, ``output`` and ``layers/<name>`` of every
    tap."""
    found = {"input": streamed(x)}

    def keep(node: Node, value: Ints) -> None:
        if node.name in taps:
            found[f"layers/{node.name}"] = streamed(value)

    found["output"] = streamed(graph.trace(x, keep))
    return found
