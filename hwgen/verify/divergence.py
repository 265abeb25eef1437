"""Where the hardware first gave another integer than the golden model."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Divergence:
    """The first integer that differs from the golden model's, between layers or at the output.

    Members:
        layer: name of the layer whose output it is.
        frame: row of the vector files.
        element: its place in the stream order of that layer.
        cycle: since reset; -1 where it was seen at the output only.
        time_ns: of the simulation that found it, as its waveforms count; -1 likewise.
    """

    layer: str
    frame: int
    element: int
    cycle: int
    expected: int | str
    got: int | str
    time_ns: int = -1

    def __str__(self) -> str:
        cycle = f", cycle {self.cycle}" if self.cycle >= 0 else ""
        return (
            f"layer {self.layer}, frame {self.frame}, element {self.element}{cycle}: "
            f"expected {self.expected}, got {self.got}"
        )
