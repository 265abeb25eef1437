"""The project Tcl, run under tclsh against a stand-in that records what Vivado would be asked."""

import re
import subprocess
from pathlib import Path

import pytest

from hwgen import tools
from hwgen.backend import boards, project
from tests.verify import example

STUB = Path(__file__).with_name("vivado_stub.tcl")
ZYNQ = [name for name in boards.names() if boards.load(name).processing_system]
ARTY = [name for name in boards.names() if boards.load(name).flow == "vivado" and name not in ZYNQ]

# Interface and clock pins of the IPs, as their product guides name them.
PINS = {
    "axi_dma": "S_AXI_LITE M_AXI_MM2S M_AXI_S2MM M_AXIS_MM2S S_AXIS_S2MM s_axi_lite_aclk "
    "m_axi_mm2s_aclk m_axi_s2mm_aclk axi_resetn",
    "smartconnect": "S00_AXI S01_AXI M00_AXI M01_AXI aclk aresetn",
    "proc_sys_reset": "ext_reset_in slowest_sync_clk peripheral_aresetn",
    "processing_system7": "FCLK_CLK0 FCLK_RESET0_N M_AXI_GP0 M_AXI_GP0_ACLK S_AXI_HP0 "
    "S_AXI_HP0_ACLK",
    "zynq_ultra_ps_e": "pl_clk0 pl_resetn0 M_AXI_HPM0_FPD maxihpm0_fpd_aclk S_AXI_HP0_FPD "
    "saxihp0_fpd_aclk",
    "accelerator": "s_axis m_axis s_axil aclk aresetn",
}

pytestmark = pytest.mark.skipif(
    tools.find("tclsh").path is None, reason="tclsh is not installed (apt install tcl)"
)


@pytest.fixture(name="commands", params=ZYNQ)
def fixture_commands(request: pytest.FixtureRequest, tmp_path: Path) -> list[list[str]]:
    """What build.tcl of a board asks Vivado for; the run's results are laid out before."""
    out = tmp_path / "with space" / "out"
    project.write(project.render(example.contents(request.param)), out)
    run = tmp_path / "run"
    run.mkdir()
    (run / "design_1_wrapper.bit").write_bytes(b"bits")
    handoff = out / "vivado/project/example.gen/sources_1/bd/design_1/hw_handoff"
    handoff.mkdir(parents=True)
    (handoff / "design_1.hwh").write_bytes(b"hwh")
    commands = recorded(out / "vivado" / "build.tcl", run)
    assert (out / "vivado/output/example.bit").read_bytes() == b"bits"
    assert (out / "vivado/output/example.hwh").read_bytes() == b"hwh"
    return [["board", request.param], *commands]


def recorded(script: Path, run: Path) -> list[list[str]]:
    """The commands that a script asks Vivado for."""
    record = script.with_suffix(".record")
    done = subprocess.run(
        ["tclsh", STUB, record, script, run], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return [line.split("\x1f") for line in record.read_text().splitlines()]


def _named(commands: list[list[str]], name: str) -> list[list[str]]:
    return [command[1:] for command in commands if command[0] == name]


def _cells(commands: list[list[str]]) -> dict[str, str]:
    """Kind of IP by name of the cell."""
    return {cell[-1]: cell[3].split(":")[2] for cell in _named(commands, "create_bd_cell")}


def test_every_connected_pin_belongs_to_a_cell_that_has_it(commands: list[list[str]]) -> None:
    cells = _cells(commands)
    for command in _named(commands, "get_bd_pins") + _named(commands, "get_bd_intf_pins"):
        cell, pin = command[-1].split("/")
        assert pin in PINS[cells[cell]].split(), command[-1]


def test_streams_and_control_are_connected(commands: list[list[str]]) -> None:
    wires = {tuple(command) for command in _named(commands, "connect_bd_intf_net")}
    assert ("dma/M_AXIS_MM2S", "accelerator/s_axis") in wires
    assert ("accelerator/m_axis", "dma/S_AXIS_S2MM") in wires
    assert ("control_bus/M01_AXI", "accelerator/s_axil") in wires
    ends = [end for pair in wires for end in pair]
    assert len(ends) == len(set(ends))


def test_every_clock_and_reset_is_driven(commands: list[list[str]]) -> None:
    driven = {command[1] for command in _named(commands, "connect_bd_net")}
    for cell, kind in _cells(commands).items():
        pins = PINS[kind].split()
        clocks = [pin for pin in pins if pin.lower().endswith(("aclk", "sync_clk"))]
        resets = [pin for pin in pins if pin.endswith("resetn") and kind != "proc_sys_reset"]
        for pin in clocks + resets:
            if pin != "peripheral_aresetn":
                assert f"{cell}/{pin}" in driven


def test_the_dma_is_simple_and_as_wide_as_the_words(commands: list[list[str]]) -> None:
    settings: dict[str, str] = {}
    for command in _named(commands, "set_property"):
        if command[0] == "-dict" and command[2] == "dma":
            words = command[1].split()
            settings = dict(zip(words[::2], words[1::2], strict=True))
    bits = str(example.MANIFEST.input.word_bits)
    assert settings["CONFIG.c_include_sg"] == "0"
    assert settings["CONFIG.c_m_axis_mm2s_tdata_width"] == bits
    assert settings["CONFIG.c_s_axis_s2mm_tdata_width"] == bits


def test_part_and_clock_are_the_boards(commands: list[list[str]]) -> None:
    board = boards.load(commands[0][1])
    for command in _named(commands, "create_project"):
        assert command[-1] == board.part
    settings = " ".join(" ".join(command) for command in _named(commands, "set_property"))
    assert f"FREQMHZ {example.MANIFEST.clock_mhz:g} " in settings


def test_the_ip_is_packaged_from_every_verilog_file(commands: list[list[str]]) -> None:
    added = _named(commands, "add_files")[0][-1]
    for name in ("core.v", "accelerator.v"):
        assert name in added
    buses = [c[c.index("-busif") + 1] for c in _named(commands, "ipx::associate_bus_interfaces")
             if "-busif" in c]  # fmt: skip
    assert buses == ["s_axis", "m_axis", "s_axil"]
    assert _named(commands, "ipx::save_core")


def test_the_design_is_validated_before_it_is_built(commands: list[list[str]]) -> None:
    order = [command[0] for command in commands]
    steps = ["assign_bd_address", "validate_bd_design", "make_wrapper", "launch_runs"]
    assert [order.index(step) for step in steps] == sorted(order.index(step) for step in steps)


@pytest.mark.parametrize("board", [*ZYNQ, *ARTY])
def test_addresses_are_assigned_once_everything_is_connected(board: str, tmp_path: Path) -> None:
    """Vivado assigns them; the driver reads them from the .hwh."""
    project.write(project.render(example.contents(board)), tmp_path / "out")
    order = [line.split()[0] for line in _script(tmp_path / "out").splitlines() if line.split()]
    if board in ARTY:
        assert "assign_bd_address" not in order
        return
    at = order.index("assign_bd_address")
    assert max(k for k, name in enumerate(order) if name == "wire") < at
    assert "connect_bd_net" not in order[at:]


def _script(out: Path) -> str:
    return (out / "vivado" / "build.tcl").read_text()


@pytest.mark.parametrize("board", ARTY)
def test_a_board_without_a_processor_is_built_from_its_top(board: str, tmp_path: Path) -> None:
    out = tmp_path / "with space" / "out"
    project.write(project.render(example.contents(board)), out)
    commands = recorded(out / "vivado" / "build.tcl", tmp_path)
    order = [command[0] for command in commands]
    steps = ["read_verilog", "read_xdc", "synth_design", "opt_design", "place_design",
             "route_design", "report_utilization", "write_bitstream"]  # fmt: skip
    assert [order.index(step) for step in steps] == sorted(order.index(step) for step in steps)
    read = " ".join(" ".join(command[1:]) for command in _of(commands, "read_verilog"))
    for file in [*(out / "rtl").glob("*.v"), *(out / "vivado").glob("*.v")]:
        assert str(file).replace(" ", "\\ ") in read or str(file) in read
    (synthesis,) = _of(commands, "synth_design")
    assert synthesis[1:] == ["-top", "hwgen_board", "-part", boards.load(board).part]
    (written,) = _of(commands, "write_bitstream")
    assert written[-1] == str(out / "vivado" / "output" / "example.bit")
    for kind in ("report_utilization", "report_timing_summary"):
        assert Path(_of(commands, kind)[0][-1]).parent == out / "vivado" / "output"


def _of(commands: list[list[str]], name: str) -> list[list[str]]:
    return [command for command in commands if command[0] == name]


@pytest.mark.parametrize("board", ARTY)
def test_every_port_of_the_top_has_its_pin_and_the_clock_its_period(
    board: str, tmp_path: Path
) -> None:
    loaded = boards.load(board)
    project.write(project.render(example.contents(board)), tmp_path / "out")
    text = (tmp_path / "out/vivado/hwgen_board.v").read_text().split(");")[0]
    ports = set(re.findall(r"(?:input|output) wire (\w+)", text))
    commands = recorded(tmp_path / "out/vivado/constraints.xdc", tmp_path)
    settings = [command[1:] for command in _of(commands, "set_property")]
    for key in ("PACKAGE_PIN", "IOSTANDARD"):
        assert {s[2] for s in settings if s[0] == key} == ports
    places = {s[2]: s[1] for s in settings if s[0] == "PACKAGE_PIN"}
    assert places == {pin.name: pin.location for pin in loaded.pins}
    clock = loaded.pin("clk")
    assert clock is not None
    (made,) = _of(commands, "create_clock")
    assert float(made[made.index("-period") + 1]) == pytest.approx(1000 / clock.mhz, abs=1e-3)
