"""What integers the network's input is, where a file or the user says so."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from hwgen.errors import Origin, UsageError
from hwgen.frontend.qonnx_file import OnnxInput
from hwgen.ir.real import RealNode
from hwgen.ops.quantize import RealQuantize, RealSign

MAX_BITS = 32
_INTEGERS = {"bool": (0, 1)} | {
    f"{sign}int{bits}": (
        (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if not sign else (0, (1 << bits) - 1)
    )
    for sign in ("", "u")
    for bits in (2, 4, 8, 16, 32)
}
_REAL = ("float", "double", "float16", "bfloat16")


@dataclass(frozen=True, slots=True)
class Stated:
    """The input is ``step`` times an integer from ``lo`` to ``hi``; with ``sign``, −1 or 1."""

    step: Fraction
    lo: int
    hi: int
    sign: bool = False

    def node(self, source: str, origin: Origin) -> RealNode:
        """The quantizer behind the input node ``source``."""
        if self.sign:
            return RealSign(name="input_integers", inputs=(source,), origin=origin)
        return RealQuantize(
            name="input_integers",
            inputs=(source,),
            step=(self.step,),
            lo=self.lo,
            hi=self.hi,
            origin=origin,
        )


def input_quantizer(source: OnnxInput, stated: str | None) -> Stated | None:
    """What ``stated`` says, else FINN's annotation, else an integer element type; else None.

    Raises:
        UsageError: a type that is none of those of ``parse``.
    """
    if stated is not None:
        return parse(stated)
    if source.annotation and not source.annotation.upper().startswith("FLOAT"):
        return parse(source.annotation)
    if source.dtype in _INTEGERS:
        return Stated(Fraction(1), *_INTEGERS[source.dtype])
    return None


def parse(text: str) -> Stated:
    """FINN's names of types: ``INT8``, ``UINT8``, ``BINARY``, ``BIPOLAR``, ``TERNARY``,
    ``FIXED<W,I>`` and ``UFIXED<W,I>`` (W bits, I of them before the point, as in ap_fixed).

    Raises:
        UsageError: another text, or more than 32 bits.
    """
    name = text.strip().upper().replace("AP_", "")
    if name == "BINARY":
        return Stated(Fraction(1), 0, 1)
    if name == "BIPOLAR":
        return Stated(Fraction(1), 0, 1, sign=True)
    if name == "TERNARY":
        return Stated(Fraction(1), -1, 1)
    found = re.fullmatch(r"(U?)(INT|FIXED)(\d{1,2})?(?:<(\d{1,2}),(-?\d{1,2})>)?", name)
    if found:
        unsigned, kind, bits, width, whole = found.groups()
        count = int(bits or width or 0)
        fits = bool(bits) != bool(width) and (kind == "INT") == bool(bits)
        if fits and 1 <= count <= MAX_BITS:
            fraction = count - int(whole) if width else 0
            lo = 0 if unsigned else -(1 << (count - 1))
            return Stated(Fraction(2) ** -fraction, lo, lo + (1 << count) - 1)
    raise UsageError(
        f"an input type must be INT8, UINT8, FIXED<16,6> or the like, not {text!r}",
        hint="INT, UINT: bits; FIXED, UFIXED: all bits, and those before the point",
    )
