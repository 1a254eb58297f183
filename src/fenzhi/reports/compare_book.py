"""The workbook of two runs beside each other: what they are, then one sheet per table, without single stays."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from fenzhi.attribution import CAUSES, COMPARED
from fenzhi.files import neutral
from fenzhi.reports.compare import words_of
from fenzhi.reports.compare_texts import CompareWords
from fenzhi.reports.display import moment
from fenzhi.reports.sheets import Sheet, add_sheet, unit_of, workbook
from fenzhi.reports.styles import said
from fenzhi.reports.words import language

#: Rows of a sheet at most; the CSV files hold them all.
MOST = 100_000


def write_compare_book(
    path: Path, summary: Mapping[str, Any], tables: Mapping[str, pl.DataFrame], lang: str
) -> None:
    """Write the workbook of a comparison: amounts in yuan, texts never formulas; the two runs alone decide."""
    words = words_of(summary, lang)
    with workbook(path, words("title"), str(summary["after"]["created"])) as (book, formats):
        _about(book, formats, summary, words)
        for name, frame in tables.items():
            if name == "stays":
                continue
            columns = [
                (c.name, said((c.zh, c.en), words.style)[language(lang)], unit_of(c)) for c in COMPARED[name]
            ]
            shown = with_words(frame.head(MOST), words)
            add_sheet(book, formats, Sheet(words(f"sheet.{name}"), shown, columns, name), words, path)


def with_words(frame: pl.DataFrame, words: CompareWords) -> pl.DataFrame:
    """Put names in the place of the codes of outcomes."""
    outcomes = [name for name in frame.columns if name.startswith("outcome")]
    known = {
        code: words.name("outcome", code) for name in outcomes for code in frame[name].drop_nulls().unique()
    }
    return frame.with_columns(pl.col(outcomes).replace(known)) if known else frame


def _about(book: Any, formats: Mapping[str, Any], summary: Mapping[str, Any], words: CompareWords) -> None:
    sheet = book.add_worksheet(words("sheet_about"))
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 80)
    sheet.write_string(0, 0, words("title"), formats["bold"])
    lines = [(words("synthetic"), words("synthetic_note"))] if summary["synthetic"] else []
    for when in ("before", "after"):
        run = summary[when]
        about = f"{run['region']['name']} {run['region']['year']} · {run['policy']['title']}"
        lines.append((words(when), f"{about} · {run['catalog']['title']} {run['catalog']['version']}"))
        lines.append((words("run"), f"{run['run_id']} · {moment(run['created'])}"))
    lines += [("", words(f"way_{summary['by']}")), ("", words("causes_note"))]
    lines += [("", words(f"warning.{name}")) for name in summary["warnings"]]
    row = 2
    for title, value in lines:
        sheet.write_string(row, 0, title)
        sheet.write_string(row, 1, neutral(value))
        row += 1
    totals = summary["totals"]
    amounts = [(words("amount_before"), totals["before_fen"])]
    amounts += [(words(f"cause.{name}"), summary["causes"][name]) for name in CAUSES]
    amounts += [
        (words("amount_after"), totals["after_fen"]),
        (words("difference"), totals["difference_fen"]),
    ]
    for title, fen in amounts:
        row += 1
        sheet.write_string(row, 0, title)
        sheet.write_number(row, 1, fen / 100, formats["fen"])
