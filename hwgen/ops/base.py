"""What every op gives the scheduler and the design: legal configurations, cycles, resources,
circuit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from hwgen.families.base import Family, Resources
from hwgen.ir.node import Node
from hwgen.ir.types import IntArray, TensorType

if TYPE_CHECKING:
    from hwgen.ops.truth_table import TruthTable


@dataclass(frozen=True, order=True, slots=True)
class Config:
    """How one node is built.

    ``style``: ``spatial`` (constants in the fabric, a frame a cycle), ``bit-serial`` (constants in
    the fabric, ``bits`` bits of every input in a cycle), ``folded`` (weights in memory, PE outputs
    × SIMD inputs at a time) or ``stream`` (element-wise, ``pe`` lanes). ``memory``: ``lut`` or
    ``block``. ``multiplier``, of weights that are no powers of two: ``lut`` or ``dsp``.
    ``pixels``: whole pixels of the input in a beat, side by side in a row; 0: at most one.
    """

    style: str
    pe: int = 1
    simd: int = 1
    memory: str = "lut"
    multiplier: str = "lut"
    bits: int = 0
    pixels: int = 0

    @property
    def side(self) -> int:
        """Pixels that are treated side by side."""
        return max(self.pixels, 1)

    @property
    def lanes(self) -> int:
        """Of ``pe`` elements of each of them."""
        return self.pe * self.side


def divisors(n: int) -> list[int]:
    """All divisors of ``n``, ascending."""
    return [d for d in range(1, n + 1) if n % d == 0]


@dataclass(frozen=True, kw_only=True)
class HardwareNode(Node):
    """A node that becomes a circuit.

    ``inputs`` arguments below are the types of the node's inputs. A circuit is a unit of ``rtl/``:
    streams
    ``i`` (or ``i0``, ``i1``) and ``o``, with ``consume``, ``emit``, ``depth``.
    """

    wires_only: ClassVar[bool] = False
    elementwise: ClassVar[bool] = False

    @property
    def fixed(self) -> bool:
        """Whether its constants are those of the network for ever, and not writable."""
        return True

    def loadable(self) -> HardwareNode | None:
        """The same node with constants that can be written while the accelerator is at work, its
        output's range that of any constants of its alphabet; None where there is none."""
        return None

    def refilled(self, other: HardwareNode) -> HardwareNode | None:
        """This writable node with the constants of ``other``; None where they do not fit."""
        return None

    def configs(self, inputs: tuple[TensorType, ...], family: Family) -> Iterable[Config]:
        """Every legal configuration on ``family``."""
        raise NotImplementedError

    def lanes(self, config: Config, inputs: tuple[TensorType, ...]) -> tuple[int, ...]:
        """Elements in one beat of every input, and last of the output."""
        raise NotImplementedError

    def interval(self, config: Config, inputs: tuple[TensorType, ...]) -> int:
        """Issue steps in one frame: the initiation interval when nothing stalls."""
        raise NotImplementedError

    def feed_limit(self, config: Config, interval: int, wanted: int) -> int:
        """The most cycles per frame that its input may take to come where the node shall take
        ``wanted``; without passes over its input, all of them."""
        return wanted

    def queue(self, config: Config, inputs: tuple[TensorType, ...]) -> int:
        """Beats of input worth holding back before the node while it does not take any."""
        return 0

    def resources(
        self, config: Config, inputs: tuple[TensorType, ...], family: Family
    ) -> Resources:
        """Estimate before synthesis of this node's circuit."""
        raise NotImplementedError

    def floor(self, config: Config, inputs: tuple[TensorType, ...], family: Family) -> Resources:
        """A lower bound of ``resources`` that costs next to nothing to compute."""
        return Resources()

    def circuit(self, config: Config, inputs: tuple[TensorType, ...], family: Family) -> Any:
        """The Amaranth component."""
        raise NotImplementedError

    def tabulated(self, x: TruthTable, kind: TensorType, most: int) -> TruthTable | None:
        """The node of an input of type ``kind`` that is ``x``, as tables of what ``x`` reads;
        None where one needs more than ``most`` bits, or the node is no function of single
        pixels."""
        return None

    def affine(self, kind: TensorType) -> tuple[IntArray, IntArray] | None:
        """``(multiplier, bias)``, each (1,) or (channels,), where the node is no more than
        ``x·multiplier + bias`` for its only input, of type ``kind``."""
        return None

    def scaled(self, multiplier: IntArray, bias: IntArray) -> HardwareNode | None:
        """The node that gives ``y·multiplier + bias`` instead of y; None where there is none."""
        return None

    def columns_read(self) -> list[int]:
        """The channels of its only input that the node needs; empty where it does not say."""
        return []

    def with_columns(self, kept: Sequence[int]) -> HardwareNode:
        """The same node of an input that has only the channels ``kept``, which are all that it
        reads."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class WireNode(HardwareNode):
    """A node whose elements pass through unchanged in stream order: no circuit at all."""

    wires_only: ClassVar[bool] = True
