"""The example of the README: trains, reaches its accuracy, and its golden model repeats it."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np

from hwgen.frontend.torch_export import load
from hwgen.passes.integerize import integerize

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_digits_reaches_95_percent_and_the_integer_network_agrees(tmp_path: Path):
    script = [sys.executable, str(EXAMPLES / "digits.py"), str(tmp_path / "digits.pt")]
    done = subprocess.run(script, check=True, capture_output=True, text=True, timeout=120)
    printed = float(re.search(r"test accuracy ([\d.]+)%", done.stdout)[1])
    assert printed >= 95
    data = np.load(tmp_path / "digits.npz")
    graph = integerize(load(tmp_path / "digits.pt")).graph
    predictions = graph.output.predictions(graph.evaluate(graph.input.encode(data["x"])))
    assert len(data["y"]) == 450
    assert abs(100 * np.mean(predictions == data["y"]) - printed) < 0.25  # a tie at most
