"""The region page adds up as printed and leads to every statement."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from urllib.parse import unquote

import polars as pl
import pytest

from fenzhi.reports import RunTables
from fenzhi.reports.facts import Facts, by_band, hospital_totals
from fenzhi.reports.pages import Pages
from fenzhi.reports.region_page import ledger_table
from fenzhi.reports.words import Words

from .parse import Page, column_sum, number


@pytest.fixture(scope="module")
def page(reported: Path) -> Page:
    return Page((reported / "region.html").read_text(encoding="utf-8"))


def test_pools_add_up(page: Page) -> None:
    rows = [row.cells for row in page.tables["pools"]]
    for row in rows:
        if len(row) > 1 and row[3]:
            assert number(row[3]) == number(row[1]) + number(row[2])
    names = [row[0] for row in rows]
    for at in (1, 2, 3):
        income, carved, reserve, fund = (number(row[at]) for row in rows[:4])
        assert fund == income - carved - reserve
        at_gross = names.index("基金应付(考核前)" if "预算收入" in names else "payable before assessment")
        gross, assessed, deducted, payable, balance = (
            number(row[at]) for row in rows[at_gross : at_gross + 5]
        )
        assert payable == gross - assessed - deducted
        assert balance == payable - number(rows[7][at])
        # The reserve: what it starts with, what comes and goes, what is left.
        start = names.index("储备" if "储备" in names else "Reserve") + 1
        assert number(rows[start][at]) == reserve
        assert sum(number(row[at]) for row in rows[start:-1]) == number(rows[-1][at])


def test_budget_lines_end_in_the_fund(page: Page) -> None:
    # Item, kind, planned, changed, amount, left, share of the income, source.
    lines, totals = page.rows("budget"), page.rows("budget", "total")
    for at in (2, 3, 4):
        assert column_sum(lines[:3], at) == number(totals[0][at])
        assert column_sum(lines[3:], at) == number(totals[1][at])
    for row in [*lines, *totals]:
        assert number(row[2]) + number(row[3]) == number(row[4])
    for three in (lines[:3], lines[3:]):
        assert [number(row[5]) for row in three] == [column_sum(three[:n], 4) for n in (1, 2, 3)]
    fund = page.tables["pools"][3].cells
    assert [number(row[4]) for row in totals] == [number(fund[1]), number(fund[2])]
    assert [row[6] for row in lines if row[6] == "100.00%"] == ["100.00%", "100.00%"]


def test_the_method_stands_beside_the_total(page: Page) -> None:
    notes = [row.notes[0] or "" for row in page.tables["budget"] if row.part == "total"]
    assert "9,000.00" not in notes[0]
    assert "9,000.00" in notes[1]
    assert "\N{MINUS SIGN}2.5%" in notes[1]


def test_changes_are_listed_with_date_and_reason(page: Page) -> None:
    assert [row.cells for row in page.tables["changes"]][1:] == [
        ["2027-07-01", "异地就医", "风险储备金", "+1.00", "异地就医<b>增加</b>", "示范文件"]
    ]


def test_without_changes_there_is_no_table_of_them_and_one_column_of_amounts(
    tables: RunTables, facts: Facts
) -> None:
    lines = tables.budget.with_columns(
        pl.lit(0, pl.Int64).alias("changed_fen"), pl.col("amount_fen").alias("planned_fen")
    )
    entries = [entry | {"changes": []} for entry in tables.manifest["budget"]]
    bare = dataclasses.replace(tables, budget=lines, manifest=tables.manifest | {"budget": entries})
    html = Page(Pages(bare, by_band(facts.deviation), "zh").region(facts))
    assert "changes" not in html.tables
    assert {len(row.cells) for row in html.tables["budget"] if row.part != "part"} == {6}


def test_each_pool_has_its_picture(page: Page, tables: RunTables) -> None:
    labels = [given.get("aria-label") or "" for tag, given in page.tags if tag == "svg"]
    for title in tables.pool_titles().values():
        assert sum(title in label for label in labels) == 1


def test_hospitals_add_up_by_level_and_in_all(page: Page, tables: RunTables) -> None:
    rows, subtotals, [total] = (page.rows("hospitals", part) for part in ("", "sub", "total"))
    assert len(rows) == hospital_totals(tables).height
    for at in range(1, 9):
        assert column_sum(rows, at) == column_sum(subtotals, at) == number(total[at])
    for row in rows:
        assert number(row[5]) == number(row[4]) - number(row[3])
        assert number(row[8]) == number(row[4]) - number(row[6]) - number(row[7])


def test_hospitals_are_told_with_code_and_type(page: Page, reported: Path) -> None:
    kind = "综合" if 'lang="zh-CN"' in (reported / "region.html").read_text() else "general"
    notes = [row.notes[0] for row in page.tables["hospitals"] if row.part == ""]
    assert f"H36040000001 · {kind}" in notes


def test_every_hospital_is_linked_to_its_statement(page: Page, reported: Path) -> None:
    links = [
        given["href"] or ""
        for tag, given in page.tags
        if tag == "a" and "statements/" in (given.get("href") or "")
    ]
    assert len(links) == 3
    assert all((reported / unquote(link)).is_file() for link in links)


def test_every_inner_link_has_its_place(page: Page) -> None:
    anchors = {given.get("id") for _, given in page.tags}
    inner = [
        (given["href"] or "")[1:]
        for tag, given in page.tags
        if tag == "a" and (given.get("href") or "").startswith("#")
    ]
    assert len(inner) == 9
    assert set(inner) <= anchors


def test_quality_counts_rows_and_shows_no_value(page: Page, tables: RunTables) -> None:
    assert column_sum(page.rows("quality"), 3) == tables.rejected.height
    assert "=1+1" not in page.text
    said = page.text
    assert ("年龄应在0至130岁之间" in said) != ("age must lie between 0 and 130 years" in said)
    assert "no_hospital 不合规" in said, "a rule that fenzhi does not know says what the run says"


def test_ledger_summary_keeps_every_fen(page: Page, tables: RunTables) -> None:
    rows = page.rows("ledger")
    assert column_sum(rows, 5) * 100 == tables.ledger["amount_fen"].sum()
    assert [number(row[4]) for row in rows] == [1, 1, 3, 3], (
        "one line per pool and movement, not per hospital"
    )
    assert not [row for row in rows if "H3604" in "".join(row)]
    assert [row.notes[1] for row in page.tables["ledger"]] == ["=budget", "=budget", "示范", "示范"]


def test_a_returned_clearing_is_another_movement(tables: RunTables) -> None:
    paid = tables.ledger.head(1).with_columns(
        kind=pl.lit("clearing"), debit=pl.lit("paid:H1:employee"), credit=pl.lit("hospital:H1:employee")
    )
    back = paid.with_columns(debit=pl.col("credit"), credit=pl.col("debit"))
    table = ledger_table(dataclasses.replace(tables, ledger=pl.concat([paid, back])), Words("zh"))
    assert [row.cells[1].text for row in table.rows] == ["年度清算拨付", "年度清算退回"]


def test_policy_and_bands_are_named_in_the_language_of_the_page(page: Page, reported: Path) -> None:
    chinese = 'lang="zh-CN"' in (reported / "region.html").read_text()
    assert ("国家 DIP 3.0 规则" in page.text) == chinese
    assert ("National DIP rules 3.0" in page.text) == (not chinese)
    assert ("费用过高(特例单议)" in page.text) == chinese


def test_six_charts_with_titles(page: Page) -> None:
    charts = [given for tag, given in page.tags if tag == "svg"]
    assert len(charts) == 6
    assert all(given.get("role") == "img" and given.get("aria-label") for given in charts)
    assert [tag for tag, _ in page.tags].count("title") == 7


def test_sources_show_cite_and_confidence(page: Page) -> None:
    rows = page.rows("sources")
    assert [row[1] for row in rows] == ["DIP 3.0 技术规范(征求意见稿)", "经办管理规程(2025版)"]
    assert all(row[2] for row in rows)
