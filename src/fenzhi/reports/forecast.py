"""The page of a forecast: the year's end with its intervals, what makes them, and cash by month."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from fenzhi.reports.display import Cell, Head, Table, count, e4, fixed, rate, scaled, text, yuan
from fenzhi.reports.forecast_charts import Span, months, spans
from fenzhi.reports.forecast_texts import ForecastWords
from fenzhi.reports.pages import TEMPLATES
from fenzhi.reports.styles import style_of

#: Hospitals on the page, in a chart.
SHOWN, CHART = 60, 14
START, CLOSE = 0, 13
_SIGNED = ("balance_fen", "shared_fen", "result_fen")


def words_of(summary: Mapping[str, Any], lang: str) -> ForecastWords:
    """Return the words for a forecast, in the terms of the region's scheme."""
    style = style_of(pl.Series([summary["scheme"]]), {"scale": summary["scale"]})
    return ForecastWords(lang, style)


def figure(measure: str, value: int | None) -> Cell:
    """Return a figure of a measure as it is printed."""
    if measure.endswith("_fen"):
        return yuan(value, plus=measure in _SIGNED)
    return e4(value) if measure.endswith("_e4") else count(value)


def forecast_page(summary: Mapping[str, Any], tables: Mapping[str, pl.DataFrame], lang: str) -> str:
    """Return the HTML page of a forecast (its summary and tables, simulation/forecast_columns.py).

    Raises ``OutputError`` REPORT_LANGUAGE for an unknown language.
    """
    w = words_of(summary, lang)
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    region = summary["region"]
    return environment.get_template("forecast.html").render(
        w=w,
        manifest={"run_id": summary["as_of"]},
        synthetic=summary["synthetic"],
        version=summary["fenzhi"],
        css=Markup((TEMPLATES / "page.css").read_text(encoding="utf-8")),
        title=w("title", year=region["year"], name=_name(summary, tables)),
        **context(summary, tables, w),
    )


def context(
    summary: Mapping[str, Any], tables: Mapping[str, pl.DataFrame], w: ForecastWords
) -> dict[str, Any]:
    """Return what the page shows: head, notes, figures, charts as (title, SVG), ``shown`` tables."""
    shown = [_values(tables["values"], w), _months(tables["months"], summary, w)]
    shown.insert(
        1,
        _hospitals(tables["accounts"], w)
        if summary["hospital"] is None
        else _accounts(tables["accounts"], _titles(tables), w),
    )
    shown.append(_drivers(tables["drivers"], _titles(tables), w))
    if "coverage" in tables:
        shown = [*_coverage(tables, summary, w), *shown]
    return {
        "head": _head(summary, w),
        "notes": _notes(summary, w),
        "figures": _figures(tables, summary, w),
        "charts": _charts(tables, summary, w),
        "shown": shown,
    }


def _name(summary: Mapping[str, Any], tables: Mapping[str, pl.DataFrame]) -> str:
    if summary["hospital"] is None:
        return str(summary["region"]["name"])
    return str(tables["accounts"]["fixmedins_name"][0] or summary["hospital"])


def level_text(summary: Mapping[str, Any]) -> str:
    """Return the level of the intervals as per cent."""
    return f"{fixed(summary['level'] * 100, 0)}%"


def _head(summary: Mapping[str, Any], w: ForecastWords) -> list[tuple[str, Any]]:
    return [
        (w("as_of"), summary["as_of"]),
        (w("history"), summary["history_years"]),
        (w("level"), level_text(summary)),
        (w("made"), w("made_how", draws=summary["draws"], seed=summary["seed"])),
    ]


def _notes(summary: Mapping[str, Any], w: ForecastWords) -> list[str]:
    notes = [w("honest")]
    if summary["value_range"] is not None:
        low, high = summary["value_range"]
        notes.insert(0, w("value_given", low=low, high=high))
    return notes


def _titles(tables: Mapping[str, pl.DataFrame]) -> dict[str, str]:
    """Return the titles of the pools."""
    return dict(tables["values"].select("pool", pl.coalesce("title", "pool")).iter_rows())


def _of(table: pl.DataFrame, measure: str) -> dict[str, Any]:
    return table.row(by_predicate=pl.col("measure") == measure, named=True)


def _figures(
    tables: Mapping[str, pl.DataFrame], summary: Mapping[str, Any], w: ForecastWords
) -> list[tuple[str, Cell]]:
    """Return what stands in the row of large figures: the expected year, and each end of the interval."""
    if summary["hospital"] is None:
        rows = tables["values"].filter(pl.col("measure") == "settlement_value_e4").iter_rows(named=True)
        return [
            (
                f"{row['title']} · {w('m.settlement_value_e4')} ({_ends('settlement_value_e4', row)})",
                e4(row["expected"]),
            )
            for row in rows
        ]
    mine = tables["accounts"].filter(pl.col("pool").is_null())
    return [
        (f"{w(f'm.{name}')} ({_ends(name, _of(mine, name))})", figure(name, _of(mine, name)["expected"]))
        for name in ("cases", "cmi_e4", "final_fen", "result_fen")
    ]


def _ends(measure: str, row: Mapping[str, Any]) -> str:
    return f"{figure(measure, row['low']).text} – {figure(measure, row['high']).text}"


def _interval_heads(w: ForecastWords) -> list[Head]:
    return [Head(w("expected")), Head(w("low")), Head(w("high"))]


def _values(values: pl.DataFrame, w: ForecastWords) -> Table:
    table = Table(
        "values",
        w("values"),
        [Head(w("pool"), False), Head(w("measure"), False), *_interval_heads(w)],
        w("values_note"),
    )
    for row in values.iter_rows(named=True):
        ends = [figure(row["measure"], row[end]) for end in ("expected", "low", "high")]
        table.add(text(row["title"]), text(w(f"m.{row['measure']}")), *ends)
    return table


def _accounts(accounts: pl.DataFrame, titles: Mapping[str, str], w: ForecastWords) -> Table:
    """Return every measure of one hospital, all pools first."""
    heads = [Head(w("measure"), False), Head(w("done")), *_interval_heads(w)]
    table = Table("accounts", w("accounts"), heads, w("unit_yuan"))
    for (pool,), part in accounts.group_by("pool", maintain_order=True):
        table.add(text(w("all_pools") if pool is None else titles[str(pool)]), part="part")
        for row in part.iter_rows(named=True):
            name = row["measure"]
            ends = [figure(name, row[end]) for end in ("done", "expected", "low", "high")]
            table.add(text(w(f"m.{name}")), *ends)
    return table


def _by_size(accounts: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
    """Return every hospital's rows over all pools, those with most stays first."""
    whole = accounts.filter(pl.col("pool").is_null())
    size = whole.filter(pl.col("measure") == "cases").sort(
        "expected", "fixmedins_code", descending=[True, False]
    )
    parts = {str(code): part for (code,), part in whole.group_by("fixmedins_code")}
    return [(code, parts[code]) for code in size["fixmedins_code"]]


def _hospitals(accounts: pl.DataFrame, w: ForecastWords) -> Table:
    heads = [
        Head(w("hospital"), False),
        *(Head(w(f"m.{name}")) for name in ("cases", "points_e4", "final_fen", "result_fen", "clearing_fen")),
    ]
    every = _by_size(accounts)
    note = w("unit_yuan")
    if len(every) > SHOWN:
        note += " · " + w("more_hospitals", n=SHOWN, all=len(every))
    table = Table("hospitals", w("hospitals"), heads, note)
    for code, part in every[:SHOWN]:
        cells = []
        for name in ("cases", "points_e4", "final_fen", "result_fen", "clearing_fen"):
            row = _of(part, name)
            cells.append(figure(name, row["expected"])._replace(note=_ends(name, row)))
        table.add(text(part["fixmedins_name"][0] or code), *cells)
    return table


def month_name(month: int, w: ForecastWords) -> str:
    """Return the name of a month, of the start of the year, of its clearing."""
    return w("start") if month == START else w("close") if month == CLOSE else str(month)


def _short(month: int, w: ForecastWords) -> str:
    return w("start_short") if month == START else w("close_short") if month == CLOSE else str(month)


def _one_course(table: pl.DataFrame, summary: Mapping[str, Any]) -> pl.DataFrame:
    hospital = summary["hospital"]
    mine = pl.col("fixmedins_code").is_null() if hospital is None else pl.col("fixmedins_code") == hospital
    return table.filter(mine)


def _months(table: pl.DataFrame, summary: Mapping[str, Any], w: ForecastWords) -> Table:
    names = ("due", "advance", "deposit", "quarter")
    heads = [
        Head(w("month"), False),
        Head(w("m.cases")),
        Head(w("m.points_e4")),
        *(Head(w(n)) for n in names),
        Head(w("cash")),
    ]
    found = Table("months", w("months"), heads, f"{w('months_note')} {w('unit_yuan')}")
    for row in _one_course(table, summary).iter_rows(named=True):
        open_ = row["done"] < 1

        def cell(name: str, low: str, high: str, row: Mapping[str, Any] = row, open_: bool = open_) -> Cell:
            one = figure(name, row[name])
            if not open_ or row[name] is None:
                return one
            return one._replace(note=f"{figure(name, row[low]).text} – {figure(name, row[high]).text}")

        found.add(
            text(month_name(row["month"], w)),
            cell("cases", "cases_low", "cases_high"),
            cell("points_e4", "points_low_e4", "points_high_e4"),
            *(yuan(row[f"{name}_fen"]) for name in names),
            cell("cash_fen", "cash_low_fen", "cash_high_fen"),
        )
    return found


def _drivers(table: pl.DataFrame, titles: Mapping[str, str], w: ForecastWords) -> Table:
    names = ("volume", "mix", "value", "ratio", "rest")
    heads = [Head(w("measure"), False), *(Head(w(f"d.{name}")) for name in names)]
    found = Table("drivers", w("drivers"), heads, w("drivers_note"))
    for (code, pool), part in table.group_by("fixmedins_code", "pool", maintain_order=True):
        shares = dict(part.select("driver", "share").iter_rows())
        who = (
            f"{w('of_value')} · {titles[str(pool)]}"
            if code is None
            else f"{w('of_amount')} · {part['fixmedins_name'][0] or code}"
        )
        found.add(text(who), *(rate(shares.get(name)) for name in names))
    return found


def _coverage(
    tables: Mapping[str, pl.DataFrame], summary: Mapping[str, Any], w: ForecastWords
) -> list[Table]:
    heads = [Head(w("measure"), False), Head(w("of_hospitals")), Head(w("covered")), Head(w("share"))]
    note = w("coverage_note", as_of=summary["as_of"], level=level_text(summary))
    counted = Table("coverage", w("coverage"), heads, note)
    for row in tables["coverage"].iter_rows(named=True):
        counted.add(
            text(w(f"m.{row['measure']}")), count(row["hospitals"]), count(row["inside"]), rate(row["share"])
        )
    heads = [
        Head(w("pool"), False),
        Head(w("measure"), False),
        Head(w("truth")),
        *_interval_heads(w),
        Head(w("covered"), False),
    ]
    pools = Table("truth", w("truth"), heads)
    for row in tables["backtest"].filter(pl.col("fixmedins_code").is_null()).iter_rows(named=True):
        name = row["measure"]
        ends = [figure(name, row[end]) for end in ("truth", "expected", "low", "high")]
        pools.add(
            text(row["pool"]),
            text(w(f"m.{name}")),
            *ends,
            text(w("inside_yes" if row["inside"] else "inside_no")),
        )
    return [counted, pools]


def _three(amounts: list[float], at: int) -> tuple[float, float, float]:
    return amounts[3 * at], amounts[3 * at + 1], amounts[3 * at + 2]


def _charts(
    tables: Mapping[str, pl.DataFrame], summary: Mapping[str, Any], w: ForecastWords
) -> list[tuple[str, Markup]]:
    course = _one_course(tables["months"], summary)
    names = (w("legend_done"), w("legend_expected"), w("legend_interval"))
    rows = [row for row in course.iter_rows(named=True) if row["cases"] is not None]
    stays = [Span(str(r["month"]), r["cases"], r["cases_low"], r["cases_high"], r["done"] >= 1) for r in rows]
    cash = list(course.iter_rows(named=True))
    columns = ("cash_fen", "cash_low_fen", "cash_high_fen")
    unit, amounts = scaled([row[name] for row in cash for name in columns], w.lang)
    money = [Span(_short(r["month"], w), *_three(amounts, at), r["done"] >= 1) for at, r in enumerate(cash)]
    values = [
        Span(r["title"], r["expected"] / 10_000, r["low"] / 10_000, r["high"] / 10_000)
        for r in tables["values"].filter(pl.col("measure") == "settlement_value_e4").iter_rows(named=True)
    ]
    found = [
        (w("chart_values"), spans(w("chart_values"), values, w("scale_yuan"))),
        (w("chart_months"), months(w("chart_months"), stays, w("axis_stays"), names)),
        (w("chart_cash"), months(w("chart_cash"), money, w(unit), names)),
    ]
    if summary["hospital"] is None:
        shown = [(code, part, _of(part, "result_fen")) for code, part in _by_size(tables["accounts"])[:CHART]]
        unit, amounts = scaled(
            [row[end] for _, _, row in shown for end in ("expected", "low", "high")], w.lang
        )
        bars = [
            Span(part["fixmedins_name"][0] or code, *_three(amounts, at))
            for at, (code, part, _) in enumerate(shown)
        ]
        found.append((w("chart_results"), spans(w("chart_results"), bars, w(unit), signed=True)))
    return found
