"""Bounded, pickle-free access to the zip container of a torch.export archive.

A file is recognised by its first bytes and its entries' names; nothing in it is ever unpickled
or run.
"""

from __future__ import annotations

import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from hwgen.errors import ModelFileError

SAVE_HINT = "write the model file with hwgen.save(model, path, example_input)"
TOTAL_LIMIT = 4 << 30
_JSON_LIMIT = 64 << 20
_ENTRY_LIMIT = 100_000
_RATIO_LIMIT = 200
_RATIO_FREE = 1 << 20
_ZIP_MAGIC = b"PK\x03\x04"
_ONNX_TAGS = b"\x12\x1a\x22\x2a\x32\x3a\x42"
_TEXT_PICKLE = re.compile(rb"\(?[ci]?[A-Za-z_][\w.]*\n[A-Za-z_][\w.]*\n|\((lp|dp|c|i)|[IVS].*\n")


class Container:
    """The entries of an archive, by their path below its one root folder."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self.path = path
        self._zip = archive
        self._entries = _entries(path, archive)
        _refuse_other_kinds(path, set(self._entries))

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def names(self, prefix: str = "") -> list[str]:
        """All entries whose path starts with ``prefix``, sorted."""
        return sorted(name for name in self._entries if name.startswith(prefix))

    def size(self, name: str) -> int:
        """The declared size of an entry in bytes."""
        return self._entry(name).file_size

    def read(self, name: str) -> bytes:
        """All bytes of an entry.

        Raises:
            ModelFileError: if it is missing, damaged or not of its declared size.
        """
        entry = self._entry(name)
        try:
            with self._zip.open(entry) as file:
                data = file.read(entry.file_size + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
            raise self.damaged(f"entry {name} cannot be read ({error})") from error
        if len(data) != entry.file_size:
            raise self.damaged(f"entry {name} is not of its declared size")
        return data

    def json(self, name: str) -> object:
        """An entry as JSON.

        Raises:
            ModelFileError: as `read`, and if it is no JSON or unreasonably large.
        """
        if self.size(name) > _JSON_LIMIT:
            raise self.damaged(f"entry {name} is larger than {_JSON_LIMIT >> 20} MiB")
        try:
            value: object = json.loads(self.read(name))
        except (ValueError, RecursionError) as error:
            raise self.damaged(f"entry {name} is not valid JSON") from error
        return value

    def text(self, name: str) -> str:
        """A short entry as text without surrounding blanks."""
        if self.size(name) > 1024:
            raise self.damaged(f"entry {name} is too long")
        return self.read(name).decode("utf-8", "replace").strip()

    def damaged(self, what: str) -> ModelFileError:
        """The error for an archive that contradicts itself."""
        return ModelFileError(
            f"{self.path} is a damaged model file: {what}", hint=f"copy it again, or {SAVE_HINT}"
        )

    def _entry(self, name: str) -> zipfile.ZipInfo:
        if name not in self._entries:
            raise self.damaged(f"entry {name} is missing")
        return self._entries[name]


@contextmanager
def open_container(path: Path) -> Iterator[Container]:
    """Open a model file.

    Raises:
        ModelFileError: if it is missing, empty, truncated, or anything but a torch.export archive.
    """
    try:
        with path.open("rb") as file:
            head = file.read(4096)
            size = path.stat().st_size
    except OSError as error:
        raise ModelFileError(
            f"{path} cannot be read: {error.strerror or error}",
            hint="check the path, and that it is a file and not a folder",
        ) from error
    _refuse_other_magic(path, head, size)
    try:
        with zipfile.ZipFile(path) as archive:
            yield Container(path, archive)
    except zipfile.BadZipFile as error:
        raise _truncated(path, str(error)) from error


def _refuse_other_magic(path: Path, head: bytes, size: int) -> None:
    if not size:
        raise ModelFileError(f"{path} is empty", hint=SAVE_HINT)
    if head.startswith(_ZIP_MAGIC):
        return
    if _ZIP_MAGIC.startswith(head):
        raise _truncated(path, f"it has {size} bytes")
    if (head[0] == 0x80 and head[1:2] <= b"\x05") or _TEXT_PICKLE.match(head):
        raise ModelFileError(
            f"{path} is a pickle, which hwgen never loads because it can run any code",
            hint=f"load it in your own training script, then {SAVE_HINT}",
        )
    if head[0] == 0x08 and 1 <= head[1] <= 32 and head[2:3] and head[2] in _ONNX_TAGS:
        raise ModelFileError(
            f"{path} is an ONNX model and not a torch.export archive",
            hint="give the file the ending .onnx",
        )
    raise ModelFileError(f"{path} is not a torch.export archive", hint=SAVE_HINT)


def _entries(path: Path, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    infos = [info for info in archive.infolist() if not info.is_dir()]
    if len(infos) > _ENTRY_LIMIT:
        raise _hostile(path, f"it has more than {_ENTRY_LIMIT} entries")
    if sum(info.file_size for info in infos) > TOTAL_LIMIT:
        raise _hostile(path, f"its entries unpack to more than {TOTAL_LIMIT >> 30} GiB")
    if infos and min(info.header_offset for info in infos) > 0:  # the index of a nested zip
        raise _truncated(path, "its table of contents is missing")
    entries: dict[str, zipfile.ZipInfo] = {}
    roots: set[str] = set()
    for info in infos:
        parts = PurePosixPath(info.filename).parts
        if ".." in parts or info.filename.startswith("/") or "\\" in info.filename:
            raise _hostile(path, f"its entry {info.filename!r} points outside the archive")
        if info.flag_bits & 1:
            raise _hostile(path, "it is encrypted")
        if info.file_size > _RATIO_FREE + _RATIO_LIMIT * info.compress_size:
            raise _hostile(path, f"its entry {info.filename!r} unpacks to {info.file_size} bytes")
        name = "/".join(parts[1:])
        if name in entries:
            raise _hostile(path, f"its entry {info.filename!r} occurs twice")
        entries[name] = info
        roots.add(parts[0])
    if len(roots) > 1 and "archive_format" in entries:
        raise _hostile(path, "its entries are in more than one root folder")
    return entries


def _truncated(path: Path, why: str) -> ModelFileError:
    return ModelFileError(
        f"{path} is a truncated or damaged model file: {why}",
        hint=f"copy it again, or {SAVE_HINT}",
    )


def _hostile(path: Path, why: str) -> ModelFileError:
    return ModelFileError(f"{path} is not a safe model file: {why}", hint=SAVE_HINT)


def _refuse_other_kinds(path: Path, names: set[str]) -> None:
    if "archive_format" in names:
        return
    if any(name.startswith("code/") for name in names):
        kind = "a TorchScript archive"
    elif "data.pkl" in names:
        kind = "a pickled module or state dict (torch.save), which hwgen never loads"
    elif "serialized_exported_program.json" in names or "version" in names:
        kind = "a torch.export archive of an older torch than 2.9"
    else:
        kind = "a zip file, but not a torch.export archive"
    raise ModelFileError(
        f"{path} is {kind}", hint=f"load it in your own training script, then {SAVE_HINT}"
    )
