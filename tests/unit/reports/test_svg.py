"""The hand-drawn charts: well-formed, accessible, escaped, in proportion."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fenzhi.reports import svg
from fenzhi.reports.svg import Series, aria, bars, columns, nice_top, ranking, shorten, text_width

NS = "{http://www.w3.org/2000/svg}"
EVIL = "<script>&\"'"


def _rects(chart: str) -> list[dict[str, float]]:
    keys = ("x", "y", "width", "height")
    return [
        {key: float(r.attrib[key]) for key in keys} for r in ElementTree.fromstring(chart).iter(f"{NS}rect")
    ]


@pytest.mark.parametrize(
    "chart",
    [
        columns(EVIL, ["1", EVIL], [Series(EVIL, [1, 2]), Series("b", [0, 5])], stacked=True, unit=EVIL),
        columns(EVIL, ["1"], [Series(EVIL, [-3])], stacked=False, unit=EVIL),
        bars(EVIL, [EVIL], [Series(EVIL, [3])]),
        ranking(EVIL, [EVIL], [-3.0], largest=3, unit=EVIL),
        columns("none", [], [], stacked=True, unit=""),
        bars("none", [], [Series("a", [])]),
    ],
)
def test_charts_are_well_formed_and_accessible(chart: str) -> None:
    root = ElementTree.fromstring(chart)
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"] == root.findtext(f"{NS}title")
    assert "<script" not in chart


def test_stacked_columns_stand_on_each_other() -> None:
    chart = columns("t", ["1"], [Series("a", [2.0]), Series("b", [2.0])], stacked=True, unit="")
    low, high = _rects(chart)[2:]  # after the two swatches
    assert low["height"] == high["height"] == 75  # 150 high for a top of 4: two are half of it
    assert high["y"] + high["height"] == low["y"]


def test_bars_are_in_proportion() -> None:
    one, two = _rects(bars("t", ["a", "b"], [Series("s", [50.0, 100.0])]))
    assert two["width"] == 2 * one["width"]


def test_ranking_prints_signs() -> None:
    chart = ranking("t", ["a", "b"], [20.0, -10.0], largest=20, unit="")
    assert ">+20.0<" in chart
    assert ">\N{MINUS SIGN}10.0<" in chart
    one, two = _rects(chart)
    assert one["width"] == 2 * two["width"]


@pytest.mark.parametrize(
    ("value", "top"), [(0, 1), (1, 1), (9, 10), (11, 20), (2500, 3000), (0.03, 0.03), (81, 100)]
)
def test_nice_top_by_hand(value: float, top: float) -> None:
    assert nice_top(value) == pytest.approx(top)


@given(st.floats(1e-6, 1e15))
def test_nice_top_holds_the_value(value: float) -> None:
    assert value <= nice_top(value) * (1 + 1e-9)
    assert nice_top(value) <= value * 2.01


def test_text_is_measured_and_cut() -> None:
    assert text_width("医a", 10) == pytest.approx(15.6)
    assert shorten("医院", 20, 10) == "医院"
    assert shorten("医院医院", 30, 10) == "医院…"
    assert shorten("医院医院", 29, 10) == "医…"
    assert text_width(shorten("长" * 50, 100)) <= 100


def test_foreign_charts_get_a_title_and_their_own_ids() -> None:
    chart = aria(
        '<svg width="9" viewBox="0 0 9 9"><g id="c"/><use href="#c"/><g clip-path="url(#c)"/></svg>',
        EVIL,
        "p-",
    )
    root = ElementTree.fromstring(chart)
    assert root.attrib["aria-label"] == EVIL
    assert root.attrib["viewBox"] == "0 0 9 9"
    assert chart.count("p-c") == 3


def test_colours_of_neighbours_differ() -> None:
    assert len(set(svg.SERIES)) == len(svg.SERIES)
