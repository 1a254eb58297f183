"""Write a catalogue as an Excel workbook of text cells: the same content gives the same bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import xlsxwriter

from fenzhi.errors import OutputError
from fenzhi.files import neutral, new_file, require_new_file

_HEAD = {"bold": True, "bg_color": "#EAF1F4", "bottom": 1}
_WIDTH = 16

Rows = Iterable[Sequence[Any]]


@dataclass(frozen=True)
class BookSheet:
    """A sheet: its name, titles of columns, rows; ``widths``: title -> width. None is an empty cell."""

    name: str
    titles: Sequence[str]
    rows: Rows
    widths: Mapping[str, int] = field(default_factory=dict)


def _write_sheet(book: Any, forms: tuple[Any, Any], one: BookSheet) -> None:
    head, text = forms
    sheet = book.add_worksheet(one.name)
    sheet.freeze_panes(1, 0)
    for at, title in enumerate(one.titles):
        # Cells are text, so that a code that is corrected in Excel stays one.
        sheet.set_column(at, at, one.widths.get(title, _WIDTH), text)
        sheet.write_string(0, at, title, head)
    number = 0
    for number, row in enumerate(one.rows, start=1):
        for at, value in enumerate(row):
            if value is None:
                continue
            done = sheet.write_string(number, at, neutral(str(value)), text)
            if done:
                raise OutputError(
                    f"the sheet {one.name} has more rows, or a cell more text, than Excel can hold",
                    code="CATALOG_WORKBOOK_LIMIT",
                    row=number,
                    field=one.titles[at],
                    remedy="use the folder of tables instead",
                )
    sheet.autofilter(0, 0, number, len(one.titles) - 1)


def write_book(path: Path, title: str, sheets: Iterable[BookSheet]) -> None:
    """Write sheets into a new .xlsx file; texts that Excel would take for formulas get an apostrophe.

    Raises :class:`OutputError` OUTPUT_EXISTS, OUTPUT_FORMAT, CATALOG_WORKBOOK_LIMIT.
    """
    require_new_file(path, (".xlsx",))
    with new_file(path) as aside:
        book = xlsxwriter.Workbook(str(aside), {"constant_memory": True})
        try:
            book.set_properties({"title": title, "created": datetime(1980, 1, 1)})
            forms = (book.add_format(_HEAD), book.add_format({"num_format": "@"}))
            for one in sheets:
                _write_sheet(book, forms, one)
        finally:
            book.close()
