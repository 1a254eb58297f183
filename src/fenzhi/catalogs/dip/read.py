"""Read a DIP scheme from workbooks and tables: the catalogue, what stands beside it, and what became of every row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from fenzhi.catalogs.check import error_findings
from fenzhi.catalogs.dialect import Dialect
from fenzhi.catalogs.dip.beside import Beside
from fenzhi.catalogs.dip.codes import NATIONAL
from fenzhi.catalogs.dip.drafts import LABELS, Draft, in_order
from fenzhi.catalogs.dip.groups import GroupReader
from fenzhi.catalogs.dip.layout import GROUP_ROLES, LAYERS, PLAIN_LAYERS
from fenzhi.catalogs.dip.lists import Exclusion, ListReader
from fenzhi.catalogs.dip.local import LocalLayout
from fenzhi.catalogs.dip.report import Entry, Place, Report
from fenzhi.catalogs.dip.source import Found, find, lines
from fenzhi.catalogs.load import make_catalog
from fenzhi.catalogs.metafile import make_meta
from fenzhi.catalogs.models import EXCLUSIONS_SCHEMA, GROUPS_SCHEMA, CatalogMeta, DipCatalog
from fenzhi.catalogs.rules import Finding
from fenzhi.codes import OPERATIONS_SCHEMA

REMEDY = "docs/reference/dip-catalog.md lists the keys of catalog.toml"
# Options of the command line -> role.
TABLES = ("operations", "diagnosis_names", "operation_names", "diagnosis_map", "operation_map")
_LAYERED = ("pregroup", "merged", "assisted")
_SIGNS = ("dialect.form", "dialect.or", "dialect.and")


@dataclass(frozen=True)
class Sources:
    """What is read: workbooks, further tables by role (:data:`TABLES`), mapping file, given keys of catalog.toml."""

    workbooks: tuple[Path, ...]
    tables: Mapping[str, Path]
    layout: LocalLayout
    given: Mapping[str, Any]


@dataclass(frozen=True)
class Read:
    """The catalogue of all rows that were understood (None if none was), the tables beside it, and the report."""

    catalog: DipCatalog | None
    beside: Beside
    report: Report


def _own_dialect(found: list[Found], lists: ListReader, report: Report) -> Dialect | None:
    """Read the sheet of keys; return the dialect it names: then the workbook is one that fenzhi wrote."""
    for one in found:
        if one.role == "meta":
            for line in lines(one, report):
                if line.get("key").strip() in (*CatalogMeta.model_fields, *_SIGNS):
                    lists.setting(line)
                else:
                    report.mark(line.place, "not_read")
                    report.add(Entry(line.place, "key_left", line.get("key").strip()))
    if not all(key in lists.meta for key in _SIGNS):
        return None
    form, or_, and_ = (lists.meta[key] for key in _SIGNS)
    return Dialect(form, or_, and_)  # type: ignore[arg-type]  # Dialect refuses unknown forms


def _meta(sources: Sources, said: Mapping[str, str], drafts: list[Draft], dialect: Dialect) -> CatalogMeta:
    first = sources.workbooks[0]
    used = {draft.group["layer"] for draft in drafts}
    layers = LAYERS if used & set(_LAYERED) else PLAIN_LAYERS
    slug = "".join(
        sign if sign.isascii() and (sign.isalnum() or sign in ".-") else "-" for sign in first.stem.lower()
    )
    own: dict[str, Any] = {key: value for key, value in said.items() if key not in _SIGNS and key != "scheme"}
    if "layers" in own:
        own["layers"] = tuple(part.strip() for part in own["layers"].split(","))
    if "synthetic" in own:
        own["synthetic"] = own["synthetic"].lower() in ("true", "是", "1")
    values = {
        "id": slug.strip("-.") or "imported",
        "title": first.stem,
        "version": first.stem,
        "kind": "imported",
        "synthetic": False,
        "layers": layers,
        **{key: value for key, value in own.items() if value != ""},
        **sources.layout.catalog,
        **sources.given,
        "dialect": dialect,
    }
    return make_meta(CatalogMeta, values, first, REMEDY)


def _frame(rows: list[dict[str, Any]], schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    return pl.DataFrame({name: [row.get(name) for row in rows] for name in schema}, schema=dict(schema))


@dataclass
class _Made:
    """What the catalogue is made of; bad rows are taken out until the rest is sound."""

    meta: CatalogMeta
    drafts: list[Draft]
    exclusions: list[Exclusion]
    sets: dict[str, tuple[str, ...]]
    operations: pl.DataFrame

    def catalog(self) -> DipCatalog:
        rows = [
            {"kind": row.kind, "code": row.code, "within": row.within, "note": row.note}
            for row in self.exclusions
        ]
        return make_catalog(
            self.meta,
            _frame([draft.group for draft in self.drafts], GROUPS_SCHEMA),
            code_sets=self.sets,
            exclusions=_frame(rows, EXCLUSIONS_SCHEMA),
            operations=self.operations,
        )

    def sound(self, report: Report) -> DipCatalog | None:
        """Report what the check of catalogues refuses, take these rows out, and return what is left."""
        while self.drafts:
            catalog = self.catalog()
            errors = error_findings(catalog)
            if not errors:
                return catalog
            if not self._take_out(errors, report):
                raise errors[0].as_error()
        return None

    def _take_out(self, errors: list[Finding], report: Report) -> bool:
        """Take the rows of findings out; False if a finding is about no row."""
        groups, exclusions = set(), set()
        for one in errors:
            if one.file == "groups.csv" and one.row is not None:
                groups.add(one.row - 1)
                places = self.drafts[one.row - 1].places
            elif one.file == "exclusions.csv" and one.row is not None:
                exclusions.add(one.row - 1)
                places = [self.exclusions[one.row - 1].place]
            else:
                return False
            for place in places:
                report.add(
                    Entry(
                        place,
                        "checked",
                        one.message,
                        one.remedy,
                        one.field or "",
                        None,
                        one.value or "",
                        one.code,
                    )
                )
        self.drafts = [draft for at, draft in enumerate(self.drafts) if at not in groups]
        self.exclusions = [row for at, row in enumerate(self.exclusions) if at not in exclusions]
        return True


def _read_lists(found: list[Found], lists: ListReader, groups: GroupReader, report: Report) -> None:
    handlers = {
        "excluded_diagnoses": lists.excluded_diagnosis,
        "excluded_operations": lists.excluded_operation,
        "resistance": lists.resistant,
        "sets": lists.named_set,
        "operations": lists.operation,
        "diagnosis_names": lambda line: lists.name(line, "diagnoses"),
        "operation_names": lambda line: lists.name(line, "operations"),
        "diagnosis_map": lists.mapping,
        "operation_map": lists.mapping,
        "grassroots": lists.grassroots.append,
        "tcm_groups": lists.tcm_row,
        "tcm_operations": lists.tcm_row,
        "tcm_lists": lists.tcm_row,
        "comprehensive": groups.comprehensive,
    }
    ordered = [one for role in GROUP_ROLES for one in found if one.role == role]
    for one in [*ordered, *(other for other in found if other.role not in (*GROUP_ROLES, "meta"))]:
        handle = handlers.get(one.role, groups.core)
        for line in lines(one, report):
            handle(line)


def _operations(lists: ListReader) -> pl.DataFrame:
    names = {code: name for code, (name, _) in lists.books.get("operation_names", {}).items()}
    rows = [
        {"code": code, "name": name or names.get(code), "type": kind}
        for code, (name, kind, _, _) in lists.operations.items()
    ]
    return _frame(rows, OPERATIONS_SCHEMA)


def _unlisted(catalog: DipCatalog, lists: ListReader, drafts: list[Draft], report: Report) -> None:
    """Say which codes of the groups the code books do not have."""
    book = lists.books.get("diagnosis_names")
    if not book:
        return
    prefixes = {code[:length] for code in book for length in (3, 5)} | set(book)
    sign = catalog.meta.dialect.or_
    for draft in drafts:
        cell = draft.group["main_diag"] or ""
        missing = [
            token
            for token in cell.split(sign)
            if token and "-" not in token and token[0] != "@" and token not in prefixes
        ]
        if missing:
            at, title = draft.columns.get("main_diag") or draft.columns.get("category") or (None, "")
            report.add(
                Entry(draft.places[0], "unlisted_code", "、".join(missing[:3]), "", title, at, cell[:60])
            )


def _say_missing(
    sources: Sources, catalog: DipCatalog, found: list[Found], report: Report, *, own: bool
) -> None:
    """Say in words what a complete folder would have."""
    place = Place(sources.workbooks[0].name, "")
    if catalog.operations.is_empty():
        report.add(Entry(place, "no_operations"))
    roles = {one.role for one in found}
    layered = bool(roles & {"pregroup", "merged"})
    for role, title in (
        ("excluded_diagnoses", "不纳入分组的主要诊断"),
        ("excluded_operations", "不纳入分组的主要手术操作"),
        ("comprehensive", "综合病种字典表"),
        ("grassroots", "基层病种"),
    ):
        if layered and role not in roles and not own:
            report.add(Entry(Place(place.file, title), "missing_sheet"))


def read_dip(sources: Sources) -> Read:
    """Read workbooks and tables into a catalogue.

    Every row is understood, repeated, reported or a heading; ``Read.report.counts()`` proves it. Rows that the check
    of catalogues refuses are reported as well and are not in the catalogue. Raises :class:`CatalogError` for a file
    that cannot be read and for keys of the catalogue that do not fit.
    """
    report = Report()
    given = [(sources.tables[role], role) for role in TABLES if role in sources.tables]
    found = find(list(sources.workbooks), given, sources.layout, report)
    lists = ListReader(sources.layout, report, None)
    own = _own_dialect(found, lists, report)
    dialect = own or sources.layout.dialect
    lists.dialect, lists.verbatim = dialect, own is not None
    groups = GroupReader(sources.layout, report, dialect=dialect, verbatim=own is not None)
    groups.layers += tuple(part.strip() for part in lists.meta.get("layers", "").split(",") if part)
    _read_lists(found, lists, groups, report)
    drafts = in_order(groups.drafts)
    lists.resistance_set(drafts, own=own is not None)
    lists.flag_grassroots(drafts)
    drafts = [draft for draft in drafts if not any(report.failed(place) for place in draft.places)]
    sets = {name: tuple(codes) for name, codes in lists.sets.items()}
    catalog = None
    if drafts:
        meta = _meta(sources, lists.meta, drafts, dialect or NATIONAL)
        exclusions = [row for row in lists.exclusion_rows() if not report.failed(row.place)]
        made = _Made(meta, drafts, exclusions, sets, _operations(lists))
        catalog = made.sound(report)
        drafts = made.drafts
    if catalog is not None:
        _unlisted(catalog, lists, drafts, report)
        _say_missing(sources, catalog, found, report, own=own is not None)
    return Read(catalog, _beside(lists, drafts), report)


def _beside(lists: ListReader, drafts: list[Draft]) -> Beside:
    labels = [
        {"group_id": draft.group["group_id"], **{name: draft.labels[name] or None for name in LABELS}}
        for draft in drafts
        if any(draft.labels.values())
    ]
    books = lists.books
    return Beside.make(
        labels=labels,
        levels={code: level for code, (_, _, level, _) in lists.operations.items() if level},
        tcm=lists.tcm,
        books={name: {code: value for code, (value, _) in rows.items()} for name, rows in books.items()},
    )
