"""Another network's constants for an accelerator with writable layers: ``hwgen weights``."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hwgen import families
from hwgen.backend.host import weights_file
from hwgen.built import read_graph, read_report
from hwgen.constants import writes as constants_of
from hwgen.errors import ModelError, UsageError
from hwgen.frontend.models import read_model
from hwgen.ir import serialize
from hwgen.ir.graph import Graph
from hwgen.ir.node import Node
from hwgen.ir.verify import verify
from hwgen.ops.base import HardwareNode
from hwgen.passes.integerize import integerize
from hwgen.pipeline import merged
from hwgen.verify import manifest as manifests
from hwgen.verify.manifest import Manifest

DECODING = ("scale", "offset", "bias", "functions", "order")
"""What another network's output may mean; the driver learns it with the words."""


@dataclass(frozen=True)
class Image:
    """All constants of a network, as they are written to an accelerator.

    Members:
        graph: the integer graph that the accelerator then computes.
        writes: (words, 2): LOAD_ADDRESS and LOAD_DATA of every word, addresses ascending.
        build_id: of the build that they fit.
    """

    graph: Graph
    writes: npt.NDArray[np.int64]
    build_id: int

    def save(self, path: Path) -> None:
        """An ``.npz`` that the driver's ``load_weights`` takes."""
        path.write_bytes(weights_file(self.graph, self.writes, self.build_id))


def read(path: Path, folder: Path) -> Image:
    """The constants that ``hwgen weights`` wrote for the accelerator that was built in ``folder``.

    Raises:
        UsageError: no such file, or one for another build.
    """
    manifest = _writable_manifest(folder)
    hint = f"hwgen weights MODEL --for {folder.name} -o {path.name}"
    try:
        with np.load(path, allow_pickle=False) as file:
            writes = np.stack([file["address"], file["data"]], axis=1).astype(np.int64)
            build_id, text = int(file["build_id"]), str(file["graph"])
    except FileNotFoundError:
        raise UsageError(f"there is no file of weights {path}", hint=hint) from None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise UsageError(f"{path} must be what hwgen weights wrote: {error}", hint=hint) from None
    if build_id != manifest.build_id:
        raise UsageError(
            f"{path} is for build {build_id:#010x}, and {folder.name} is {manifest.build_id:#010x}",
            hint=hint,
        )
    graph = serialize.from_json(text)
    family = families.get(read_report(folder)["family"])
    if not np.array_equal(constants_of(graph, manifest.writable, family), writes):
        raise UsageError(f"{path} is damaged: its words are not those of its network", hint=hint)
    return Image(graph, writes, build_id)


def image(folder: Path, model: Path, input_type: str | None = None) -> Image:
    """The constants of ``model`` for the accelerator that was built in ``folder``.

    Raises:
        UsageError: ``folder`` is not a built project, or one without writable layers.
        ModelError: a network of another shape, or one that differs in what is not writable.
        HwgenError: a model that cannot be read.
    """
    manifest = _writable_manifest(folder)
    graph = read_graph(folder)
    family = families.get(read_report(folder)["family"])
    layers = [w.name for w in manifest.writable if graph[w.name].op == "linear"]
    source = integerize(read_model(model, input_type)).graph
    for name in layers:
        if name not in source.by_name:
            raise _unlike(graph, source, model)
    other = merged(source, layers)
    filled = refilled(graph, other, model)
    return Image(filled, constants_of(filled, manifest.writable, family), manifest.build_id)


def _writable_manifest(folder: Path) -> Manifest:
    manifest = manifests.read(folder)
    if not manifest.writable:
        raise UsageError(
            f"{str(folder)!r} has no writable layers",
            hint="hwgen build MODEL --writable LAYER, or --writable all",
        )
    return manifest


def refilled(graph: Graph, other: Graph, model: Path) -> Graph:
    """``graph`` with the writable constants of ``other``, and the meaning of its output.

    Raises:
        ModelError: they differ in something else.
    """
    if [(n.name, n.op, n.inputs) for n in graph] != [(n.name, n.op, n.inputs) for n in other]:
        raise _unlike(graph, other, model)
    nodes = tuple(_filled(mine, theirs, model) for mine, theirs in zip(graph, other, strict=True))
    made = verify(graph.with_nodes(nodes))
    for name, kind in graph.types.items():
        if made.types[name] != kind:
            raise ModelError(
                f"{model.name} does not fit: {name} must be {kind}, not {made.types[name]}"
            )
    return made


def _filled(mine: Node, theirs: Node, model: Path) -> Node:
    if isinstance(mine, HardwareNode) and not mine.fixed:
        made = mine.refilled(theirs) if isinstance(theirs, HardwareNode) else None
        if made is None:
            raise ModelError(
                f"{model.name} does not fit: {mine.name} must have the shape, the weight levels "
                "and the number of thresholds that it was built with",
                origin=theirs.origin,
                hint="train it with the same quantizers, or build it anew",
            )
        return made
    free = DECODING if mine.op == "output" else ()
    a, b = (
        {key: value for key, value in node.attributes().items() if key not in free}
        for node in (mine, theirs)
    )
    unlike = sorted(key for key in a.keys() | b.keys() if a.get(key) != b.get(key))
    if unlike:
        raise ModelError(
            f"{model.name} does not fit: {', '.join(unlike)} of {mine.name} differ, and it is not "
            "writable",
            origin=theirs.origin,
            hint=f"build with --writable {mine.name}" if mine.op == "linear" else "build it anew",
        )
    return theirs


def _unlike(graph: Graph, other: Graph, model: Path) -> ModelError:
    return ModelError(
        f"{model.name} does not fit: its layers are {', '.join(n.name for n in other)}, not "
        f"{', '.join(n.name for n in graph)}",
        hint="take a network of the same layers, trained anew",
    )
