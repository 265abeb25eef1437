"""Layers and quantizers to train with: ``from hwgen import nn as q``."""

from hwgen.nn.activations import QuantAct, QuantIdentity, QuantReLU
from hwgen.nn.binary import Binary
from hwgen.nn.layers import QuantConv1d, QuantConv2d, QuantizedWeight, QuantLinear
from hwgen.nn.quantizer import (
    ActQuantizer,
    ActSpec,
    IntegerView,
    WeightQuantizer,
    WeightSpec,
)
from hwgen.nn.shift import Shift
from hwgen.nn.ternary import Ternary
from hwgen.nn.uniform import Int, SInt, UInt

__all__ = [
    "ActQuantizer",
    "ActSpec",
    "Binary",
    "Int",
    "IntegerView",
    "QuantAct",
    "QuantConv1d",
    "QuantConv2d",
    "QuantIdentity",
    "QuantLinear",
    "QuantReLU",
    "QuantizedWeight",
    "SInt",
    "Shift",
    "Ternary",
    "UInt",
    "WeightQuantizer",
    "WeightSpec",
]
