"""What was made before, kept on disk under the content that it was made from.

An entry's key is the digest of everything that it depends on: the arguments, hwgen's own sources
and the versions of the programs that made it. So nothing in the store is ever out of date, and
whatever is deleted is only made again.

    HWGEN_CACHE=DIR   the folder, by default hwgen/store in the user's cache folder
    HWGEN_CACHE=off   nothing is kept
"""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hwgen import paths
from hwgen.content import digest

log = logging.getLogger("hwgen")

VARIABLE = "HWGEN_CACHE"
LIMIT_BYTES = 1 << 30
"""Of all entries together; those not used for longest go first."""


@dataclass(frozen=True)
class Store:
    """Texts by key in ``folder``; with None nothing is found and nothing is kept.

    Entries are written beside their place and renamed, so several processes may share a folder. A
    damaged entry is as good as none. A folder that cannot be written to is said once, in the log.
    """

    folder: Path | None

    def key(self, *values: object) -> str:
        """The key of what is made from ``values`` by these sources of hwgen."""
        return digest(_sources(), values) if self.folder else ""

    def get(self, key: str) -> str | None:
        """The text under ``key``, None where there is none."""
        if self.folder is None:
            return None
        path = self._path(key)
        try:
            check, _, text = path.read_text("utf-8").partition("\n")
            os.utime(path)
        except (OSError, UnicodeDecodeError):
            return None
        return text if check == _check(text) else None

    def put(self, key: str, text: str) -> None:
        """Keep ``text`` under ``key``."""
        if self.folder is None:
            return
        path = self._path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(
                "w", encoding="utf-8", newline="\n", dir=path.parent, suffix=".part", delete=False
            ) as file:
                try:
                    file.write(f"{_check(text)}\n{text}")
                    file.close()
                    Path(file.name).replace(path)
                except BaseException:
                    Path(file.name).unlink(missing_ok=True)
                    raise
        except OSError as error:
            _warn(str(self.folder), error.strerror or str(error))

    def trim(self, limit_bytes: int = LIMIT_BYTES) -> None:
        """Delete what was not used for longest until all entries have at most ``limit_bytes``."""
        if self.folder is None:
            return
        entries = []
        for path in self.folder.glob("*/*"):
            try:
                state = path.stat()
            except OSError:
                continue
            entries.append((state.st_mtime, state.st_size, path))
        excess = sum(size for _, size, _ in entries) - limit_bytes
        for _, size, path in sorted(entries):
            if excess <= 0:
                return
            path.unlink(missing_ok=True)
            excess -= size

    def _path(self, key: str) -> Path:
        assert self.folder is not None
        return self.folder / key[:2] / key[2:]


def store() -> Store:
    """The store that the environment names."""
    named = os.environ.get(VARIABLE, "")
    if named == "off":
        return Store(None)
    return Store(Path(named) if named else paths.cache() / "store")


def switch_off() -> None:
    """Keep nothing and find nothing, in this process and those that it starts."""
    os.environ[VARIABLE] = "off"


def _check(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def _warn(folder: str, error: str) -> None:
    log.warning("warning: nothing can be kept in %s (%s); HWGEN_CACHE names another folder",
                folder, error)  # fmt: skip


@cache
def _sources() -> str:
    """The digest of hwgen's own Python files and circuits."""
    files: Sequence[Path] = sorted([*paths.PACKAGE.rglob("*.py"), *paths.RTL_TEMPLATES.rglob("*")])
    texts = [(p.name, hashlib.sha256(p.read_bytes()).hexdigest()) for p in files if p.is_file()]
    return digest(texts)
