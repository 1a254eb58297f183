"""The workbook of a switch of catalogues: what was compared, then one sheet per table, without single stays."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from fenzhi.attribution.switch_columns import SWITCHED, matrix_columns
from fenzhi.reports.compare_book import MOST, with_words
from fenzhi.reports.display import moment
from fenzhi.reports.sheets import Sheet, about_sheet, add_sheet, unit_of, workbook
from fenzhi.reports.styles import said
from fenzhi.reports.switch import notices, words_of
from fenzhi.reports.switch_texts import SwitchWords
from fenzhi.reports.words import language

CROSS = ("matrix", "group_matrix")


def write_switch_book(
    path: Path, summary: Mapping[str, Any], tables: Mapping[str, pl.DataFrame], lang: str
) -> None:
    """Write the workbook of a switch: amounts in yuan, texts never formulas."""
    words = words_of(summary, lang)
    with workbook(path, words("title"), str(summary["after"]["created"])) as (book, formats):
        about_sheet(book, formats, words("sheet_about"), words("title"), _about(summary, words))
        for name, frame in tables.items():
            if name == "stays":
                continue
            columns = [
                (c.name, said((c.zh, c.en), words.style)[language(lang)], unit_of(c))
                for c in (matrix_columns(frame) if name in CROSS else SWITCHED[name])
            ]
            shown = _named(with_words(frame.head(MOST), words), words)
            add_sheet(book, formats, Sheet(words(f"sheet.{name}"), shown, columns, name), words, path)


def _named(frame: pl.DataFrame, words: SwitchWords) -> pl.DataFrame:
    """Put names in the place of the codes of measures, items and reasons."""
    kinds = {"measure": "measure.", "item": "balance."}
    for column, prefix in kinds.items():
        if column in frame.columns:
            known = {code: words(f"{prefix}{code}") for code in frame[column].unique()}
            frame = frame.with_columns(pl.col(column).replace(known))
    if "reason" in frame.columns:
        known = {code: words.name("reason", code) for code in frame["reason"].drop_nulls().unique()}
        frame = frame.with_columns(pl.col("reason").replace(known))
    return frame


def _about(summary: Mapping[str, Any], words: SwitchWords) -> list[tuple[str, str]]:
    lines = [(words("synthetic"), words("synthetic_note"))] if summary["synthetic"] else []
    for when in ("before", "after"):
        run = summary[when]
        catalog = run["catalog"]
        about = f"{run['region']['name']} {run['region']['year']} · {catalog['title']} {catalog['version']}"
        lines.append((words(when), f"{about} ({catalog['id']}) · {run['policy']['title']}"))
    lines.append((words("created"), moment(summary["after"]["created"])))
    lines += [("", words("way_stays")), ("", words("causes_note")), ("", words("measures_note"))]
    return lines + [("", text) for text in notices(summary, words)]
