"""``driver/model.json``: what a host must know to send frames and to read answers."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import numpy as np

from hwgen.backend.boards import Board
from hwgen.backend.clocking import SPI_CYCLES
from hwgen.errors import BuildError
from hwgen.ir import serialize
from hwgen.ir.graph import Graph
from hwgen.ir.meaning import Affine, Clamp, ScalarFunction
from hwgen.ir.types import Ints
from hwgen.ops.input import Input
from hwgen.ops.output import Output
from hwgen.verify.manifest import Manifest

LOAD_CHUNK = 31
"""Words of constants per packet over a link, at most: with them a packet's payload is 256 bytes."""


def load_chunk(words: int) -> int:
    """Words per packet, of ``words`` in all."""
    return min(LOAD_CHUNK, words)


def host_model(graph: Graph, manifest: Manifest, board: Board) -> dict[str, Any]:
    """Shapes, packing and the meaning of integers at both ends, and how the board is reached, as
    plain JSON values."""
    source, sink = graph.input, graph.output
    if not isinstance(source, Input) or not isinstance(sink, Output):
        raise BuildError("a graph must begin with its input and end with its output")
    encoding = source.encoding
    return {
        "name": graph.name,
        "version": manifest.version,
        "build_id": manifest.build_id,
        "clock_mhz": manifest.clock_mhz,
        "latency_cycles": manifest.predicted.latency_cycles,
        "link": board.link,
        "speed": speed(board, manifest.clock_mhz),
        "port": board.spi_url if board.link == "spi" else None,
        "input_shape": list(source.shape),
        "input_channels_last": source.channels_last,
        "output_shape": list(graph.types[sink.name].shape),
        "input": asdict(manifest.input),
        "output": asdict(manifest.output),
        "encoding": {
            "functions": _functions(encoding.functions),
            "step": [float(step) for step in encoding.step],
            "zero_point": list(encoding.zero_point),
            "lo": encoding.lo,
            "hi": encoding.hi,
            "sign": encoding.sign,
            "rounding": encoding.rounding,
        },
        "decoding": decoding(sink),
        "index": sink.index,
        "output_channels_last": sink.channels_last,
        "load_words": manifest.load_words,
        "load_chunk": load_chunk(manifest.load_words),
    }


def speed(board: Board, clock_mhz: float) -> int:
    """Bits per second of the link; 0 where the board has a processor."""
    if board.link == "spi":
        return int(1e6 * clock_mhz / SPI_CYCLES)
    return board.baud if board.link else 0


def weights_file(graph: Graph, writes: Ints, build_id: int) -> bytes:
    """The ``.npz`` that a driver's ``load_weights`` takes: constants (words, 2) as addresses and
    data, what the output means with them, and the integer graph that they are of."""
    sink, file = graph.output, io.BytesIO()
    assert isinstance(sink, Output)
    np.savez_compressed(
        file,
        address=writes[:, 0].astype(np.uint32),
        data=writes[:, 1].astype(np.uint32),
        build_id=np.uint32(build_id),
        decoding=json.dumps(decoding(sink)),
        graph=serialize.to_json(graph),
    )
    return file.getvalue()


def decoding(sink: Output) -> dict[str, Any]:
    """What the integers of the output mean."""
    return {
        "scale": list(sink.scale),
        "offset": list(sink.offset),
        "bias": list(sink.bias),
        "functions": _functions(sink.functions),
        "order": None if sink.order is None else [int(i) for i in sink.order.values],
    }


def _functions(functions: Iterable[ScalarFunction]) -> list[dict[str, Any]]:
    return [_function(function) for function in functions]


def _function(function: ScalarFunction) -> dict[str, Any]:
    """One host function; the driver refuses those that it does not know by their kind."""
    if isinstance(function, Affine):
        return {
            "kind": "affine",
            "scale": [float(value) for value in function.scale],
            "offset": [float(value) for value in function.offset],
        }
    if isinstance(function, Clamp):
        bounds = {"lo": function.lo, "hi": function.hi}
        return {
            "kind": "clamp",
            **{key: None if value is None else float(value) for key, value in bounds.items()},
        }
    return {"kind": type(function).__name__}
