"""``sim/manifest.json``: what a bench must know of a built project, and nothing else.

Beside it lie the vectors of the golden model, int64 arrays of shape (frames, elements), elements in
stream order (pixel-major, channel fastest): ``vectors/input.npy``, ``vectors/output.npy`` and one
``vectors/layers/<name>.npy`` for each tapped layer.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hwgen.errors import BuildError, UsageError

FILE = "sim/manifest.json"
SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Port:
    """One end of the accelerator.

    Members:
        elements: integers per frame.
        width, signed: of one integer.
        slot_bits: bits that one integer takes in the AXI4-Stream word.
        word_bits: bits of one AXI4-Stream word.
        lanes: integers per beat of the core's stream.
        beats: beats per frame of the core's stream.
    """

    elements: int
    width: int
    signed: bool
    slot_bits: int
    word_bits: int
    lanes: int
    beats: int

    @property
    def words(self) -> int:
        """AXI4-Stream words per frame."""
        return -(-self.elements * self.slot_bits // self.word_bits)


@dataclass(frozen=True, slots=True)
class Timing:
    """Cycles as docs/architecture.md defines them: the interval is the mean of ``period`` frames,
    rounded up, since distances may differ within the period of the steady state."""

    latency_cycles: int
    initiation_interval: int
    period: int = 1


@dataclass(frozen=True, slots=True)
class Predicted:
    """Timing of the whole accelerator, at its AXI4-Stream words, and of the core alone."""

    latency_cycles: int
    initiation_interval: int
    core: Timing
    period: int = 1


@dataclass(frozen=True, slots=True)
class Layer:
    """A stream inside the core that can be tapped: the output of ``instance`` in the core."""

    name: str
    instance: str
    elements: int
    lanes: int
    width: int
    signed: bool


@dataclass(frozen=True, slots=True)
class Writable:
    """A node whose constants can be written, its number on the load bus, and how it is built."""

    name: str
    number: int
    style: str
    pe: int
    simd: int
    memory: str
    multiplier: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """All of ``sim/manifest.json``.

    Members:
        top, core: names of the two modules that can be simulated.
        version: of hwgen, ``major.minor.patch``; the VERSION register.
        build_id: the BUILD register.
        frames: rows of every vector file.
        seed: of the random stalls.
        writable, load_words: nodes whose constants can be written, and how many words those are.
    """

    top: str
    core: str
    version: str
    build_id: int
    clock_mhz: float
    input: Port
    output: Port
    predicted: Predicted
    layers: tuple[Layer, ...]
    frames: int
    seed: int
    writable: tuple[Writable, ...] = ()
    load_words: int = 0

    def to_json(self) -> str:
        """The file's text; the same manifest gives the same bytes."""
        return json.dumps({"schema": SCHEMA, **asdict(self)}, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """The manifest that ``to_json`` wrote.

        Raises:
            BuildError: not a manifest, or one of another hwgen.
        """
        try:
            data = json.loads(text)
            if not isinstance(data, dict) or data.pop("schema", None) != SCHEMA:
                raise BuildError(
                    f"{FILE} must be of schema {SCHEMA}",
                    hint="build the project again with this hwgen",
                )
            return cls._of(data)
        except (ValueError, TypeError, KeyError) as error:
            raise BuildError(
                f"{FILE} must be what hwgen build wrote, and it is not: {error}",
                hint="build the project again",
            ) from None

    @classmethod
    def _of(cls, data: dict[str, Any]) -> Manifest:
        predicted = dict(data.pop("predicted"))
        core = Timing(**predicted.pop("core"))
        return cls(
            input=Port(**data.pop("input")),
            output=Port(**data.pop("output")),
            predicted=Predicted(**predicted, core=core),
            layers=tuple(Layer(**layer) for layer in data.pop("layers")),
            writable=tuple(Writable(**item) for item in data.pop("writable", ())),
            **data,
        )


def read(folder: Path) -> Manifest:
    """The manifest of a built project.

    Raises:
        UsageError: ``folder`` is not a built project.
        BuildError: its manifest is damaged.
    """
    file = folder / FILE
    try:
        return Manifest.from_json(file.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(
            f"{str(folder)!r} must be a folder that hwgen build wrote, and has no {FILE}",
            hint="hwgen build MODEL --board BOARD --out DIR",
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise BuildError(f"{FILE} cannot be read: {error}") from None


def sources(folder: Path) -> list[Path]:
    """The Verilog files that are synthesised, sorted.

    Raises:
        UsageError: there are none.
    """
    found = sorted((folder / "rtl").glob("*.v"))
    if not found:
        raise UsageError(f"{str(folder)!r} must hold rtl/*.v, and holds none")
    return found


def simulated(folder: Path, *, cells: bool = False) -> list[Path]:
    """The Verilog files that are simulated.

    A module of the family's cells has a behavioural twin of the same file name in
    ``sim/behavioural``, which stands for it unless ``cells``; then models of the cells in
    ``sim/models`` are what runs.

    Raises:
        UsageError: ``folder`` holds no Verilog.
    """
    twins = {path.name: path for path in (folder / "sim" / "behavioural").glob("*.v")}
    chosen = [path if cells else twins.get(path.name, path) for path in sources(folder)]
    return chosen + sorted((folder / "sim" / "models").glob("*.v"))
