"""The hand-drawn charts: well-formed, accessible, escaped, in proportion."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fenzhi.reports import svg
from fenzhi.reports.svg import (
    WIDTH,
    Scale,
    Series,
    Step,
    aria,
    bars,
    columns,
    nice_top,
    ranking,
    shorten,
    text_width,
    tick_places,
    waterfall,
    wrap,
)

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
        ranking(EVIL, [EVIL], [-3.0], Scale(3, 1, EVIL)),
        waterfall(EVIL, [Step(EVIL, 0, 0, 3), Step("b", 3, 0, 3)], [(0, EVIL)], Scale(3, 1, EVIL)),
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
    chart = ranking("t", ["a", "b"], [20.0, -10.0], Scale(20, 1, ""))
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


def _texts(chart: str) -> list[str]:
    return [t.text or "" for t in ElementTree.fromstring(chart).iter(f"{NS}text")]


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("费用过低", 40, ["费用过低"]),
        ("费用过高(可申请特例单议)", 90, ["费用过高", "(可申请特例单议)"]),
        ("points of core groups", 72, ["points of", "core groups"]),
        ("JC-D1 阑尾炎,切除", 80, ["JC-D1 阑尾炎,", "切除"]),
        ("一二三四五六七八", 50, ["一二三四五", "六七八"]),
        ("一二三四五，六七", 50, ["一二三四", "五，六七"]),
        ("一二三四五六七八九十甲乙", 50, ["一二三四五", "六七八九…"]),
    ],
)
def test_long_labels_take_two_lines(text: str, width: float, lines: list[str]) -> None:
    assert wrap(text, width, 10) == lines


@given(st.text(st.sampled_from("医院分值ab12 ,，（()-"), min_size=1, max_size=60), st.floats(30, 200))
def test_wrapped_labels_fit_and_lose_nothing_silently(text: str, width: float) -> None:
    lines = wrap(text, width, 10)
    assert len(lines) <= 2
    assert all(text_width(line, 10) <= width for line in lines)
    if not lines[-1].endswith("…"):
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_a_long_band_is_printed_whole() -> None:
    texts = _texts(
        bars("t", ["费用过高(可申请特例单议)", "正常"], [Series("a", [1, 2]), Series("b", [1, 2])])
    )
    assert "".join(texts[2:4]) == "费用过高(可申请特例单议)"


def test_values_of_one_chart_have_the_same_decimals() -> None:
    assert _texts(bars("t", ["a", "b", "c"], [Series("s", [624.0, 92.3, 0.0])]))[1::2] == [
        "624.0",
        "92.3",
        "0.0",
    ]
    assert _texts(columns("t", ["1"], [Series("s", [9.0])], stacked=False, unit="u"))[2:5] == ["0", "5", "10"]
    assert _texts(columns("t", ["1"], [Series("s", [2.9])], stacked=False, unit="u"))[2:5] == [
        "0.0",
        "1.5",
        "3.0",
    ]


def test_decimals_of_an_axis() -> None:
    assert tick_places([0, 10, 20]) == 0
    assert tick_places([0, 1.5, 3]) == 1
    assert tick_places([0, 0.125, 0.25]) == 3


@settings(deadline=None)
@given(st.lists(st.text("长名称ab (", min_size=1, max_size=40), min_size=1, max_size=5))
def test_bars_and_their_figures_stay_inside_the_chart(names: list[str]) -> None:
    values = [1_234_567.0 * (at + 1) for at in range(len(names))]
    for chart in (
        bars("t", names, [Series("s", values)]),
        ranking("t", names, values, Scale(values[-1], 0, "")),
    ):
        for text in ElementTree.fromstring(chart).iter(f"{NS}text"):
            x, wide = float(text.attrib["x"]), text_width(text.text or "")
            assert x - (wide if text.attrib["text-anchor"] == "end" else 0) >= -0.1
            assert x + (wide if text.attrib["text-anchor"] == "start" else 0) <= WIDTH + 0.1


def test_each_step_of_a_waterfall_begins_where_the_one_before_ended() -> None:
    steps = [Step("in", 0, 0, 8), Step("out", 1, 8, 6), Step("none", 2, 6, 6), Step("fund", 3, 0, 6)]
    chart = waterfall("t", steps, [(0, "in"), (3, "fund")], Scale(8, 1, "x"))
    first, out, none, fund = _rects(chart)[2:]  # after the two swatches
    assert out["x"] + out["width"] == pytest.approx(first["x"] + first["width"], abs=0.2)
    assert out["width"] == pytest.approx(first["width"] / 4, abs=0.2)
    # Nothing is still seen, where it was taken away; the total stands on zero again.
    assert none["width"] == 1
    assert none["x"] == pytest.approx(out["x"], abs=0.2)
    assert fund["x"] == first["x"]
    assert fund["width"] == pytest.approx(first["width"] * 3 / 4, abs=0.2)
    texts = [one.text for one in ElementTree.fromstring(chart).iter(f"{NS}text")]
    assert [text for text in texts if text and text[-1].isdigit()] == [
        "+8.0",
        "\N{MINUS SIGN}2.0",
        "0.0",
        "6.0",
    ]
    assert first["x"] + first["width"] <= WIDTH


def _amounts(chart: str) -> list[tuple[str, str, float]]:
    texts = ElementTree.fromstring(chart).iter(f"{NS}text")
    found = [(one.text or "", one.attrib["text-anchor"], float(one.attrib["x"])) for one in texts]
    return [one for one in found if one[0][-1:].isdigit()]


@pytest.mark.parametrize("share", [0.001, 0.1, 0.25, 0.3, 0.35, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("large", [9.0, 123_456.78])
def test_amounts_of_a_waterfall_stay_inside(share: float, large: float) -> None:
    middle = [large * (1 - share), large * (1 - share) / 2, large * (1 - share) / 3]
    ends = [(0, large), (large, middle[0]), (middle[0], middle[1]), (middle[1], middle[2]), (0, middle[2])]
    steps = [Step("十二个字十二个字十二个字", min(at, 3), a, b) for at, (a, b) in enumerate(ends)]
    amounts = _amounts(waterfall("t", steps, [], Scale(large, 2, "x")))
    assert len(amounts) == 5
    for text, anchor, x in amounts:
        wide = text_width(text)
        left = x - wide if anchor == "end" else x
        assert left + 1e-6 >= 150
        assert left + wide <= WIDTH
