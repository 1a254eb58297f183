"""The yearly statement of one hospital: from its rows of the result tables to what its page shows."""

from __future__ import annotations

from typing import Any

import polars as pl
from markupsafe import Markup

from fenzhi.money import format_e4
from fenzhi.reports import svg
from fenzhi.reports.chapters import chapters_table
from fenzhi.reports.compare_causes import looking_back
from fenzhi.reports.display import (
    DASH,
    Cell,
    Head,
    Table,
    code,
    count,
    decimals,
    e4,
    empty,
    index,
    owed,
    part_of,
    percent,
    scaled,
    shares,
    text,
    yuan,
)
from fenzhi.reports.facts import BANDS, HOSPITAL, NOT_TESTED, grouping_rate
from fenzhi.reports.hospital import Hospital
from fenzhi.reports.parts import departments_table, reviews_table
from fenzhi.reports.remarks import remarks
from fenzhi.reports.steps import kinds_of, steps
from fenzhi.reports.styles import DIP
from fenzhi.reports.tables import RunTables
from fenzhi.reports.tracks import hospital_tracks
from fenzhi.reports.words import Words

TOP_GROUPS = 20
CHART_GROUPS = 8


def context(tables: RunTables, hospital: Hospital, region: pl.DataFrame, words: Words) -> dict[str, Any]:
    """Return what the template ``statement.html`` shows.

    ``region``: band -> cases of the whole region (columns deviation, cases), for comparison.
    """
    bands = band_names(tables, words)
    return {
        "hospital": hospital,
        "sentence": sentence(hospital, words),
        "figures": figures(tables, hospital, words),
        "remarks": remarks(tables, hospital, words),
        "steps": steps(tables, hospital.rows, words),
        "back": looking_back(tables, hospital.code, hospital.rows["pool"].to_list(), words),
        "months": months_table(tables, hospital, words),
        "chapters": None if words.style == DIP else chapters_table(hospital.facts.chapters, tables, words),
        "departments": departments_table(hospital, words),
        "groups": groups_table(hospital, words),
        "deviation": deviation_table(hospital, bands, words),
        "reviews": reviews_table(hospital, words),
        "tracks": hospital_tracks(tables, hospital.code, words),
        "outcomes": outcomes_table(hospital, tables.rule_messages, words),
        "charts": [
            *_month_charts(tables, hospital, words),
            _kinds_chart(hospital, kinds_of(tables), words),
            _deviation_chart(hospital, region, bands, words),
            *_group_charts(hospital, words),
        ],
    }


def figures(tables: RunTables, hospital: Hospital, words: Words) -> list[tuple[str, Cell]]:
    """Return the figures at the head of the page: what the hospital did, then what it gets."""
    cmi = tables.monitoring.filter(pl.col(HOSPITAL) == hospital.code)["cmi"].to_list()
    coefficients = hospital.rows["coefficient_e4"].drop_nulls().unique().sort().to_list()
    clearing = hospital.total("clearing_fen")
    way = "clearing_pays" if clearing > 0 else "clearing_returns" if clearing < 0 else "clearing_none"

    def title(name: str) -> str:
        return words.title("hospitals", name)

    rate = (words.title("monitoring", "grouping_rate"), percent(grouping_rate(hospital.facts.chapters)))
    coefficient = (words("coefficient"), Cell(" / ".join(format_e4(c) for c in coefficients) or DASH, "num"))
    advance = (title("advance_fen"), yuan(hospital.total("advance_fen")))
    work = [
        (title("cases"), count(hospital.total("cases"))),
        (title("points_e4"), e4(hospital.total("points_e4"))),
        (words.title("monitoring", "cmi"), index(cmi[0] if cmi else None)),
    ]
    money = [
        (title("payable_fen"), yuan(hospital.total("payable_fen"))),
        (title("balance_fen"), yuan(hospital.total("balance_fen"), plus=True)),
    ]
    last = (words(way), owed(clearing))
    if words.style == DIP:
        return [*work, coefficient, *money, advance, last]
    # A DRG region looks at the grouping rate; a cost coefficient by group leaves the hospital none of its own.
    cases, *others = work
    if coefficients:
        return [cases, rate, *others, coefficient, *money, last]
    return [cases, rate, *others, *money, advance, last]


def sentence(hospital: Hospital, words: Words) -> str:
    """Return the result in one sentence, amounts without sign because the words say it."""

    def amount(column: str) -> str:
        return yuan(abs(hospital.total(column))).text

    balance, clearing = hospital.total("balance_fen"), hospital.total("clearing_fen")
    compared = "sentence_more" if balance > 0 else "sentence_less" if balance < 0 else "sentence_equal"
    ending = "sentence_due" if clearing > 0 else "sentence_back" if clearing < 0 else "sentence_settled"
    parts = [
        words("sentence_payable", payable=yuan(hospital.total("payable_fen")).text),
        words(compared, balance=amount("balance_fen")),
        words("sentence_advance", advance=yuan(hospital.total("advance_fen")).text),
    ]
    if _some(hospital.rows, "shared_fen"):
        parts.insert(2, words("sentence_final", final=yuan(hospital.total("final_fen")).text))
    for key, name, column in (
        ("sentence_capital", "capital", "working_capital_fen"),
        ("sentence_quarter", "quarter", "quarter_fen"),
        ("sentence_deposit", "deposit", "deposit_fen"),
    ):
        if _some(hospital.rows, column):
            parts.append(words(key, **{name: amount(column)}))
    parts.append(words(ending, clearing=amount("clearing_fen")))
    if _some(hospital.rows, "released_fen"):
        parts.append(words("sentence_released", released=amount("released_fen")))
    return "".join(parts)


def _some(frame: pl.DataFrame, column: str) -> bool:
    """Return whether a column is there and any of its amounts is not zero."""
    return column in frame.columns and bool((frame[column].fill_null(0) != 0).any())


def band_names(tables: RunTables, words: Words) -> dict[str, str]:
    """Return band -> title: the policy's own titles on Chinese pages, else the known names."""
    names = {band: words.name("band", band) for band in (*BANDS, NOT_TESTED)}
    return names | tables.band_titles if words.lang == "zh" else tables.band_titles | names


def months_table(tables: RunTables, hospital: Hospital, words: Words) -> Table:
    """Months of each pool with subtotals, and the total."""
    shown = ["cases", "points_e4", "cost_fen", "booked_fen", "point_value_e4", "due_fen", "deduction_fen"]
    shown += ["advance_fen", *(name for name in ("deposit_fen", "quarter_fen") if _some(tables.months, name))]
    heads = [
        Head(words.title("months", "month"), False),
        *(Head(words.title("months", name)) for name in shown),
    ]
    table = Table("months", words("months"), heads, words("unit_both"))
    show = {"cases": count, "points_e4": e4, "point_value_e4": e4}
    summed = [name for name in shown if name != "point_value_e4"]

    def add(title: str, values: dict[str, Any], part: str = "") -> None:
        cells = [show.get(name, yuan)(values[name]) if name in values else empty() for name in shown]
        table.add(text(title), *cells, part=part)

    titles = tables.pool_titles()
    for pool in hospital.rows["pool"].to_list():
        mine = hospital.months.filter(pl.col("pool") == pool)
        table.add(text(titles.get(pool, pool)), part="part")
        for row in mine.iter_rows(named=True):
            add(words("month", month=row["month"]), row)
        if hospital.rows.height > 1:
            sums = mine.select(pl.col(summed).sum()).row(0, named=True)
            add(words("subtotal", name=titles.get(pool, pool)), sums, "sub")
    add(words("total"), hospital.months.select(pl.col(summed).sum()).row(0, named=True), "total")
    return table


def groups_table(hospital: Hospital, words: Words, top: int = TOP_GROUPS) -> Table:
    """Groups with the largest surplus and deficit, the others in one line, so that the column adds up."""
    sums = ("cases", "cost_fen", "points_e4", "payable_fen", "booked_fen", "balance_fen")
    heads = [Head(words.title("groups", "group_id"), False), Head(words.title("groups", "name"), False)]
    heads += [Head(words.title("groups", name)) for name in ("cases", "cost_fen", "points_e4")]
    heads += [
        Head(words.title("hospitals", "gross_fen")),
        Head(words.title("groups", "booked_fen")),
        Head(words("balance")),
    ]
    table = Table("groups", words("groups"), heads, words("groups_note") + " " + words("unit_both"))

    def add(row: dict[str, Any], *first: Any, part: str = "") -> None:
        cells = [count(row["cases"]), yuan(row["cost_fen"]), e4(row["points_e4"])]
        cells += [yuan(row["payable_fen"]), yuan(row["booked_fen"]), yuan(row["balance_fen"], plus=True)]
        table.add(*first, *cells, part=part)

    groups = hospital.facts.groups
    gain, loss = top_groups(groups, top)
    for key, part in (("groups_gain", gain), ("groups_loss", loss)):
        if part.height:
            table.add(text(words(key, n=part.height)), part="part")
        for row in part.iter_rows(named=True):
            add(row, code(row["group_id"]), text(row["name"] if row["group_id"] else words("no_group")))
    rest = groups.height - gain.height - loss.height
    everything = groups.select(pl.col(sums).sum()).row(0, named=True)
    if rest:
        shown = pl.concat([gain, loss]).select(pl.col(sums).sum()).row(0, named=True)
        left = {name: everything[name] - shown[name] for name in sums}
        add(left, empty(), text(words("groups_rest", n=rest)), part="sub")
    apart = hospital.total("gross_fen") - everything["payable_fen"]
    if apart:
        # The fund pays by pool; what the stays' own rounding leaves is shown, not hidden in a group.
        none = dict.fromkeys(sums, 0) | {"payable_fen": apart, "balance_fen": apart}
        add(none, empty(), text(words("groups_gross")), part="sub")
        everything |= {name: everything[name] + apart for name in ("payable_fen", "balance_fen")}
    add(everything, empty(), text(words("total")), part="total")
    return table


def top_groups(groups: pl.DataFrame, top: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the ``top`` groups with the largest surplus and deficit, the largest first."""
    gain = groups.filter(pl.col("balance_fen") > 0).sort("balance_fen", descending=True, maintain_order=True)
    loss = groups.filter(pl.col("balance_fen") < 0).sort("balance_fen", maintain_order=True)
    return gain.head(top), loss.head(top)


def deviation_table(hospital: Hospital, bands: dict[str, str], words: Words) -> Table:
    """Paid stays by deviation band with their share."""
    heads = [Head(words("deviation"), False), Head(words.title("hospitals", "cases")), Head(words("share"))]
    heads += [Head(words("points")), Head(words("share")), Head(words.title("hospitals", "gross_fen"))]
    table = Table("deviation", words("deviation"), heads, words("deviation_note"))
    frame = hospital.facts.deviation
    parts = [shares(frame["cases"].to_list()), shares([max(v, 0) for v in frame["points_e4"].to_list()])]
    for row, of_cases, of_points in zip(frame.iter_rows(named=True), *parts, strict=True):
        band = row["deviation"]
        cells = [count(row["cases"]), percent(of_cases), e4(row["points_e4"]), percent(of_points)]
        table.add(text(bands.get(band, band)), *cells, yuan(row["payable_fen"]))
    sums = [int(frame[name].sum()) for name in ("cases", "points_e4", "payable_fen")]
    whole = [percent(sum(part)) for part in parts]
    table.add(
        text(words("total")), count(sums[0]), whole[0], e4(sums[1]), whole[1], yuan(sums[2]), part="total"
    )
    for cases, points, payable in hospital.facts.readmitted.select(
        "cases", "points_e4", "payable_fen"
    ).iter_rows():
        of = [part_of(cases, sums[0]), part_of(points, sums[1])]
        table.add(text(words("readmitted")), count(cases), of[0], e4(points), of[1], yuan(payable))
    return table


def outcomes_table(hospital: Hospital, messages: dict[str, str], words: Words) -> Table:
    """Every row that was handed in, by outcome and reason; ``messages``: rule of quality control -> words."""
    heads = [Head(words("outcome"), False), Head(words("reason"), False)]
    heads += [Head(words("rows")), Head(words("share")), Head(words("paid_rows"))]
    table = Table("outcomes", words("outcomes"), heads, words("outcomes_note"))
    frame = hospital.facts.outcomes
    parts = shares(frame["rows"].to_list())
    for row, part in zip(frame.iter_rows(named=True), parts, strict=True):
        reason = reason_words(row["reason"], messages, words)
        cells = [count(row["rows"]), percent(part), count(row["paid"])]
        table.add(text(words.name("outcome", row["outcome"])), text(reason), *cells)
    rows, paid = int(frame["rows"].sum()), int(frame["paid"].sum())
    table.add(text(words("total")), empty(), count(rows), percent(sum(parts)), count(paid), part="total")
    return table


def reason_words(reason: str | None, messages: dict[str, str], words: Words) -> str | None:
    """Return a reason in words: the engine's own reasons and rules, else what the run said, else the code."""
    if reason is None:
        return None
    return words.known("reason", reason) or words.known("rule", reason) or messages.get(reason) or reason


def _month_charts(tables: RunTables, hospital: Hospital, words: Words) -> list[tuple[str, Markup]]:
    titles = tables.pool_titles()
    months = sorted(hospital.months["month"].unique().to_list())
    categories = [str(month) for month in months]

    def by_month(frame: pl.DataFrame, column: str) -> list[int]:
        sums = dict(frame.group_by("month").agg(pl.col(column).sum()).iter_rows())
        return [sums.get(month) or 0 for month in months]

    points = [
        svg.Series(titles.get(pool, pool), [v / 10_000 for v in by_month(mine, "points_e4")])
        for pool in hospital.rows["pool"].to_list()
        for mine in [hospital.months.filter(pl.col("pool") == pool)]
    ]
    due, advance = by_month(hospital.months, "due_fen"), by_month(hospital.months, "advance_fen")
    unit, values = scaled([*due, *advance], words.lang)
    money = [svg.Series(words("due"), values[: len(due)]), svg.Series(words("advance"), values[len(due) :])]
    one, two = words("chart_points_month"), words("chart_money_month")
    return [
        (one, svg.columns(one, categories, points, stacked=True, unit=words("points"))),
        (two, svg.columns(two, categories, money, stacked=False, unit=words(unit))),
    ]


def _kinds_chart(hospital: Hospital, kinds: list[str], words: Words) -> tuple[str, Markup]:
    title = words("chart_kinds")
    names = [words.title("hospitals", f"points_{kind}_e4") for kind in kinds]
    values = [hospital.total(f"points_{kind}_e4") / 10_000 for kind in kinds]
    return title, svg.bars(title, names, [svg.Series(words("points"), values)])


def _deviation_chart(
    hospital: Hospital, region: pl.DataFrame, bands: dict[str, str], words: Words
) -> tuple[str, Markup]:
    title = words("chart_deviation")
    whole: dict[str, int] = dict(region.select("deviation", "cases").iter_rows())
    mine: dict[str, int] = dict(hospital.facts.deviation.select("deviation", "cases").iter_rows())
    series = [
        svg.Series(name, [part / 100 for part in shares([cases.get(band, 0) for band in whole])])
        for name, cases in ((words("this_hospital"), mine), (words("whole_region"), whole))
    ]
    return title, svg.bars(title, [bands.get(band, band) for band in whole], series, suffix="%")


def _group_charts(hospital: Hospital, words: Words) -> list[tuple[str, Markup]]:
    parts = top_groups(hospital.facts.groups, CHART_GROUPS)
    unit, values = scaled([fen for part in parts for fen in part["balance_fen"]], words.lang)
    # Both charts are read side by side: one scale, one number of decimals.
    scale = svg.Scale(max((abs(value) for value in values), default=0.0), decimals(values), words(unit))
    charts = []
    for key, part in zip(("chart_gain", "chart_loss"), parts, strict=True):
        mine, values = values[: part.height], values[part.height :]
        ids = part.select("name", "group_id").iter_rows()
        names = [f"{group} {name or ''}".strip() if group else words("no_group") for name, group in ids]
        if names:
            title = words(key)
            charts.append((title, svg.ranking(title, names, mine, scale)))
    return charts
