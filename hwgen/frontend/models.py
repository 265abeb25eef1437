"""Any model file to the real-valued graph, by its ending."""

from __future__ import annotations

from pathlib import Path

from hwgen.errors import UsageError
from hwgen.ir.real import RealGraph


def read_model(path: Path, input_type: str | None = None) -> RealGraph:
    """The network of a model file.

    ``input_type`` says what integers an ONNX file's input is, where the file does not:
    ``UINT8``, ``FIXED<16,6>``.

    Raises:
        UsageError: an ending that no front end reads.
        ModelError: a file or network that cannot be imported.
    """
    if path.suffix in (".pt", ".pt2"):
        from hwgen.frontend import torch_export

        return torch_export.load(path)
    if path.suffix == ".onnx":
        from hwgen.frontend import qonnx

        return qonnx.load(path, input_type)
    raise UsageError(
        f"a model file must end in .pt, .pt2 or .onnx, not {path.name!r}",
        hint="hwgen.save(model, 'model.pt', example_input) writes one",
    )
