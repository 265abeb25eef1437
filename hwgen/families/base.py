"""The cost model that every family file fills in."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Resources:
    """What a circuit takes: LUTs, flip-flops, 36-kbit block RAMs (halves count 0.5) and DSPs."""

    lut: float = 0
    ff: float = 0
    bram36: float = 0
    dsp: float = 0

    def __add__(self, other: Resources) -> Resources:
        pairs = {f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)}
        return Resources(**pairs)

    def scaled(self, factor: float) -> Resources:
        return Resources(**{f.name: getattr(self, f.name) * factor for f in fields(self)})
