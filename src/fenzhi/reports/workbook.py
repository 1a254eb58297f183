"""The workbook of a run: one sheet per result table, numbers as numbers, titles as in results.py."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter

from fenzhi.errors import OutputError
from fenzhi.files import neutral
from fenzhi.money import FEN_PER_YUAN, SCALE
from fenzhi.reports.display import moment
from fenzhi.reports.region_page import quality_summary
from fenzhi.reports.svg import text_width
from fenzhi.reports.tables import SMALL_TABLES, RunTables
from fenzhi.reports.words import Words
from fenzhi.results import TABLES, Column

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


def write_workbook(path: Path, tables: RunTables, lang: str) -> None:
    """Write the workbook: a first sheet that says what it is, then one sheet per table, without single stays.

    Amounts are yuan with two decimals, points have four; texts are never formulas; the run alone decides.
    Errors: :class:`OutputError` if a table has more rows than a sheet.
    """
    words = Words(lang, tables.style)
    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "in_memory": True,
    }
    book = xlsxwriter.Workbook(str(path), options)
    try:
        book.set_properties({"title": _title(tables, words), "created": _created(tables)})
        formats = {
            key: book.add_format({"num_format": form, "align": "right"}) for key, form in FORMATS.items()
        }
        formats |= {"head": book.add_format(HEAD), "bold": book.add_format({"bold": True, "font_size": 14})}
        _about(book, formats, tables, words)
        for name in SMALL_TABLES:
            frame, columns = _sheet_columns(tables, name, words)
            if frame.height > SHEET_ROWS:
                raise OutputError(
                    f"table {name} has {frame.height} rows, more than a sheet can hold",
                    code="REPORT_SHEET_ROWS",
                    file=path,
                    remedy=f"read {name}.parquet instead",
                )
            _sheet(book, formats, words(f"sheet.{name}"), (frame, columns), words)
    finally:
        book.close()


def _title(tables: RunTables, words: Words) -> str:
    region = tables.manifest["region"]
    return words("region_title", name=region["name"], year=region["year"])


def _created(tables: RunTables) -> datetime:
    try:
        return datetime.fromisoformat(str(tables.manifest["created"])).replace(tzinfo=None)
    except ValueError:
        return datetime(1980, 1, 1)


def _about(book: Any, formats: dict[str, Any], tables: RunTables, words: Words) -> None:
    sheet = book.add_worksheet(words("about"))
    sheet.set_column(0, 0, 18)
    sheet.set_column(1, 1, 80)
    manifest = tables.manifest
    region, policy, catalog = (manifest[key] for key in ("region", "policy", "catalog"))
    sheet.write_string(0, 0, neutral(_title(tables, words)), formats["bold"])
    lines = [
        (words("region"), f"{region['name']} ({region['id']})"),
        (words("year"), str(region["year"])),
        (words("run"), manifest["run_id"]),
        (words("created"), moment(manifest["created"])),
        (words("policy"), f"{policy['title']} ({policy['id']})"),
        (words("catalog"), f"{catalog['title']} {catalog['version']} ({catalog['id']})"),
        (words("about"), words("about_text")),
        (words("clearing"), words("clearing_about")),
        ("", words("unit_both")),
    ]
    if tables.synthetic:
        lines.insert(0, (words("synthetic"), words("synthetic_note")))
    for at, (title, value) in enumerate(lines, 2):
        sheet.write_string(at, 0, title)
        sheet.write_string(at, 1, neutral(str(value)))


def _sheet_columns(
    tables: RunTables, name: str, words: Words
) -> tuple[pl.DataFrame, list[tuple[str, str, str]]]:
    """Return the frame of a sheet and its columns as (name, title, unit); rejected rows come as a summary."""
    if name == "rejected":
        known = [(key, words.title("rejected", key), "text") for key in ("rule", "severity", "field")]
        return quality_summary(tables), [
            *known,
            ("rows", words("rows"), ""),
            ("hospitals", words("hospitals_hit"), ""),
        ]
    return getattr(tables, name), [(c.name, words.title(name, c.name), _unit(c)) for c in TABLES[name]]


def _unit(column: Column) -> str:
    if column.unit in FORMATS and column.unit:
        return column.unit
    if column.dtype in (pl.String, pl.Boolean):
        return "text"
    return "float" if column.dtype.is_float() else ""


def _sheet(
    book: Any,
    formats: dict[str, Any],
    title: str,
    content: tuple[pl.DataFrame, Sequence[tuple[str, str, str]]],
    words: Words,
) -> None:
    frame, columns = content
    sheet = book.add_worksheet(title)
    sheet.freeze_panes(1, 1)
    sheet.set_row(0, 32)
    sheet.autofilter(0, 0, frame.height, len(columns) - 1)
    for at, (name, head, unit) in enumerate(columns):
        sheet.write_string(0, at, neutral(head), formats["head"])
        values = frame[name].to_list()
        if unit == "text":
            shown = [None if v is None else neutral(_word(v, name, words)) for v in values]
            for row, value in enumerate(shown, 1):
                if value is not None:
                    sheet.write_string(row, at, value)
            longest = max((text_width(v, 2) for v in shown[:SAMPLE_ROWS] if v), default=0)
        else:
            longest = _numbers(sheet, at, values, DIVISORS.get(unit, 1), formats[unit])
        sheet.set_column(at, at, min(max(longest, text_width(head, 2) + 3, 8) + 2, 44))


def _word(value: object, column: str, words: Words) -> str:
    if isinstance(value, bool):
        return words("yes" if value else "no")
    return (words.known("layer", value) if column == "layer" else None) or str(value)


def _numbers(sheet: Any, at: int, values: Sequence[float | None], divisor: int, form: Any) -> float:
    """Write a column of numbers and return the width it needs, in characters."""
    for row, value in enumerate(values, 1):
        if value is not None:
            sheet.write_number(row, at, value / divisor if divisor > 1 else value, form)
    largest = max((abs(v) / divisor for v in values if v is not None), default=0)
    return len(f"{largest:,.0f}") + (5 if divisor > 1 else 0)
