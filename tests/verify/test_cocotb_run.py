"""The bench passes a right accelerator and names what is wrong with a faulty one."""

from dataclasses import replace
from pathlib import Path

import pytest

from hwgen.errors import BuildError, ToolError, UsageError
from hwgen.verify.cocotb_run import PHASES, simulate
from hwgen.verify.manifest import Predicted
from tests.verify import example


@pytest.fixture(name="project")
def fixture_project(tmp_path: Path) -> Path:
    return example.write(tmp_path / "project")


@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
def test_a_right_accelerator_passes_and_is_measured(project: Path, simulator: str) -> None:
    result = simulate(project, simulator=simulator)
    assert result.failures == ()
    assert result.ok
    assert (result.latency_cycles, result.initiation_interval) == (6, 5)
    assert (result.mismatches, result.divergence) == (0, None)
    assert result.frames > 2 * example.FRAMES
    assert not list((project / "sim" / "build").glob(".*"))


@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
def test_the_first_divergence_names_layer_frame_element_and_cycle(
    project: Path, simulator: str
) -> None:
    example.edit(
        project,
        "rtl/core.v",
        "i__payload[7:4]} + 5'd1",
        "i__payload[7:4]} + 5'd1 + (i__payload[7:4] == 9)",
    )
    result = simulate(project, simulator=simulator)
    assert not result.ok
    assert result.mismatches > 0
    found = result.divergence
    assert found is not None
    assert (found.layer, found.expected, found.got) == ("inc", 10, 11)
    assert (found.frame, found.element) == (2, 1)
    assert found.cycle > 0
    assert "layer inc, frame 2, element 1, cycle" in str(found)


def test_a_fault_after_the_last_layer_is_seen_at_the_output(project: Path) -> None:
    example.edit(project, "rtl/accelerator.v", "o_payload[11:6], {2", "~o_payload[11:6], {2")
    result = simulate(project, simulator="icarus")
    assert result.divergence is not None
    assert (result.divergence.layer, result.divergence.cycle) == ("neg", -1)
    assert [line.split(":")[0] for line in result.failures] == list(PHASES[:-1])  # no loads


@pytest.mark.parametrize(
    ("old", "new", "phase", "message"),
    [
        ("= ~full & ~rst", "= 0", "free_running", "no acceptance of a frame within"),
        ("= sent == 2 & mark", "= 0", "free_running", "no output frame of vector 0 within"),
        ("= sent == 2 & mark", "= sent == 1", "free_running", "6 bytes"),
        ("= sent == 2 & mark", "= sent == 2", "packets", "must hold 3 frames"),
        ("word <= 0; beat <= 0; full <= 0;", "full <= 0;", "free_running", ""),
        ("if (rst) begin sent <= 0;", "if (rst) begin", "reset_in_mid_frame", ""),
        ("32'h48574731", "32'h0", "registers", "register ID must be 0x48574731, not 0x0"),
        ("latency <= cycles", "latency <= 1 + cycles", "registers", "LATENCY must be 0x"),
        ("frames_in <= frames_in + 1", "frames_in <= frames_in", "registers", "FRAMES_IN must"),
        ("last_word & ~s_axis_tlast", "1'b0", "registers", "ERRORS must have bit 0b10"),
        ("~last_word & s_axis_tlast", "1'b0", "registers", "ERRORS must have bit 0b1,"),
        ("core_reset <= write", "core_reset <= 0", "registers", ""),
    ],
)
def test_every_fault_fails_its_phase(
    project: Path, old: str, new: str, phase: str, message: str
) -> None:
    example.edit(project, "rtl/accelerator.v", old, new)
    result = simulate(project, simulator="icarus", taps=False)
    assert not result.ok
    lines = [line for line in result.failures if line.startswith(phase)]
    assert lines
    assert message in lines[0]


def test_a_fault_that_only_stalls_show_is_found(project: Path) -> None:
    example.edit(project, "rtl/core.v", "unit_neg layer_neg", "unit_neg  layer_neg")
    example.edit(
        project,
        "rtl/core.v",
        "if (i__ready) begin\n            o__valid <= i__valid;\n            o__payload <= {6'd0",
        "if (i__valid) begin\n            o__valid <= i__valid;\n            o__payload <= {6'd0",
    )
    result = simulate(project, simulator="icarus")
    assert not result.ok
    assert any(line.startswith("random_stalls") for line in result.failures)


def test_measured_cycles_must_be_those_predicted(tmp_path: Path) -> None:
    core = example.MANIFEST.predicted.core
    wrong = replace(example.MANIFEST, predicted=Predicted(7, 5, core))
    result = simulate(example.write(tmp_path / "project", wrong), simulator="icarus")
    assert result.failures == ()
    assert not result.ok


def test_another_seed_is_used_and_told(project: Path) -> None:
    assert simulate(project, simulator="icarus", seed=77).seed == 77


def test_a_bench_that_runs_no_phase_is_refused(project: Path) -> None:
    (project / "sim" / "bench.py").write_text("")
    with pytest.raises(
        BuildError, match=rf"{len(PHASES)} phases of the bench must run, not 0|ended"
    ):
        simulate(project, simulator="icarus")


@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
def test_verilog_that_does_not_compile_is_shown(project: Path, simulator: str) -> None:
    (project / "rtl" / "core.v").write_text("module core(; endmodule\n")
    with pytest.raises(BuildError, match=r"core\.v:1"):
        simulate(project, simulator=simulator)


def test_a_folder_or_simulator_that_is_none_is_named(project: Path) -> None:
    with pytest.raises(UsageError, match="must be a folder that hwgen build wrote"):
        simulate(project / "rtl")
    with pytest.raises(UsageError, match="must be one of verilator, icarus, not 'questa'"):
        simulate(project, simulator="questa")


FAULT = (
    "rtl/core.v",
    "i__payload[7:4]} + 5'd1",
    "i__payload[7:4]} + 5'd1 + (i__payload[7:4] == 9)",
)


def test_waveforms_show_the_wrong_integer_where_the_marker_is(project: Path) -> None:
    example.edit(project, *FAULT)
    wave = project / "fault.vcd"
    found = simulate(project, wave=wave).divergence
    assert found is not None
    opened = wave.with_suffix(".gtkw").read_text()
    assert f"*-17 {1000 * found.time_ns}\n" in opened
    assert "accelerator.core.layer_inc.o__payload" in opened
    before = value_at(wave, ["core", "layer_inc"], "o__payload", 1000 * found.time_ns - 1)
    lane = before >> (5 * found.element) & 31
    assert (lane, found.expected) == (found.got, 10)


def value_at(wave: Path, scope: list[str], name: str, time: int) -> int:
    """The last value of a signal of a VCD file at ``time``, in its units."""
    path: list[str] = []
    code, now, value = "", 0, -1
    for line in wave.read_text().splitlines():
        words = line.split()
        if not words:
            continue
        if words[0] == "$scope":
            path.append(words[2])
        elif words[0] == "$upscope":
            path.pop()
        elif words[0] == "$var" and words[4] == name and path[-len(scope) :] == scope:
            code = words[3]
        elif words[0].startswith("#"):
            now = int(words[0][1:])
        elif words[-1] == code and words[0].startswith("b") and now <= time:
            value = int(words[0][1:], 2)
    return value


@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
def test_waveforms_are_also_written_where_nothing_is_wrong(project: Path, simulator: str) -> None:
    wave = project / "right.fst"
    try:
        assert simulate(project, simulator=simulator, wave=wave).ok
    except ToolError as error:
        assert simulator == "verilator"
        pytest.skip(str(error))
    assert wave.read_bytes()[:9] == bytes([0, 0, 0, 0, 0, 0, 0, 1, 73])  # an FST header block
    assert "*-17 -1\n" in wave.with_suffix(".gtkw").read_text()


def test_waveforms_of_no_known_form_are_refused(project: Path, tmp_path: Path) -> None:
    for wave, simulator in ((tmp_path / "a.txt", "verilator"), (tmp_path / "a.vcd", "icarus")):
        with pytest.raises(UsageError, match="must be a file"):
            simulate(project, simulator=simulator, wave=wave)
    with pytest.raises(UsageError, match="there is no folder"):
        simulate(project, wave=tmp_path / "none" / "a.fst")
