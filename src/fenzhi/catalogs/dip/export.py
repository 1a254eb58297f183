"""Write a DIP catalogue in the layout of the official workbook; the import reads it back as it was."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from fenzhi.catalogs.book import BookSheet, write_book
from fenzhi.catalogs.dip.beside import Beside
from fenzhi.catalogs.dip.cells import say_weight
from fenzhi.catalogs.dip.layout import GROUP_ROLES, RESISTANT, ROLES
from fenzhi.catalogs.dip.vocabulary import (
    AUX_TITLES,
    CLASS_OF,
    EXCLUSION_WORDS,
    KIND_NUMBERS,
    KIND_WORDS,
    LAYER_TITLES,
    TREATMENT_WORDS,
    TYPE_WORDS,
)
from fenzhi.catalogs.models import COMPREHENSIVE, CatalogMeta, DipCatalog
from fenzhi.catalogs.tcm import render_tcm_tables

_WIDTHS = {"name": 40, "note": 30, "main_oprn": 30, "related_oprn": 24, "value": 60, "within": 40}
_TB = re.compile(r"A1[5-9]")
_BURN = re.compile(r"T2[0-9]|T3[0-2]")
_CORE_ALWAYS = ("seq", "class", "layer", "name", "main_diag", "main_oprn", "treatment")
Row = dict[str, Any]


def _first_words(words: dict[str, str]) -> dict[str, str]:
    """Return meaning -> the first word for it."""
    found: dict[str, str] = {}
    for word, meaning in words.items():
        found.setdefault(meaning, word)
    return found


_TREATMENTS = _first_words(TREATMENT_WORDS)
_KINDS = _first_words(KIND_WORDS)
_TYPES = _first_words(TYPE_WORDS)
_EXCLUSIONS = _first_words(EXCLUSION_WORDS)
_NUMBERS = {kind: number for number, kind in KIND_NUMBERS.items()}


def _role(group: Row) -> str:
    """Return the sheet that a group belongs on."""
    layer, diagnoses = group["layer"], group["main_diag"] or ""
    if layer != "assisted":
        return layer if layer in ROLES else "core"
    tokens = [token for token in re.split(r"[|/,;]", diagnoses) if token]
    if tokens and all(_TB.match(token) for token in tokens):
        return "tuberculosis"
    if tokens and all(token.startswith("Z51") for token in tokens):
        return "tumour"
    if tokens and all(_BURN.match(token) for token in tokens):
        return "burn"
    return "assisted"


def _core_row(group: Row, label: Row, role: str) -> Row:
    layer, treatment = group["layer"], group["treatment"]
    row: Row = {
        name: group[name] for name in ("name", "main_diag", "related_oprn", "other_diag", "any_diag", "note")
    }
    row |= {
        name: label.get(name)
        for name in label
        if name not in ("group_id", "resistant", "age_days", "birth_weight")
    }
    either = "any_oprn" if role == "tumour" and treatment == "any_operation" else "main_oprn"
    row |= {"seq": group["group_id"], "class": CLASS_OF.get(layer), either: group["main_oprn"]}
    if either == "any_oprn":
        row["any_oprn_name"] = row.pop("main_oprn_name", None)
    row["layer"] = LAYER_TITLES.get(layer, layer)
    row["treatment"] = _TREATMENTS.get(treatment, treatment)
    if role in AUX_TITLES:
        row["aux"] = row.get("aux") or AUX_TITLES[role]
    token = f"@{RESISTANT}"
    if role == "tuberculosis":
        row["resistant"] = "是" if group["any_diag"] == token else "否"
    if group["any_diag"] == token and role == "tuberculosis":
        row["any_diag"] = None
    return row | _limits(group, label)


def _limits(group: Row, label: Row) -> Row:
    low, high, days = (group[name] for name in ("birth_weight_min_g", "birth_weight_max_g", "age_days_max"))
    row: Row = {}
    if days is not None:
        row["age_days"] = label.get("age_days") or f"≤{days}天"
    if low is not None or high is not None:
        row["birth_weight"] = label.get("birth_weight") or say_weight(low, high)
    return row


def _comprehensive_row(group: Row, label: Row) -> Row:
    kind = group["treatment"]
    row = {name: group[name] for name in ("name", "other_diag", "any_diag", "note")}
    row |= {
        "seq": group["group_id"],
        "category": group["main_diag"],
        "category_name": label.get("main_diag_name"),
    }
    return row | {"number": _NUMBERS.get(kind), "kind": _KINDS.get(kind, kind)} | _limits(group, label)


def _sheet(role: str, rows: Iterable[Row], always: Sequence[str]) -> BookSheet:
    """Return a sheet with the columns that are always there and those that hold anything."""
    found = list(rows)
    used = {name for row in found for name, value in row.items() if value is not None}
    columns = [column for column in ROLES[role].columns if column.name in used or column.name in always]
    titles = [column.titles[0] for column in columns]
    widths = {column.titles[0]: _WIDTHS[column.name] for column in columns if column.name in _WIDTHS}
    return BookSheet(
        ROLES[role].title, titles, [[row.get(column.name) for column in columns] for row in found], widths
    )


def _group_sheets(catalog: DipCatalog, labels: dict[str, Row]) -> Iterator[BookSheet]:
    by_role: dict[str, list[tuple[int, Row]]] = {role: [] for role in GROUP_ROLES}
    for at, group in enumerate(catalog.groups.iter_rows(named=True), start=1):
        label = labels.get(group["group_id"], {})
        role = _role(group)
        row = (
            _comprehensive_row(group, label)
            if group["layer"] == COMPREHENSIVE
            else _core_row(group, label, role)
        )
        by_role[role].append((at, row))
    natural = [at for rows in by_role.values() for at, _ in rows]
    stated = natural != sorted(natural)
    for role, rows in by_role.items():
        if rows:
            always = (
                ("seq", "category", "category_name", "number", "kind", "name")
                if role == COMPREHENSIVE
                else _CORE_ALWAYS
            )
            yield _sheet(role, (row | ({"order": at} if stated else {}) for at, row in rows), always)


def _exclusion_sheets(catalog: DipCatalog) -> Iterator[BookSheet]:
    rows = list(enumerate(catalog.exclusions.iter_rows(named=True), start=1))
    diagnoses = [one for one in rows if one[1]["kind"] == "diagnosis"]
    operations = [one for one in rows if one[1]["kind"] != "diagnosis"]
    stated = rows != diagnoses + operations
    for role, some in (("excluded_diagnoses", diagnoses), ("excluded_operations", operations)):
        made = []
        for at, one in some:
            row = {"code": one["code"], "name": one["note"], "within": one["within"]}
            if role == "excluded_operations":
                row["rule"] = _EXCLUSIONS[one["kind"]]
            made.append(row | ({"order": at} if stated else {}))
        if made:
            yield _sheet(role, made, ("code", "name", "rule"))


def _list_sheets(catalog: DipCatalog) -> Iterator[BookSheet]:
    flagged = catalog.groups.filter("grassroots").select("group_id", "main_diag", "main_oprn", "name")
    if flagged.height:
        rows = [
            {"seq": one[0], "main_diag": one[1], "main_oprn": one[2], "name": one[3]}
            for one in flagged.iter_rows()
        ]
        yield _sheet("grassroots", rows, ("seq", "main_diag", "main_oprn", "name"))
    sets = catalog.code_sets
    if RESISTANT in sets:
        yield _sheet("resistance", [{"code": code} for code in sets[RESISTANT]], ("code", "name"))
    if sets:
        yield _sheet(
            "sets",
            [{"set": name, "code": code} for name, codes in sets.items() for code in codes],
            ("set", "code"),
        )


def _book_sheets(catalog: DipCatalog, beside: Beside) -> Iterator[BookSheet]:
    if catalog.operations.height:
        rows = [
            {"code": code, "name": name, "type": _TYPES[kind], "level": beside.levels.get(code)}
            for code, name, kind in catalog.operations.iter_rows()
        ]
        yield _sheet("operations", rows, ("code", "name", "type"))
    for role, frame in beside.books.items():
        yield _sheet(role, frame.iter_rows(named=True), tuple(frame.columns))


def _meta_sheet(meta: CatalogMeta) -> BookSheet:
    rows: list[Row] = []
    for key, value in meta.model_dump(mode="json", exclude_none=True, exclude={"dialect"}).items():
        text = (
            ",".join(value)
            if isinstance(value, list)
            else str(value).lower()
            if isinstance(value, bool)
            else str(value)
        )
        rows.append({"key": key, "value": text})
    dialect = meta.dialect
    signs = {"dialect.form": dialect.form, "dialect.or": dialect.or_, "dialect.and": dialect.and_}
    rows += [{"key": key, "value": value} for key, value in signs.items()]
    return _sheet("meta", rows, ("key", "value"))


def _tcm_sheets(catalog: DipCatalog) -> Iterator[BookSheet]:
    for name, frame in render_tcm_tables(catalog.tcm).items():
        role = name.removesuffix(".csv")
        yield BookSheet(ROLES[role].title, frame.columns, frame.select(pl.all().cast(pl.String)).iter_rows())


def write_dip_workbook(catalog: DipCatalog, beside: Beside, path: Path) -> None:
    """Write a catalogue and what stands beside it into a new .xlsx file.

    Besides the columns of the official layout there are 入组方式 (how a row is entered) and a sheet of keys, so
    that the import gives back the same folder. Raises :class:`OutputError` OUTPUT_EXISTS,
    OUTPUT_FORMAT, CATALOG_WORKBOOK_LIMIT.
    """
    labels = {row["group_id"]: row for row in beside.labels.iter_rows(named=True)}
    sheets = [
        _meta_sheet(catalog.meta),
        *_group_sheets(catalog, labels),
        *_exclusion_sheets(catalog),
        *_list_sheets(catalog),
        *_book_sheets(catalog, beside),
        *_tcm_sheets(catalog),
    ]
    write_book(path, catalog.meta.title, sheets)
