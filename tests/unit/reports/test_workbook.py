"""The workbook: numbers as numbers, no formulas, titles of results.py, the same bytes for the same run."""

from __future__ import annotations

import zipfile
from pathlib import Path

import fastexcel
import polars as pl
import pytest

from fenzhi.errors import OutputError
from fenzhi.reports import RunTables, sheets
from fenzhi.reports.workbook import write_workbook
from fenzhi.results import TABLES


@pytest.fixture(scope="module")
def book(tables: RunTables, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("book") / "region.xlsx"
    write_workbook(path, tables, "zh")
    return path


def _sheet(book: Path, title: str) -> pl.DataFrame:
    return fastexcel.read_excel(book).load_sheet(title).to_polars()


def test_sheets(book: Path) -> None:
    assert fastexcel.read_excel(book).sheet_names == [
        "说明",
        "病种",
        "医疗机构",
        "分月",
        "基金池",
        "预算",
        "账务",
        "质控汇总",
        "监测",
    ]


@pytest.mark.parametrize(
    ("title", "table"),
    [
        ("医疗机构", "hospitals"),
        ("分月", "months"),
        ("基金池", "pools"),
        ("预算", "budget"),
        ("病种", "groups"),
    ],
)
def test_values_and_titles(book: Path, tables: RunTables, title: str, table: str) -> None:
    sheet, frame = _sheet(book, title), getattr(tables, table)
    assert sheet.columns == [column.zh for column in TABLES[table]]
    assert sheet.height == frame.height
    for column in TABLES[table]:
        if column.unit in ("fen", "e4"):
            scale = 100 if column.unit == "fen" else 10_000
            found = [None if v is None else round(v * scale) for v in sheet[column.zh].to_list()]
            assert found == frame[column.name].to_list()


def test_first_sheet_says_what_it_is(book: Path) -> None:
    said = fastexcel.read_excel(book).load_sheet("说明", header_row=None).to_polars()
    text = " ".join(str(v) for column in said.get_columns() for v in column.to_list())
    for part in ("合成数据", "示范统筹区", "2027", "sample-0001", "national-dip-3.0"):
        assert part in text


def test_english(tables: RunTables, tmp_path: Path) -> None:
    write_workbook(tmp_path / "x.xlsx", tables, "en")
    assert _sheet(tmp_path / "x.xlsx", "Pools").columns == [column.en for column in TABLES["pools"]]


def test_nothing_is_a_formula_and_quality_is_a_summary(book: Path) -> None:
    with zipfile.ZipFile(book) as parts:
        sheets = [
            parts.read(name).decode() for name in parts.namelist() if name.startswith("xl/worksheets/sheet")
        ]
        strings = parts.read("xl/sharedStrings.xml").decode()
    assert len(sheets) == 9
    assert not any("<f>" in sheet for sheet in sheets)
    assert all("<pane " in sheet and "<autoFilter" in sheet for sheet in sheets[1:])
    assert "'=budget" in strings
    assert "=1+1" not in strings, "values of rejected rows stay out"


def test_the_run_alone_decides_the_bytes(book: Path, tables: RunTables, tmp_path: Path) -> None:
    write_workbook(tmp_path / "again.xlsx", tables, "zh")
    assert (tmp_path / "again.xlsx").read_bytes() == book.read_bytes()


def test_too_many_rows(tables: RunTables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "SHEET_ROWS", 5)
    with pytest.raises(OutputError) as error:
        write_workbook(tmp_path / "x.xlsx", tables, "zh")
    assert error.value.code == "REPORT_SHEET_ROWS"
