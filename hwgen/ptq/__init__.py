"""Quantization after training: from a float module and a calibration batch to what hwgen builds."""

from hwgen.ptq.calibrate import Calibration
from hwgen.ptq.quantize import Layer, Quantized, WeightPlan, quantize

__all__ = ["Calibration", "Layer", "Quantized", "WeightPlan", "quantize"]
