"""Compiled loops of `hwgen.nn.tables` for the processor: neurons in rows, frames in columns."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]
Longs = npt.NDArray[np.int64]
Addresses = npt.NDArray[np.uint16]


@njit(cache=True)
def look_up(bits: Bytes, connections: Longs, tables: Floats, address: Addresses, y: Floats) -> None:
    """Fills ``address`` and ``y``, the entry there, both (neurons, frames), from ``bits``
    (features, frames) of 0 and 1."""
    for n in range(connections.shape[0]):
        for b in range(bits.shape[1]):
            address[n, b] = 0
        for k in range(connections.shape[1]):
            source = connections[n, k]
            for b in range(bits.shape[1]):
                address[n, b] += np.uint16(bits[source, b]) << np.uint16(k)
        for b in range(bits.shape[1]):
            y[n, b] = tables[n, address[n, b]]


@njit(cache=True)
def gradients(
    g: Floats,
    address: Addresses,
    connections: Longs,
    tables: Floats,
    to_bits: Floats,
    to_tables: Floats,
) -> None:
    """Adds the gradients of `look_up` to ``to_bits`` and ``to_tables``, of the inputs' and the
    tables' shapes; ``g`` (neurons, frames) is that of the entries."""
    entries = tables.shape[1]
    halves = np.empty(entries, np.float32)
    for n in range(connections.shape[0]):
        for b in range(g.shape[1]):
            to_tables[n, address[n, b]] += g[n, b]
        for k in range(connections.shape[1]):
            bit = 1 << k
            for e in range(entries):
                halves[e] = (tables[n, e | bit] - tables[n, e & ~bit]) / 2
            source = connections[n, k]
            for b in range(g.shape[1]):
                to_bits[source, b] += g[n, b] * halves[address[n, b]]
