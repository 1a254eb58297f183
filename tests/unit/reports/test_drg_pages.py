"""Pages of a DRG region: kinds of groups and chapters add up, bed-day stays have their line, words are those of DRG."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import fastexcel
import polars as pl
import pytest

from fenzhi.reports import RunTables, write_reports
from fenzhi.reports.chapters import by_chapter, chapters_table
from fenzhi.reports.facts import Facts, case_mix, gather, grouping_rate
from fenzhi.reports.hospital import hospitals_of
from fenzhi.reports.statement import figures
from fenzhi.reports.steps import kinds_of
from fenzhi.reports.words import Words

from . import sample
from .parse import Page, column_sum, number

FIRST = "H36040000001"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a DRG region with points, reported in Chinese."""
    place = sample.write(tmp_path_factory.mktemp("drg") / "r1", *sample.build(drg=True))
    write_reports(place)
    return place


@pytest.fixture(scope="module")
def tables(folder: Path) -> RunTables:
    return RunTables.read(folder)


@pytest.fixture(scope="module")
def facts(tables: RunTables) -> Facts:
    return gather(tables)


@pytest.fixture(scope="module")
def region(folder: Path) -> Page:
    return Page((folder / "region.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def statement(folder: Path) -> Page:
    return Page((folder / "statements" / f"{FIRST}.html").read_text(encoding="utf-8"))


def chapters(*rows: tuple[str | None, str | None, str, int, int, int]) -> pl.DataFrame:
    """Rows of chapter, kind, outcome, cases, sum of weights, payable (fen); everything else follows."""
    schema = {
        "mdc": pl.String,
        "layer": pl.String,
        "outcome": pl.String,
        "cases": pl.Int64,
        "rw_e4": pl.Int64,
    }
    frame = pl.DataFrame([row[:5] for row in rows], schema=schema, orient="row")
    return frame.with_columns(
        pl.when(pl.col("rw_e4") > 0).then("cases").otherwise(0).alias("weighted"),
        pl.Series("payable_fen", [row[5] for row in rows], pl.Int64),
        *(
            pl.lit(value, pl.Int64).alias(name)
            for name, value in (("cost_fen", 10), ("points_e4", 5), ("booked_fen", 100))
        ),
    )


BY_HAND = chapters(
    ("MDCF", "medical", "grouped", 3, 24_000, 250),
    ("MDCF", "procedure", "grouped", 1, 36_000, 400),
    ("MDCB", "medical", "grouped", 1, 10_000, 90),
    (None, None, "ungrouped", 1, 0, 60),
    (None, None, "bed_day", 2, 0, 150),
)


def test_grouping_rate_and_case_mix_by_hand() -> None:
    # 5 of 6 stays that are no bed-day stays; weights 2.4 + 3.6 + 1 over 5 stays, by a scale of 1 and of 100.
    assert grouping_rate(BY_HAND) == 8_333
    assert case_mix(BY_HAND, 1) == 14_000
    assert case_mix(BY_HAND, 100) == 140
    assert grouping_rate(BY_HAND.clear()) is case_mix(BY_HAND.clear(), 1) is None
    assert grouping_rate(BY_HAND.filter(pl.col("outcome") == "bed_day")) is None


def test_table_by_hand(tables: RunTables) -> None:
    table = chapters_table(BY_HAND, tables, Words("zh", tables.style))
    rows = [[cell.text for cell in row.cells] for row in table.rows]
    # Cases, share, CMI by the scale of 1,000, ..., payable, booked, balance.
    assert [(row[0], *row[1:4], row[-1]) for row in rows if len(row) > 1] == [
        ("外科", "0", "0.00%", "—", "0.00"),
        ("非手术操作", "1", "12.50%", "0.0036", "+3.00"),
        ("内科", "4", "50.00%", "0.0009", "+1.40"),
        ("入组病例", "5", "62.50%", "0.0014", "+4.40"),
        ("未入组病例", "1", "12.50%", "—", "−0.40"),
        ("床日病例", "2", "25.00%", "—", "+0.50"),
        ("合计", "8", "100.00%", "0.0014", "+4.50"),
        ("神经系统", "1", "12.50%", "0.0010", "−0.10"),
        ("循环系统", "4", "50.00%", "0.0015", "+4.50"),
        ("入组病例", "5", "62.50%", "0.0014", "+4.40"),
    ]
    assert [row.cells[0].note for row in table.rows if row.cells[0].note] == ["MDCB", "MDCF"]


def test_chapters_without_names_go_by_code(tables: RunTables) -> None:
    bare = dataclasses.replace(tables, manifest=tables.manifest | {"catalog": {"title": "x"}})
    assert [(code, name) for code, name, _ in by_chapter(BY_HAND, bare)] == [("MDCB", None), ("MDCF", None)]


@pytest.mark.parametrize("page", ["region", "statement"])
def test_kinds_and_chapters_add_up_to_the_paid_stays(
    page: str, request: pytest.FixtureRequest, facts: Facts
) -> None:
    shown: Page = request.getfixturevalue(page)
    rows, [grouped, again], [total] = (shown.rows("chapters", part) for part in ("", "sub", "total"))
    assert [row[0] for row in rows[:5]] == ["外科", "非手术操作", "内科", "未入组病例", "床日病例"]
    assert grouped == again
    for at in (1, 2, 4, 5, 6, 7, 8):
        assert column_sum(rows[:3], at) == column_sum(rows[5:], at) == number(grouped[at])
        assert column_sum(rows[:5], at) == number(total[at])
    for row in rows:
        assert number(row[8]) == number(row[6]) - number(row[7])
    mine = facts.paid if page == "region" else facts.paid.filter(pl.col("fixmedins_code") == FIRST)
    assert number(total[1]) == mine["cases"].sum()
    assert number(total[4]) * 100 == mine["cost_fen"].sum()


def test_region_shows_rate_mix_and_a_chart_by_chapter(region: Page, facts: Facts, tables: RunTables) -> None:
    rate = grouping_rate(facts.chapters)
    assert rate is not None
    assert 9_000 < rate < 10_000
    assert f"入组率{rate / 100:.2f}%" in region.text.replace("\n", "")
    assert "MDCF 循环系统" in region.text
    assert len([tag for tag, given in region.tags if tag == "svg" and given.get("role") == "img"]) == 7
    heads = [row.cells for row in region.tables["monitoring"]]
    # Hospital, level, stays, grouping rate, low, high, CMI, time, cost: no share of core groups.
    assert {len(cells) for cells in heads} == {9}
    assert "核心病组" not in "".join(given.get("aria-label") or "" for _, given in region.tags)


def test_bed_day_points_have_a_line_and_the_formulas_count_on(statement: Page, tables: RunTables) -> None:
    assert kinds_of(tables) == ["core", "grassroots", "ungrouped", "bed_day"]
    rows = [row for row in statement.tables["steps"] if row.part != "part"]
    lines = {int(row.cells[0]): row for row in rows}
    assert [lines[at].cells[1].split("该类")[0] for at in range(1, 6)] == [
        "入组病例点数",
        "基层病组点数",
        "未入组病例点数",
        "床日点数",
        "总点数",
    ]
    assert lines[5].notes[1] == "= 1 + 2 + 3 + 4"
    last = {at: number(lines[at].cells[4]) for at in (1, 2, 3, 4, 5, 10, 12, 13, 14, 15, 16)}
    assert last[5] == last[1] + last[2] + last[3] + last[4]
    assert last[4] > 0
    assert last[14] == last[10] - last[12] - last[13]
    assert last[16] == last[14] - last[15]


def test_a_kind_that_nobody_has_makes_no_line(tables: RunTables) -> None:
    without = tables.hospitals.with_columns(pl.lit(0, pl.Int64).alias("points_grassroots_e4"))
    bare = dataclasses.replace(tables, hospitals=without)
    assert kinds_of(bare) == ["core", "ungrouped", "bed_day"]


def test_special_stays_and_readmissions_are_told(statement: Page, facts: Facts) -> None:
    rows = {row[0]: row for row in statement.rows("deviation")}
    assert {"不稳定病组", "住院过程不完整", "未判断"} <= set(rows)
    [mine] = facts.of(FIRST).readmitted["cases"].to_list()
    assert mine > 0
    assert rows["其中：短期内再入院"][1] == str(mine)
    [total] = statement.rows("deviation", "total")
    assert sum(number(row[1]) for name, row in rows.items() if "其中" not in name) == number(total[1])


def test_reasons_and_outcomes_are_in_words(statement: Page) -> None:
    said = {(row[0], row[1]) for row in statement.rows("outcomes")}
    assert {("床日付费", "—"), ("入组", "—")} <= said
    assert {row[1] for row in statement.rows("outcomes") if row[0] == "未入组"} <= {
        "主要诊断不属于任何主要诊断大类",
        "性别与主要诊断大类不符",
    }


def test_words_of_the_pages(region: Page, statement: Page) -> None:
    for page in (region, statement):
        assert "病种" not in page.text.replace("单病种", "")
        assert "分值" not in page.text
        assert "权重" not in page.text
    assert "DRG 付费年度结算总览" in region.text
    assert "总点数" in region.text


def test_workbook_names_the_kinds(folder: Path) -> None:
    book = fastexcel.read_excel(folder / "region.xlsx")
    groups = book.load_sheet("病组").to_polars()
    assert set(groups["病组类型"]) == {"外科", "非手术操作", "内科"}
    assert "基准点数" in groups.columns


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_region_with_rates_speaks_of_weights(lang: str, tmp_path: Path) -> None:
    frames, about = sample.build(drg=True)
    about["policy"]["scale"] = 1
    place = sample.write(tmp_path / "r1", frames, about)
    write_reports(place, lang=lang)
    text = Page((place / "region.html").read_text(encoding="utf-8").split("</style>")[1]).text
    assert ("总权重" in text, "结算费率" in text) == (lang == "zh",) * 2
    assert ("settlement rate" in text, "points" in text) == (lang == "en", False)


def test_a_statement_without_a_coefficient_of_the_hospital_shows_the_advances(
    tables: RunTables, facts: Facts
) -> None:
    [hospital] = hospitals_of(tables, facts, [FIRST])
    words = Words("zh", tables.style)
    titles = [title for title, _ in figures(tables, hospital, words)]
    assert titles[:2] == ["结算病例数", "入组率"]
    assert "机构调节系数" in titles
    rows = hospital.rows.with_columns(pl.lit(None, pl.Int64).alias("coefficient_e4"))
    bare = [title for title, _ in figures(tables, dataclasses.replace(hospital, rows=rows), words)]
    assert [title for title in titles if title not in bare] == ["机构调节系数"]
    assert [title for title in bare if title not in titles] == ["已预付"]
