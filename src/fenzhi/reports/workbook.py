"""The workbook of a run: one sheet per result table, numbers as numbers, titles as in results.py."""

from __future__ import annotations

from pathlib import Path

from fenzhi.reports.region_page import quality_summary
from fenzhi.reports.sheets import SHEET_ROWS, Sheet, about_sheet, add_sheet, run_lines, unit_of, workbook
from fenzhi.reports.tables import SMALL_TABLES, RunTables
from fenzhi.reports.words import Words
from fenzhi.results import columns_of


def write_workbook(path: Path, tables: RunTables, lang: str) -> None:
    """Write the workbook: a first sheet that says what it is, then one sheet per table, without single stays.

    Amounts are yuan with two decimals, points have four; texts are never formulas; the run alone decides.
    Errors: :class:`OutputError` if a table has more rows than a sheet.
    """
    words = Words(lang, tables.style)
    region = tables.manifest["region"]
    title = words("region_title", name=region["name"], year=region["year"])
    lines = [
        *run_lines(tables, words),
        (words("about"), words("about_text")),
        (words("clearing"), words("clearing_about")),
        ("", words("unit_both")),
    ]
    further = [_sheet(tables, name, words) for name in tables.further_sheets()]
    # Hospital by group may be more than a sheet holds; the year does not stop for that.
    long = [sheet for sheet in further if sheet.frame.height > SHEET_ROWS]
    lines += [(sheet.title, words("sheet_too_long", file=f"{sheet.instead}.parquet")) for sheet in long]
    with workbook(path, title, str(tables.manifest["created"])) as (book, formats):
        about_sheet(book, formats, words("about"), title, lines)
        for sheet in [_sheet(tables, name, words) for name in SMALL_TABLES] + further:
            if sheet.frame.height <= SHEET_ROWS or sheet.instead in SMALL_TABLES:
                add_sheet(book, formats, sheet, words, path)


def _sheet(tables: RunTables, name: str, words: Words) -> Sheet:
    """Return the sheet of a table; rejected rows come as a summary."""
    title = words.sheet(name)
    if name == "rejected":
        known = [(key, words.title("rejected", key), "text") for key in ("rule", "severity", "field")]
        columns = [*known, ("rows", words("rows"), ""), ("hospitals", words("hospitals_hit"), "")]
        return Sheet(title, quality_summary(tables), columns, name)
    columns = [(c.name, words.title(name, c.name), unit_of(c)) for c in columns_of(name)]
    return Sheet(title, tables.table(name), columns, name)
