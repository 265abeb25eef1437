"""Waveforms of a simulation, and a file that opens GTKWave on them where they went wrong."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from hwgen import tools
from hwgen.errors import BuildError, ToolError, UsageError
from hwgen.verify.divergence import Divergence
from hwgen.verify.manifest import Layer, Manifest

FORMS = {"verilator": (".fst", ".vcd"), "icarus": (".fst",)}
VERILATOR_ARGS = {".fst": ("--trace-fst", "-LDFLAGS", "-lz -llz4"), ".vcd": ("--trace-vcd",)}
SHOWN = 16
"""Units whose streams the GTKWave file lists, the diverging one's last."""


def check(wave: Path, simulator: str) -> None:
    """
    Raises:
        UsageError: a form of waveforms that ``simulator`` does not write, or no folder for it.
        ToolError: Verilator's FST needs headers that g++ does not find.
    """
    if wave.suffix not in FORMS[simulator]:
        raise UsageError(
            f"waveforms of {simulator} must be a file *{' or *'.join(FORMS[simulator])}, "
            f"not {wave.name!r}"
        )
    if not wave.parent.is_dir():
        raise UsageError(f"there is no folder {str(wave.parent)!r} to write waveforms to")
    if simulator == "verilator" and wave.suffix == ".fst" and not _fst_compiles():
        raise ToolError(
            "Verilator writes FST with lz4 and zlib, whose headers g++ does not find",
            hint="apt install liblz4-dev zlib1g-dev, or name a .vcd file, or --simulator icarus",
        )


def _fst_compiles() -> bool:
    source = "#include <lz4.h>\n#include <zlib.h>\nint main() { return 0; }\n"
    with tempfile.TemporaryDirectory(prefix="hwgen-fst-") as folder:
        main = Path(folder) / "main.cpp"
        main.write_text(source)
        done = subprocess.run(
            [tools.require("g++").command, main, "-o", Path(folder) / "main", "-lz", "-llz4"],
            capture_output=True, check=False,
        )  # fmt: skip
    return done.returncode == 0


def verilator_args(wave: Path | None) -> tuple[str, ...]:
    """What Verilator must be told so that the model can write ``wave``."""
    return VERILATOR_ARGS[wave.suffix] if wave else ()


def keep(made: Path, wave: Path, manifest: Manifest, divergence: Divergence | None) -> None:
    """Move the file ``made`` to ``wave``, and write ``wave``'s GTKWave file beside it.

    Raises:
        BuildError: the simulator wrote none.
    """
    if not made.is_file():
        raise BuildError("the simulator wrote no waveforms")
    part = wave.with_name(f".{wave.name}.part")
    shutil.move(made, part)
    part.replace(wave)
    wave.with_suffix(".gtkw").write_text(gtkwave(wave, manifest, divergence), "utf-8")


def gtkwave(wave: Path, manifest: Manifest, divergence: Divergence | None) -> str:
    """The text of GTKWave's save file: the streams up to the diverging layer, a marker at it."""
    layers = list(manifest.layers)
    if divergence is not None:
        names = [layer.name for layer in layers]
        last = names.index(divergence.layer) if divergence.layer in names else len(names) - 1
        layers = layers[: last + 1]
    time_ps = 1000 * divergence.time_ns if divergence and divergence.time_ns >= 0 else -1
    start = max(time_ps - 200_000, 0)
    lines = [f'[dumpfile] "{wave.name}"', f"[timestart] {start}", f"*-17 {time_ps}"]
    top = manifest.top
    lines += ["@28", f"{top}.aclk", f"{top}.aresetn"]
    for layer in layers[-SHOWN:]:
        lines += _stream(f"{top}.core.{layer.instance}", layer)
    return "\n".join(lines) + "\n"


def _stream(path: str, layer: Layer) -> list[str]:
    bits = layer.lanes * layer.width
    payload = f"{path}.o__payload[{bits - 1}:0]" if bits > 1 else f"{path}.o__payload"
    return [f"-{layer.name}", "@28", f"{path}.o__valid", f"{path}.o__ready", "@22", payload]
