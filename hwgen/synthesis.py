"""``hwgen synth``: what tools make of a built project, beside what was estimated."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hwgen.built import Outcome, read_report
from hwgen.errors import UsageError
from hwgen.estimate.figures import as_counts

if TYPE_CHECKING:
    from hwgen.verify.route import RouteResult
    from hwgen.verify.synth import SynthResult


def synth(folder: Path) -> Outcome:
    """``hwgen synth DIR``: yosys for the board's family, beside the estimate, layer by layer.

    Raises:
        HwgenError: as ``verify.synth.synthesize``.
    """
    from hwgen.verify.synth import synthesize

    report = read_report(folder)
    data, text = _counted(synthesize(folder, report["family"]), report)
    return Outcome(data, text)


def _counted(found: SynthResult, report: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """What a tool counted beside the estimate, layer by layer."""
    from hwgen.report.table import synth_text

    estimated = {r["name"]: r for r in [*report["layers"], *report["plumbing"]]}
    rows = [_beside(part, estimated.get(part.name)) for part in found.parts]
    shell = [r["resources"] for r in report["plumbing"] if r["name"] in SHELL]
    rest = {k: sum(r[k] for r in shell) for k in ("lut", "ff", "bram36", "dsp")}
    rows.append({**_beside(found.rest, None), "name": "shell", "estimate": rest})
    data = {
        "family": found.family,
        "tool": found.tool,
        "seconds": round(found.seconds, 1),
        **_counts(found.total),
        "estimate": report["resources"],
        "layers": rows,
    }
    return data, synth_text(data)


SHELL = ("axi_in", "axi_out", "registers")


def _counts(part: Any) -> dict[str, Any]:
    return as_counts(part.resources)


def _beside(part: Any, estimate: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "name": part.name,
        **_counts(part),
        "estimate": estimate["resources"] if estimate else None,
    }


def route(folder: Path, seeds: int = 1, nextpnr_options: Sequence[str] = ()) -> Outcome:
    """``hwgen synth DIR --route``: a bitstream per seed, the clock it reaches, its slowest path.

    ``nextpnr_options`` follow those of the board on nextpnr's command line.

    For boards of Vivado's, its own run and its reports, where it is installed.

    Raises:
        HwgenError: as ``verify.route.route`` and ``verify.vivado.implement``.
    """
    from hwgen.backend import boards
    from hwgen.verify.route import route as routed
    from hwgen.verify.vivado import implement

    if seeds < 1:
        raise UsageError(f"--seeds must be at least 1, not {seeds}")
    report = read_report(folder)
    board = boards.load(report["board"])
    if board.flow == "vivado":
        if nextpnr_options:
            raise UsageError(f"{board.name} is not routed by nextpnr", hint="no --nextpnr-options")
        made = implement(folder, board)
        counted, text = _counted(made.synth, report)
        outcome = _routed([made.route], report)
        return Outcome(
            {**outcome.data, "synth": counted}, f"{text}\n\n{outcome.text}", outcome.good
        )
    found = routed(folder, board, seeds=range(1, seeds + 1), options=nextpnr_options)
    return _routed(found, report)


def _routed(found: list[RouteResult], report: dict[str, Any]) -> Outcome:
    """Routed designs, the fastest first."""
    runs = [
        {
            "seed": r.seed,
            "target_mhz": r.target_mhz,
            "achieved_mhz": r.achieved_mhz,
            "utilisation": {kind: list(pair) for kind, pair in r.utilisation.items()},
            "critical_ns": {layer: round(ns, 3) for layer, ns in r.critical_layers.items()},
            "bitstream": r.bitstream.as_posix(),
            "seconds": round(r.seconds, 1),
        }
        for r in found
    ]
    best = found[0]
    lines = [
        f"seed {r.seed}: {r.achieved_mhz:.1f} MHz (target {r.target_mhz:g}), {r.bitstream}"
        for r in found
    ]
    used = ", ".join(f"{kind} {a:,} of {b:,}" for kind, (a, b) in best.utilisation.items() if a)
    slow = ", ".join(f"{layer} {ns:.1f} ns" for layer, ns in best.critical_layers.items())
    lines += [used, f"slowest path: {slow}"]
    data = {"board": report["board"], "estimate": report["resources"], "runs": runs}
    return Outcome(data, "\n".join(lines), best.ok)
