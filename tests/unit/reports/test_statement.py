"""The statement adds up as printed: read back from the HTML, in both languages."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import polars as pl
import pytest

from fenzhi.errors import InputError
from fenzhi.money import SCALE
from fenzhi.reports import RunTables
from fenzhi.reports.facts import Facts
from fenzhi.reports.hospital import hospitals_of
from fenzhi.reports.statement import (
    Hospital,
    figures,
    groups_table,
    months_table,
    reason_words,
    sentence,
)
from fenzhi.reports.steps import _product, steps
from fenzhi.reports.words import Words

from .parse import Page, column_sum, number

CODES = ("H36040000001", "H36040000002", "H36040000003")


def _lines(page: Page) -> dict[int, list[Fraction | None]]:
    """Return the numbered lines of the step table: number -> one value per column.

    The last line has no signs: an amount that is marked as returned, or stands in a line of that title
    without marks, counts as negative.
    """
    rows = [row for row in page.tables["steps"] if row.part != "part"]
    lines = {int(row.cells[0]): [number(c) if c else None for c in row.cells[2:]] for row in rows}
    last = rows[-1]
    marked = [note or last.cells[1] for note in last.notes[2:]]
    for at, words in enumerate(marked):
        value = lines[19][at]
        assert value is not None
        assert value >= 0
        if "退回" in words or "returns" in words:
            lines[19][at] = -value
    return lines


def _at(lines: dict[int, list[Fraction | None]], line: int, column: int) -> Fraction:
    value = lines[line][column]
    assert value is not None
    return value


@pytest.mark.parametrize("code", CODES)
def test_steps_follow_from_each_other_as_printed(statements: dict[str, Page], code: str) -> None:
    lines = _lines(statements[code])
    assert sorted(lines) == list(range(1, 20))
    for column in range(3):

        def v(line: int, column: int = column) -> Fraction:
            return _at(lines, line, column)

        assert v(5) == v(1) + v(2) + v(3) + v(4)
        assert v(10) == v(8) + v(9)
        assert v(14) == v(10) - v(12) - v(13)
        assert v(16) == v(14) - v(15)
        assert v(19) == v(14) - v(17) - v(18)
        if column < 2:
            assert abs(v(8) - v(5) * v(6) * v(7)) <= Fraction(1, 200)
            assert abs(v(12) - v(10) * (1 - v(11))) <= Fraction(1, 100)
    for line, values in lines.items():
        if values[2] is None:
            assert line in (6, 7, 11), "only a point value, a ratio and a coefficient have no total"
        else:
            assert values[2] == _at(lines, line, 0) + _at(lines, line, 1)


@pytest.mark.parametrize("code", CODES)
def test_steps_are_the_numbers_of_the_result_table(
    statements: dict[str, Page], tables: RunTables, code: str
) -> None:
    lines = _lines(statements[code])
    columns = {
        5: "points_e4",
        10: "gross_fen",
        14: "payable_fen",
        15: "booked_fen",
        18: "advance_fen",
        19: "clearing_fen",
    }
    for at, row in enumerate(tables.hospitals.filter(pl.col("fixmedins_code") == code).iter_rows(named=True)):
        for line, column in columns.items():
            assert _at(lines, line, at) == Fraction(row[column], SCALE if column.endswith("_e4") else 100)


def test_every_step_says_how_it_is_computed(statements: dict[str, Page]) -> None:
    rows = [row for row in statements[CODES[0]].tables["steps"] if row.part != "part"]
    assert all(row.notes[1] for row in rows)
    formulas = {int(row.cells[0]): row.notes[1] for row in rows}
    assert formulas[14] == "= 10 \N{MINUS SIGN} 12 \N{MINUS SIGN} 13"
    assert "= 14 \N{MINUS SIGN} 17 \N{MINUS SIGN} 18" in formulas[19]


def test_product_by_hand() -> None:
    # 120 points x 9.5238 yuan x 0.70 = 799.9992 yuan = 79,999.92 fen
    assert _product(120_0000 * 9_5238, 7000) == 80_000
    # 1 point x 0.01 yuan x 0.5 = half a fen, rounded up
    assert _product(1_0000 * 100, 5000) == 1


@pytest.mark.parametrize("code", CODES)
def test_months_add_up_and_agree_with_the_steps(statements: dict[str, Page], code: str) -> None:
    page = statements[code]
    months, subtotals, [total] = (page.rows("months", part) for part in ("", "sub", "total"))
    assert len(months) == 24
    for at in (1, 2, 3, 4, 6, 7, 8):
        assert column_sum(months, at) == column_sum(subtotals, at) == number(total[at])
        assert column_sum(months[:12], at) == number(subtotals[0][at])
    lines = _lines(page)
    assert number(total[2]) == _at(lines, 5, 2)
    assert number(total[4]) == _at(lines, 15, 2)
    assert number(total[7]) == _at(lines, 13, 2)
    assert number(total[8]) == _at(lines, 18, 2)


@pytest.mark.parametrize("code", CODES)
def test_groups_add_up_to_the_payable_before_assessment(statements: dict[str, Page], code: str) -> None:
    page = statements[code]
    rows, [total] = page.rows("groups") + page.rows("groups", "sub"), page.rows("groups", "total")
    for at in range(2, 8):
        assert column_sum(rows, at) == number(total[at])
    assert number(total[5]) == _at(_lines(page), 10, 2)
    for row in [*rows, total]:
        assert number(row[7]) == number(row[5]) - number(row[6])


@pytest.mark.parametrize("code", CODES)
def test_deviation_and_outcomes_add_up(statements: dict[str, Page], tables: RunTables, code: str) -> None:
    page = statements[code]
    for anchor, columns in (("deviation", range(1, 6)), ("outcomes", range(2, 5))):
        [total] = page.rows(anchor, "total")
        for at in columns:
            assert column_sum(page.rows(anchor), at) == number(total[at])
    [bands], [outcomes] = page.rows("deviation", "total"), page.rows("outcomes", "total")
    assert bands[2] == bands[4] == outcomes[3] == "100.00%"
    everything = tables.cases.filter(pl.col("fixmedins_code") == code).select(pl.len()).collect().item()
    assert number(outcomes[2]) == everything
    assert number(outcomes[4]) == number(bands[1]) == number(page.rows("months", "total")[0][1])
    assert number(bands[3]) == _at(_lines(page), 5, 2)


def _one(tables: RunTables, facts: Facts, code: str = CODES[0]) -> Hospital:
    return hospitals_of(tables, facts, [code])[0]


def _with(hospital: Hospital, **columns: int) -> Hospital:
    """Return the hospital with constant columns in its first pool, zero in the second."""
    first = pl.int_range(pl.len()) == 0
    values = [pl.when(first).then(v).otherwise(0).cast(pl.Int64).alias(name) for name, v in columns.items()]
    return dataclasses.replace(hospital, rows=hospital.rows.with_columns(values))


@pytest.mark.parametrize(
    ("balance", "capital", "clearing", "text"),
    [
        (-50, 0, 30_00, "全年基金应付 1.00 元，比记账少 0.50 元；已预付 2.00 元，年度清算应拨 30.00 元。"),
        (
            50,
            5_00,
            -3_00,
            "全年基金应付 1.00 元，比记账多 0.50 元；已预付 2.00 元，另有周转金 5.00 元，"
            "年度清算应退回 3.00 元。",
        ),
        (0, 0, 0, "全年基金应付 1.00 元，与记账相等；已预付 2.00 元，年度清算无须收付。"),
    ],
)
def test_the_result_in_one_sentence(
    tables: RunTables, facts: Facts, balance: int, capital: int, clearing: int, text: str
) -> None:
    amounts = {"payable_fen": 100, "balance_fen": balance, "working_capital_fen": capital}
    hospital = _with(_one(tables, facts), **amounts, advance_fen=200, clearing_fen=clearing)
    assert sentence(hospital, Words("zh")) == text


def test_the_sentence_in_english(tables: RunTables, facts: Facts) -> None:
    amounts = {"payable_fen": 100, "balance_fen": -50, "working_capital_fen": 0, "advance_fen": 200}
    hospital = _with(_one(tables, facts), **amounts, clearing_fen=-100)
    assert sentence(hospital, Words("en")) == (
        "The fund owes 1.00 yuan for the year, 0.50 yuan less than booked; 2.00 yuan were paid in advance"
        "; the hospital returns 1.00 yuan at the annual clearing."
    )


@pytest.mark.parametrize(
    ("clearing", "lang", "title", "text", "negative"),
    [
        (30_00, "zh", "年度清算应拨", "30.00", False),
        (-30_00, "zh", "年度清算应退回", "30.00", True),
        (0, "zh", "年度清算（无须收付）", "0.00", False),
        (30_00, "en", "clearing: hospital receives", "30.00", False),
        (-30_00, "en", "clearing: hospital returns", "30.00", True),
    ],
)
def test_the_clearing_tile_says_who_pays(
    tables: RunTables, facts: Facts, clearing: int, lang: str, title: str, text: str, negative: bool
) -> None:
    hospital = _with(_one(tables, facts), clearing_fen=clearing)
    shown, cell = figures(tables, hospital, Words(lang))[-1]
    assert (shown, cell.text, cell.negative) == (title, text, negative)


@pytest.mark.parametrize(
    ("pools", "title", "how", "cells"),
    [
        ([5_00, 2_00], "年度清算应拨", "= 14 − 17 − 18", [("5.00", None), ("2.00", None), ("7.00", None)]),
        ([-5_00, 0], "年度清算应退回", "= 17 + 18 − 14", [("5.00", None), ("0.00", None), ("5.00", None)]),
        (
            [2_00, -5_00],
            "年度清算应退回",
            "应拨 = 14 − 17 − 18；应退回 = 17 + 18 − 14；合计为两者相抵",
            [("2.00", "应拨"), ("5.00", "应退回"), ("3.00", "应退回")],
        ),
        (
            [5_00, -5_00],
            "年度清算（无须收付）",
            "应拨 = 14 − 17 − 18；应退回 = 17 + 18 − 14；合计为两者相抵",
            [("5.00", "应拨"), ("5.00", "应退回"), ("0.00", None)],
        ),
    ],
)
def test_the_last_step_says_who_pays(
    tables: RunTables,
    facts: Facts,
    pools: list[int],
    title: str,
    how: str,
    cells: list[tuple[str, str | None]],
) -> None:
    rows = _one(tables, facts).rows.with_columns(pl.Series("clearing_fen", pools))
    last = steps(tables, rows, Words("zh")).rows[-1].cells
    assert (last[1].text, last[1].note) == (title, how.replace("−", "\N{MINUS SIGN}"))
    assert [(cell.text, cell.note) for cell in last[2:]] == cells


def test_the_head_tells_stays_and_case_mix(tables: RunTables, facts: Facts) -> None:
    hospital = _one(tables, facts)
    shown = {title: cell.text for title, cell in figures(tables, hospital, Words("zh"))}
    cases = tables.hospitals.filter(pl.col("fixmedins_code") == CODES[0])["cases"].sum()
    assert shown["结算病例数"] == str(cases)
    assert shown["病例组合指数(CMI)"] == "1.1000"
    assert shown["机构调节系数"] == "1.0800"
    alone = dataclasses.replace(tables, monitoring=tables.monitoring.clear())
    assert dict(figures(alone, hospital, Words("zh")))["病例组合指数(CMI)"].text == "—"


def test_reasons_are_told_in_the_language_of_the_page() -> None:
    messages = {"age_range": "年龄不对", "own_rule": "本地规则"}
    assert reason_words("age_range", messages, Words("en")) == "age must lie between 0 and 130 years"
    assert reason_words("bed_day", {}, Words("zh")) == "床日付费"
    assert reason_words("own_rule", messages, Words("en")) == "本地规则"
    assert reason_words("unheard", messages, Words("zh")) == "unheard"
    assert reason_words(None, messages, Words("zh")) is None


def test_many_groups_are_cut_and_the_rest_is_one_line(tables: RunTables, facts: Facts) -> None:
    table = groups_table(_one(tables, facts), Words("zh"), top=1)
    shown = [row for row in table.rows if row.part == ""]
    [rest] = [row for row in table.rows if row.part == "sub"]
    groups = facts.of(CODES[0]).groups
    assert len(shown) == 2
    assert number(rest.cells[2].text) == groups["cases"].sum() - sum(number(r.cells[2].text) for r in shown)
    assert rest.cells[1].text == f"其余 {groups.height - 2} 个病种"
    assert shown[0].cells[7].text.startswith("+")
    assert shown[1].cells[7].text.startswith("\N{MINUS SIGN}")


def test_a_residual_outside_the_stays_is_shown(tables: RunTables, facts: Facts) -> None:
    hospital = _one(tables, facts)
    more = pl.col("gross_fen") + (pl.int_range(pl.len()) == 0).cast(pl.Int64) * 7
    table = groups_table(dataclasses.replace(hospital, rows=hospital.rows.with_columns(more)), Words("zh"))
    residual = table.rows[-2].cells
    assert (residual[1].text, residual[5].text, residual[7].text) == ("病例合计以外的尾差", "0.07", "+0.07")
    rows = [[cell.text for cell in row.cells] for row in table.rows if row.part in ("", "sub")]
    assert column_sum(rows, 5) == number(table.rows[-1].cells[5].text)


def test_settlement_by_difference(tables: RunTables, facts: Facts) -> None:
    """Points x value is the standard of the total cost; what patients and others paid is taken off."""
    manifest = tables.manifest | {"policy": tables.manifest["policy"] | {"settlement_method": "difference"}}
    table = steps(dataclasses.replace(tables, manifest=manifest), _one(tables, facts).rows, Words("en"))
    lines = {int(row.cells[0].text): row.cells for row in table.rows if row.part != "part"}
    assert sorted(lines) == list(range(1, 20))
    for at in (2, 3):
        seven, eight, nine, ten = (number(lines[line][at].text) for line in (7, 8, 9, 10))
        assert ten == seven - eight + nine
        assert abs(seven - number(lines[5][at].text) * number(lines[6][at].text)) <= Fraction(1, 200)
    assert lines[10][1].note == "= 7 \N{MINUS SIGN} 8 + 9"


def test_a_hospital_of_one_pool_has_no_total_column(tables: RunTables, facts: Facts) -> None:
    hospital = _one(tables, facts)
    alone = dataclasses.replace(
        hospital, rows=hospital.rows.head(1), months=hospital.months.filter(pl.col("pool") == "employee")
    )
    table = steps(tables, alone.rows, Words("zh"))
    assert [head.title for head in table.heads] == ["行", "项目", "职工医保"]
    assert all(len(row.cells) == 3 for row in table.rows if row.part != "part")
    assert [row.part for row in months_table(tables, alone, Words("zh")).rows].count("sub") == 0


def test_unknown_hospital(tables: RunTables, facts: Facts) -> None:
    with pytest.raises(InputError) as error:
        hospitals_of(tables, facts, ["H0"])
    assert error.value.code == "REPORT_HOSPITAL_UNKNOWN"
    assert error.value.value == "H0"
    assert "H36040000001" in str(error.value.remedy)


def test_parts_of_the_points_stand_below_the_total(tables: RunTables, facts: Facts) -> None:
    names = ("auxiliary_points_e4", "points_review_e4")
    usual = steps(tables, _one(tables, facts).rows, Words("zh"))
    changed = dataclasses.replace(
        tables,
        hospitals=tables.hospitals.with_columns(pl.lit(15_000, pl.Int64).alias(name) for name in names),
    )
    rows = _one(changed, facts).rows
    for lang, titles in (
        ("zh", ["总分值", "其中：辅助分型增减分值", "其中：特例单议分值"]),
        ("en", ["points", "of which by auxiliary types", "of which by special review"]),
    ):
        table = steps(changed, rows, Words(lang))
        lines = [[cell.text for cell in row.cells] for row in table.rows]
        at = next(i for i, row in enumerate(table.rows) if row.part == "total")
        assert [line[1].replace(":", "：") for line in lines[at : at + 3]] == titles
        assert [line[2] for line in lines[at + 1 : at + 3]] == ["1.5000"] * 2
    assert len(table.rows) == len(usual.rows) + 2
