"""Networks on boards of open tools: routed clock, cells, frames per second, and the mapped netlist.

    python benchmarks/boards.py run [ROW ...] --digits FILE.pt --mnist FOLDER [--work DIR]
    python benchmarks/boards.py estimate          the estimated clocks of the kept rows again
    python benchmarks/boards.py table

Every row is built, placed and routed to a bitstream as whole processes, and the netlist that yosys
maps it to is simulated on 100 frames, phase by phase of the bench. The digits network is that of
``examples/digits.py``; MNIST is 784-64-64-64-10 with ±1 weights and activations, of
``examples/mnist_tfc.py``. Both are trained where no files are given. Rows are kept in
``benchmarks/results/boards.json``; ``table`` writes docs/benchmarks.md. The router does not end on
``mnist-ulx3s-spatial`` within an hour: it is run only where it is named.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwgen import tools
from hwgen.backend import boards
from hwgen.verify.route import NEXTPNR

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "benchmarks" / "results" / "boards.json"
PAGE = ROOT / "docs" / "benchmarks.md"
MARKS = ("<!-- boards: begin -->", "<!-- boards: end -->")
FRAMES = 100
OVERHEAD = 11  # bytes of a request or an answer over the link beside its payload
BITS_PER_BYTE = {"uart": 10, "spi": 8}
LOGIC = ("TRELLIS_COMB", "ICESTORM_LC", "LUT4")
CARRY = "ALU"  # a LUT4 of Gowin's in carry mode, counted apart
MEMORY = ("DP16KD", "ICESTORM_RAM", "ICESTORM_SPRAM", "BSRAM")


@dataclass(frozen=True)
class Row:
    """A network on a board; ``options`` are those of ``hwgen build``, ``nextpnr`` those of
    nextpnr."""

    network: str
    board: str
    options: tuple[str, ...] = ()
    nextpnr: str = ""


ROWS = {
    "digits-ulx3s": Row("digits", "ulx3s-85f", ("--clock", "100")),
    "digits-tang": Row("digits", "tang-nano-20k", ("--style", "folded", "--clock", "108")),
    "digits-icebreaker": Row("digits", "icebreaker", ("--style", "folded", "--clock", "36")),
    "digits-icebreaker-spi": Row(
        "digits", "icebreaker", ("--style", "folded", "--clock", "36", "--link", "spi")
    ),
    "mnist-ulx3s": Row("mnist", "ulx3s-85f", ("--style", "folded", "--clock", "75")),
    "mnist-ulx3s-spatial": Row(
        "mnist",
        "ulx3s-85f",
        ("--style", "spatial", "--clock", "100", "--pipeline", "125", "--stream-bits", "native"),
        "--placer-heap-beta 0.6",
    ),
    "mnist-ulx3s-7-cycles": Row(
        "mnist",
        "ulx3s-85f",
        ("--clock", "100", "--pipeline", "125", "--target-fps", "14e6", "--stream-bits", "native"),
        "--placer-heap-beta 0.6",
    ),
    "mnist-tang": Row("mnist", "tang-nano-20k", ("--style", "folded", "--clock", "54")),
    "mnist-icebreaker": Row("mnist", "icebreaker", ("--style", "folded", "--clock", "30")),
}
ENDLESS = {"mnist-ulx3s-spatial"}


@dataclass(frozen=True)
class Ran:
    """A finished process: what it printed, its seconds, and those of the processor."""

    data: dict[str, Any]
    seconds: float
    processor: float


def hwgen(*words: object) -> Ran:
    """``hwgen … --json`` as a process of its own."""
    began, before = time.monotonic(), _processor()
    command = [sys.executable, "-m", "hwgen", *map(str, words), "--json", "-q"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False, cwd=ROOT)
    if not done.stdout.strip():
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}")
    return Ran(json.loads(done.stdout), time.monotonic() - began, _processor() - before)


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def trained(options: argparse.Namespace, network: str, work: Path) -> tuple[Path, Path]:
    """Model and test set, trained now where they are not there yet."""
    if network == "digits":
        model = options.digits or work / "digits.pt"
        if not model.exists():
            script = ROOT / "examples" / "digits.py"
            subprocess.run([sys.executable, script, model], check=True, cwd=ROOT)
        return model.resolve(), model.with_suffix(".npz").resolve()
    folder = options.mnist or work / "mnist"
    if not (folder / "model.pt").exists():
        words = ["--weights", "binary", "--activation-bits", "1", "--input", "binary", "--out"]
        script = ROOT / "examples" / "mnist_tfc.py"
        subprocess.run([sys.executable, script, *words, folder], check=True, cwd=ROOT)
    return (folder / "model.pt").resolve(), (folder / "test.npz").resolve()


def measure(name: str, row: Row, model: Path, data: Path, work: Path) -> dict[str, Any]:
    """One row: built, routed, and its netlist simulated."""
    out = work / name
    words = ["--board", row.board, *row.options, "--frames", FRAMES, "--data", data, "--out", out]
    built = hwgen("build", model, *words)
    more = ("--nextpnr-options", row.nextpnr) if row.nextpnr else ()
    routed = hwgen("synth", out, "--route", *more)
    report, best = built.data, routed.data["runs"][0]
    found = {
        "network": row.network,
        "board": row.board,
        "options": " ".join(row.options),
        "style": "/".join(sorted({v["style"] for v in report["layers"] if v["style"] != "stream"})),
        "target_mhz": best["target_mhz"],
        "achieved_mhz": round(best["achieved_mhz"], 1),
        "estimated_mhz": report["fmax_mhz"],
        "interval": report["initiation_interval"],
        "utilisation": best["utilisation"],
        "critical_ns": best["critical_ns"],
        "frames_per_second": round(1e6 * best["target_mhz"] / report["initiation_interval"]),
        "link_frames_per_second": link_rate(out),
        "build_seconds": round(built.seconds, 1),
        "route_seconds": round(routed.seconds, 1),
        "processor_seconds": round(built.processor + routed.processor, 1),
        "tools": placer(row.board),
    }
    keep(name, found)
    sim = hwgen("sim", out, "--cells")
    keys = ("frames", "mismatches", "failures", "as_predicted")
    found["netlist"] = {**{key: sim.data[key] for key in keys}, "seconds": round(sim.seconds, 1)}
    keep(name, found)
    return found


def placer(board: str) -> str:
    """Which nextpnr places it: the package's WebAssembly, or the version of a native one."""
    tool = tools.require(NEXTPNR[boards.load(board).family])
    return "YoWASP" if "yowasp" in Path(tool.command).name else f"nextpnr {tool.version}"


def estimated(row: Row, model: Path) -> float:
    """The clock that ``hwgen estimate`` gives."""
    found = hwgen("estimate", model, "--board", row.board, *row.options)
    return float(found.data["fmax_mhz"])


def link_rate(folder: Path) -> float:
    """Frames per second that the link lets through: the longer of request and answer."""
    model = json.loads((folder / "driver" / "model.json").read_text("utf-8"))
    sizes = []
    for port in (model["input"], model["output"]):
        words = -(-port["elements"] * port["slot_bits"] // port["word_bits"])
        sizes.append(words * port["word_bits"] // 8 + OVERHEAD)
    return float(round(model["speed"] / BITS_PER_BYTE[model["link"]] / max(sizes), 1))


def keep(name: str, found: dict[str, Any]) -> None:
    """Puts a row into the results file."""
    rows = json.loads(KEPT.read_text("utf-8")) if KEPT.exists() else {}
    rows[name] = found
    KEPT.write_text(json.dumps(dict(sorted(rows.items())), indent=1) + "\n", "utf-8")
    print(json.dumps({name: found}), flush=True)


def table(rows: dict[str, dict[str, Any]]) -> str:
    """The rows as Markdown, and how far the estimated clock is from the routed one."""
    lines = [
        "| network | board | style | clock | routed | met | estimated | logic cells | block RAM | "
        "cycles/frame | frames/s | over the link | netlist: wrong of frames | build + route | "
        "of the processor |",
        "| --- | --- | --- | ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | "
        "---: | ---: |",
    ]
    for r in rows.values():
        met = "yes" if r["achieved_mhz"] >= r["target_mhz"] else "no"
        netlist = r.get("netlist")
        wrong = f"{netlist['mismatches']} of {netlist['frames']}" if netlist else "not run"
        logic, memory = (_used(r, kinds) for kinds in (LOGIC, MEMORY))
        seconds = r["build_seconds"] + r["route_seconds"]
        processor = f"{r['processor_seconds']:.0f} s" if "processor_seconds" in r else "–"
        board = f"{r['board']}, SPI" if "spi" in r["options"] else r["board"]
        lines.append(
            f"| {r['network']} | {board} | {r['style']} | {r['target_mhz']:g} MHz | "
            f"{r['achieved_mhz']:g} MHz | {met} | {r['estimated_mhz']:g} MHz | {logic} | "
            f"{memory} | {r['interval']:,} | {r['frames_per_second']:,} | "
            f"{r['link_frames_per_second']:,.0f} | {wrong} | {seconds:.0f} s | {processor} |"
        )
    errors = [abs(r["estimated_mhz"] / r["achieved_mhz"] - 1) for r in rows.values()]
    lines += ["", f"Estimated against routed clock: median {100 * statistics.median(errors):.0f} % "
              f"off, worst {100 * max(errors):.0f} %."]  # fmt: skip
    lines += ["", "Slowest paths: " + "; ".join(_slowest(n, r) for n, r in rows.items()) + "."]
    return "\n".join(lines)


def _used(row: dict[str, Any], kinds: tuple[str, ...]) -> str:
    pairs = [row["utilisation"][kind] for kind in kinds if kind in row["utilisation"]]
    if not pairs:
        return "–"
    carry = row["utilisation"].get(CARRY, [0])[0] if "LUT4" in kinds else 0
    return f"{pairs[0][0] + carry:,} of {pairs[0][1]:,}"


def _slowest(name: str, row: dict[str, Any]) -> str:
    hops = [f"{layer} {ns:.1f} ns" for layer, ns in row["critical_ns"].items()]
    return f"{name} {', '.join(hops)}"


def write(text: str) -> None:
    """Puts the text between its marks in docs/benchmarks.md."""
    page = PAGE.read_text("utf-8")
    before, _, rest = page.partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    PAGE.write_text(f"{before}{MARKS[0]}\n{text}\n{MARKS[1]}{after}", "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("action", choices=("run", "estimate", "table"))
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}; all")
    parser.add_argument("--digits", type=Path, metavar="FILE.pt")
    parser.add_argument("--mnist", type=Path, metavar="FOLDER", help="with model.pt and test.npz")
    parser.add_argument("--work", type=Path, default=ROOT / "out" / "boards")
    options = parser.parse_args()
    if unknown := set(options.rows) - set(ROWS):
        parser.error(f"no row {', '.join(unknown)}: rows are {', '.join(ROWS)}")
    if options.action == "run":
        options.work.mkdir(parents=True, exist_ok=True)
        for name in options.rows or [name for name in ROWS if name not in ENDLESS]:
            model, data = trained(options, ROWS[name].network, options.work)
            measure(name, ROWS[name], model, data, options.work.resolve())
    if options.action == "estimate":
        for name, found in json.loads(KEPT.read_text("utf-8")).items():
            model, _ = trained(options, ROWS[name].network, options.work)
            keep(name, {**found, "estimated_mhz": estimated(ROWS[name], model)})
    write(table(json.loads(KEPT.read_text("utf-8"))))


if __name__ == "__main__":
    main()
