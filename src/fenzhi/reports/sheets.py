"""Sheets of a workbook: numbers as numbers, texts never formulas, widths that fit; what every workbook shares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter

from fenzhi.errors import OutputError
from fenzhi.files import neutral
from fenzhi.money import FEN_PER_YUAN, SCALE
from fenzhi.reports.pools import limit_words
from fenzhi.reports.rules import rules_lines
from fenzhi.reports.svg import text_width
from fenzhi.reports.tables import RunTables
from fenzhi.reports.words import Words
from fenzhi.results import Column

#: Rows of a sheet without its header.
SHEET_ROWS = 1_048_575
SAMPLE_ROWS = 200
FORMATS = {
    "fen": "#,##0.00;[Red]-#,##0.00",
    "e4": "#,##0.0000",
    "share": "0.00%",
    "": "#,##0",
    "float": "0.0000",
}
DIVISORS = {"fen": FEN_PER_YUAN, "e4": SCALE}
HEAD = {"bold": True, "bg_color": "#EAF1F4", "bottom": 1, "valign": "vcenter", "text_wrap": True}


@dataclass(frozen=True)
class Sheet:
    """A sheet: its title, its rows and its columns as (name, title, unit)."""

    title: str
    frame: pl.DataFrame
    columns: Sequence[tuple[str, str, str]]
    #: Where to read the table instead if it is too long for a sheet.
    instead: str = ""


def unit_of(column: Column) -> str:
    """Return how a column of a result table is written: ``fen``, ``e4``, ``share``, ``text``, ``float`` or empty."""
    if column.unit in FORMATS and column.unit:
        return column.unit
    if column.dtype in (pl.String, pl.Boolean):
        return "text"
    return "float" if column.dtype.is_float() else ""


@contextmanager
def workbook(path: Path, title: str, created: str) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Give a new workbook and its formats; it is written when the block ends. The run alone decides its bytes."""
    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "in_memory": True,
    }
    book = xlsxwriter.Workbook(str(path), options)
    try:
        book.set_properties({"title": title, "created": _moment(created)})
        formats = {
            key: book.add_format({"num_format": form, "align": "right"}) for key, form in FORMATS.items()
        }
        formats |= {"head": book.add_format(HEAD), "bold": book.add_format({"bold": True, "font_size": 14})}
        yield book, formats
    finally:
        book.close()


def _moment(created: str) -> datetime:
    try:
        return datetime.fromisoformat(created).replace(tzinfo=None)
    except ValueError:
        return datetime(1980, 1, 1)


def about_sheet(
    book: Any, formats: dict[str, Any], name: str, title: str, lines: Sequence[tuple[str, str]]
) -> None:
    """Write the first sheet: what the workbook is, line by line."""
    sheet = book.add_worksheet(name)
    sheet.set_column(0, 0, 18)
    sheet.set_column(1, 1, 80)
    sheet.write_string(0, 0, neutral(title), formats["bold"])
    for at, (what, value) in enumerate(lines, 2):
        sheet.write_string(at, 0, what)
        sheet.write_string(at, 1, neutral(value))


def run_lines(tables: RunTables, words: Words) -> list[tuple[str, str]]:
    """Return what the first sheet says of the run."""
    from fenzhi.reports.display import moment

    manifest = tables.manifest
    region, policy, catalog = (manifest[key] for key in ("region", "policy", "catalog"))
    rules = [
        (words("policy"), f"{policy['title']} ({policy['id']})"),
        (words("catalog"), f"{catalog['title']} {catalog['version']} ({catalog['id']})"),
    ]
    synthetic = [(words("synthetic"), words("synthetic_note"))] if tables.synthetic else []
    return [
        *synthetic,
        (words("region"), f"{region['name']} ({region['id']})"),
        (words("year"), str(region["year"])),
        (words("run"), manifest["run_id"]),
        (words("created"), moment(manifest["created"])),
        *(rules_lines(tables, words) if tables.rules else rules),
    ]


def add_sheet(book: Any, formats: dict[str, Any], sheet: Sheet, words: Words, path: Path) -> None:
    """Write a table as a sheet with frozen head and filter.

    Errors: :class:`OutputError` if it has more rows than a sheet.
    """
    frame, columns = sheet.frame, sheet.columns
    if frame.height > SHEET_ROWS:
        raise OutputError(
            f"table {sheet.instead or sheet.title} has {frame.height} rows, more than a sheet can hold",
            code="REPORT_SHEET_ROWS",
            file=path,
            remedy=f"read {sheet.instead or sheet.title}.parquet instead",
        )
    page = book.add_worksheet(sheet.title)
    page.freeze_panes(1, 1)
    page.set_row(0, 32)
    page.autofilter(0, 0, frame.height, len(columns) - 1)
    page.set_landscape()
    page.set_paper(9)
    page.fit_to_pages(1, 0)
    page.repeat_rows(0)
    for at, (name, head, unit) in enumerate(columns):
        page.write_string(0, at, neutral(head), formats["head"])
        values = frame[name].to_list()
        if unit == "text":
            shown = [None if v is None else neutral(_word(v, name, words)) for v in values]
            for row, value in enumerate(shown, 1):
                if value is not None:
                    page.write_string(row, at, value)
            longest = max((text_width(v, 2) for v in shown[:SAMPLE_ROWS] if v), default=0)
        else:
            longest = _numbers(page, at, values, DIVISORS.get(unit, 1), formats[unit])
        page.set_column(at, at, min(max(longest, text_width(head, 2) + 3, 8) + 2, 44))


def _word(value: object, column: str, words: Words) -> str:
    if isinstance(value, bool):
        return words("yes" if value else "no")
    if column == "value_limit":
        return limit_words(str(value), words)
    return (words.known("layer", value) if column == "layer" else None) or str(value)


def _numbers(sheet: Any, at: int, values: Sequence[float | None], divisor: int, form: Any) -> float:
    """Write a column of numbers and return the width it needs, in characters."""
    for row, value in enumerate(values, 1):
        if value is not None:
            sheet.write_number(row, at, value / divisor if divisor > 1 else value, form)
    largest = max((abs(v) / divisor for v in values if v is not None), default=0)
    return len(f"{largest:,.0f}") + (5 if divisor > 1 else 0)
