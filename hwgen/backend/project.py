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

import jinja2
import numpy as np

from hwgen import paths
from hwgen.backend.boards import Board
from hwgen.backend.host import host_model
from hwgen.errors import BuildError, UsageError
from hwgen.ir import serialize
from hwgen.ir.graph import Graph
from hwgen.ir.text import dump
from hwgen.ir.types import Ints
from hwgen.verify import manifest as manifests
from hwgen.verify.manifest import Manifest

VIVADO_FAMILIES = {"processing_system7": "zynq", "zynq_ultra_ps_e": "zynquplus", "": "artix7"}
ADDRESS_BITS = {"processing_system7": 32, "zynq_ultra_ps_e": 40, "": 32}
KEPT = "sim/build"  # compiled simulations, named by digest, outlive a new build of the folder


@dataclass(frozen=True)
class Contents:
    """What a project is made from.

    Members:
        graph: the integer graph, for its dump, its JSON and the driver's constants.
        rtl: Verilog text by file name.
        vectors: integers (frames, elements) in stream order: ``input``, ``output``, and
            ``layers/<name>`` for every layer of the manifest.
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
    for name, rendered in _flow(contents).items():
        files[name] = rendered.encode()
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


def _flow(contents: Contents) -> dict[str, str]:
    """The text of the board's build flow, and the driver where the board has a processor."""
    values = _values(contents)
    if contents.board.flow == "nextpnr":
        return {"nextpnr/Makefile": _render("nextpnr/Makefile.j2", values)}
    files = {
        f"vivado/{name}": _render(f"vivado/{name}.j2", values)
        for name in ("package_ip.tcl", "build.tcl", "constraints.xdc")
    }
    files["driver/hwgen_driver.py"] = _render("driver/hwgen_driver.py.j2", values)
    files["driver/model.json"] = _json(host_model(contents.graph, contents.manifest)).decode()
    return files


def _values(contents: Contents) -> dict[str, object]:
    board, manifest = contents.board, contents.manifest
    return {
        "name": _identifier(contents.graph.name),
        "top": manifest.top,
        "title": f"hwgen {_identifier(contents.graph.name)}",
        "ip_version": ".".join(manifest.version.split(".")[:2]),
        "board": board.name,
        "part": board.part,
        "board_part": board.board_part,
        "family": board.family,
        "vivado_family": VIVADO_FAMILIES[board.processing_system],
        "processing_system": board.processing_system,
        "address_bits": ADDRESS_BITS[board.processing_system],
        "clock_mhz": f"{manifest.clock_mhz:g}",
        "input_bits": manifest.input.word_bits,
        "output_bits": manifest.output.word_bits,
        "options": " ".join(board.nextpnr_options),
        "pins": board.pins,
    }


def _render(template: str, values: Mapping[str, object]) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(paths.RTL_TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters["tcl"] = _tcl
    return environment.get_template(template).render(values)


def _tcl(value: object) -> str:
    """A Tcl word that stands for this text, whatever it holds."""
    word = str(value)
    if word and all(c.isalnum() or c in "_-.:/" for c in word):
        return word
    escaped = "".join(f"\\{c}" if c in '\\{}[]$"; ' else c for c in word)
    if not word or "\n" in word:
        raise BuildError(f"a name in a Tcl project must be one line, not {word!r}")
    return escaped


def _identifier(name: str) -> str:
    """``name`` with everything but letters, digits and underscores replaced."""
    plain = "".join(c if c.isascii() and c.isalnum() else "_" for c in name).strip("_")
    return plain if plain[:1].isalpha() else f"net_{plain}"


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
