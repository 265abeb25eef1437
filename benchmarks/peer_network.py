"""A network of integer layers through da4ml or alkaid, by their own tracing, to Verilog.

    PEERS_PYTHON benchmarks/peer_network.py NET.npz VARIANT FOLDER

``networks.py`` runs this with a Python that has the peers; it imports nothing of hwgen. ``NET.npz``
holds ``range`` (of the inputs), ``layers``, and of layer k ``w{k}`` (outputs, inputs) and, but for
the last, ``t{k}``: its outputs become 1 where the sum is at least that. The last line that is
printed is a JSON object.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

VARIANTS = {
    "da4ml": {},
    "alkaid": {"ternary": True},
    "alkaid_bin": {"ternary": False},
    "alkaid_nolut": {"ternary": True, "solver": {"binary_lut": False}},
    "alkaid_bin_5": {"ternary": False, "cutoff": 5.0},  # a register every 5 units, its default
    "alkaid_bin_2": {"ternary": False, "cutoff": 2.0},
    "alkaid_bin_nolut": {"ternary": False, "solver": {"binary_lut": False}},
    "alkaid_bin_nolut_5": {"ternary": False, "solver": {"binary_lut": False}, "cutoff": 5.0},
}


def traced(net: dict[str, Any], name: str) -> Any:
    """The peer's own program of the whole network."""
    first = net["w0"]
    lo, hi = (int(n) for n in net["range"])
    kif = (int(lo < 0), max(hi.bit_length(), (~lo).bit_length() if lo < 0 else 0), 0)
    if name == "da4ml":
        from da4ml.trace import FixedVariableArrayInput, comb_trace
        from da4ml.trace.ops import quantize

        start = FixedVariableArrayInput((first.shape[1],))
        return comb_trace(start, layers(net, quantize(start, *kif)))
    from alkaid.trace import FVArrayInput, trace
    from alkaid.trace.ops import quantize

    solver = VARIANTS[name].get("solver")
    start = FVArrayInput((first.shape[1],), **({"solver_options": solver} if solver else {}))
    return trace(start, layers(net, quantize(start, *kif)))


def layers(net: dict[str, Any], x: Any) -> Any:
    """Matrix after matrix, with comparisons between them."""
    for k in range(int(net["layers"])):
        x = x @ net[f"w{k}"].T.astype(np.float32)
        if f"t{k}" in net:
            x = x >= net[f"t{k}"].astype(np.float64)
    return x


def write(program: Any, name: str, folder: Path) -> None:
    """The peer's Verilog of a program, as the module ``dut``."""
    if name == "da4ml":
        from da4ml.codegen import RTLModel

        RTLModel(program, "dut", folder, flavor="verilog").write()
    else:
        from alkaid.codegen import RTLModel

        options = {"ternary_fuse": VARIANTS[name]["ternary"]}
        if "cutoff" in VARIANTS[name]:
            options["latency_cutoff"] = VARIANTS[name]["cutoff"]
        RTLModel(program, folder, "dut", flavor="verilog", **options).write()


def main() -> None:
    net, name, folder = dict(np.load(sys.argv[1])), sys.argv[2], Path(sys.argv[3])
    start = time.process_time()
    program = traced(net, name)
    seconds = time.process_time() - start
    found = np.asarray(program.predict(net["x"].astype(float)))
    assert np.array_equal(found.reshape(net["y"].shape), net["y"]), f"{name} predicts otherwise"
    write(program, name, folder)
    kifs = [[int(v) for v in kif] for kif in np.asarray(program.out_kifs).T]
    print(json.dumps({"seconds": seconds, "cost": float(program.cost), "kifs": kifs}))


if __name__ == "__main__":
    main()
