"""Family prices against what yosys counts."""

from __future__ import annotations

import pytest

from hwgen import families
from hwgen.errors import UsageError
from hwgen.families.synthesis import count
from tests.yosys import needs_yosys


def test_unknown_family_is_named_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r'one of xc7, .*, not "xc9"'):
        families.get("xc9")


def test_every_family_prices_everything() -> None:
    for family in families.FAMILIES.values():
        assert family.adder(8) >= 8
        assert family.adder(8, 3) >= 8
        assert family.comparator(12) > 0
        assert family.mux(4, 8) >= 8
        assert family.rom(256, 8) >= 32
        assert family.lutram(32, 8) > 0
        assert family.popcount(64) > 32
        assert family.block_rom(1024, 36) > 0
        assert family.adder_ns(8) > 0


def test_ternary_adders_cost_one_lut_per_bit_only_where_the_fabric_has_them() -> None:
    assert families.get("xc7").adder(10, 3) == 10
    assert families.get("ice40").adder(10, 3) == 22


def test_block_ram_counts_in_halves() -> None:
    xc7 = families.get("xc7")
    assert xc7.block_rom(1024, 18) == 0.5
    assert xc7.block_rom(1024, 36) == 1.0
    assert xc7.block_rom(64, 100) == 1.5


@needs_yosys
@pytest.mark.parametrize(
    ("source", "price"),
    [
        (
            "module m(input signed [7:0] a, b, output signed [8:0] y); assign y = a + b;endmodule",
            families.get("xc7").adder(8),
        ),
        (
            "module m(input signed [7:0] a, output signed [8:0] y); assign y = a + 37; endmodule",
            families.get("xc7").adder(8, constant=True),
        ),
        (
            "module m(input [15:0] a, input [1:0] s, output [3:0] y); assign y = a[4*s +: 4];"
            "endmodule",
            families.get("xc7").mux(4, 4),
        ),
    ],
)
def test_xc7_prices_are_what_yosys_counts(source: str, price: float) -> None:
    assert count({"m.v": source}, "m", families.get("xc7"), flows=("std",)).lut == price
