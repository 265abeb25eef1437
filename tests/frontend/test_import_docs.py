"""docs/import.md lists every operator, and the tests that it names are there."""

from __future__ import annotations

import re

from hwgen import paths
from hwgen.frontend import qonnx
from hwgen.frontend.qonnx_table import TABLE

ROOT = paths.PACKAGE.parent
PAGE = (ROOT / "docs" / "import.md").read_text("utf-8")


def test_every_operator_is_in_the_table() -> None:
    assert qonnx.ROWS
    named = set(re.findall(r"`(\w+)`", PAGE))
    assert {key.rpartition(".")[2] for key in TABLE} <= named


def test_every_test_that_is_named_exists() -> None:
    files = [p.read_text("utf-8") for p in (ROOT / "tests/frontend").glob("test_*.py")]
    defined = {name for text in files for name in re.findall(r"def (test_\w+)\(", text)}
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert named <= defined


def test_every_row_has_a_test() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and "---" not in line]
    heads = [line for line in rows if line.endswith("| test |")]
    assert len(heads) >= 3
    for line in rows:
        assert line in heads or "`test_" in line.rpartition("|")[0].rpartition("|")[2], line
