"""Excel: cells as text, and codes that Excel spoiled are errors."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest
import xlsxwriter

from fenzhi.errors import InputError
from fenzhi.records import read_stays
from fenzhi.records.excel import open_excel

from .clean import ROW


def _book(
    path: Path, rows: Sequence[Sequence[object]], sheets: int = 1, at: tuple[int, int] = (0, 0)
) -> Path:
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet("stays")
    form = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    for i, row in enumerate(rows, start=at[0]):
        for j, value in enumerate(row, start=at[1]):
            if isinstance(value, datetime):
                sheet.write_datetime(i, j, value, form)
            elif isinstance(value, str) and value.startswith("="):
                sheet.write_formula(i, j, value, None, 2)
            elif isinstance(value, str):
                sheet.write_string(i, j, value)
            elif isinstance(value, int | float):
                sheet.write_number(i, j, value)
    for _ in range(1, sheets):
        book.add_worksheet()
    book.close()
    return path


def _stay(**changes: object) -> list[list[object]]:
    row: dict[str, object] = {**ROW, **changes}
    return [list(row), list(row.values())]


def test_a_workbook_gives_the_same_stay_as_text(tmp_path: Path) -> None:
    rows = _stay(
        adm_time=datetime(2027, 3, 1, 8),
        dscg_time=datetime(2027, 3, 8, 10, 30),
        medfee_sumamt=8000.25,
        age=54,
    )
    read = read_stays(_book(tmp_path / "a.xlsx", [rows[0], rows[1], [None] * 3], sheets=2))
    stay = read.stays.row(0, named=True)
    assert stay["oprn_codes"] == ["47.0100"]
    assert (stay["adm_time"], stay["dscg_time"]) == (datetime(2027, 3, 1, 8), datetime(2027, 3, 8, 10, 30))
    assert (stay["medfee_sumamt_fen"], stay["age"], stay["source_row"]) == (800025, 54, 1)
    assert read.notices == (f"{tmp_path / 'a.xlsx'}: only the first sheet, 'stays', is read",)


@pytest.mark.parametrize("at", [(0, 0), (3, 2)])
@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        (
            {"oprn_codes": 47.01},
            "oprn_codes",
            "a code is stored as a number or a date, so zeros or the code are lost",
        ),
        (
            {"diag_codes": datetime(2027, 3, 1)},
            "diag_codes",
            "a code is stored as a number or a date, so zeros or the code are lost",
        ),
        ({"setl_id": 12345678901234567890}, "setl_id", "this number has more digits than Excel can keep"),
    ],
)
def test_spoiled_codes_are_errors(
    tmp_path: Path, changes: dict[str, object], field: str, message: str, at: tuple[int, int]
) -> None:
    good = list(ROW.values())
    rows = _stay(**changes)
    path = _book(tmp_path / "a.xlsx", [rows[0], good, rows[1]], at=at)
    with pytest.raises(InputError) as caught:
        read_stays(path)
    error = caught.value
    assert (error.code, error.row, error.field, error.message) == ("RECORDS_EXCEL_NUMBER", 2, field, message)
    assert error.remedy == "format the column as text before filling it, or export CSV or Parquet instead"


def test_short_numeric_keys_are_fine(tmp_path: Path) -> None:
    read = read_stays(_book(tmp_path / "a.xlsx", _stay(setl_id=1001, insutype=390)))
    assert read.stays.select("setl_id", "insutype").row(0) == ("1001", "390")


@pytest.mark.parametrize(
    ("rows", "code", "message"),
    [
        ([], "RECORDS_EMPTY_FILE", "the sheet is empty"),
        ([["setl_id"]], "RECORDS_NO_ROWS", "the sheet has a header but no rows"),
        (
            [["setl_id", "age"], ["S1", "=40+2"]],
            "RECORDS_EXCEL_FORMULA",
            "cell B2 holds a formula, not a value",
        ),
    ],
)
def test_bad_workbooks_are_named(tmp_path: Path, rows: list[list[object]], code: str, message: str) -> None:
    path = _book(tmp_path / "a.xlsx", rows)
    with pytest.raises(InputError) as caught:
        open_excel(path)
    assert (caught.value.code, caught.value.message, caught.value.file) == (code, message, str(path))


def test_not_a_workbook(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"PK not really")
    with pytest.raises(InputError, match="this is not a readable Excel workbook") as caught:
        open_excel(path)
    assert caught.value.code == "RECORDS_EXCEL"


def test_two_columns_of_one_name(tmp_path: Path) -> None:
    rows = _stay()
    path = _book(tmp_path / "a.xlsx", [[*rows[0], "age"], [*rows[1], "3"]])
    with pytest.raises(InputError, match="two columns have the same name") as caught:
        read_stays(path)
    assert (caught.value.code, caught.value.field) == ("RECORDS_COLUMN_TWICE", "age")
