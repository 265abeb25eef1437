"""Each training example runs, and its file is a network with an exact integer meaning."""

import subprocess
import sys
from pathlib import Path

import pytest

from hwgen.frontend.torch_export import load
from hwgen.passes.integerize import integerize

EXAMPLES = Path(__file__).parents[2] / "examples"
SCRIPTS = sorted([*EXAMPLES.glob("train_*.py"), EXAMPLES / "quantize_after_training.py"])


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_training_example_writes_a_network(script: Path, tmp_path: Path):
    file = tmp_path / "model.pt"
    command = [sys.executable, str(script), str(file)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    assert "%" in done.stdout
    assert integerize(load(file)).graph.output is not None
