"""Excel workbooks: the first sheet, every cell as text, codes never through numbers.

A code that Excel holds as a number has lost its zeros (``47.0100`` became 47.01) and one that it took for a
date is gone altogether; a formula shows what it showed when the file was last saved. Both are errors here,
found in the sheet's XML because the reader's text no longer tells them apart.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import fastexcel
import polars as pl

from fenzhi.errors import InputError

_ATTRIBUTE = re.compile(rb'<sheet\b[^>]*?r:id="([^"]+)"')
_CELL = re.compile(rb'<c r="([A-Z]+)(\d+)"[^>/]*>')


@dataclass(frozen=True)
class ExcelSheet:
    """The first sheet of one workbook: header, cells as text, raw XML for the checks."""

    file: str
    header: tuple[str, ...]
    frame: pl.DataFrame
    xml: bytes
    notices: tuple[str, ...]

    def load(self, columns: Sequence[str]) -> pl.DataFrame:
        """Return the named columns as text, with ``__row`` (data rows from 1); empty lines are left out."""
        cells = self.frame.drop("__row")
        some = self.frame.select(pl.any_horizontal(pl.col(cells.columns).is_not_null())).to_series()
        return self.frame.select(*columns, "__row").filter(some)

    def check_codes(self, columns: Iterable[str], keys: Iterable[str]) -> None:
        """Raise :class:`InputError` if a code column holds a number or date, or a key more than 15 digits."""
        for column in columns:
            self._forbid(
                column, rb"<v>", "a code is stored as a number or a date, so zeros or the code are lost"
            )
        for column in keys:
            self._forbid(
                column, rb"<v>(?:\d{16}|[^<]*[eE])", "this number has more digits than Excel can keep"
            )

    def _forbid(self, column: str, content: bytes, what: str) -> None:
        first = _CELL.search(self.xml)
        left, top = (_number(first[1]), int(first[2])) if first else (0, 1)
        letters = _letters(left + self.header.index(column)).encode()
        # Cells of numbers and dates have no type, or t="n" / t="d"; texts have t="s", "str" or "inlineStr".
        untyped = rb'(?:(?!\bt=)[^>])*(?:\bt="[nd]"[^>]*)?'
        header = str(top).encode()
        cell = rb'<c r="' + letters + rb"(?!" + header + rb'")(\d+)"' + untyped + rb">"
        found = re.search(cell + content, self.xml)
        if found:
            raise InputError(
                what,
                code="RECORDS_EXCEL_NUMBER",
                file=self.file,
                row=int(found[1]) - top,
                field=column,
                remedy="format the column as text before filling it, or export CSV or Parquet instead",
            )


def _number(letters: bytes) -> int:
    index = 0
    for letter in letters:
        index = index * 26 + letter - 64
    return index - 1


def _letters(index: int) -> str:
    text = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        text = chr(65 + rest) + text
    return text


def _sheet_xml(path: Path) -> bytes:
    with zipfile.ZipFile(path) as book:
        first = _ATTRIBUTE.search(book.read("xl/workbook.xml"))
        rels = book.read("xl/_rels/workbook.xml.rels")
        target = b"worksheets/sheet1.xml"
        if first:
            for item in re.findall(rb"<Relationship\b[^>]*>", rels):
                if b'Id="' + first[1] + b'"' in item:
                    target = re.findall(rb'Target="([^"]+)"', item)[0]
        name = target.decode().removeprefix("/xl/").removeprefix("xl/")
        return book.read(f"xl/{name}")


def _read(path: Path) -> tuple[bytes, list[str], pl.DataFrame]:
    book = fastexcel.read_excel(path)
    # Without a header row the reader keeps names as they are, repeated ones too.
    sheet = book.load_sheet(0, header_row=None, dtypes="string")
    return _sheet_xml(path), list(book.sheet_names), sheet.to_polars()


def open_excel(path: Path) -> ExcelSheet:
    """Read the first sheet of a workbook.

    Raises :class:`InputError` RECORDS_EXCEL, RECORDS_EXCEL_FORMULA, RECORDS_EMPTY_FILE or RECORDS_NO_ROWS.
    """
    file = str(path)
    try:
        xml, sheets, cells = _read(path)
    except (
        fastexcel.FastExcelError,
        zipfile.BadZipFile,
        KeyError,
        IndexError,
        pl.exceptions.PolarsError,
    ) as error:
        raise InputError(
            "this is not a readable Excel workbook",
            code="RECORDS_EXCEL",
            file=path,
            remedy="save it as .xlsx (not protected by a password), or export CSV",
        ) from error
    formula = re.search(rb'<c r="([A-Z]+)(\d+)"[^>]*><f[ >/]', xml)
    if formula:
        raise InputError(
            f"cell {(formula[1] + formula[2]).decode()} holds a formula, not a value",
            code="RECORDS_EXCEL_FORMULA",
            file=file,
            row=max(int(formula[2]) - 1, 1),
            remedy="copy the sheet and paste it as values, then save",
        )
    if not cells.height or not cells.width:
        raise InputError(
            "the sheet is empty", code="RECORDS_EMPTY_FILE", file=file, remedy="export it again or remove it"
        )
    header = tuple((name or "").strip() for name in cells.row(0))
    used = [i for i, name in enumerate(header) if name]
    body = cells.slice(1).select(cells.columns)
    frame = body.with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("__row"))
    names = [header[i] for i in used]
    if len(set(names)) == len(names):
        frame = frame.select([pl.nth(i).alias(header[i]) for i in used] + [pl.col("__row")])
    if not body.height:
        raise InputError(
            "the sheet has a header but no rows",
            code="RECORDS_NO_ROWS",
            file=file,
            remedy="export it again or remove it",
        )
    notices = (f"{file}: only the first sheet, {sheets[0]!r}, is read",) if len(sheets) > 1 else ()
    return ExcelSheet(file, header, frame, xml, notices)
