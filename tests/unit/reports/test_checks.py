"""A wrong fen anywhere stops the reports, and the message says where."""

from __future__ import annotations

import copy
import dataclasses

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
        "clearing_fen = payable_fen - working_capital_fen - advance_fen, "
        f"but {first['clearing_fen'] + 1} is not {first['clearing_fen']}"
    )
    assert error.value.field == "clearing_fen"


def test_a_wrong_budget_line_is_found(tables: RunTables, facts: Facts) -> None:
    manifest = copy.deepcopy(tables.manifest)
    manifest["budget"][0]["amount_fen"] += 1
    with pytest.raises(ConservationError, match=r"budget\.fund_fen = pools\.fund_fen"):
        check(dataclasses.replace(tables, manifest=manifest), facts)


def test_a_run_without_budget_lines_is_fine(tables: RunTables, facts: Facts) -> None:
    bare = dataclasses.replace(tables, manifest=tables.manifest | {"budget": []})
    check(bare, facts)
    assert budget_lines(bare).is_empty()


def test_budget_lines_have_their_sign(tables: RunTables) -> None:
    effects = budget_lines(tables).select("kind", pl.col("effect_fen").sign()).unique().sort("kind").rows()
    assert effects == [("carve_out", -1), ("income", 1), ("reserve", -1)]
