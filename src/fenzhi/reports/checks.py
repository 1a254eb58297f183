"""A statement that does not add up is never printed: the sums it shows are checked before the first page."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from fenzhi.errors import ConservationError
from fenzhi.reports.facts import Facts
from fenzhi.reports.hospital import Hospital
from fenzhi.reports.steps import KINDS
from fenzhi.reports.tables import RunTables

#: (result, terms): the result is the sum of the terms; a term that begins with ``-`` is subtracted.
HOSPITAL_SUMS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "points_e4",
        tuple(f"points_{kind}_e4" for kind in KINDS),
    ),
    ("cases", ("grouped_cases", "comprehensive_cases", "ungrouped_cases", "bed_day_cases")),
    ("payable_fen", ("gross_fen", "-assessed_fen", "-deduction_fen")),
    ("balance_fen", ("payable_fen", "-booked_fen")),
    ("final_fen", ("payable_fen", "shared_fen")),
    ("deposit_fen", ("released_fen", "forfeited_fen")),
    (
        "clearing_fen",
        ("final_fen", "-working_capital_fen", "-advance_fen", "-quarter_fen", "-deposit_fen"),
    ),
)
POOL_SUMS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("fund_fen", ("income_fen", "-carved_out_fen", "-reserve_fen", "outside_care_fen")),
)
#: Columns whose sum must be the same in two tables.
MONTHS_AND_HOSPITALS = (
    *("cases", "points_e4", "cost_fen", "booked_fen"),
    *("advance_fen", "deposit_fen", "quarter_fen"),
)
CASES_AND_HOSPITALS = ("cases", "points_e4", "cost_fen", "booked_fen")
HOSPITALS_AND_POOLS = (
    *("cases", "points_e4", "cost_fen", "booked_fen"),
    *("direct_cases", "direct_fen", "others_fen", "gross_fen", "payable_fen"),
    *("shared_fen", "short_fen", "final_fen"),
)
KEY = ("fixmedins_code", "pool")


def check(tables: RunTables, facts: Facts) -> None:
    """Raise :class:`ConservationError` if any sum that the pages print is wrong.

    Checked: the formulas inside ``hospitals`` and ``pools``, the months and the cases against the hospitals,
    the hospitals against the pools, the budget lines against the pools. Null counts as zero.
    """
    _check_small(tables)
    _same(tables, ("cases", facts.paid), ("hospitals", tables.hospitals), KEY, CASES_AND_HOSPITALS)


def _check_small(tables: RunTables) -> None:
    for result, terms in HOSPITAL_SUMS:
        _formula(tables, "hospitals", KEY, result, terms)
    for result, terms in POOL_SUMS:
        _formula(tables, "pools", ("pool",), result, terms)
    _same(tables, ("months", tables.months), ("hospitals", tables.hospitals), KEY, MONTHS_AND_HOSPITALS)
    _same(tables, ("hospitals", tables.hospitals), ("pools", tables.pools), ("pool",), HOSPITALS_AND_POOLS)
    _formula(tables, "budget", ("pool", "line"), "changed_fen", ("amount_fen", "-planned_fen"))
    lines = budget_lines(tables).filter(pl.col("kind") != "by_disease")
    budget = lines.group_by("pool").agg((pl.col("amount_fen") * pl.col("sign")).sum().alias("fund_fen"))
    # What communities hand over is no line of the budget.
    outside = pl.col("outside_care_fen").fill_null(0)
    funds = tables.pools.with_columns(pl.col("fund_fen") - outside)
    _same(tables, ("budget", budget), ("pools", funds), ("pool",), ("fund_fen",))
    totals = tables.budget.filter(pl.col("kind") == "by_disease").rename({"amount_fen": "fund_fen"})
    _same(tables, ("budget", totals), ("pools", funds), ("pool",), ("fund_fen",))


def check_hospital(tables: RunTables, hospital: Hospital) -> None:
    """Raise :class:`ConservationError` as :func:`check` does; the cases are looked at for one hospital only."""
    _check_small(tables)
    mine = ("hospitals", hospital.rows)
    _same(tables, ("cases", hospital.facts.paid), mine, KEY, CASES_AND_HOSPITALS)


def budget_lines(tables: RunTables) -> pl.DataFrame:
    """Return the table of the budget with ``sign``, and from where to where each line takes what is left.

    ``start_fen`` and ``end_fen``: what is left before and after the line; the by-disease total stands on zero.
    """
    before = pl.col("left_fen").shift(fill_value=0).over("pool")
    total = pl.col("kind") == "by_disease"
    return tables.budget.with_columns(
        pl.when(pl.col("kind") == "income").then(1).otherwise(-1).alias("sign"),
        pl.when(total).then(0).otherwise(before).alias("start_fen"),
        pl.when(total).then("amount_fen").otherwise("left_fen").alias("end_fen"),
    )


def _term(name: str) -> pl.Expr:
    column = pl.col(name.removeprefix("-")).fill_null(0)
    return -column if name.startswith("-") else column


def _formula(tables: RunTables, table: str, keys: Sequence[str], result: str, terms: Sequence[str]) -> None:
    frame: pl.DataFrame = getattr(tables, table)
    found = frame.select(
        *keys, _term(result).alias("found"), pl.sum_horizontal(_term(t) for t in terms).alias("sum")
    )
    wrong = found.filter(pl.col("found") != pl.col("sum"))
    if wrong.height:
        formula = f"{result} = {' + '.join(terms).replace('+ -', '- ')}"
        _fail(tables, table, keys, formula, wrong.row(0, named=True))


def _same(
    tables: RunTables,
    one: tuple[str, pl.DataFrame],
    two: tuple[str, pl.DataFrame],
    keys: Sequence[str],
    columns: Sequence[str],
) -> None:
    sums = [
        frame.group_by(keys).agg(pl.col(column).cast(pl.Int64).sum() for column in columns)
        for _, frame in (one, two)
    ]
    both = sums[0].join(sums[1], on=list(keys), how="full", coalesce=True, nulls_equal=True, suffix="_two")
    for column in columns:
        pair = both.select(*keys, _term(column).alias("found"), _term(f"{column}_two").alias("sum"))
        wrong = pair.filter(pl.col("found") != pl.col("sum")).sort(keys)
        if wrong.height:
            formula = f"{one[0]}.{column} = {two[0]}.{column}"
            _fail(tables, one[0], keys, formula, wrong.row(0, named=True))


def _fail(tables: RunTables, table: str, keys: Sequence[str], formula: str, row: dict[str, object]) -> None:
    place = ", ".join(f"{key} {row[key]}" for key in keys)
    raise ConservationError(
        f"the result tables do not add up ({place}): {formula}, but {row['found']} is not {row['sum']}",
        code="REPORT_SUMS",
        file=tables.run_dir / f"{table}.parquet",
        field=formula.split(" ", 1)[0].rsplit(".", 1)[-1],
        remedy="run the year again; if it happens again, report it: no statement was written",
    )
