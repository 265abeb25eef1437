"""The command line: one function per verb, from arguments to a result on stdout.

Results go to stdout, the log to stderr. Exit codes: 0 good, 1 model or usage, 2 build failed or
outputs differ, 3 a tool is missing, 130 interrupted.
"""

from __future__ import annotations

import argparse
import json
import logging
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import hwgen
from hwgen.errors import HwgenError, UsageError

log = logging.getLogger("hwgen")


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are ``UsageError`` (exit code 1)."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, hint=f"{self.prog} --help")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command line and returns its exit code."""
    try:
        options = _parser().parse_args(argv)
        level = {0: logging.INFO, 1: logging.DEBUG}.get(options.verbose, logging.DEBUG)
        logging.basicConfig(
            level=logging.WARNING if options.quiet else level, format="%(message)s", force=True
        )
        run: Callable[[argparse.Namespace], int] = options.run
        return run(options)
    except HwgenError as error:
        print(f"hwgen: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("hwgen: interrupted; nothing was changed", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 0
    except OSError as error:
        print(f"hwgen: {error}", file=sys.stderr)
        return 2


def emit(options: argparse.Namespace, data: dict[str, Any], text: str) -> None:
    """The result on stdout: JSON with ``--json``, else the text for people."""
    print(json.dumps(data, indent=2) if options.json else text)


def _parser() -> argparse.ArgumentParser:
    top = _Parser(
        prog="hwgen",
        description="Compile trained quantized networks to bit-exact FPGA accelerators.",
    )
    top.add_argument("--version", action="version", version=f"hwgen {hwgen.__version__}")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="print the result as JSON")
    common.add_argument("-v", "--verbose", action="count", default=0, help="log more")
    common.add_argument("-q", "--quiet", action="store_true", help="log warnings and errors only")
    verbs: Any = top.add_subparsers(dest="verb", required=True, metavar="VERB")

    def verb(
        name: str, run: Callable[[argparse.Namespace], int], text: str
    ) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = verbs.add_parser(
            name, parents=[common], help=text, description=text
        )
        made.set_defaults(run=run)
        return made

    _build_options(verb("build", _build, "Generate the accelerator and its project."))
    check = verb("check", _check, "Name every operation of a model that cannot be built.")
    check.add_argument("model", type=Path, help="a model file: .pt or .onnx")
    _input_option(check)
    estimate = verb("estimate", _estimate, "Print resources and speed without building.")
    _plan_options(estimate)
    estimate.add_argument(
        "--sweep", action="store_true", help="print frames/s against LUTs of plans for the board"
    )
    estimate.add_argument("--plot", type=Path, metavar="FILE.svg", help="draw the sweep")
    _sim_options(verb("sim", _sim, "Simulate a built project bit for bit."))
    _run_options(verb("run", _run, "Send frames to a board and print what it predicts."))
    synth = verb("synth", _synth, "Synthesize with yosys and compare with the estimate.")
    synth.add_argument("dir", type=Path, help="a folder that hwgen build wrote")
    synth.add_argument(
        "--route",
        action="store_true",
        help="place and route to a bitstream (Vivado boards: where vivado is on PATH)",
    )
    synth.add_argument(
        "--seeds", type=int, default=1, metavar="N", help="route N times, the fastest first"
    )
    synth.add_argument(
        "--nextpnr-options",
        type=shlex.split,
        default=[],
        metavar="WORDS",
        help="more for nextpnr: '--placer-heap-beta 0.5' spreads a large design out",
    )
    _train_options(verb("train", _train, "Train a quantized network on a data set."))
    weights = verb("weights", _weights, "Make another network's constants to be loaded.")
    weights.add_argument("model", type=Path, help="a model file of the same shape")
    weights.add_argument(
        "--for", type=Path, required=True, dest="dir", metavar="DIR", help="what hwgen build wrote"
    )
    weights.add_argument("-o", "--out", type=Path, default=Path("weights.npz"), metavar="FILE.npz")
    _input_option(weights)
    verb("boards", _boards, "List the boards.")
    verb("doctor", _doctor, "Show which tools are there and what missing ones would enable.")
    return top


def _plan_options(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("model", type=Path, help="a model file: hwgen.save's .pt, or .onnx")
    _input_option(verb)
    verb.add_argument("--board", default="pynq-z2", help="name or folder (default: %(default)s)")
    verb.add_argument(
        "--clock",
        type=_clock,
        metavar="MHZ",
        help="clock, or 'auto' for the fastest that is met (default: the board's)",
    )
    verb.add_argument(
        "--pipeline", type=float, metavar="MHZ", help="put registers as for this clock"
    )
    styles = ("auto", "spatial", "bit-serial", "folded")
    verb.add_argument("--style", choices=styles, default="auto")
    verb.add_argument("--target-fps", type=float, metavar="N", help="cheapest with N frames/s")
    verb.add_argument(
        "--max-latency", metavar="T", help="cheapest with this latency: cycles, or 5us, 200ns"
    )
    verb.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="LAYER.KEY=VALUE",
        help="fix style, pe, simd, memory, multiplier, bits or pixels of a layer; repeatable",
    )
    verb.add_argument("--config", type=Path, metavar="FILE.toml", help="the same as a TOML file")
    verb.add_argument(
        "--stream-bits",
        metavar="N",
        help="AXI4-Stream word width, or 'native' for a whole frame a word (default: the board's)",
    )
    verb.add_argument(
        "--writable",
        action="append",
        default=[],
        metavar="LAYER",
        help="weights (and thresholds behind) can be loaded into the running board; repeatable",
    )
    verb.add_argument(
        "--link",
        choices=("uart", "spi"),
        help="how the host reaches a board without a processor (default: its UART)",
    )
    verb.add_argument("--dump-ir", type=Path, metavar="DIR", help="write the graph of each step")
    verb.add_argument(
        "--no-cache", action="store_true", help="make everything anew (see also HWGEN_CACHE)"
    )


def _input_option(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--input-type",
        metavar="TYPE",
        help="what an .onnx model's input is where the file does not say: UINT8, FIXED<16,6>, …",
    )


def _build_options(verb: argparse.ArgumentParser) -> None:
    _plan_options(verb)
    verb.add_argument("--out", type=Path, metavar="DIR", help="default: <model>-<board>")
    verb.add_argument("--frames", type=int, default=16, help="test frames in sim/vectors")
    verb.add_argument("--seed", type=int, default=0, help="of the test frames and stalls")
    verb.add_argument(
        "--data", type=Path, metavar="FILE.npz", help="take the test frames from this data set"
    )


def _sim_options(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("dir", type=Path, help="a folder that hwgen build wrote")
    verb.add_argument("--simulator", choices=("verilator", "icarus"), default="verilator")
    verb.add_argument("--dataset", type=Path, metavar="FILE.npz", help="run a whole data set")
    verb.add_argument("--limit", type=int, metavar="N", help="only the first N frames of it")
    verb.add_argument("--seed", type=int, help="of the random stalls (default: the build's)")
    verb.add_argument(
        "--wave", type=Path, metavar="FILE.fst", help="write waveforms of where it diverges"
    )
    verb.add_argument(
        "--cells",
        action="store_true",
        help="simulate the netlist of the family's cells, from yosys",
    )


def _run_options(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "dir", type=Path, help="a folder that hwgen build wrote, its bitstream loaded"
    )
    verb.add_argument(
        "--data", type=Path, metavar="FILE.npz", required=True, help="frames x, and labels y"
    )
    verb.add_argument(
        "--port",
        help="the board's serial port (default: the only one there is), or for SPI a URL of pyftdi",
    )
    verb.add_argument(
        "--bitfile", type=Path, help="on a Zynq, the bitstream (default: the project's)"
    )
    verb.add_argument("--limit", type=int, metavar="N", help="only the first N frames")
    verb.add_argument("--timeout", type=float, metavar="S", help="seconds to wait for an answer")
    verb.add_argument(
        "--weights", type=Path, metavar="FILE.npz", help="load what hwgen weights wrote first"
    )
    verb.add_argument("--check", action="store_true", help="compare with the golden model")


def _train_options(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--method", required=True, help="lsq, denseshift, bitpruning, …")
    verb.add_argument("--data", type=Path, required=True, metavar="FILE.npz", help="x and y")
    verb.add_argument("--config", type=Path, metavar="FILE.toml", help="[model] [train] [method]")
    verb.add_argument("-o", "--out", type=Path, default=Path("model.pt"), metavar="MODEL.pt")
    verb.add_argument("--seed", type=int, help="overrides the configuration's")
    verb.add_argument("--plot", type=Path, metavar="FILE.png", help="draw the learning curve")
    verb.add_argument("--cost", metavar="KIND", help="price bit lengths by lut, memory, latency")
    verb.add_argument("--board", default="pynq-z2", help="that --cost prices for")


def _clock(text: str) -> float | str:
    if text == "auto":
        return text
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be MHz or auto, not {text!r}") from None


def _request(options: argparse.Namespace) -> Any:
    from hwgen.request import PlanRequest
    from hwgen.store import switch_off

    if options.no_cache:
        switch_off()
    return PlanRequest(
        board=options.board,
        clock_mhz=None if options.clock == "auto" else options.clock,
        pipeline_mhz=options.pipeline,
        style=options.style,
        target_fps=options.target_fps,
        max_latency=options.max_latency,
        sets=tuple(options.set),
        config=options.config,
        stream_bits=options.stream_bits,
        dump_ir=options.dump_ir,
        input_type=options.input_type,
        writable=tuple(options.writable),
        link=options.link,
    )


def _build(options: argparse.Namespace) -> int:
    from hwgen import fastest, pipeline
    from hwgen.report.table import estimate_text

    build = fastest.build if options.clock == "auto" else pipeline.build
    out = options.out or Path(f"{options.model.stem}-{Path(options.board).name}")
    built = build(
        options.model,
        out,
        _request(options),
        frames=options.frames,
        seed=options.seed,
        data=options.data,
    )
    lines = [
        estimate_text(built.figures, built.explanation),
        *_float_check(built.report),
        *_clock_search(built.report),
        "",
        f"wrote {out}",
    ]
    emit(options, built.report, "\n".join(lines))
    return 0


def _clock_search(report: dict[str, Any]) -> list[str]:
    return [report["clock_search"]["text"]] if "clock_search" in report else []


def _check(options: argparse.Namespace) -> int:
    from hwgen.check import check

    found = check(options.model, options.input_type)
    emit(options, found.data(), found.text())
    return 1 if found.problems else 0


def _estimate(options: argparse.Namespace) -> int:
    from hwgen import pipeline
    from hwgen.report.table import estimate_text

    if options.clock == "auto":
        raise UsageError("only hwgen build searches a clock", hint="hwgen build --clock auto")
    if options.sweep or options.plot:
        return _sweep(options)
    planned = pipeline.plan(options.model, _request(options))
    data = planned.report()
    lines = [estimate_text(planned.figures, planned.explanation), *_float_check(data)]
    emit(options, data, "\n".join(lines))
    return 0


def _sweep(options: argparse.Namespace) -> int:
    from tqdm import tqdm

    from hwgen import pipeline
    from hwgen.report.front import front_svg, front_text

    if options.plot and options.plot.suffix != ".svg":
        raise UsageError(f"--plot writes SVG pictures, not {options.plot.name!r}")

    def progress(intervals: Sequence[int]) -> Any:
        return tqdm(intervals, "planning", disable=options.quiet or None, leave=False)

    found = pipeline.sweep(options.model, _request(options), progress)
    if options.plot:
        options.plot.write_text(front_svg(found), "utf-8")
    emit(options, found.as_dict(), front_text(found))
    return 0


def _float_check(report: dict[str, Any]) -> list[str]:
    return [report["float_check"]["text"]] if "float_check" in report else []


def _sim(options: argparse.Namespace) -> int:
    from hwgen import simulate

    common = {"simulator": options.simulator, "wave": options.wave}
    if options.dataset:
        outcome = simulate.dataset(
            options.dir, options.dataset, limit=options.limit, progress=not options.json, **common
        )
    else:
        outcome = simulate.bench(options.dir, seed=options.seed, cells=options.cells, **common)
    emit(options, outcome.data, outcome.text)
    return 0 if outcome.good else 2


def _run(options: argparse.Namespace) -> int:
    from hwgen import board_run

    outcome = board_run.run(options)
    emit(options, outcome.data, outcome.text)
    return 0


def _synth(options: argparse.Namespace) -> int:
    from hwgen import synthesis

    outcome = (
        synthesis.route(options.dir, options.seeds, options.nextpnr_options)
        if options.route
        else synthesis.synth(options.dir)
    )
    emit(options, outcome.data, outcome.text)
    return 0 if outcome.good else 2


def _train(options: argparse.Namespace) -> int:
    from hwgen.train.command import train

    data, text = train(options)
    emit(options, data, text)
    return 0


def _weights(options: argparse.Namespace) -> int:
    from hwgen import weights

    made = weights.image(options.dir, options.model, options.input_type)
    made.save(options.out)
    data = {"words": len(made.writes), "build": f"{made.build_id:#010x}"}
    emit(options, data, f"wrote {options.out}: {len(made.writes):,} words for {data['build']}")
    return 0


def _boards(options: argparse.Namespace) -> int:
    from hwgen.backend import boards
    from hwgen.report.table import number, table

    found = [boards.load(name) for name in boards.names()]
    keys = ("name", "title", "part", "family", "lut", "ff", "bram36", "dsp", "clock_mhz", "flow")
    rows = [
        [b.name, b.title, b.part, b.family, number(b.lut), number(b.ff), number(b.bram36),
         number(b.dsp), f"{b.clock_mhz:g}", b.flow]
        for b in found
    ]  # fmt: skip
    head = ["board", "", "part", "family", "LUT", "FF", "BRAM36", "DSP", "MHz", "flow"]
    data = {"boards": [{k: getattr(b, k) for k in keys} for b in found]}
    emit(options, data, table(head, rows, left=4))
    return 0


def _doctor(options: argparse.Namespace) -> int:
    from hwgen import tools
    from hwgen.report.table import table

    found = tools.doctor()
    rows = [
        [t.name, t.version or ("found" if t.path else "missing"), t.enables,
         "" if t.path else t.install]
        for t in found
    ]  # fmt: skip
    data = {
        "hwgen": hwgen.__version__,
        "tools": [
            {"name": t.name, "path": str(t.path) if t.path else None, "version": t.version,
             "enables": t.enables, "install": t.install}
            for t in found
        ],
    }  # fmt: skip
    emit(options, data, table(["tool", "version", "enables", "to install"], rows, left=4))
    return 0


if __name__ == "__main__":
    sys.exit(main())
