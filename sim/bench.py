"""The one bench of every accelerator: it reads ``manifest.json`` and ``vectors/``, nothing else.

Runs inside a simulator under cocotb 2. Environment: HWGEN_SIM (folder of the manifest),
HWGEN_RESULT (file to write), HWGEN_SEED, HWGEN_TAPS (1: also compare the streams between layers).
Every phase compares every output integer with the golden model's.
"""

from __future__ import annotations

import json
import os
import random
import sys
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, SimTimeoutError, with_timeout
from cocotb.utils import get_sim_steps, get_sim_time

SIM = Path(os.environ["HWGEN_SIM"])
sys.path.insert(0, str(Path(__file__).parent))

from axi import Integers, Ports, Received, pack, unpack  # noqa: E402
from loads import swap  # noqa: E402
from taps import Taps  # noqa: E402

MANIFEST = json.loads((SIM / "manifest.json").read_text("utf-8"))
INPUT = np.load(SIM / "vectors" / "input.npy")
OUTPUT = np.load(SIM / "vectors" / "output.npy")
SEED = int(os.environ.get("HWGEN_SEED", MANIFEST["seed"]))
TAPS = os.environ.get("HWGEN_TAPS") == "1"
PERIOD_NS = 10

ID, VERSION, BUILD, FRAMES_IN, FRAMES_OUT = 0x00, 0x04, 0x08, 0x0C, 0x10
CYCLES_LO, CYCLES_HI, ERRORS, CONTROL, LATENCY, INTERVAL = 0x14, 0x18, 0x1C, 0x20, 0x24, 0x28
MAGIC = 0x48574731
TLAST_EARLY, TLAST_MISSING, TKEEP_HOLE = 1, 2, 4

RESULT: dict[str, Any] = {
    "seed": SEED,
    "frames": 0,
    "mismatches": 0,
    "latency_cycles": None,
    "initiation_interval": None,
    "first": None,
    "divergence": None,
}


class Bench:
    """One phase: a fresh clock, a reset, and the frames that are under way since."""

    def __init__(self, dut: Any, phase: str) -> None:
        self.dut = dut
        self.phase = phase
        self.first: dict[str, Any] | None = None
        self.sent: list[int] = []
        dut.aresetn.value = 0
        Clock(dut.aclk, PERIOD_NS, "ns").start()
        self.ports = Ports(dut)
        layers = MANIFEST["layers"] if TAPS else []
        self.taps = (
            Taps(dut.core, layers, SIM / "vectors" / "layers", self.sent) if layers else None
        )
        predicted = MANIFEST["predicted"]
        words = sum(_words(MANIFEST[end]) for end in ("input", "output"))
        pace = predicted["latency_cycles"] + predicted["initiation_interval"] + words
        self.patience = 20 * pace + 10_000

    async def reset(self, cycles: int = 4) -> None:
        """Holds ``aresetn`` low, forgets everything that was under way."""
        self.dut.aresetn.value = 0
        self.ports.clear()
        self.sent.clear()
        await ClockCycles(self.dut.aclk, cycles)
        if self.taps:
            self.taps.restart(self.dut.aclk)
        self.ports.clear()
        self.dut.aresetn.value = 1
        await ClockCycles(self.dut.aclk, 2)

    def send(self, index: int) -> None:
        """Queues the vector of that index."""
        self.sent.append(index)
        self.ports.send(pack(INPUT[index], MANIFEST["input"]["slot_bits"]))

    async def expect(self, index: int) -> Received:
        """Receives a frame and compares it with the vector of that index."""
        received = await self.wait(self.ports.receive(), f"output frame of vector {index}")
        self.compare(index, received.data)
        return received

    def compare(self, index: int, data: bytes) -> None:
        """Compares the bytes of one frame with the vector of that index."""
        port = MANIFEST["output"]
        size = _frame_bytes(port)
        RESULT["frames"] += 1
        if len(data) != size:
            self.differ(index, port["elements"], 0, f"{size} bytes", f"{len(data)} bytes")
            return
        got = unpack(data, port["elements"], port["slot_bits"], port["signed"])
        wrong: Integers = np.flatnonzero(got != OUTPUT[index])
        if wrong.size:
            at = int(wrong[0])
            self.differ(index, int(wrong.size), at, int(OUTPUT[index][at]), int(got[at]))

    def differ(self, index: int, count: int, element: int, expected: Any, got: Any) -> None:
        """Counts ``count`` wrong integers and keeps the first."""
        RESULT["mismatches"] += count
        where = {"phase": self.phase, "frame": index, "element": element}
        self.first = self.first or {**where, "expected": expected, "got": got}
        RESULT["first"] = RESULT["first"] or self.first

    async def wait(self, what: Any, name: str) -> Any:
        """The result of ``what``, or a failure that says what did not come."""
        try:
            return await with_timeout(what, self.patience * PERIOD_NS, "ns")
        except SimTimeoutError:
            if self.taps:
                RESULT["divergence"] = self.taps.first()
            raise AssertionError(
                f"{self.phase}: no {name} within {self.patience} cycles (seed {SEED})"
            ) from None

    def finish(self) -> None:
        """Fails the phase if any of its integers was wrong."""
        if self.taps:
            RESULT["divergence"] = self.taps.first()
        if self.first:
            raise AssertionError(f"{self.phase}: {self.first} (seed {SEED})")


def _words(port: dict[str, int]) -> int:
    return -(-port["elements"] * port["slot_bits"] // port["word_bits"])


def _frame_bytes(port: dict[str, int]) -> int:
    return -(-port["elements"] * port["slot_bits"] // 8)


def _cycles(steps: int) -> int:
    return steps // get_sim_steps(PERIOD_NS, "ns")


def _save() -> None:
    Path(os.environ["HWGEN_RESULT"]).write_text(json.dumps(RESULT), "utf-8")


@cocotb.test()
async def free_running(dut: Any) -> None:
    """A lone frame, for its latency; then all frames back to back, for the initiation interval."""
    bench = Bench(dut, "free_running")
    try:
        await bench.reset()
        bench.send(0)
        accepted = await bench.wait(bench.ports.accepted(), "acceptance of a frame")
        done = await bench.expect(0)
        RESULT["latency_cycles"] = _cycles(done.end - accepted.start)
        for index in range(len(INPUT)):
            bench.send(index)
        ends = [(await bench.expect(index)).end for index in range(len(INPUT))]
        period = MANIFEST["predicted"]["period"]
        if len(ends) > period:
            cycles = _cycles(ends[-1] - ends[-1 - period])
            RESULT["initiation_interval"] = -(-cycles // period)
        bench.finish()
    finally:
        _save()


@cocotb.test()
async def random_stalls(dut: Any) -> None:
    """All frames, while source and sink pause at random."""
    bench = Bench(dut, "random_stalls")
    try:
        await bench.reset()
        bench.ports.stall(SEED)
        for index in range(len(INPUT)):
            bench.send(index)
        for index in range(len(INPUT)):
            await bench.expect(index)
        bench.finish()
    finally:
        _save()


@cocotb.test()
async def reset_in_mid_frame(dut: Any) -> None:
    """Whatever was under way when reset came, the frames after it are right."""
    bench = Bench(dut, "reset_in_mid_frame")
    rng = random.Random(SEED)
    count = len(INPUT)
    reach = MANIFEST["predicted"]["latency_cycles"] + MANIFEST["predicted"]["initiation_interval"]
    try:
        await bench.reset()
        for _ in range(3):
            for index in range(min(3, count)):
                bench.send(index)
            await ClockCycles(dut.aclk, rng.randint(1, reach + 2))
            await bench.reset(rng.randint(1, 4))
            chosen = [rng.randrange(count) for _ in range(2)]
            for index in chosen:
                bench.send(index)
            for index in chosen:
                await bench.expect(index)
        bench.finish()
    finally:
        _save()


@cocotb.test()
async def packets(dut: Any) -> None:
    """Frames that come in one packet, as a DMA sends a batch, leave in one packet."""
    bench = Bench(dut, "packets")
    chosen = [index % len(INPUT) for index in range(3)]
    source, sink = MANIFEST["input"], MANIFEST["output"]
    step_in, step_out = (_words(port) * port["word_bits"] // 8 for port in (source, sink))
    try:
        await bench.reset()
        bench.sent.extend(chosen)
        frames = [pack(INPUT[index], source["slot_bits"]).ljust(step_in, b"\0") for index in chosen]
        bench.ports.send(b"".join(frames))
        data = (await bench.wait(bench.ports.receive(), "packet of 3 frames")).data
        size = 2 * step_out + _frame_bytes(sink)
        assert len(data) == size, (
            f"packets: a packet must hold 3 frames in {size} bytes, not {len(data)} (seed {SEED})"
        )
        for place, index in enumerate(chosen):
            bench.compare(index, data[place * step_out :][: _frame_bytes(sink)])
        bench.finish()
    finally:
        _save()


@cocotb.test()
async def registers(dut: Any) -> None:
    """Identity, counters, error flags and the core's reset through AXI4-Lite."""
    bench = Bench(dut, "registers")
    try:
        await bench.reset()
        await _identity(bench)
        await _counters(bench)
        await _errors(bench)
        bench.finish()
    finally:
        _save()


@cocotb.test()
async def loads(dut: Any) -> None:
    """Other constants are written while frames stream, and count from a commit on."""
    bench = Bench(dut, "loads")
    try:
        bench.taps = None  # it compares with one network's streams
        if MANIFEST["load_words"]:
            await bench.reset()
            await swap(bench, INPUT, OUTPUT, MANIFEST["input"], MANIFEST["output"], SIM)
        bench.finish()
    finally:
        _save()


async def _register(bench: Bench, offset: int, name: str, expected: int) -> None:
    got = await bench.wait(bench.ports.read(offset), f"answer of register {name}")
    assert got == expected, f"register {name} must be {expected:#x}, not {got:#x} (seed {SEED})"


async def _identity(bench: Bench) -> None:
    major, minor, patch = (int(part) for part in MANIFEST["version"].split(".")[:3])
    await _register(bench, ID, "ID", MAGIC)
    await _register(bench, VERSION, "VERSION", major << 16 | minor << 8 | patch)
    await _register(bench, BUILD, "BUILD", MANIFEST["build_id"])
    await _register(bench, ERRORS, "ERRORS", 0)


async def _counters(bench: Bench) -> None:
    chosen = [0, len(INPUT) - 1]
    for index in chosen:
        bench.send(index)
    accepted = [await bench.wait(bench.ports.accepted(), "acceptance") for _ in chosen]
    done = [await bench.expect(index) for index in chosen]
    await _register(bench, FRAMES_IN, "FRAMES_IN", len(chosen))
    await _register(bench, FRAMES_OUT, "FRAMES_OUT", len(chosen))
    await _register(bench, LATENCY, "LATENCY", _cycles(done[-1].end - accepted[-1].start))
    between = _cycles(accepted[-1].start - accepted[-2].start)
    await _register(bench, INTERVAL, "INTERVAL", between)
    await _register(bench, ERRORS, "ERRORS", 0)
    began, first = get_sim_time(), await bench.ports.read(CYCLES_LO)
    await _register(bench, CYCLES_HI, "CYCLES_HI", 0)
    second, ended = await bench.ports.read(CYCLES_LO), get_sim_time()
    assert 0 < second - first <= _cycles(int(ended - began)), (
        f"CYCLES must count clock cycles: {first} then {second} (seed {SEED})"
    )


async def _errors(bench: Bench) -> None:
    """Each wrong TLAST or TKEEP sets its own flag; a reset of the core puts all right again."""
    port = MANIFEST["input"]
    word, words = port["word_bits"] // 8, _words(port)
    good = pack(INPUT[0], port["slot_bits"]).ljust(word * words, b"\0")
    await _provoke(bench, good + bytes(word), None, TLAST_MISSING)
    if words > 1:
        await _provoke(bench, good[:word], None, TLAST_EARLY)
    if words > 1 and word > 1:
        await _provoke(bench, good, [0] + [1] * (len(good) - 1), TKEEP_HOLE)


async def _provoke(bench: Bench, data: bytes, keep: list[int] | None, flag: int) -> None:
    bench.ports.send(data, keep)
    await ClockCycles(bench.dut.aclk, 2 * len(data) + 20)
    for _ in range(bench.patience // 16):
        if await bench.ports.read(ERRORS) & flag:
            break
    got = await bench.ports.read(ERRORS)
    assert got & flag, f"ERRORS must have bit {flag:#b}, not {got:#b} (seed {SEED})"
    bench.ports.clear()  # else what is left of the frame follows the reset
    await bench.ports.write(CONTROL, 1)
    await ClockCycles(bench.dut.aclk, 8)
    bench.ports.clear()
    await bench.ports.write(ERRORS, 7)
    await _register(bench, ERRORS, "ERRORS", 0)
    bench.send(0)
    await bench.expect(0)
