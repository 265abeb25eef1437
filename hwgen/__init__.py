"""hwgen: trained quantized PyTorch networks to bit-exact FPGA accelerators."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hwgen import nn
    from hwgen.frontend.export_qonnx import export_qonnx
    from hwgen.frontend.save import save

__all__ = ["__version__", "export_qonnx", "nn", "save"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """``hwgen.save`` and ``hwgen.nn`` import torch, so they are loaded when first used."""
    if name == "save":
        return importlib.import_module("hwgen.frontend.save").save
    if name == "export_qonnx":
        return importlib.import_module("hwgen.frontend.export_qonnx").export_qonnx
    if name == "nn":
        return importlib.import_module("hwgen.nn")
    raise AttributeError(f"module 'hwgen' has no attribute {name!r}")
