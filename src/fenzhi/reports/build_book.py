"""The workbooks of a built catalogue and of its quality: what they are, then one sheet per table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from fenzhi.quality.columns import BUILT, QUALITY
from fenzhi.reports.build_texts import BuildWords, measure_text, shown_measures
from fenzhi.reports.sheets import Sheet, about_sheet, add_sheet, unit_of, workbook
from fenzhi.reports.words import language

#: Rows of a sheet at most; the CSV files hold them all.
MOST = 100_000


def write_build_book(
    path: Path, summary: Mapping[str, Any], tables: Mapping[str, pl.DataFrame], lang: str
) -> None:
    """Write the workbook of a built catalogue (``build.json`` and its tables); the history alone decides its bytes."""
    w = BuildWords(lang)
    policy = summary["policy"]
    lines = [
        (w("policy"), f"{policy['title']} ({policy['id']})"),
        (w("history"), w("list").join(map(str, summary["years"]))),
        *_figures(summary["figures"], w),
    ]
    if summary["catalog"]["synthetic"]:
        lines.insert(0, (w("synthetic"), w("synthetic_note")))
    _book(path, summary["catalog"]["title"], lines, tables, w)


def write_quality_book(
    path: Path, figures: Mapping[str, Any], tables: Mapping[str, pl.DataFrame], title: str, lang: str
) -> None:
    """Write the workbook of quality."""
    w = BuildWords(lang)
    _book(path, w("quality_title", title=title), _figures(figures, w), tables, w)


def _figures(figures: Mapping[str, Any], w: BuildWords) -> list[tuple[str, str]]:
    return [(w.measure(name), measure_text(name, figures[name])) for name in shown_measures(figures)]


def _book(
    path: Path,
    title: str,
    lines: Sequence[tuple[str, str]],
    tables: Mapping[str, pl.DataFrame],
    w: BuildWords,
) -> None:
    columns = BUILT | QUALITY
    # No time of making: the same history gives the same bytes.
    with workbook(path, title, "") as (book, formats):
        about_sheet(book, formats, w("sheet_about"), title, lines)
        for name, frame in tables.items():
            heads = [(c.name, (c.zh, c.en)[language(w.lang)], unit_of(c)) for c in columns[name]]
            add_sheet(book, formats, Sheet(name, frame.head(MOST), heads, name), w, path)
