"""Money and ratios by hand; the properties against fractions are in tests/property/test_money.py."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import polars as pl
import pytest

from fenzhi.errors import FenzhiError
from fenzhi.money import (
    SCALE,
    apportion,
    apportion_within,
    fen_to_yuan,
    format_e4,
    format_fen,
    ratio_half_up,
    round_half_up,
    standard_fen,
    step_of,
    to_e4,
    yuan_to_fen,
)


@pytest.mark.parametrize(
    ("value", "step", "rounded"),
    [
        (Fraction(5, 2), 1, 3),  # a half goes up, where round() would go to the even 2
        (Fraction(7, 2), 1, 4),
        (Fraction(-5, 2), 1, -2),  # up is towards +infinity
        (Fraction(249, 100), 1, 2),
        (12_345, 10, 12_350),
        (12_344, 10, 12_340),
        (-12_345, 10, -12_340),
        (0, 1000, 0),
    ],
)
def test_round_half_up(value, step, rounded):
    assert round_half_up(value, step) == rounded


@pytest.mark.parametrize(
    ("value", "e4"),
    [
        ("1.05", 10_500),
        ("0.00005", 1),
        ("0.000049", 0),
        (Decimal("1234.5678"), 12_345_678),
        (Fraction(1, 3), 3_333),
        (Fraction(2, 3), 6_667),
        (7, 70_000),
        ("-0.00005", 0),
    ],
)
def test_to_e4(value, e4):
    assert to_e4(value) == e4


def test_to_e4_takes_the_decimal_as_written():
    # 1.00005 as a float lies below the half and would give 10000.
    assert to_e4(Decimal("1.00005")) == 10_001


@pytest.mark.parametrize(("decimals", "step"), [(0, 10_000), (1, 1_000), (2, 100), (3, 10), (4, 1)])
def test_step_of(decimals, step):
    assert step_of(decimals) == step
    assert SCALE % step == 0


@pytest.mark.parametrize("decimals", [-1, 5])
def test_step_of_refuses_more_than_the_scale_holds(decimals):
    with pytest.raises(FenzhiError, match=f"between 0 and 4, not {decimals}"):
        step_of(decimals)


def test_yuan_and_fen():
    assert yuan_to_fen("1234.50") == 123_450
    assert yuan_to_fen("0.29") == 29  # 0.29 * 100 as floats is 28.999999999999996
    assert yuan_to_fen(Decimal("-0.01")) == -1
    assert yuan_to_fen("1.500") == 150
    assert fen_to_yuan(123_450) == Decimal("1234.50")
    assert str(fen_to_yuan(-5)) == "-0.05"


def test_a_third_decimal_of_a_yuan_is_an_error_and_not_rounded():
    with pytest.raises(FenzhiError, match=r"at most two decimals, not 1\.005"):
        yuan_to_fen("1.005")


@pytest.mark.parametrize(
    ("fen", "text"),
    [(0, "0.00"), (5, "0.05"), (123_450, "1,234.50"), (-123_456_789, "-1,234,567.89"), (-7, "-0.07")],
)
def test_format_fen(fen, text):
    assert format_fen(fen) == text


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (12_345_678, 4, "1,234.5678"),
        (12_345_678, 2, "1,234.57"),
        (12_345_000, 0, "1,235"),
        (12_344_999, 0, "1,234"),
        (-5, 4, "-0.0005"),
        (-50, 2, "0.00"),  # -0.005 rounds up to zero and loses its sign
        (500, 1, "0.1"),
    ],
)
def test_format_e4(value, decimals, text):
    assert format_e4(value, decimals) == text


def ratio(numerator, denominator, step=1):
    frame = pl.DataFrame({"n": [numerator], "d": [denominator]}, schema={"n": pl.Int64, "d": pl.Int64})
    return frame.select(ratio_half_up(pl.col("n"), pl.col("d"), step)).item()


def test_ratio_half_up_by_hand():
    assert ratio(5, 2) == 3
    assert ratio(-5, 2) == -2
    assert ratio(1, 3) == 0
    assert ratio(2, 3) == 1
    assert ratio(None, 3) is None
    assert ratio(3, None) is None
    # 12345 / 1 to a multiple of 100: 123.45 hundreds -> 123; 12350 -> 124
    assert ratio(12_345, 1, 100) == 12_300
    assert ratio(12_350, 1, 100) == 12_400


def test_ratio_half_up_where_int64_would_overflow():
    # 9.2e18 * 2 does not fit in 64 bits.
    assert ratio(9_200_000_000_000_000_000, 2) == 4_600_000_000_000_000_000


def test_standard_fen_by_hand():
    # 1234.5678 points x 9.8765 yuan = 12193.20887... yuan: 1219321 fen (the third decimal is 8)
    frame = pl.DataFrame({"points": [12_345_678, 500, 499], "value": [98_765, 100, 100]})
    # 0.0500 points x 0.0100 yuan = 0.0005 yuan = 0.05 fen -> 0
    assert frame.select(standard_fen(pl.col("points"), pl.col("value"))).to_series().to_list() == [
        1_219_321,
        0,
        0,
    ]
    half = pl.DataFrame({"points": [5_000, 4_999], "value": [100, 100]})
    # 0.5 points x 0.01 yuan = 0.5 fen -> 1; a hair less -> 0
    assert half.select(standard_fen(pl.col("points"), pl.col("value"))).to_series().to_list() == [1, 0]


def test_apportion_by_hand():
    # 100 in three equal parts: 33.33 each, the one left over goes to the first
    assert apportion(100, [1, 1, 1]) == [34, 33, 33]
    # 10 by 6:3:2 of 11: 5.45, 2.73, 1.82 -> 5, 2, 1 and the two left go to .82 and .73
    assert apportion(10, [6, 3, 2]) == [5, 3, 2]
    assert apportion(-10, [6, 3, 2]) == [-5, -3, -2]
    assert apportion(0, [0, 0]) == [0, 0]
    assert apportion(7, [0, 5]) == [0, 7]


def test_apportion_refuses_what_it_cannot_split():
    with pytest.raises(FenzhiError, match="cannot split 1 over shares that are all zero"):
        apportion(1, [0, 0])
    with pytest.raises(FenzhiError, match="must not be negative"):
        apportion(1, [2, -1])


def test_apportion_within_by_hand_does_not_depend_on_the_order_of_rows():
    frame = pl.DataFrame(
        {
            "pool": ["a", "a", "a", "b", "b", "c"],
            "hospital": ["h1", "h2", "h3", "h1", "h2", "h1"],
            "total": [100, 100, 100, -3, -3, 9],
            "share": [1, 1, 1, 1, 1, 0],
        }
    )
    # a: 34 to the smallest key; b: -2 to the smallest key; c has no shares and gets nothing
    expected = {
        ("a", "h1"): 34,
        ("a", "h2"): 33,
        ("a", "h3"): 33,
        ("b", "h1"): -2,
        ("b", "h2"): -1,
        ("c", "h1"): 0,
    }
    for rows in (frame, frame.reverse(), frame.sample(fraction=1, shuffle=True, seed=7)):
        parts = apportion_within(rows, "total", "share", ["pool"], "hospital")
        assert parts.dtype == pl.Int64
        assert dict(zip(rows.select("pool", "hospital").iter_rows(), parts, strict=True)) == expected


def test_apportion_within_agrees_with_apportion():
    shares = [17, 0, 3, 3, 120, 9]
    frame = pl.DataFrame({"k": [0] * 6, "tie": range(6), "total": [1_000_003] * 6, "share": shares})
    parts = apportion_within(frame, "total", "share", ["k"], "tie").to_list()
    assert parts == apportion(1_000_003, shares)
    assert sum(parts) == 1_000_003
