"""Cell models against yosys's own, and behavioural twins in place of modules of cells."""

import shutil
import subprocess
from pathlib import Path

import pytest

from hwgen import paths
from hwgen.backend import project
from hwgen.verify import manifest as manifests
from tests.verify import example
from tests.yosys import needs_yosys, xilinx_cells

MODELS = paths.RTL_TEMPLATES / "models" / "xilinx.v"
PORTS = {
    **{f"LUT{n}": {f"I{k}": 1 for k in range(n)} | {"O": -1} for n in range(1, 7)},
    "LUT6_2": {f"I{k}": 1 for k in range(6)} | {"O5": -1, "O6": -1},
    "CARRY4": {"CI": 1, "CYINIT": 1, "DI": 4, "S": 4, "O": -4, "CO": -4},
    "CARRY8": {"CI": 1, "CI_TOP": 1, "DI": 8, "S": 8, "O": -8, "CO": -8},
}


def _bench(cell: str) -> str:
    """Compares both models on every input, or on 20,000 random ones where there are too many."""
    ports = PORTS[cell]
    inputs = {name: width for name, width in ports.items() if width > 0}
    outputs = {name: -width for name, width in ports.items() if width < 0}
    bits = sum(inputs.values())
    lines, wires, at = [], [], 0
    for name, width in inputs.items():
        wires.append(f".{name}(x[{at + width - 1}:{at}])")
        at += width
    legal = "!(x[0] & x[1])" if cell == "CARRY4" else "1"
    init = "#(.INIT(64'h9af0c3e17b2d4865))" if cell.startswith("LUT") else ""
    for copy in ("ours", "golden"):
        total = sum(outputs.values())
        lines.append(f"wire [{total - 1}:0] y_{copy};")
        place, pins = 0, list(wires)
        for name, width in outputs.items():
            pins.append(f".{name}(y_{copy}[{place + width - 1}:{place}])")
            place += width
        kind = f"our_{cell}" if copy == "ours" else cell
        lines.append(f"{kind} {init} {copy}({', '.join(pins)});")
    count = min(1 << bits, 20000)
    choice = "i" if count == 1 << bits else "$random"
    return (
        f"module tb; reg [{bits - 1}:0] x; integer i, bad = 0; {' '.join(lines)}\n"
        f"initial begin for (i = 0; i < {count}; i = i + 1) begin x = {choice}; #1;\n"
        f"if ({legal} && y_ours !== y_golden) bad = bad + 1; end\n"
        '$display("bad %0d", bad); end endmodule\n'
    )


@needs_yosys
@pytest.mark.skipif(shutil.which("iverilog") is None, reason="iverilog is not installed")
@pytest.mark.parametrize("cell", PORTS)
def test_models_of_cells_do_what_yosys_says_they_do(cell: str, tmp_path: Path) -> None:
    ours = MODELS.read_text().replace("module ", "module our_")
    (tmp_path / "ours.v").write_text(ours)
    (tmp_path / "tb.v").write_text(_bench(cell))
    subprocess.run(
        ["iverilog", "-g2012", "-s", "tb", "-o", "tb", "tb.v", "ours.v", str(xilinx_cells())],
        cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    done = subprocess.run(["vvp", "-n", "tb"], cwd=tmp_path, check=True, capture_output=True)
    assert done.stdout.decode().strip().endswith("bad 0")


def test_modules_of_cells_have_behavioural_twins_in_simulation(tmp_path: Path) -> None:
    contents = example.contents("pynq-z2")
    folder = paths.RTL_TEMPLATES / "xilinx"
    cells = {name: (folder / name).read_text() for name in ("hwgen_add3.v", "hwgen_carry.v")}
    contents = project.Contents(**{**vars(contents), "rtl": {**contents.rtl, **cells}})
    files = project.render(contents)
    assert files["rtl/hwgen_add3.v"].decode() == cells["hwgen_add3.v"]
    project.write(files, tmp_path / "out")
    names = [
        path.relative_to(tmp_path / "out").as_posix()
        for path in manifests.simulated(tmp_path / "out")
    ]
    assert names == [
        "rtl/accelerator.v", "rtl/core.v", "sim/behavioural/hwgen_add3.v", "rtl/hwgen_carry.v",
        "sim/models/xilinx.v",
    ]  # fmt: skip
    bare = manifests.simulated(tmp_path / "out", cells=True)
    assert tmp_path / "out" / "rtl" / "hwgen_add3.v" in [path.absolute() for path in bare]


def test_a_project_without_cells_brings_no_models() -> None:
    files = project.render(example.contents("ulx3s-85f"))
    assert not [name for name in files if name.startswith(("sim/models", "sim/behavioural"))]
