"""One file per layer kind: real node and lowering, integer node, golden model, costs, circuit."""

from hwgen.ops import (
    add,
    affine,
    input,
    linear,
    lookup,
    output,
    requantize,
    reshape,
    threshold,
    topk,
)

__all__ = [
    "add",
    "affine",
    "input",
    "linear",
    "lookup",
    "output",
    "requantize",
    "reshape",
    "threshold",
    "topk",
]
