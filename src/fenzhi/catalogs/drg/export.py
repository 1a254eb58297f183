"""Write a DRG catalogue as an Excel workbook that people can review and fenzhi reads back without a difference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from fenzhi.catalogs.book import BookSheet, Rows, write_book
from fenzhi.catalogs.drg.layout import LAYOUTS, VALID_PROCEDURE
from fenzhi.catalogs.drg.models import DrgCatalog
from fenzhi.catalogs.drg.rules import chapter_list, parse_condition, parse_drg_rule, parse_entry
from fenzhi.catalogs.drg.words import say_terms
from fenzhi.errors import CatalogError

_WIDTHS = {"name": 40, "entry_rule": 28, "conditions": 60, "rule": 24, "value": 60, "说明": 60}
SAID = "说明"


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


def _sheet(name: str) -> str:
    return LAYOUTS[name].titles[0]


def _widths(name: str) -> dict[str, int]:
    names = {column.titles[0]: column.name for column in LAYOUTS[name].columns} | {SAID: SAID}
    return {title: _WIDTHS[known] for title, known in names.items() if known in _WIDTHS}


def _titles(name: str, without: tuple[str, ...] = ()) -> list[str]:
    return [column.titles[0] for column in LAYOUTS[name].columns if column.name not in without]


def write_workbook(catalog: DrgCatalog, path: Path) -> None:
    """Write a catalogue into a new .xlsx file: ``read_workbook`` gives back the same tables.

    Terms of a condition are numbered anew from 1; further columns (说明) say rules in words and are left out when
    the workbook is read. Texts that Excel would take for formulas get an apostrophe. Raises
    :class:`OutputError` OUTPUT_EXISTS, OUTPUT_FORMAT, CATALOG_WORKBOOK_LIMIT, and :class:`CatalogError` for a
    list whose name a workbook cannot carry.
    """
    lists = _list_ids(catalog)
    tables = catalog.tables
    sheets: list[tuple[str, list[str], Rows]] = [
        ("meta", _titles("meta"), _meta(catalog)),
        ("mdc", [*_titles("mdc"), SAID], _chapters(catalog, lists)),
        ("adrg", [*_titles("adrg"), SAID], _adrgs(catalog)),
        ("drg", [*_titles("drg", ("weight",)), SAID], _drgs(catalog, lists)),
        ("code_list", _titles("code_list"), _sets(catalog)),
        ("cc", _titles("cc", ("name",)), tables["cc"].iter_rows()),
        ("cc_exclusion", _titles("cc_exclusion", ("name",)), tables["cc_exclusion"].iter_rows()),
        *((name, _titles(name), tables[name].iter_rows()) for name in ("icd10", "icd9cm3", "weights")),
    ]
    write_book(
        path,
        catalog.meta.title,
        [BookSheet(_sheet(name), titles, rows, _widths(name)) for name, titles, rows in sheets],
    )
