"""What every op must keep, for any node, types and configuration.

1. circuit = golden, with random stalls on both sides, back-to-back frames and extreme inputs;
2. cycles = predicted, and outputs stay inside a range that is tight;
3. ``resources`` beside synthesis (``tests/ops/test_prices.py``);
4. an unsupported shape or type raises ``HwgenError`` (each op's own test).
"""

from __future__ import annotations

import numpy as np

from hwgen import families
from hwgen.families.base import Family
from hwgen.ir.types import Ints, TensorType
from hwgen.ops.base import Config, HardwareNode
from hwgen.rtl.sim import check_unit
from hwgen.vectors import streamed

XC7 = families.get("xc7")


def frames(rng: np.random.Generator, kind: TensorType, count: int) -> Ints:
    """Random frames of a type, the least and the greatest value of every channel first."""
    shape = (1, -1) + (1,) * (len(kind.shape) - 1)
    lo, hi = kind.lo.reshape(shape), kind.hi.reshape(shape)
    x = rng.integers(np.broadcast_to(lo, (count, *kind.shape)), hi, endpoint=True)
    x[0] = np.broadcast_to(lo, x.shape)[0]
    x[min(1, count - 1)] = np.broadcast_to(hi, x.shape)[0]
    return np.asarray(x)


def check_circuit(
    node: HardwareNode,
    inputs: tuple[TensorType, ...],
    config: Config,
    *,
    seed: int = 0,
    stalls: float = 0.0,
    count: int = 3,
    family: Family = XC7,
    reset_at: int | None = None,
) -> None:
    """Contracts 1 and 2 for one configuration: values, cycles, lanes, range and interval."""
    rng = np.random.default_rng(seed)
    x = [frames(rng, kind, count) for kind in inputs]
    want = node.evaluate(*x)
    kind = node.infer(*inputs)
    check_range(want, kind)
    unit = node.circuit(config, inputs, family)
    if getattr(unit, "datapath", None):
        unit.datapath.module = None  # Amaranth's simulator runs the datapath, not its Verilog text
    *lanes_in, lanes_out = node.lanes(config, inputs)
    beats = [streamed(v).reshape(-1, lanes) for v, lanes in zip(x, lanes_in, strict=True)]
    check_unit(
        unit,
        beats,
        streamed(want).reshape(-1, lanes_out),
        stalls=stalls,
        seed=seed,
        reset_at=reset_at,
    )
    repeats = (inputs[0].elements // lanes_in[0]) // max(int(unit.timing.beats[0]), 1)
    assert node.interval(config, inputs) == unit.timing.interval * repeats


def check_range(values: Ints, kind: TensorType) -> None:
    """Every value lies in its channel's declared range."""
    shape = (1, -1) + (1,) * (values.ndim - 2)
    assert (values >= kind.lo.reshape(shape)).all()
    assert (values <= kind.hi.reshape(shape)).all()


def check_tight(node: HardwareNode, inputs: tuple[TensorType, ...], witnesses: Ints) -> None:
    """Some witness reaches each end of every channel's range."""
    kind = node.infer(*inputs)
    y = node.evaluate(witnesses)
    axes = tuple(k for k in range(y.ndim) if k != 1)
    assert (y.min(axis=axes) == [t.lo for t in kind.per_channel()]).all()
    assert (y.max(axis=axes) == [t.hi for t in kind.per_channel()]).all()
