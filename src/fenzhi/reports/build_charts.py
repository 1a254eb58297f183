"""The charts of a built catalogue: coverage, spread before and after trimming, costs of single groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import polars as pl
from markupsafe import Markup

from fenzhi.reports.build_texts import BuildWords
from fenzhi.reports.charts import LABEL, WIDTH, names_axis, render, values_of
from fenzhi.reports.svg import ACCENT, INK, MUTED, SERIES, WARN, shorten

#: Bounds of the columns of coefficients of variation; above the last one is one more.
STEPS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.25, 1.5, 2.0)
#: Points of the coverage curve at most.
POINTS = 400


def build_charts(
    tables: Mapping[str, pl.DataFrame], threshold: int, w: BuildWords
) -> list[tuple[str, Markup]]:
    """Return title and SVG of every chart for which there are figures."""
    spread = tables["spread"]
    made = [
        ("chart_coverage", _coverage(tables["coverage"], threshold, w)),
        ("chart_cv", _cv(tables["weights"], w)),
        ("chart_largest", _spread(spread.filter(pl.col("why") == "largest"), w)),
        ("chart_scattered", _spread(spread.filter(pl.col("why") == "scattered"), w)),
    ]
    return [
        (w(key), render(chart, w(key), f"b{at}-"))
        for at, (key, chart) in enumerate(made)
        if chart is not None
    ]


def _thinned(frame: pl.DataFrame) -> pl.DataFrame:
    """Return at most about :data:`POINTS` rows, the first and the last among them."""
    if frame.height <= POINTS:
        return frame
    return frame[sorted({*range(0, frame.height, -(-frame.height // POINTS)), frame.height - 1})]


def _coverage(curve: pl.DataFrame, threshold: int, w: BuildWords) -> Any:
    if curve.is_empty():
        return None
    rows = [
        {"at": at, "share": share / 100, "groups": groups}
        for at, share, groups in _thinned(curve).select("threshold", "share_e4", "groups").iter_rows()
    ]
    top = int(curve.select(pl.col("threshold").max()).item())
    scale = alt.Scale(type="log", domain=[1, max(top, 2)], nice=False)
    x = alt.X("at:Q", title=w("axis_threshold"), scale=scale, axis=alt.Axis(format="~s", tickCount=8))
    percent = alt.Axis(tickCount=5, labelExpr="datum.label + '%'")
    y = alt.Y("share:Q", title=w("axis_share"), scale=alt.Scale(domain=[0, 100]), axis=percent)
    line = alt.Chart(values_of(rows)).mark_line(color=ACCENT, strokeWidth=2, interpolate="step-before")
    reached = curve.filter(pl.col("threshold") >= threshold)
    share = int(reached.select(pl.col("share_e4").max()).item() or 0) / 100
    text = w("chosen_threshold", n=f"{threshold:,}", share=f"{share:.2f}%")
    chosen = alt.Chart(values_of([{"at": min(threshold, max(top, 2)), "share": share, "text": text}]))
    mark = chosen.mark_rule(color=WARN, strokeDash=[4, 3]).encode(x="at:Q")
    dot = chosen.mark_point(color=WARN, filled=True, size=60).encode(x="at:Q", y="share:Q")
    said = chosen.mark_text(align="left", dx=8, dy=-12, color=INK, fontSize=12).encode(
        x="at:Q", y="share:Q", text="text:N"
    )
    return alt.layer(line.encode(x=x, y=y), mark, dot, said).properties(width=WIDTH - 80, height=260)


def _cv(weights: pl.DataFrame, w: BuildWords) -> Any:
    used = weights.filter(pl.col("cases") > 1)
    if used.is_empty():
        return None
    names = [f"≤{step:g}" for step in STEPS] + [f">{STEPS[-1]:g}"]
    rows = []
    for column, title in (("cv_before", w("before")), ("cv", w("after"))):
        values = used[column].drop_nulls()
        below = [int((values <= step).sum()) for step in STEPS] + [values.len()]
        counts = [n - before for n, before in zip(below, [0, *below[:-1]], strict=True)]
        rows += [
            {"at": at, "name": name, "when": title, "n": n}
            for at, (name, n) in enumerate(zip(names, counts, strict=True))
        ]
    colour = alt.Color(
        "when:N",
        sort=None,
        scale=alt.Scale(domain=[w("before"), w("after")], range=[SERIES[1], SERIES[0]]),
        legend=alt.Legend(symbolType="square", labelLimit=0),
    )
    return (
        alt.Chart(values_of(rows))
        .mark_bar()
        .encode(
            x=alt.X("name:N", sort=None, title=w("cv"), axis=alt.Axis(labelAngle=0, ticks=False)),
            xOffset=alt.XOffset("when:N", sort=None),
            y=alt.Y("n:Q", title=w("axis_groups"), axis=alt.Axis(tickCount=5)),
            color=colour,
        )
        .properties(width=WIDTH - 80, height=240)
    )


def _spread(groups: pl.DataFrame, w: BuildWords) -> Any:
    shown = groups.filter(pl.col("max_fen") > 0)
    if shown.is_empty():
        return None
    rows = []
    for at, row in enumerate(shown.iter_rows(named=True)):
        name = shorten(f"{row['group_id']} {row['name'] or ''}".strip(), LABEL - 10, 12)
        # A logarithm needs something above nothing.
        costs = {
            key: max(row[f"{key}_fen"], 100) / 100
            for key in ("low", "high", "p05", "p25", "p50", "p75", "p95")
        }
        rows.append({"at": at, "name": name, **costs})
    y, wide = names_axis(rows)
    base = alt.Chart(values_of(rows)).encode(y=y)

    def across(low: str, high: str, **mark: Any) -> Any:
        x = alt.X(f"{low}:Q", title=w("axis_yuan"), scale=alt.Scale(type="log"), axis=alt.Axis(format="~s"))
        return base.mark_bar(**mark).encode(x=x, x2=f"{high}:Q")

    band = across("low", "high", height={"band": 0.8}, color="#e8eef0")
    whisker = across("p05", "p95", height=2, color=MUTED)
    box = across("p25", "p75", height={"band": 0.4}, color=ACCENT)
    middle = base.mark_tick(color=WARN, thickness=2, size=14).encode(x="p50:Q")
    return alt.layer(band, whisker, box, middle).properties(width=WIDTH - wide, height=alt.Step(24))
