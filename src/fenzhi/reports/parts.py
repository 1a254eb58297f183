"""Parts of a statement by the hospital's own order: its departments, and what special review decided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from fenzhi.reports.display import Cell, Head, Table, count, e4, part_of, text, yuan
from fenzhi.reports.hospital import Hospital
from fenzhi.reports.words import Words

SUMS = ("cases", "cost_fen", "points_e4", "payable_fen", "booked_fen", "balance_fen")


def departments_table(hospital: Hospital, words: Words) -> Table:
    """Paid stays by department of discharge, the largest first; what no department gave comes last."""
    heads = [
        Head(words.title("cases", "dscg_caty"), False),
        Head(words.title("groups", "cases")),
        Head(words("share")),
    ]
    heads += [Head(words.title("groups", "cost_fen")), Head(words("points"))]
    heads += [Head(words.title("hospitals", "gross_fen")), Head(words.title("groups", "booked_fen"))]
    note = words("departments_note") + " " + words("unit_both")
    table = Table("departments", words("departments"), [*heads, Head(words("balance"))], note)
    frame = hospital.facts.departments.sort(
        pl.col("dscg_caty").is_null(), "cases", "dscg_caty", descending=[False, True, False]
    )
    whole = frame.select(pl.col(SUMS).sum()).row(0, named=True)
    for row in frame.iter_rows(named=True):
        table.add(text(row["dscg_caty"] or words("not_known")), *_figures(row, whole["cases"]))
    table.add(text(words("total")), *_figures(whole, whole["cases"]), part="total")
    return table


def _figures(row: dict[str, Any], cases: int) -> Sequence[Cell]:
    return [
        count(row["cases"]),
        part_of(row["cases"], cases),
        yuan(row["cost_fen"]),
        e4(row["points_e4"]),
        yuan(row["payable_fen"]),
        yuan(row["booked_fen"]),
        yuan(row["balance_fen"], plus=True),
    ]


def reviews_table(hospital: Hospital, words: Words) -> Table | None:
    """Stays that special review decided upon, by outcome; None without any."""
    decided = hospital.facts.monthly.filter(pl.col("review").is_not_null())
    if not decided.height:
        return None
    heads = [Head(words.title("cases", "review"), False), Head(words.title("hospitals", "cases"))]
    heads += [Head(words.title("hospitals", "cost_fen")), Head(words("points"))]
    heads += [Head(words.title("hospitals", "gross_fen"))]
    table = Table("reviews", words("reviews"), heads, words("reviews_note") + " " + words("unit_both"))
    sums = decided.group_by("review").agg(pl.col("cases", "cost_fen", "points_e4", "payable_fen").sum())
    whole = sums.select(pl.lit(None, pl.String).alias("review"), pl.exclude("review").sum())
    for outcome, cases, cost, points, payable in [*sums.sort("review").iter_rows(), *whole.iter_rows()]:
        name = words("total") if outcome is None else words.name("review", outcome)
        cells = [count(cases), yuan(cost), e4(points), yuan(payable)]
        table.add(text(name), *cells, part="total" if outcome is None else "")
    return table
