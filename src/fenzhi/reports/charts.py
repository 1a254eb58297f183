"""The charts of the region page: altair, rendered to SVG offline, in the palette of the pages.

altair takes a second to load, so this module is imported only when a region page is made.
"""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl
import vl_convert
from markupsafe import Markup

from fenzhi.reports.chapters import by_chapter
from fenzhi.reports.display import decimals, fixed, scaled, shares
from fenzhi.reports.facts import Facts, by_level, hospital_totals
from fenzhi.reports.statement import band_names, top_groups
from fenzhi.reports.styles import DIP
from fenzhi.reports.svg import ACCENT, FONT, INK, MUTED, RULE, SERIES, WARN, aria, shorten, text_width
from fenzhi.reports.tables import RunTables
from fenzhi.reports.words import Words

TOP_HOSPITALS = 30
TOP_GROUPS = 15
WIDTH = 900
#: The most that names beside lying bars may take of ``WIDTH``; longer ones are cut.
LABEL = 300
LEVEL = 80
#: Lightness falls with the distance from normal; the order is that of ``facts.BANDS``, then not tested.
BAND_COLOURS = ("#e0cb95", "#a9c6d3", "#d99a8c", "#bf6a58", "#b9aed0", "#a8bfa0", "#d5d7d1")


def region_charts(tables: RunTables, facts: Facts, words: Words) -> list[tuple[str, Markup]]:
    """Return title and SVG of every chart for which the run has figures, in the order of the page."""
    made = [
        ("chart_hospitals", _hospitals(tables, words)),
        ("chart_chapters", _chapters(tables, facts, words)),
        ("chart_groups", _groups(tables, words)),
        ("chart_levels", _levels(tables, facts, words)),
        ("chart_months", _months(tables, words)),
    ]
    return [
        (words(key), render(chart, words(key), f"r{n}-"))
        for n, (key, chart) in enumerate(made)
        if chart is not None
    ]


def render(chart: Any, title: str, prefix: str) -> Markup:
    """Return a chart as SVG in the look of the pages; its ids begin with ``prefix``."""
    axis = {
        "labelColor": INK,
        "titleColor": MUTED,
        "gridColor": RULE,
        "domainColor": MUTED,
        "tickColor": RULE,
    }
    look = chart.configure(font=FONT.replace("'", ""), background="transparent", aria=False)
    look = look.configure_axis(
        **axis, labelFontSize=12, titleFontSize=12, titleFontWeight="normal", labelPadding=6, labelFlush=False
    ).configure_view(stroke=None)
    look = look.configure_legend(labelFontSize=12, labelColor=INK, orient="top", title=None)
    look = look.configure_header(labelFontSize=13, labelColor=INK, labelFontWeight="bold", title=None)
    return aria(vl_convert.vegalite_to_svg(look.to_dict()), title, prefix)


def values_of(rows: list[dict[str, Any]]) -> Any:
    """Return rows as the data of a chart, inside it."""
    return alt.InlineData(values=rows)


def names_axis(rows: list[dict[str, Any]]) -> tuple[Any, float]:
    """Return the axis of names and its width; names and bars together are always ``WIDTH`` wide.

    The axis counts positions, so that two hospitals of one name stay two bars.
    """
    names = {str(row["at"]): row["name"] for row in rows}
    wide = min(max(text_width(name, 12) for name in names.values()) + 16, LABEL)
    axis = alt.Axis(
        labelExpr=_lookup(names),
        ticks=False,
        domain=False,
        labelLimit=LABEL,
        minExtent=wide,
        maxExtent=wide,
    )
    return alt.Y("at:O", title=None, axis=axis), wide


def _lying(rows: list[dict[str, Any]], unit: str) -> Any:
    """Return diverging bars; rows: at (order), name, value, text, side (``up`` or ``down``)."""
    y, wide = names_axis(rows)
    base = alt.Chart(values_of(rows)).encode(y=y)
    low, high = min(0.0, *(r["value"] for r in rows)), max(0.0, *(r["value"] for r in rows))
    room = (high - low) * 0.13 or 1.0
    scale = alt.Scale(domain=[low - room if low < 0 else 0, high + room if high > 0 else 0], nice=False)
    x = alt.X("value:Q", title=unit, scale=scale, axis=alt.Axis(tickCount=6))
    colour = alt.Color("side:N", scale=alt.Scale(domain=["up", "down"], range=[ACCENT, WARN]), legend=None)
    text: Any = {"fontSize": 11, "color": MUTED}
    left = base.transform_filter("datum.side == 'up'").mark_text(align="left", dx=5, **text)
    right = base.transform_filter("datum.side == 'down'").mark_text(align="right", dx=-5, **text)
    ends = [side.encode(x=x, text="text:N") for side in (left, right)]
    zero = alt.Chart(values_of([{"value": 0}])).mark_rule(color=MUTED).encode(x="value:Q")
    bars = base.mark_bar(height={"band": 0.62}).encode(x=x, color=colour)
    return alt.layer(bars, *ends, zero).properties(width=WIDTH - wide, height=alt.Step(22))


def _lookup(names: dict[str, str]) -> str:
    """Return a Vega expression from position to name; the names go in as JSON text, never as code."""
    return f"({pl.Series([names]).struct.json_encode()[0]})[datum.value]"


def _balance_rows(names: list[str], fens: list[int], lang: str) -> tuple[str, list[dict[str, Any]]]:
    unit, values = scaled(fens, lang)
    places = decimals(values)
    return unit, [
        {
            "at": at,
            "name": shorten(name, LABEL - 10, 12),
            "value": value,
            "text": fixed(value, places, plus=True),
            "side": "up" if value >= 0 else "down",
        }
        for at, (name, value) in enumerate(zip(names, values, strict=True))
    ]


def _hospitals(tables: RunTables, words: Words) -> Any:
    totals = hospital_totals(tables).sort(pl.col("balance_fen").abs(), descending=True, maintain_order=True)
    shown = totals.head(TOP_HOSPITALS).sort("balance_fen", descending=True, maintain_order=True)
    if not shown.height:
        return None
    codes = shown["fixmedins_code"].to_list()
    names = [name or code for name, code in zip(shown["fixmedins_name"], codes, strict=True)]
    printed = [shorten(name, LABEL - 10, 12) for name in names]
    # Names that look alike once they are cut get the code in front, which tells them apart.
    names = [
        f"{code} {name}" if printed.count(cut) > 1 else name
        for code, name, cut in zip(codes, names, printed, strict=True)
    ]
    unit, rows = _balance_rows(names, shown["balance_fen"].to_list(), words.lang)
    return _lying(rows, words(unit))


def _groups(tables: RunTables, words: Words) -> Any:
    gain, loss = top_groups(region_groups(tables), TOP_GROUPS)
    shown = pl.concat([gain, loss.reverse()])
    if not shown.height:
        return None
    names = [f"{group} {name or ''}".strip() for name, group in shown.select("name", "group_id").iter_rows()]
    unit, rows = _balance_rows(names, shown["balance_fen"].to_list(), words.lang)
    return _lying(rows, words(unit))


def _chapters(tables: RunTables, facts: Facts, words: Words) -> Any:
    found = [] if words.style == DIP else by_chapter(facts.chapters, tables)
    if not found:
        return None
    named = [
        (f"{code} {name or ''}".strip(), int((part["payable_fen"] - part["booked_fen"]).sum()))
        for code, name, part in found
    ]
    named.sort(key=lambda one: -one[1])
    unit, rows = _balance_rows([name for name, _ in named], [fen for _, fen in named], words.lang)
    return _lying(rows, words(unit))


def region_groups(tables: RunTables) -> pl.DataFrame:
    """Return the groups of the year with ``balance_fen``, payable before assessment minus booked."""
    used = tables.groups.filter(pl.col("cases") > 0)
    balance = pl.col("payable_fen").fill_null(0) - pl.col("booked_fen").fill_null(0)
    return used.with_columns(balance.alias("balance_fen")).sort("group_id")


def _levels(tables: RunTables, facts: Facts, words: Words) -> Any:
    frame = by_level(tables, facts.deviation)
    titles = band_names(tables, words)
    bands = list(dict.fromkeys([*(b for b in titles if b in set(frame["deviation"])), *frame["deviation"]]))
    rows = []
    for (level,), part in frame.partition_by("level", as_dict=True, maintain_order=True).items():
        cases = dict(part.select("deviation", "cases").iter_rows())
        for at, (band, share) in enumerate(zip(bands, shares([cases.get(b, 0) for b in bands]), strict=True)):
            text = f"{share / 100:.1f}%" if share >= 600 else ""
            rows.append(
                {
                    "level": words.name("level", level),
                    "band": titles.get(band, band),
                    "at": at,
                    "share": share / 100,
                    "text": text,
                }
            )
    if not rows:
        return None
    colour = dict(
        zip((*titles, *(b for b in bands if b not in titles)), (*BAND_COLOURS, *SERIES * 4), strict=False)
    )
    scale = alt.Scale(domain=[titles.get(b, b) for b in bands], range=[colour[b] for b in bands])
    axis = alt.Axis(ticks=False, domain=False, minExtent=LEVEL, maxExtent=LEVEL)
    percent = alt.Axis(tickCount=5, labelExpr="datum.label + '%'")
    base = alt.Chart(values_of(rows)).encode(
        y=alt.Y("level:N", title=None, sort=None, axis=axis),
        x=alt.X("share:Q", stack="zero", title=None, scale=alt.Scale(domain=[0, 100]), axis=percent),
        order="at:O",
    )
    bars = base.mark_bar(height={"band": 0.62}).encode(
        color=alt.Color(
            "band:N", sort=None, scale=scale, title=None, legend=alt.Legend(symbolType="square", labelLimit=0)
        )
    )
    middle = base.mark_text(fontSize=11, color=INK, dx=-6, align="right").encode(text="text:N")
    return alt.layer(bars, middle).properties(width=WIDTH - LEVEL, height=alt.Step(36))


def _months(tables: RunTables, words: Words) -> Any:
    titles = tables.pool_titles()
    frame = (
        tables.months.group_by("pool", "month")
        .agg(pl.col("points_e4", "advance_fen").sum())
        .sort("pool", "month")
    )
    if not frame.height:
        return None
    unit, money = scaled(frame["advance_fen"].to_list(), words.lang)
    rows = [
        {
            "pool": titles.get(row["pool"], row["pool"]),
            "month": row["month"],
            "points": row["points_e4"] / 10_000,
            "money": m,
        }
        for row, m in zip(frame.iter_rows(named=True), money, strict=True)
    ]
    names = [titles[pool] for pool in tables.pool_ids()]
    legend = alt.Legend(symbolType="stroke", symbolSize=320, symbolStrokeWidth=2, labelLimit=0)
    colour = alt.Color(
        "pool:N", scale=alt.Scale(domain=names, range=list(SERIES[: len(names)])), legend=legend
    )
    dash = alt.StrokeDash("pool:N", scale=alt.Scale(domain=names), legend=legend)
    base = alt.Chart(values_of(rows)).encode(
        x=alt.X("month:O", title=None, axis=alt.Axis(labelAngle=0, ticks=False))
    )

    def panel(field: str, title: str) -> Any:
        axis = alt.Axis(tickCount=5, domain=False, minExtent=80, maxExtent=80)
        y = alt.Y(f"{field}:Q", title=None, axis=axis)
        head = alt.TitleParams(title, anchor="start", fontSize=12, fontWeight="normal", color=MUTED)
        marks = base.mark_line(strokeWidth=2, point=alt.OverlayMarkDef(filled=True, size=36, opacity=1))
        drawn = marks.encode(y=y, color=colour, strokeDash=dash)
        return drawn.properties(width=WIDTH // 2 - 100, height=230, title=head)

    return alt.hconcat(
        panel("points", words("points")), panel("money", f"{words('advance')} ({words(unit)})"), spacing=40
    )
