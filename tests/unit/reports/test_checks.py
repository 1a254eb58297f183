"""A wrong fen anywhere stops the reports, and the message says where."""

from __future__ import annotations

import dataclasses
import re

import polars as pl
import pytest

from fenzhi.errors import ConservationError
from fenzhi.reports import RunTables
from fenzhi.reports.checks import budget_lines, check
from fenzhi.reports.facts import Facts, gather


def _changed(tables: RunTables, table: str, column: str) -> RunTables:
    frame: pl.DataFrame = getattr(tables, table)
    first = pl.int_range(pl.len()) == 0
    return dataclasses.replace(
        tables, **{table: frame.with_columns(pl.col(column) + first.cast(frame[column].dtype))}
    )


def test_the_sample_adds_up(tables: RunTables, facts: Facts) -> None:
    check(tables, facts)


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("hospitals", "points_core_e4"),
        ("hospitals", "points_e4"),
        ("hospitals", "cases"),
        ("hospitals", "ungrouped_cases"),
        ("hospitals", "gross_fen"),
        ("hospitals", "assessed_fen"),
        ("hospitals", "deduction_fen"),
        ("hospitals", "payable_fen"),
        ("hospitals", "balance_fen"),
        ("hospitals", "working_capital_fen"),
        ("hospitals", "advance_fen"),
        ("hospitals", "clearing_fen"),
        ("hospitals", "cost_fen"),
        ("hospitals", "booked_fen"),
        ("months", "cases"),
        ("months", "points_e4"),
        ("months", "booked_fen"),
        ("months", "advance_fen"),
        ("pools", "fund_fen"),
        ("pools", "income_fen"),
        ("pools", "points_e4"),
        ("pools", "gross_fen"),
        ("pools", "payable_fen"),
    ],
)
def test_one_unit_too_much_is_found(tables: RunTables, facts: Facts, table: str, column: str) -> None:
    with pytest.raises(ConservationError) as error:
        check(_changed(tables, table, column), facts)
    assert error.value.code == "REPORT_SUMS"


def test_a_wrong_case_is_found(tables: RunTables) -> None:
    first = (pl.int_range(pl.len()) == 0).cast(pl.Int64)
    wrong = dataclasses.replace(tables, cases=tables.cases.with_columns(pl.col("booked_fen") + first))
    with pytest.raises(ConservationError, match=r"cases\.booked_fen = hospitals\.booked_fen"):
        check(wrong, gather(wrong))


def test_the_message_names_hospital_pool_and_formula(tables: RunTables, facts: Facts) -> None:
    wrong = _changed(tables, "hospitals", "clearing_fen")
    first = tables.hospitals.row(0, named=True)
    with pytest.raises(ConservationError) as error:
        check(wrong, facts)
    assert error.value.message == (
        f"the result tables do not add up (fixmedins_code {first['fixmedins_code']}, pool {first['pool']}): "
        "clearing_fen = final_fen - working_capital_fen - advance_fen - quarter_fen - deposit_fen, "
        f"but {first['clearing_fen'] + 1} is not {first['clearing_fen']}"
    )
    assert error.value.field == "clearing_fen"


def _with_budget(tables: RunTables, column: str, kind: str) -> RunTables:
    more = pl.when(pl.col("kind") == kind).then(1).otherwise(0)
    return dataclasses.replace(tables, budget=tables.budget.with_columns(pl.col(column) + more))


@pytest.mark.parametrize(
    ("column", "kind", "says"),
    [
        ("amount_fen", "reserve", "changed_fen = amount_fen - planned_fen"),
        ("changed_fen", "income", "changed_fen = amount_fen - planned_fen"),
        ("amount_fen", "by_disease", "changed_fen = amount_fen - planned_fen"),
    ],
)
def test_a_wrong_budget_line_is_found(
    tables: RunTables, facts: Facts, column: str, kind: str, says: str
) -> None:
    with pytest.raises(ConservationError, match=re.escape(says)):
        check(_with_budget(tables, column, kind), facts)


@pytest.mark.parametrize("kind", ["income", "reserve", "by_disease"])
def test_a_budget_that_ends_elsewhere_is_found(tables: RunTables, facts: Facts, kind: str) -> None:
    wrong = _with_budget(_with_budget(tables, "amount_fen", kind), "planned_fen", kind)
    with pytest.raises(ConservationError, match=r"budget\.fund_fen = pools\.fund_fen") as error:
        check(wrong, facts)
    assert str(error.value.file).endswith("budget.parquet")


def test_budget_lines_have_their_sign_and_their_place(tables: RunTables) -> None:
    first = tables.pools.row(0, named=True)
    income, out, reserve, fund = (
        first[name] for name in ("income_fen", "carved_out_fen", "reserve_fen", "fund_fen")
    )
    rows = budget_lines(tables).filter(pl.col("pool") == first["pool"])
    assert rows.select("kind", "sign", "start_fen", "end_fen").rows() == [
        ("income", 1, 0, income),
        ("out_of_region", -1, income, income - out),
        ("reserve", -1, income - out, income - out - reserve),
        ("by_disease", -1, 0, fund),
    ]
