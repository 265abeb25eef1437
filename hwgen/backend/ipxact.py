"""The accelerator as an IP-XACT component (IEEE 1685-2009), for any tool that reads the standard.

Bus types are those of Xilinx, which Vivado, Kactus2 and others know. The register map is that of
``rtl/registers.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from xml.etree import ElementTree as xml

from amaranth.hdl import Shape
from amaranth.lib.wiring import Flow

from hwgen.rtl import registers
from hwgen.verify.manifest import Manifest

NAMESPACE = "http://www.spiritconsortium.org/XMLSchema/SPIRIT/1685-2009"
INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
STREAM = ("interface", "axis")
MEMORY = ("interface", "aximm")
FILE = "ipxact/component.xml"
REGISTERS = "registers"
MODIFIED = {"ERRORS": "oneToClear"}
WRITABLE = ("ERRORS", "CONTROL")

xml.register_namespace("spirit", NAMESPACE)
xml.register_namespace("xsi", INSTANCE)


@dataclass(frozen=True, slots=True)
class Pin:
    """A port of the Verilog module, and the signal that it is on its bus."""

    name: str
    output: bool
    width: int
    signal: str


def component(manifest: Manifest, title: str, sources: Iterable[str]) -> str:
    """The XML text; ``sources`` are the Verilog files' paths from the project's root."""
    top = xml.Element(_tag("component"), {f"{{{INSTANCE}}}schemaLocation": _location()})
    version = ".".join(manifest.version.split(".")[:2])
    _texts(top, vendor="hwgen", library="user", name=manifest.top, version=version)
    buses = pins(manifest)
    _buses(_child(top, "busInterfaces"), buses)
    _memory_map(_child(_child(top, "memoryMaps"), "memoryMap"))
    _model(_child(top, "model"), manifest.top, buses)
    files = _child(_child(top, "fileSets"), "fileSet")
    _texts(files, name="verilog")
    for source in sources:
        _texts(_child(files, "file"), name=f"../{source}", fileType="verilogSource")
    _texts(top, description=title)
    xml.indent(top)
    text = xml.tostring(top, "unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def pins(manifest: Manifest) -> dict[str, tuple[Pin, ...]]:
    """The ports of the top module by bus, as "Top level of the hardware" in the design page."""
    return {
        "s_axis": _stream("s_axis", manifest.input.word_bits, output=False),
        "m_axis": _stream("m_axis", manifest.output.word_bits, output=True),
        "s_axil": tuple(_registers()),
        "aclk": (Pin("aclk", False, 1, "CLK"),),
        "aresetn": (Pin("aresetn", False, 1, "RST"),),
    }


def _stream(bus: str, bits: int, *, output: bool) -> tuple[Pin, ...]:
    widths = {"tdata": bits, "tkeep": bits // 8, "tlast": 1, "tvalid": 1}
    pins = [Pin(f"{bus}_{k}", output, w, k.upper()) for k, w in widths.items()]
    return (*pins, Pin(f"{bus}_tready", not output, 1, "TREADY"))


def _registers() -> Iterable[Pin]:
    for name, member in registers.axil().members.items():
        output = member.flow is Flow.In  # the signature is seen from the manager
        yield Pin(f"s_axil_{name}", output, Shape.cast(member.shape).width, name.upper())


def _buses(parent: xml.Element, buses: Mapping[str, tuple[Pin, ...]]) -> None:
    """A bus interface each: streams and registers, then the clock and its reset."""
    kinds = {"s_axis": STREAM, "m_axis": STREAM, "s_axil": MEMORY}
    kinds |= {"aclk": ("signal", "clock"), "aresetn": ("signal", "reset")}
    for name, (library, kind) in kinds.items():
        bus = _child(parent, "busInterface")
        _texts(bus, name=name)
        _reference(bus, "busType", library, kind)
        _reference(bus, "abstractionType", library, f"{kind}_rtl")
        side = _child(bus, "master" if name.startswith("m_") else "slave")
        if kind == "aximm":
            _child(side, "memoryMapRef").set(_tag("memoryMapRef"), REGISTERS)
        maps = _child(bus, "portMaps")
        for pin in buses[name]:
            entry = _child(maps, "portMap")
            _texts(_child(entry, "logicalPort"), name=pin.signal)
            _texts(_child(entry, "physicalPort"), name=pin.name)
        _parameters(bus, name)


def _parameters(bus: xml.Element, name: str) -> None:
    given = {
        "aclk": {"ASSOCIATED_BUSIF": "s_axis:m_axis:s_axil", "ASSOCIATED_RESET": "aresetn"},
        "aresetn": {"POLARITY": "ACTIVE_LOW"},
        "s_axil": {"PROTOCOL": "AXI4LITE"},
    }.get(name)
    if given is None:
        return
    parameters = _child(bus, "parameters")
    for key, value in given.items():
        _texts(_child(parameters, "parameter"), name=key, value=value)


def _memory_map(memory: xml.Element) -> None:
    _texts(memory, name=REGISTERS)
    block = _child(memory, "addressBlock")
    _texts(block, name="map", baseAddress="0x0", range=hex(1 << registers.ADDRESS_BITS))
    _texts(block, width="32", usage="register", access="read-write")
    for name, offset in registers.MAP.items():
        access = "read-write" if name in WRITABLE else "read-only"
        register = _child(block, "register")
        _texts(register, name=name, addressOffset=hex(offset), size="32", access=access)
        if name in MODIFIED:
            field = _child(register, "field")
            _texts(field, name="flags", bitOffset="0", bitWidth="32", access=access)
            _texts(field, modifiedWriteValue=MODIFIED[name])


def _model(model: xml.Element, top: str, buses: Mapping[str, tuple[Pin, ...]]) -> None:
    view = _child(_child(model, "views"), "view")
    _texts(view, name="verilog", envIdentifier=":*Synthesis:", language="verilog", modelName=top)
    _texts(_child(view, "fileSetRef"), localName="verilog")
    ports = _child(model, "ports")
    for pin in (pin for bus in buses.values() for pin in bus):
        port = _child(ports, "port")
        _texts(port, name=pin.name)
        wire = _child(port, "wire")
        _texts(wire, direction="out" if pin.output else "in")
        if pin.width > 1:
            _texts(_child(wire, "vector"), left=str(pin.width - 1), right="0")


def _reference(parent: xml.Element, kind: str, library: str, name: str) -> None:
    """A bus definition of Xilinx's by vendor, library, name and version."""
    fields = {"vendor": "xilinx.com", "library": library, "name": name, "version": "1.0"}
    _child(parent, kind).attrib.update({_tag(key): value for key, value in fields.items()})


def _child(parent: xml.Element, name: str) -> xml.Element:
    return xml.SubElement(parent, _tag(name))


def _texts(parent: xml.Element, **values: str) -> None:
    for name, value in values.items():
        _child(parent, name).text = value


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _location() -> str:
    return f"{NAMESPACE} {NAMESPACE}/index.xsd"
