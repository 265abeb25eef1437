"""Where hwgen's own folders are, in a checkout and in an installed wheel.

``boards/``, ``rtl_templates/`` and ``sim/`` stand beside the package in a checkout; the wheel
carries them as ``hwgen/_data/`` (``setup.py``).
"""

from __future__ import annotations

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
DATA = PACKAGE / "_data" if (PACKAGE / "_data").is_dir() else PACKAGE.parent

BOARDS = DATA / "boards"
RTL_TEMPLATES = DATA / "rtl_templates"
SIM = DATA / "sim"


def cache() -> Path:
    """The user's folder for what can be made again, such as compiled runtime libraries."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "hwgen"
