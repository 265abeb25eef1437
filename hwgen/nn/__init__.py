"""Layers and quantizers to train with: ``from hwgen import nn as q``."""

from hwgen.nn.activations import QuantAct, QuantIdentity, QuantReLU
from hwgen.nn.binary import Binary
from hwgen.nn.bits import LearnedBits
from hwgen.nn.denseshift import DenseShift
from hwgen.nn.few import FewInputs
from hwgen.nn.layers import QuantConv1d, QuantConv2d, QuantizedWeight, QuantLinear
from hwgen.nn.pact import PACT
from hwgen.nn.plain import Float, Sign
from hwgen.nn.quantizer import (
    ActQuantizer,
    ActSpec,
    IntegerView,
    WeightQuantizer,
    WeightSpec,
)
from hwgen.nn.s3 import S3
from hwgen.nn.sawb import SAWB
from hwgen.nn.shift import Shift
from hwgen.nn.statsq import StatsQ
from hwgen.nn.syq import SYQ
from hwgen.nn.tables import TruthTables
from hwgen.nn.ternary import Ternary
from hwgen.nn.uniform import Int, SInt, UInt

__all__ = [
    "PACT",
    "S3",
    "SAWB",
    "SYQ",
    "ActQuantizer",
    "ActSpec",
    "Binary",
    "DenseShift",
    "FewInputs",
    "Float",
    "Int",
    "IntegerView",
    "LearnedBits",
    "QuantAct",
    "QuantConv1d",
    "QuantConv2d",
    "QuantIdentity",
    "QuantLinear",
    "QuantReLU",
    "QuantizedWeight",
    "SInt",
    "Shift",
    "Sign",
    "StatsQ",
    "Ternary",
    "TruthTables",
    "UInt",
    "WeightQuantizer",
    "WeightSpec",
]
