"""How long da4ml takes for a matrix, and how long its pipeline's slowest stage is.

    PEERS_PYTHON benchmarks/peer_stages.py SHARED/peers CELL_NS BIT_NS REGEX

``cmvm.py peers`` runs this with a Python that has da4ml; an adder of w bits is taken to have a
delay of CELL_NS + w * BIT_NS. Every line that is printed is a JSON object: a case, processor
seconds, and nanoseconds from register to register, registers apart.
"""

from __future__ import annotations

import json
import math
import re
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

CUTOFF = 5.0
"""The peer's own default, as in ``bench_peer.py``."""

KIF = {"s8": (1, 7, 0), "u1": (0, 1, 0), "u2": (0, 2, 0)}


def measured(weights: Any, x: str, cell: float, bit: float) -> tuple[float, float]:
    """Seconds for ``x @ W``, and the longest path between two registers of its pipeline."""
    from da4ml.trace import FixedVariableArrayInput, comb_trace
    from da4ml.trace.ops import quantize
    from da4ml.trace.pipeline import to_pipeline

    began = time.process_time()
    start = FixedVariableArrayInput((weights.shape[0],))
    out = quantize(start, *KIF[x]) @ weights.astype(np.float32)
    seconds = time.process_time() - began
    stages = to_pipeline(comb_trace(start, out), CUTOFF, verbose=False)
    return seconds, max(longest(stage.ops, cell, bit) for stage in stages[0])


def longest(ops: Any, cell: float, bit: float) -> float:
    times: list[float] = []
    for op in ops:
        reads = () if op.opcode == -1 else (op.id0, op.id1)
        begin = max((times[k] for k in reads if k >= 0), default=0.0)
        low, high, step = op.qint
        span = max(abs(low), abs(high)) / step
        width = math.ceil(math.log2(span + 1)) + (low < 0)
        times.append(begin + (cell + bit * width if op.opcode in (0, 1, 4) else 0.0))
    return max(times)


def main() -> None:
    folder, cell, bit = Path(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
    stored = np.load(folder / "matrices.npz")
    cases = json.loads((folder / "cases.json").read_text())["cases"]
    for case in cases:
        if re.fullmatch(sys.argv[4], case["name"]):
            weights = stored[case["matrix"]].astype(np.int64)
            seconds, ns = measured(weights, case["x"], cell, bit)
            print(json.dumps({"case": case["name"], "seconds": seconds, "ns": ns}), flush=True)


if __name__ == "__main__":
    main()
