"""Runs one cocotb bench in a process of its own: cocotb changes the environment and may exit.

Called by path with one JSON argument; imports nothing of hwgen.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from cocotb_tools.runner import get_runner


def main(job: dict[str, object]) -> None:
    """Builds (Icarus only; Verilator's model is built before) and runs the bench."""
    runner = get_runner(str(job["simulator"]))
    top, build, run = str(job["top"]), str(job["build"]), str(job["run"])
    if job["simulator"] == "icarus":
        runner.build(
            sources=[str(source) for source in job["sources"]],  # type: ignore[attr-defined]
            includes=[str(include) for include in job.get("includes", [])],  # type: ignore[attr-defined]
            defines=dict(job.get("defines", {})),  # type: ignore[call-overload]
            hdl_toplevel=top,
            build_dir=build,
            parameters=dict(job.get("parameters", {})),  # type: ignore[call-overload]
            timescale=("1ns", "1ps"),
            always=True,
            waves=bool(job.get("wave")),
        )
    testcase = job["testcase"]
    icarus, wave = job["simulator"] == "icarus", job.get("wave")
    runner.test(
        test_module=str(job.get("module", "bench")),
        hdl_toplevel=top,
        hdl_toplevel_lang="verilog",
        build_dir=build,
        test_dir=run,
        testcase=str(testcase) if testcase else None,
        results_xml=str(Path(run) / "results.xml"),
        timescale=("1ns", "1ps"),
        waves=bool(wave) and icarus,
        plusargs=[f"+dumpfile_path={wave}"] if wave and icarus else [],
        test_args=["--trace", "--trace-file", str(wave)] if wave and not icarus else [],
    )


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
