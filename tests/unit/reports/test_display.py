"""Figures as printed, by hand and by property."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fenzhi.reports.display import Cell, count, e4, index, percent, rate, scaled, shares, short, text, yuan

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


def test_short_numbers() -> None:
    assert [short(v) for v in (0, 1.234, -12.34, 1234.5)] == ["0", "1.23", "\N{MINUS SIGN}12.3", "1,234"]
