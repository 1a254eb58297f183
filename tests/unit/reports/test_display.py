"""Figures as printed, by hand and by property."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fenzhi.reports.display import (
    Cell,
    count,
    decimals,
    e4,
    fixed,
    index,
    moment,
    owed,
    percent,
    rate,
    scaled,
    shares,
    text,
    yuan,
)

from .parse import number


def test_money_by_hand() -> None:
    assert yuan(123456).text == "1,234.56"
    assert yuan(-5).text == "\N{MINUS SIGN}0.05"
    assert yuan(-5).negative
    assert yuan(5, plus=True).text == "+0.05"
    assert yuan(0, plus=True) == Cell("0.00", "num", False)
    assert yuan(None).text == "—"


def test_points_counts_shares_by_hand() -> None:
    assert e4(12_3456).text == "12.3456"
    assert e4(-1).text == "\N{MINUS SIGN}0.0001"
    assert count(1234567).text == "1,234,567"
    assert percent(1234).text == "12.34%"
    assert rate(0.9512).text == "95.12%"
    assert index(1.02).text == "1.0200"
    assert rate(None).text == index(None).text == text(None).text == "—"


@given(st.integers(-(10**15), 10**15))
def test_printed_money_reads_back(fen: int) -> None:
    assert number(yuan(fen, plus=True).text) * 100 == fen
    assert number(e4(fen).text) * 10_000 == fen


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=9))
def test_shares_add_up_to_the_whole(values: list[int]) -> None:
    assert sum(shares(values)) == (10_000 if sum(values) else 0)


def test_shares_by_hand() -> None:
    assert shares([1, 1, 1]) == [3334, 3333, 3333]


@pytest.mark.parametrize(
    ("fens", "lang", "unit", "values"),
    [
        ([123_456_789, -1_000_000], "zh", "scale_wan", [123.456789, -1.0]),
        ([123_456_789, -1_000_000], "en", "scale_thousand", [1234.56789, -10.0]),
        ([12_345], "zh", "scale_yuan", [123.45]),
        ([], "zh", "scale_yuan", []),
    ],
)
def test_units_of_charts(fens: list[int], lang: str, unit: str, values: list[float]) -> None:
    assert scaled(fens, lang) == (unit, values)


@pytest.mark.parametrize(
    ("values", "places"),
    [
        ([], 0),
        ([0.0], 0),
        ([6700.1, -100.0], 0),
        ([624.0, 92.3, 0.0], 1),
        ([5000.0, -9.99], 2),
        ([0.0001], 2),
    ],
)
def test_all_numbers_of_a_chart_have_the_same_decimals(values: list[float], places: int) -> None:
    assert decimals(values) == places


def test_numbers_of_charts_by_hand() -> None:
    assert fixed(1234.5678, 1, plus=True) == "+1,234.6"
    assert fixed(-1234.5678, 2) == "\N{MINUS SIGN}1,234.57"
    assert fixed(0.0, 1, plus=True) == "0.0"
    assert fixed(-0.004, 2) == "0.00", "no sign before nothing"


def test_money_owed_has_no_sign_because_words_say_it() -> None:
    assert owed(-5_05, "returns") == Cell("5.05", "num", True, note="returns")
    assert owed(5_05) == Cell("5.05", "num", False)


@pytest.mark.parametrize(
    ("iso", "shown"),
    [
        ("2027-01-05T08:00:27+00:00", "2027-01-05 08:00 UTC"),
        ("2027-01-05T16:00:27+08:00", "2027-01-05 16:00 UTC+08:00"),
        ("2027-01-05T08:00:27", "2027-01-05 08:00"),
        ("yesterday", "yesterday"),
    ],
)
def test_a_time_says_its_zone(iso: str, shown: str) -> None:
    assert moment(iso) == shown
