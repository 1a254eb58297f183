"""What a hospital reads besides its year: months, departments, special review, the page to sign, the workbook."""

from __future__ import annotations

import hashlib
import re
from fractions import Fraction
from pathlib import Path

import fastexcel
import polars as pl
import pytest

from fenzhi.reports import RunTables, write_reports, write_statement
from fenzhi.reports.capitals import capitals

from . import sample
from .parse import Page, column_sum, number

FIRST, SECOND, THIRD = sample.HOSPITALS
PAID = ("grouped", "comprehensive", "ungrouped", "bed_day")


def _paid(tables: RunTables, code: str) -> pl.DataFrame:
    cases = tables.cases.filter(pl.col("fixmedins_code") == code, pl.col("points_e4").is_not_null())
    return cases.filter(pl.col("pool").is_not_null(), pl.col("outcome").is_in(PAID)).collect()


def _figure(rows: list[list[str]], item: str) -> Fraction:
    [row] = [row for row in rows if row[0] == item]
    return number(row[-1])


def test_every_month_has_its_page_and_adds_up(statements: dict[str, Page], tables: RunTables) -> None:
    chinese = "确认单" in statements[FIRST].text
    for code in sample.HOSPITALS:
        page = statements[f"{code}.months"]
        anchors = [f"m{n:02d}" for n in range(1, 13)]
        assert [name for name in page.tables if name.startswith("m")] == ["months", *anchors]
        paid = _paid(tables, code)
        for month in range(1, 13):
            rows = [row.cells for row in page.tables[f"m{month:02d}"]]
            mine = paid.filter(month=month)
            cases, points = ("结算病例数", "总分值") if chinese else ("stays", "points")
            assert _figure(rows, cases) == mine.height
            assert _figure(rows, points) == Fraction(mine["points_e4"].sum(), 10_000)
            prefix = "其中：" if chinese else "of these: "
            kinds = [row for row in rows if row[0].startswith(prefix)]
            assert column_sum(kinds, -1) == _figure(rows, points)
            bands = [row for row in rows if row[0].startswith("病例：" if chinese else "stays: ")]
            assert column_sum(bands, -1) == mine.height
            title = "payable at the settlement value, before assessment"
            title = "按结算点值的基金应付（考核前）" if chinese else title
            assert _figure(rows, title) == Fraction(mine["payable_fen"].sum(), 100)
            balance = "差额" if chinese else "balance"
            assert _figure(rows, balance) == Fraction((mine["payable_fen"] - mine["booked_fen"]).sum(), 100)


def test_case_mix_of_a_month(tables: RunTables, statements: dict[str, Page]) -> None:
    """The mean weight of May's stays that have one, to four decimals."""
    mine = _paid(tables, FIRST).filter(month=5)["rw_e4"].drop_nulls()
    rows = [row.cells for row in statements[f"{FIRST}.months"].tables["m05"]]
    [mix] = [row[-1] for row in rows if row[0] in ("病例组合指数(CMI)", "case mix index")]
    # The sample's manifest states no scale, so weights count from 1.
    assert abs(number(mix) - Fraction(mine.sum(), len(mine) * 10_000)) <= Fraction(1, 20_000)


def test_departments_add_up_to_the_hospital(statements: dict[str, Page], tables: RunTables) -> None:
    for code in sample.HOSPITALS:
        page, paid = statements[code], _paid(tables, code)
        rows = page.rows("departments")
        expected = dict(paid["dscg_caty"].value_counts().iter_rows())
        found = {row[0]: int(number(row[1])) for row in rows}
        none = "未注明" if "确认单" in page.text else "not stated"
        assert found == {name or none: n for name, n in expected.items()}
        assert list(found)[-1] in ("未注明", "not stated")
        [total] = page.rows("departments", "total")
        for at in (1, 3, 4, 5, 6, 7):
            assert column_sum(rows, at) == number(total[at])
        assert number(total[5]) - number(total[6]) == number(total[7])


def test_special_review_is_shown_where_it_decided(tmp_path: Path) -> None:
    frames, about = sample.build()
    chosen = frames["cases"].filter(
        pl.col("points_e4").is_not_null(), pl.col("pool").is_not_null(), pl.col("fixmedins_code") == FIRST
    )["setl_id"][:3]
    review = pl.when(pl.col("setl_id") == chosen[0]).then(pl.lit("refused"))
    review = review.when(pl.col("setl_id").is_in(chosen.to_list())).then(pl.lit("coefficient"))
    frames["cases"] = frames["cases"].with_columns(review.alias("review"))
    run = sample.write(tmp_path / "run", frames, about)
    write_reports(run)
    first, second = (Page((run / "statements" / f"{code}.html").read_text()) for code in (FIRST, SECOND))
    assert [row[:2] for row in first.rows("reviews")] == [["核定系数", "2"], ["未通过", "1"]]
    assert first.rows("reviews", "total")[0][1] == "3"
    assert "reviews" not in second.tables
    month = frames["cases"].filter(setl_id=chosen[0])["month"][0]
    months = Page((run / "statements" / f"{FIRST}.months.html").read_text())
    assert ["特例单议：未通过", "1"] in [
        [row.cells[0], row.cells[-1]] for row in months.tables[f"m{month:02d}"]
    ]


def test_the_page_to_sign(statements: dict[str, Page], tables: RunTables, run_dir: Path) -> None:
    digest = hashlib.sha256((run_dir / "manifest.json").read_bytes()).hexdigest()
    ids = tables.cases.select("setl_id").collect()["setl_id"].to_list()
    for code in sample.HOSPITALS:
        page = statements[f"{code}.confirm"]
        mine = tables.hospitals.filter(fixmedins_code=code)
        payable, clearing = int(mine["payable_fen"].sum()), int(mine["clearing_fen"].sum())
        for said in (
            digest,
            "sample-0001",
            "示范统筹区",
            "2027",
            code,
            capitals(payable),
            capitals(abs(clearing)),
        ):
            assert said in page.text
        [total] = page.rows("sums", "total")
        assert number(total[1]) == mine["cases"].sum()
        assert number(total[2]) * 10_000 == mine["points_e4"].sum()
        assert number(total[4]) * 100 == payable
        ways = ("应拨", "应退回") if "确认金额" in page.text else ("receives", "returns")
        way = ways[clearing < 0]
        assert way in page.text
        assert not [one for one in ids if one in page.text]
    assert digest not in statements[FIRST].text


def test_the_hash_is_that_of_the_written_manifest(tmp_path: Path) -> None:
    """One sign changed in the manifest, and the page says another hash."""
    frames, about = sample.build()
    hashes = []
    for name in ("one", "two"):
        about["counts"]["further"] = name
        run = sample.write(tmp_path / name, frames, about)
        [path] = write_statement(run, FIRST, target=tmp_path / f"{name}.html", kind="confirm")
        hashes += set(re.findall(r"[0-9a-f]{64}", path.read_text()))
    assert len(set(hashes)) == 2


@pytest.fixture(scope="module")
def book(run_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    [path] = write_statement(run_dir, FIRST, target=tmp_path_factory.mktemp("book") / "one.xlsx")
    return path


def _sheet(book: Path, title: str) -> pl.DataFrame:
    return fastexcel.read_excel(book).load_sheet(title).to_polars()


def test_the_workbook_of_a_hospital_has_all_its_groups_and_departments(book: Path, tables: RunTables) -> None:
    names = ["说明", "医疗机构", "分月", "分月明细", "科室", "病种", "费用偏差", "病例去向", "往来账"]
    assert fastexcel.read_excel(book).sheet_names == names
    paid = _paid(tables, FIRST)
    groups = _sheet(book, "病种")
    assert groups.height == paid["group_id"].n_unique()
    assert round(groups["基金应付(考核前)"].sum() * 100) == paid["payable_fen"].sum()
    assert _sheet(book, "科室")["本年病例数"].sum() == paid.height
    assert _sheet(book, "分月明细")["本年病例数"].sum() == paid.height
    assert _sheet(book, "分月").height == 24
    assert set(_sheet(book, "医疗机构")["医疗机构编码"]) == {FIRST}
    assert _sheet(book, "往来账").height == tables.ledger.filter(fixmedins_code=FIRST).height


def test_the_agencys_workbook_has_a_sheet_for_every_table_of_the_run(run_dir: Path, tmp_path: Path) -> None:
    from fenzhi.reports.workbook import write_workbook
    from fenzhi.results import FURTHER, TABLES, shape

    frames, about = sample.build()
    run = sample.write(tmp_path / "run", frames, about)
    for name in FURTHER:
        shape(pl.DataFrame(), name).write_parquet(run / f"{name}.parquet")
    write_workbook(tmp_path / "all.xlsx", RunTables.read(run), "zh")
    sheets = fastexcel.read_excel(tmp_path / "all.xlsx").sheet_names
    # All but those that hold single stays.
    stays = [name for name, columns in FURTHER.items() if columns[0].name == "setl_id"]
    assert len(sheets) == 1 + (len(TABLES) - 1) + len(FURTHER) - len(stays)
    assert {"成本系数", "类别病种系数", "辅助分型", "特例单议"} <= set(sheets)
