"""Constant matrix-vector products ``y = W x + b`` as graphs of adders."""

from __future__ import annotations

from hwgen.cmvm.clocked import solve_for_clock
from hwgen.cmvm.graph import AdderGraph, Node, Output, Term
from hwgen.cmvm.pipeline import Pipelined, pipeline
from hwgen.cmvm.solve import solve
from hwgen.cmvm.verilog import emit, library

__all__ = [
    "AdderGraph",
    "Node",
    "Output",
    "Pipelined",
    "Term",
    "emit",
    "library",
    "pipeline",
    "solve",
    "solve_for_clock",
]
