"""The page of the region: pools, budget, hospitals, groups, monitoring, quality, ledger, sources."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from fenzhi.reports.budget import budget_table, changes_table, pictures
from fenzhi.reports.chapters import chapters_table
from fenzhi.reports.display import (
    Cell,
    Head,
    Table,
    code,
    count,
    e4,
    index,
    percent,
    rate,
    text,
    yuan,
)
from fenzhi.reports.facts import HOSPITAL, Facts, case_mix, grouping_rate, hospital_totals
from fenzhi.reports.pools import pools_table, values_table
from fenzhi.reports.statement import top_groups
from fenzhi.reports.styles import DIP
from fenzhi.reports.tables import RunTables
from fenzhi.reports.tracks import track_lines
from fenzhi.reports.words import Words

TOP_GROUPS = 15
#: Amounts of hospitals that are shown only where there are any.
SELDOM = ("shared_fen", "quarter_fen", "deposit_fen")


def context(tables: RunTables, facts: Facts, words: Words, link: Callable[[str], str]) -> dict[str, Any]:
    """Return what the template ``region.html`` shows; ``link`` makes the address of a statement."""
    from fenzhi.reports.charts import region_charts, region_groups

    totals = hospital_totals(tables)
    names = ("fund_fen", "payable_fen", "booked_fen", "balance_fen")
    money = {name: int(tables.pools[name].sum()) for name in names if name != "balance_fen"}
    money["balance_fen"] = money["payable_fen"] - money["booked_fen"]
    title = {"fund_fen": words.title("pools", "fund_fen")} | {
        n: words.title("hospitals", n) for n in names[1:]
    }
    return {
        "sentence": _sentence(totals.height, int(tables.pools["cases"].sum()), money, words),
        "figures": [
            *((title[name], yuan(money[name], plus=name == "balance_fen")) for name in names),
            *_drg_figures(tables, facts, words),
        ],
        "pools": pools_table(tables, words),
        "values": values_table(tables, words),
        "budget": budget_table(tables, words),
        "changes": changes_table(tables, words),
        "flows": pictures(tables, words),
        "hospitals": hospitals_table(totals, words, link),
        "chapters": None if words.style == DIP else chapters_table(facts.chapters, tables, words),
        "groups": groups_table(region_groups(tables), words),
        "monitoring": monitoring_table(tables, totals, words),
        "review": None if tables.review is None else review_table(tables.review, words),
        "quality": quality_table(tables, words),
        "tracks": track_lines(tables, words),
        "ledger": ledger_table(tables, words),
        "charts": region_charts(tables, facts, words),
    }


def _drg_figures(tables: RunTables, facts: Facts, words: Words) -> list[tuple[str, Cell]]:
    """Return grouping rate and case mix of the region, which a DRG region looks at first."""
    if words.style == DIP:
        return []
    scale = int(tables.manifest["policy"].get("scale", 1))
    return [
        (words.title("monitoring", "grouping_rate"), percent(grouping_rate(facts.chapters))),
        (words.title("monitoring", "cmi"), e4(case_mix(facts.chapters, scale))),
    ]


def _sentence(hospitals: int, cases: int, money: dict[str, int], words: Words) -> str:
    balance = money["balance_fen"]
    compared = "region_more" if balance > 0 else "region_less" if balance < 0 else "region_equal"
    fund, payable = (yuan(money[name]).text for name in ("fund_fen", "payable_fen"))
    start = words(
        "region_sentence", hospitals=f"{hospitals:,}", cases=f"{cases:,}", fund=fund, payable=payable
    )
    return start + words(compared, balance=yuan(abs(balance)).text)


def hospitals_table(totals: pl.DataFrame, words: Words, link: Callable[[str], str]) -> Table:
    """Every hospital over its pools, by level with subtotals; the name leads to its statement."""
    first = ("booked_fen", "payable_fen", "balance_fen")
    seldom = [name for name in SELDOM if name in totals.columns and (totals[name] != 0).any()]
    shared = [name for name in seldom if name == "shared_fen"]
    paid = [name for name in seldom if name != "shared_fen"]
    money = (*first, *shared, "working_capital_fen", "advance_fen", *paid, "clearing_fen")
    shown = ("cases", "points_e4", *money)
    heads = [Head(words("hospital"), False)]
    heads += [Head(words.title("hospitals", name)) for name in shown[:-1]]
    heads.append(Head(words("clearing")))
    table = Table("hospitals", words("hospitals"), heads, words("hospitals_note") + " " + words("unit_both"))

    def add(row: dict[str, Any], first: Cell, part: str = "") -> None:
        cells = [count(row["cases"]), e4(row["points_e4"])]
        cells += [yuan(row[name], plus=name in ("balance_fen", "shared_fen")) for name in money]
        table.add(first, *cells, part=part)

    def add_sum(frame: pl.DataFrame, title: str, part: str) -> None:
        add(frame.select(pl.col(shown).sum()).row(0, named=True), text(title), part=part)

    for (level,), mine in totals.partition_by("level", as_dict=True, maintain_order=True).items():
        name = words.name("level", level)
        table.add(text(f"{name} ({mine.height})"), part="part")
        for row in mine.iter_rows(named=True):
            note = f"{row[HOSPITAL]} · {words.name('type', row['type'])}"
            add(row, text(row["fixmedins_name"] or row[HOSPITAL], href=link(row[HOSPITAL]), note=note))
        add_sum(mine, words("subtotal", name=name), "sub")
    add_sum(totals, words("total"), "total")
    return table


def groups_table(groups: pl.DataFrame, words: Words) -> Table:
    """The groups with the largest surplus and deficit in the region."""
    heads = [Head(words.title("groups", "group_id"), False), Head(words.title("groups", "name"), False)]
    heads += [Head(words.title("groups", name)) for name in ("cases", "cost_fen", "points_e4")]
    heads += [
        Head(words.title("hospitals", "gross_fen")),
        Head(words.title("groups", "booked_fen")),
        Head(words("balance")),
    ]
    table = Table(
        "groups", words("region_groups"), heads, words("region_groups_note") + " " + words("unit_both")
    )
    for key, part in zip(("groups_gain", "groups_loss"), top_groups(groups, TOP_GROUPS), strict=True):
        if part.height:
            table.add(text(words(key, n=part.height)), part="part")
        for row in part.iter_rows(named=True):
            cells = [
                count(row["cases"]),
                yuan(row["cost_fen"]),
                e4(row["points_e4"]),
                yuan(row["payable_fen"]),
            ]
            cells += [yuan(row["booked_fen"]), yuan(row["balance_fen"], plus=True)]
            table.add(code(row["group_id"]), text(row["name"]), *cells)
    return table


def monitoring_table(tables: RunTables, totals: pl.DataFrame, words: Words) -> Table:
    """The indices of each hospital, in the order of the hospitals' table."""
    # Under DRG every grouped stay is in a core group, so that share says nothing new.
    core = ("core_share",) if words.style == DIP else ()
    shares = ("grouping_rate", *core, "low_share", "high_share")
    indices = ("cmi", "time_index", "cost_index")
    heads = [Head(words("hospital"), False), Head(words("level"), False)]
    heads += [Head(words.title("monitoring", name)) for name in ("cases", *shares, *indices)]
    table = Table("monitoring", words("monitoring"), heads)
    about = totals.select(HOSPITAL, "fixmedins_name", "level")
    for row in about.join(tables.monitoring, on=HOSPITAL, how="inner", maintain_order="left").iter_rows(
        named=True
    ):
        cells = [
            count(row["cases"]),
            *(rate(row[name]) for name in shares),
            *(index(row[name]) for name in indices),
        ]
        table.add(
            text(row["fixmedins_name"] or row[HOSPITAL]), text(words.name("level", row["level"])), *cells
        )
    return table


def review_table(review: pl.DataFrame, words: Words) -> Table:
    """What the national rule asks to publish of special review, one line per unit of the quota."""
    counts = (
        "discharges",
        "quota",
        "applications",
        "eligible",
        "over_quota",
        "pending",
        "approved",
        "refused",
    )
    heads = [Head(words.title("review", "unit"), False)]
    heads += [Head(words.title("review", name)) for name in (*counts, "share", "review_fen", "fund_share")]
    table = Table("review", words("special_review"), heads, words("unit_yuan"))
    for row in review.iter_rows(named=True):
        unit = "none" if row["unit"] is None else row["unit"]
        name = words.known("review_unit", unit) or words.name("level", unit)
        cells = [count(row[name]) for name in counts]
        table.add(text(name), *cells, rate(row["share"]), yuan(row["review_fen"]), rate(row["fund_share"]))
    return table


def quality_summary(tables: RunTables) -> pl.DataFrame:
    """Return rule, severity, field, rows, hospitals: what quality control found, without values."""
    return (
        tables.rejected.group_by("rule", "severity", "field")
        .agg(
            pl.len().cast(pl.Int64).alias("rows"),
            pl.col(HOSPITAL).n_unique().cast(pl.Int64).alias("hospitals"),
        )
        .sort("severity", "rows", "rule", "field", descending=[False, True, False, False], nulls_last=True)
    )


def quality_table(tables: RunTables, words: Words) -> Table:
    """Rules of quality control that rows broke."""
    heads = [Head(words.title("rejected", name), False) for name in ("rule", "severity", "field")]
    heads += [Head(words("rows")), Head(words("hospitals_hit"))]
    table = Table("quality", words("quality"), heads, words("quality_note"))
    for rule, severity, field, rows, hospitals in quality_summary(tables).iter_rows():
        said = words.known("rule", rule) or tables.rule_messages.get(rule)
        cells = [
            text(said or rule, note=rule if said else None),
            text(words.name("severity", severity)),
            code(field),
            count(rows),
            count(hospitals),
        ]
        table.add(*cells)
    return table


def ledger_table(tables: RunTables, words: Words) -> Table:
    """Movements of money added up by pool, kind and sort of account (``hospital:CODE:POOL``: a hospital)."""
    keys = ("pool", "kind", "debit", "credit")
    sorts = [pl.col(name).str.split(":").list.first() for name in ("debit", "credit")]
    heads = [Head(words.title("ledger", name), False) for name in keys]
    heads += [Head(words("entries")), Head(words.title("ledger", "amount_fen"))]
    table = Table("ledger", words("ledger"), heads, words("unit_yuan"))
    titles = tables.pool_titles()
    cites = pl.col("cite").drop_nulls().unique(maintain_order=True).str.join("; ")
    sums = (
        tables.ledger.with_columns(sorts)
        .group_by(keys, maintain_order=True)
        .agg(pl.len().alias("entries"), pl.col("amount_fen").sum(), cites)
    )
    for row in sums.iter_rows(named=True):
        first = text(titles.get(row["pool"], row["pool"]))
        cells = [text(words.name("account", row[name])) for name in ("debit", "credit")]
        table.add(
            first,
            text(words.name("movement", _movement(row)), note=row["cite"] or None),
            *cells,
            count(row["entries"]),
            yuan(row["amount_fen"]),
        )
    return table


def _movement(row: dict[str, Any]) -> str:
    """Return the name of a movement; a clearing that the hospital pays is another one."""
    back = row["kind"] == "clearing" and row["debit"] == "hospital"
    return "clearing_back" if back else str(row["kind"])
