"""The overview: the year of one hospital, or of the region, from the parts of statement and region page."""

from __future__ import annotations

from urllib.parse import urlencode

import polars as pl

from fenzhi.reports import region_page, statement
from fenzhi.reports.display import Head, Table, count, e4, percent, shares, text, yuan
from fenzhi.reports.facts import by_level
from fenzhi.reports.statement import band_names
from fenzhi.server.section import Picture, Section, placed
from fenzhi.server.year import Year

#: Key of a chart's title -> the chart's name, and the table that holds its figures.
OF_HOSPITAL = {
    "chart_points_month": ("points-months", "months"),
    "chart_money_month": ("money-months", "months"),
    "chart_kinds": ("kinds", "steps"),
    "chart_deviation": ("bands", "deviation"),
    "chart_gain": ("groups-gain", "groups"),
    "chart_loss": ("groups-loss", "groups"),
}
OF_REGION = {
    "chart_hospitals": ("balances", "hospitals"),
    "chart_chapters": ("chapter-balances", "chapters"),
    "chart_groups": ("group-balances", "groups"),
    "chart_levels": ("level-bands", "levels"),
    "chart_months": ("pool-months", "months"),
}


def overview(year: Year, code: str | None) -> Section:
    """Return the overview of a hospital, or of the region (None)."""
    return _region(year) if code is None else _hospital(year, code)


def _hospital(year: Year, code: str) -> Section:
    words, hospital = year.words, year.hospital(code)
    shown = statement.context(year.tables, hospital, year.bands(), words)
    names = {words(key): place for key, place in OF_HOSPITAL.items()}
    pictures = [Picture(names[title][0], title, svg, names[title][1]) for title, svg in shown["charts"]]
    tables = [
        *(shown[key] for key in ("steps", "months", "groups", "chapters", "deviation", "reviews", "tracks")),
        *shown["back"],
        shown["outcomes"],
    ]
    blocks = placed(tables, pictures)
    return Section("overview", shown["sentence"], shown["figures"], blocks, shown["remarks"])


def _region(year: Year) -> Section:
    words, tables, facts = year.words, year.tables, year.facts()
    shown = region_page.context(tables, facts, words, lambda code: f"?{urlencode({'hospital': code})}")
    names = {words(key): place for key, place in OF_REGION.items()}
    pictures = [Picture(names[title][0], title, svg, names[title][1]) for title, svg in shown["charts"]]
    order = ("pools", "values", "budget", "changes", "tracks", "hospitals", "chapters", "groups")
    pictures += [
        Picture(f"flow-{at}", title, svg, "budget") for at, (title, svg) in enumerate(shown["flows"], 1)
    ]
    more = [_levels(year), _months(year), *(shown[key] for key in ("monitoring", "review", "quality"))]
    blocks = placed([*(shown[key] for key in order), *more, shown["ledger"]], pictures)
    return Section("overview", shown["sentence"], shown["figures"], blocks)


def _levels(year: Year) -> Table:
    """Return paid stays by level and deviation band, the figures of a chart of the region."""
    words = year.words
    frame, titles = by_level(year.tables, year.facts().deviation), band_names(year.tables, words)
    heads = [Head(words("level"), False), Head(words("deviation"), False)]
    heads += [Head(words.title("hospitals", "cases")), Head(words("share"))]
    table = Table("levels", words("levels_table"), heads)
    for (level,), part in frame.partition_by("level", as_dict=True, maintain_order=True).items():
        cases = part["cases"].to_list()
        for band, stays, of in zip(part["deviation"], cases, shares(cases), strict=True):
            table.add(
                text(words.name("level", level)), text(titles.get(band, band)), count(stays), percent(of)
            )
    return table


def _months(year: Year) -> Table:
    """Return points and advances of the pools by month, the figures of a chart of the region."""
    words, titles = year.words, year.tables.pool_titles()
    names = ("cases", "points_e4", "booked_fen", "due_fen", "advance_fen")
    heads = [Head(words.title("months", "pool"), False), Head(words.title("months", "month"), False)]
    heads += [Head(words.title("months", name)) for name in names]
    table = Table("months", words("months"), heads, words("unit_both"))
    frame = year.tables.months.group_by("pool", "month").agg(pl.col(names).sum()).sort("pool", "month")
    show = {"cases": count, "points_e4": e4}
    for row in frame.iter_rows(named=True):
        cells = [show.get(name, yuan)(row[name]) for name in names]
        pool = titles.get(row["pool"], row["pool"])
        table.add(text(pool), text(words("month", month=row["month"])), *cells)
    return table
