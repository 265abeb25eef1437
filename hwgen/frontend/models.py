"""Any model file to the real-valued graph, by its ending."""

from __future__ import annotations

from pathlib import Path

from hwgen.errors import UsageError
from hwgen.ir.real import RealGraph


def read_model(path: Path) -> RealGraph:
    """The network of a model file.

    Raises:
        UsageError: an ending that no front end reads.
        ModelError: a file or network that cannot be imported.
    """
    if path.suffix in (".pt", ".pt2"):
        from hwgen.frontend import torch_export

        return torch_export.load(path)
    raise UsageError(
        f"a model file must end in .pt or .pt2, not {path.name!r}",
        hint="hwgen.save(model, 'model.pt', example_input) writes one",
    )
