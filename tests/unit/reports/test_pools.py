"""The pools table where values are limited, surplus and overrun are shared and the reserve runs out, by hand."""

from __future__ import annotations

import dataclasses

import polars as pl
import pytest

from fenzhi.reports import RunTables
from fenzhi.reports.confirm import context as confirm
from fenzhi.reports.display import Table
from fenzhi.reports.facts import Facts, hospital_totals
from fenzhi.reports.hospital import Hospital, hospitals_of
from fenzhi.reports.pools import limit_words, limits_of, pools_table, values_table
from fenzhi.reports.region_page import hospitals_table
from fenzhi.reports.sheets import _word
from fenzhi.reports.statement import months_table, sentence
from fenzhi.reports.steps import steps
from fenzhi.reports.words import Words

from .sample import HOSPITALS

ZH, EN = Words("zh"), Words("en")
# Reserve 100.00, point values take 30.00, tracks leave 5.00, 20.00 are withheld, 90.00 of overrun are borne.
FIRST = {"reserve_fen": 10_000, "residual_fen": -3_000, "tracks_left_fen": 500, "returned_fen": 2_000}
FIRST |= {"shared_fen": 9_000, "short_fen": 1_234, "reserve_left_fen": 500, "value_limit": "reserve"}


def with_figures(tables: RunTables, **more: object) -> RunTables:
    pool = tables.pools["pool"][0]
    pools = tables.pools.with_columns(
        pl.when(pl.col("pool") == pool)
        .then(pl.lit(value))
        .otherwise(pl.col(name))
        .cast(tables.pools.schema[name])
        .alias(name)
        for name, value in (FIRST | more).items()
    )
    return dataclasses.replace(tables, pools=pools)


def line(table: Table, title: str) -> list[str]:
    """Texts of the last row with a title."""
    return [[cell.text for cell in row.cells] for row in table.rows if row.cells[0].text == title][-1][1:]


def note(table: Table, title: str) -> str:
    return [row.cells[0].note or "" for row in table.rows if row.cells[0].text == title][-1]


@pytest.fixture
def limited(tables: RunTables) -> RunTables:
    return with_figures(tables)


@pytest.fixture
def shared(tables: RunTables, facts: Facts) -> Hospital:
    """Owed 120.00 after sharing, 90 + 30 + 8 + 4 taken; of the deposit 3.80 come back, 0.20 not."""
    [found] = hospitals_of(tables, facts, [next(iter(HOSPITALS))])
    amounts = {"payable_fen": 10_000, "shared_fen": 2_000, "short_fen": 500, "final_fen": 12_000}
    amounts |= {"advance_fen": 9_000, "working_capital_fen": 3_000, "quarter_fen": 800, "deposit_fen": 400}
    amounts |= {"released_fen": 380, "forfeited_fen": 20, "clearing_fen": -1_200, "deduction_fen": 700}
    amounts |= {"violation_fen": 500, "fine_fen": 200, "next_year_fen": 250}
    rows = found.rows.head(1).with_columns(pl.lit(fen, pl.Int64).alias(name) for name, fen in amounts.items())
    return dataclasses.replace(found, rows=rows)


def test_the_reserve_is_followed_to_what_is_left(limited: RunTables) -> None:
    """100.00 - 30.00 + 5.00 + 20.00 - 90.00 = 5.00."""
    table = pools_table(limited, ZH)
    assert line(table, "风险金与调节金")[0] == "100.00"
    assert line(table, "点值差额")[0] == "\N{MINUS SIGN}30.00"
    assert line(table, "其他付费方式结余转入储备")[0] == "+5.00"
    assert line(table, "考核与扣款转入储备")[0] == "+20.00"
    assert line(table, "结余留用与超支分担")[0] == "\N{MINUS SIGN}90.00"
    assert line(table, "储备余额")[0] == "5.00"
    assert "储备用尽" in note(table, "储备余额")
    assert line(table, "储备不足未分担")[0] == "12.34"
    assert note(table, "储备不足未分担").startswith("储备已用尽")
    assert "the reserve is exhausted" in note(
        pools_table(limited, EN), "overrun that the reserve could not bear"
    )


def test_a_plain_pool_has_no_such_lines(tables: RunTables) -> None:
    titles = [row.cells[0].text for row in pools_table(tables, ZH).rows]
    assert not {"点值限制", "结余留用与超支分担", "储备不足未分担", "分担后应付", "点值差额"} & set(titles)
    assert titles[-1] == "储备余额"
    assert values_table(tables, ZH) is None
    assert limits_of(tables, tables.pool_ids(), ZH) == ""


def test_what_limits_the_value_is_said_in_words(limited: RunTables) -> None:
    assert line(pools_table(limited, ZH), "点值限制") == [
        "储备已用尽，未达下限：按基金与储备所能支付计",
        "无",
        "",
    ]
    first = limited.pools["pool"][0]
    title = limited.pool_titles()[first]
    assert limits_of(limited, [first], ZH).startswith(f"；{title}：储备已用尽")
    assert limit_words("ceiling|floor", EN) == (
        "at its ceiling, the rest goes to the reserve, at its floor, the reserve pays the difference"
    )
    assert all(limit_words(one, ZH) != one for one in ("floor", "ceiling", "reserve", "zero", "fixed"))
    assert _word("ceiling", "value_limit", ZH) == "按上限封顶，余额转入储备"


def test_values_by_period(tables: RunTables) -> None:
    pools = tables.pool_ids()
    rows = [
        {"pool": pool, "period": at, "cases": at + 1, "points_e4": 10_000, "booked_fen": 100, "fund_fen": 100}
        | {"opening_value_e4": 50_000, "settlement_value_e4": 60_000 + at, "value_limit": None}
        for pool in pools
        for at in range(4)
    ]
    table = values_table(dataclasses.replace(tables, values=pl.DataFrame(rows)), ZH)
    assert table is not None
    assert len(table.rows) == 5 * len(pools)
    assert [cell.text for cell in table.rows[4].cells] == [
        *("4 季度", "4", "1.0000", "1.00", "1.00", "5.0000", "6.0003", "无"),
    ]


def test_a_statement_follows_the_money_to_the_clearing(tables: RunTables, shared: Hospital) -> None:
    table = steps(tables, shared.rows, ZH)
    found = {row.cells[1].text: row.cells for row in table.rows if len(row.cells) > 2}
    numbers = {title: cells[0].text for title, cells in found.items()}
    said = {title: cells[2].text for title, cells in found.items()}
    assert (said["其中:违规金额"], said["其中:罚款"]) == ("5.00", "2.00")
    assert said["分担后应付"] == "120.00"
    assert said["年度清算应退回"] == "12.00"
    # 4.00 - 3.80
    assert said["不予返还保证金"] == "0.20"
    formula = f"= {numbers['质量保证金']} \N{MINUS SIGN} {numbers['返还保证金']}"
    assert (found["不予返还保证金"][1].note or "").startswith(formula)
    assert said["下年再扣违规金额"] == "2.50"


def test_the_sentence_says_what_was_shared_and_withheld(shared: Hospital) -> None:
    text = sentence(shared, ZH)
    assert "结余留用与超支分担后应付 120.00 元；" in text
    assert "，季度清算已拨 8.00 元，预留质量保证金 4.00 元，年度清算应退回 12.00 元。" in text
    assert text.endswith("另返还保证金 3.80 元。")
    english = sentence(shared, EN)
    assert "after sharing of surplus and overrun 120.00 yuan are payable; " in english
    assert english.endswith(" Besides, 3.80 yuan of the deposit are released.")


def test_the_page_to_sign_states_the_released_deposit(tables: RunTables, shared: Hospital) -> None:
    page = confirm(tables, shared, ZH)
    assert [(one.name, one.figures) for one in page["stated"]] == [
        ("分担后应付", "120.00"),
        ("年度清算应退回", "12.00"),
        ("返还保证金", "3.80"),
    ]


def test_months_and_hospitals_have_columns_for_deposit_and_quarters(
    tables: RunTables, shared: Hospital
) -> None:
    months = tables.months.with_columns(pl.lit(100, pl.Int64).alias("deposit_fen"))
    more = dataclasses.replace(tables, months=months)
    mine = months.filter(pl.col("fixmedins_code") == shared.code)
    table = months_table(more, dataclasses.replace(shared, months=mine), ZH)
    assert table.heads[-1].title == "当月预留保证金"
    hospitals = tables.hospitals.with_columns(
        pl.lit(100, pl.Int64).alias("deposit_fen"), pl.lit(-50, pl.Int64).alias("shared_fen")
    )
    totals = hospital_totals(dataclasses.replace(tables, hospitals=hospitals))
    table = hospitals_table(totals, ZH, str)
    names = [head.title for head in table.heads]
    assert names[-2:] == ["质量保证金", "年度清算"]
    assert "结余留用与超支分担" in names
    assert "\N{MINUS SIGN}1.00" in [cell.text for cell in table.rows[1].cells]
