"""Write a DRG catalogue as an Excel workbook that people can review and fenzhi reads back without a difference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter

from fenzhi.catalogs.drg.layout import LAYOUTS, VALID_PROCEDURE
from fenzhi.catalogs.drg.models import DrgCatalog
from fenzhi.catalogs.drg.rules import chapter_list, parse_condition, parse_drg_rule, parse_entry
from fenzhi.catalogs.drg.words import say_terms
from fenzhi.errors import CatalogError, OutputError
from fenzhi.files import neutral, new_file, require_new_file

SHEET_ROWS = 1_048_576
_WIDTHS = {"name": 40, "entry_rule": 28, "conditions": 60, "rule": 24, "value": 60, "说明": 60}
_HEAD = {"bold": True, "bg_color": "#EAF1F4", "bottom": 1}

Rows = Iterable[Sequence[Any]]


def _list_ids(catalog: DrgCatalog) -> set[str]:
    ids = set(catalog.tables["code_list"]["list_id"].unique().to_list())
    chapters = catalog.tables["mdc"]["mdc"].to_list()
    for name in sorted(ids):
        if name in chapters or name == VALID_PROCEDURE or len(name.split()) != 1 or ";" in name:
            raise CatalogError(
                "a list of this name cannot be told apart in a workbook",
                code="CATALOG_SET",
                file=catalog.path,
                field="list_id",
                value=name,
                remedy="name it otherwise: not like a chapter, without blanks and semicolons",
            )
    return ids | {chapter_list(mdc) for mdc in chapters}


def _chapters(catalog: DrgCatalog, lists: set[str]) -> Iterator[Sequence[Any]]:
    for mdc, name, order, entry, qy, after in catalog.tables["mdc"].iter_rows():
        yield mdc, name, order, entry, qy, after, say_terms(parse_entry(entry, mdc, lists, {}))


def _adrgs(catalog: DrgCatalog) -> Iterator[Sequence[Any]]:
    conditions: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for row in catalog.tables["adrg_condition"].iter_rows(named=True):
        conditions.setdefault((row["adrg"], row["alt"]), []).append(row)
    for adrg, alt, name, mdc, order, kind, side, ended in catalog.tables["adrg"].iter_rows():
        rows = conditions.get((adrg, alt), [])
        cell = "; ".join(" ".join(filter(None, (row["kind"], row["list_id"], row["arg"]))) for row in rows)
        words = say_terms(tuple(parse_condition(row, {}) for row in rows))
        yield adrg, alt, name, mdc, order, kind, side, cell, ended, words


def _drgs(catalog: DrgCatalog, lists: set[str]) -> Iterator[Sequence[Any]]:
    for drg, name, adrg, alt, order, rule, grassroots in catalog.tables["drg"].iter_rows():
        flag = None if grassroots is None else "是" if grassroots else "否"
        yield drg, name, adrg, alt, order, rule, flag, say_terms(parse_drg_rule(rule, lists, {}))


def _sets(catalog: DrgCatalog) -> Iterator[Sequence[Any]]:
    tables = catalog.tables
    names = dict(pl.concat([tables[n].select("code", "name") for n in ("icd10", "icd9cm3")]).iter_rows())
    for mdc, code, site in tables["mdc_dx"].iter_rows():
        yield mdc, code, site, names.get(code), None
    for code, name in tables["valid_procedure"].iter_rows():
        yield VALID_PROCEDURE, code, None, name, None
    for list_id, pos, code, tag in tables["code_list"].iter_rows():
        yield list_id, code, tag, names.get(code), pos


def _meta(catalog: DrgCatalog) -> Rows:
    values = catalog.meta.model_dump(mode="json", exclude_none=True)
    return [
        (key, str(value).lower() if isinstance(value, bool) else str(value)) for key, value in values.items()
    ]


def _write_sheet(
    book: Any, forms: tuple[Any, Any], layout_name: str, titles: Sequence[str], rows: Rows
) -> None:
    head, text = forms
    layout = LAYOUTS[layout_name]
    sheet = book.add_worksheet(layout.titles[0])
    sheet.freeze_panes(1, 0)
    names = {column.titles[0]: column.name for column in layout.columns}
    for at, title in enumerate(titles):
        # Cells are text, so that a code that is corrected in Excel stays one.
        sheet.set_column(at, at, _WIDTHS.get(names.get(title, title), 16), text)
        sheet.write_string(0, at, title, head)
    number = 0
    for number, row in enumerate(rows, start=1):
        for at, value in enumerate(row):
            if value is None:
                continue
            done = sheet.write_string(number, at, neutral(str(value)), text)
            if done:
                raise OutputError(
                    f"the sheet {layout.titles[0]} has more rows, or a cell more text, than Excel can hold",
                    code="CATALOG_WORKBOOK_LIMIT",
                    row=number,
                    field=titles[at],
                    remedy="use the folder of tables instead",
                )
    sheet.autofilter(0, 0, number, len(titles) - 1)


def _titles(name: str, without: tuple[str, ...] = ()) -> list[str]:
    return [column.titles[0] for column in LAYOUTS[name].columns if column.name not in without]


def write_workbook(catalog: DrgCatalog, path: Path) -> None:
    """Write a catalogue into a new .xlsx file: ``read_workbook`` gives back the same tables.

    Terms of a condition are numbered anew from 1; further columns (说明) say rules in words and are left out when
    the workbook is read. Texts that Excel would take for formulas get an apostrophe. Raises
    :class:`OutputError` OUTPUT_EXISTS, OUTPUT_FORMAT, CATALOG_WORKBOOK_LIMIT, and :class:`CatalogError` for a
    list whose name a workbook cannot carry.
    """
    require_new_file(path, (".xlsx",))
    lists = _list_ids(catalog)
    tables = catalog.tables
    said = "说明"
    sheets: list[tuple[str, list[str], Rows]] = [
        ("meta", _titles("meta"), _meta(catalog)),
        ("mdc", [*_titles("mdc"), said], _chapters(catalog, lists)),
        ("adrg", [*_titles("adrg"), said], _adrgs(catalog)),
        ("drg", [*_titles("drg", ("weight",)), said], _drgs(catalog, lists)),
        ("code_list", _titles("code_list"), _sets(catalog)),
        ("cc", _titles("cc", ("name",)), tables["cc"].iter_rows()),
        ("cc_exclusion", _titles("cc_exclusion", ("name",)), tables["cc_exclusion"].iter_rows()),
        *((name, _titles(name), tables[name].iter_rows()) for name in ("icd10", "icd9cm3", "weights")),
    ]
    with new_file(path) as aside:
        book = xlsxwriter.Workbook(str(aside), {"constant_memory": True})
        try:
            # The same catalogue gives the same bytes.
            book.set_properties({"title": catalog.meta.title, "created": datetime(1980, 1, 1)})
            forms = (book.add_format(_HEAD), book.add_format({"num_format": "@"}))
            for name, titles, rows in sheets:
                _write_sheet(book, forms, name, titles, rows)
        finally:
            book.close()
