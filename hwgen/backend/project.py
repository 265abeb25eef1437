"""All files of a built project, as bytes by name; only ``write`` touches the disk."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hwgen import paths
from hwgen.backend import flow, ipxact
from hwgen.backend.boards import Board
from hwgen.backend.host import host_model, weights_file
from hwgen.errors import BuildError, UsageError
from hwgen.ir import serialize
from hwgen.ir.graph import Graph
from hwgen.ir.text import dump
from hwgen.ir.types import Ints
from hwgen.verify import manifest as manifests
from hwgen.verify.manifest import Manifest

KEPT = "sim/build"  # compiled simulations, named by digest, outlive a new build of the folder


@dataclass(frozen=True)
class Contents:
    """What a project is made from.

    Members:
        graph: the integer graph, for its dump, its JSON and the driver's constants.
        rtl: Verilog text by file name.
        vectors: integers (frames, elements) in stream order: ``input``, ``output``, and
            ``layers/<name>`` for every layer of the manifest; of a network whose constants can be
            written also ``loads/own`` and ``loads/other``, those words (words, 2), and
            ``loads/output``, what comes out with the others.
        report: what ``report.json`` holds.
    """

    board: Board
    manifest: Manifest
    graph: Graph
    rtl: Mapping[str, str]
    vectors: Mapping[str, Ints]
    report: Mapping[str, Any]


def build_id(parts: Iterable[str]) -> int:
    """The BUILD register: 32 bits of the digest of everything that decides the circuit."""
    sha = hashlib.sha256()
    for part in parts:
        sha.update(hashlib.sha256(part.encode()).digest())
    return int.from_bytes(sha.digest()[:4], "big")


def render(contents: Contents) -> dict[str, bytes]:
    """Every file of the project by its path; the same contents give the same bytes.

    Raises:
        BuildError: vectors that do not belong to the manifest.
    """
    _check_vectors(contents)
    files: dict[str, bytes] = {}
    for name, verilog in contents.rtl.items():
        files[f"rtl/{name}"] = verilog.encode()
    for name, verilog in _for_simulators(contents.rtl).items():
        files[f"sim/{name}"] = verilog.encode()
    for name, array in contents.vectors.items():
        files[f"sim/vectors/{name}.npy"] = _npy(array)
    for source in sorted(paths.SIM.iterdir()):
        if source.suffix in (".py", ".cpp"):
            files[f"sim/{source.name}"] = source.read_bytes()
    files[manifests.FILE] = contents.manifest.to_json().encode()
    files["graph.txt"] = dump(contents.graph).encode()
    files["graph.json"] = serialize.to_json(contents.graph).encode()
    files["report.json"] = _json(contents.report)
    for name, rendered in flow.files(
        contents.board, contents.manifest, contents.graph.name
    ).items():
        files[name] = rendered.encode()
    sources = sorted(f"rtl/{name}" for name in contents.rtl)
    title = f"hwgen {contents.graph.name}"
    files[ipxact.FILE] = ipxact.component(contents.manifest, title, sources).encode()
    host = host_model(contents.graph, contents.manifest, contents.board)
    files["driver/model.json"] = _json(host)
    if contents.manifest.load_words and not contents.board.processing_system:
        own = contents.vectors["loads/own"]
        identity = contents.manifest.build_id
        files["driver/weights.npz"] = weights_file(contents.graph, own, identity)
    return dict(sorted(files.items()))


def _for_simulators(rtl: Mapping[str, str]) -> dict[str, str]:
    """Behavioural twins of the modules made of a family's cells, and models of those cells."""
    generic = paths.RTL_TEMPLATES / "generic"
    found: dict[str, str] = {}
    for name, verilog in rtl.items():
        twin = generic / name
        if twin.is_file() and (text := twin.read_text("utf-8")) != verilog:
            found[f"behavioural/{name}"] = text
    if found:
        models = paths.RTL_TEMPLATES / "models" / "xilinx.v"
        found["models/xilinx.v"] = models.read_text("utf-8")
    return found


def _json(data: Mapping[str, Any]) -> bytes:
    return (json.dumps(data, indent=2) + "\n").encode()


def _npy(array: Ints) -> bytes:
    """A .npy file: int64, so that a bench needs no other knowledge to read it."""
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.ascontiguousarray(array, dtype="<i8"), version=(1, 0))
    return buffer.getvalue()


def _check_vectors(contents: Contents) -> None:
    manifest = contents.manifest
    wanted = {"input": manifest.input.elements, "output": manifest.output.elements}
    wanted |= {f"layers/{layer.name}": layer.elements for layer in manifest.layers}
    for name, elements in wanted.items():
        array = contents.vectors.get(name)
        if array is None or array.shape != (manifest.frames, elements):
            shape = None if array is None else array.shape
            raise BuildError(f"vectors {name} must be {(manifest.frames, elements)}, not {shape}")


def write(files: Mapping[str, bytes], out_dir: Path) -> None:
    """Writes a project; until all of it is on the disk, whatever was in ``out_dir`` stays.

    An earlier build in ``out_dir`` is replaced; its compiled simulations are kept.

    Raises:
        UsageError: ``out_dir`` is a file, or a folder with something else in it.
        BuildError: the disk is full or not writable.
    """
    target = out_dir.resolve()
    _check_replaceable(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise BuildError(f"{str(out_dir)!r} cannot be written: {error}") from None
    try:
        new = work / "new"
        for name, content in files.items():
            path = new / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        _swap(new, target, work / "old")
    except OSError as error:
        raise BuildError(
            f"{str(out_dir)!r} cannot be written: {error}",
            hint="free space, or choose another folder with --out",
        ) from None
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _check_replaceable(target: Path) -> None:
    if not target.exists():
        return
    if not target.is_dir():
        raise UsageError(f"the output must be a folder, and {str(target)!r} is a file")
    empty = not any(target.iterdir())
    if not empty and not (target / manifests.FILE).is_file():
        raise UsageError(
            f"{str(target)!r} holds files that hwgen build did not write, so they stay",
            hint="choose a new or empty folder with --out",
        )


def _swap(new: Path, target: Path, old: Path) -> None:
    """Puts ``new`` at ``target``; if that fails, what was there is there again."""
    try:
        if target.exists():
            target.rename(old)
        new.rename(target)
    except BaseException:
        if old.exists() and not target.exists():
            old.rename(target)
        raise
    if (old / KEPT).is_dir():
        with contextlib.suppress(OSError):
            (old / KEPT).rename(target / KEPT)
