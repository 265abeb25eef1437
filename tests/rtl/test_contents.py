"""What synthesis sees in tables of known contents."""

from __future__ import annotations

import numpy as np

from hwgen.families.ecp5 import ECP5
from hwgen.families.xc7 import XC7
from hwgen.inttype import IntType
from hwgen.rtl.contents import Columns, constant_comparison


def test_equal_complementary_and_constant_columns_are_one() -> None:
    column = np.random.default_rng(0).integers(0, 2, 64)
    words = column + 2 * column + 4 * (1 - column) + 8
    assert Columns.of(words[None], 4).price(XC7) == 1


def test_columns_of_different_addresses_are_different() -> None:
    words = np.random.default_rng(1).integers(0, 2, 64)
    tables = Columns.of(np.stack([words, words]), 1)
    assert tables.price(XC7) == 1
    assert tables.price(XC7, scopes=np.arange(2)) == 2


def test_a_column_takes_the_address_bits_that_it_depends_on() -> None:
    address = np.arange(256)
    of_one, of_two = address >> 7, (address >> 7) & (address & 1)
    assert Columns.of(of_one[None], 1).support.tolist() == [[1]]
    assert Columns.of(of_one[None], 1).price(XC7) == 0
    assert Columns.of(of_two[None], 1).price(XC7) == 1


def test_words_beyond_the_last_are_whatever_is_cheapest() -> None:
    words = np.array([0, 1, 1, 0, 0])
    assert Columns.of(words[None], 1).support.tolist() == [[2]]


def test_comparisons_leave_out_what_the_constant_leaves_out() -> None:
    kind = IntType.bits(9, True)
    assert constant_comparison(0, kind, XC7) == 0  # its sign
    assert constant_comparison(-256, kind, XC7) == 0  # always reached
    assert constant_comparison(64, kind, XC7) == 1  # three bits
    assert constant_comparison(65, kind, XC7) == 2
    assert constant_comparison(64, kind, ECP5) == 1 < constant_comparison(65, kind, ECP5)
