"""Every rule of a DRG catalogue parsed once, row by row, and the findings that a bad row gives instead."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from fenzhi.catalogs.drg.models import DrgCatalog
from fenzhi.catalogs.drg.rules import Term, chapter_list, parse_condition, parse_drg_rule, parse_entry
from fenzhi.catalogs.rules import Finding
from fenzhi.errors import CatalogError

_Row = dict[str, Any]
_EXAMPLES = 5
_Found = TypeVar("_Found")


@dataclass(frozen=True)
class Place:
    """A row of a table of the catalogue: ``row`` counts from 0 in the order of the catalogue, None: the whole."""

    table: str
    row: int | None = None
    field: str | None = None


@dataclass(frozen=True)
class Parsed:
    """The terms of chapters, of ADRG conditions and of DRGs, each by its row in the catalogue's table.

    Rows that cannot be parsed are in ``findings`` and nowhere else.
    """

    entries: Mapping[int, tuple[Term, ...]]
    conditions: Mapping[int, Term]
    drgs: Mapping[int, tuple[Term, ...]]
    findings: tuple[Finding, ...]

    def terms(self) -> Iterator[tuple[Place, Term]]:
        """Yield every term with the place it stands at."""
        for row, terms in self.entries.items():
            yield from ((Place("mdc", row, "entry_rule"), term) for term in terms)
        for row, term in self.conditions.items():
            yield Place("adrg_condition", row, "list_id"), term
        for row, terms in self.drgs.items():
            yield from ((Place("drg", row, "rule"), term) for term in terms)


def file_of(catalog: DrgCatalog, table: str) -> str:
    """Return the file or sheet that a table was read from."""
    source = catalog.sources.get(table)
    return f"{table}.csv" if source is None else source.file


def row_of(catalog: DrgCatalog, table: str, row: int) -> int:
    """Return where a row of the catalogue's table (from 0) stands in its file: data rows from 1."""
    source = catalog.sources.get(table)
    return row + 1 if source is None else int(source.rows[row])


def finding(
    catalog: DrgCatalog,
    code: str,
    message: str,
    place: Place,
    value: object = None,
    remedy: str = "",
    severity: Literal["error", "warning", "note"] = "error",
) -> Finding:
    """Return a finding about a place of the catalogue; ``row`` of it is the data row of its file, from 1."""
    return Finding(
        severity,
        code,
        message,
        None if place.row is None else row_of(catalog, place.table, place.row),
        None,
        file_of(catalog, place.table),
        place.field,
        None if value is None else str(value),
        remedy,
    )


def some(items: Iterable[object]) -> str:
    """Return a count and the first few: ``7, for example A, B``."""
    values = list(dict.fromkeys(str(item) for item in items))
    shown = ", ".join(values[:_EXAMPLES])
    return (
        f"{len(values):,}: {shown}" if len(values) <= _EXAMPLES else f"{len(values):,}, for example {shown}"
    )


def warning(
    catalog: DrgCatalog, code: str, message: str, place: Place, value: object = None, remedy: str = ""
) -> Finding:
    """Return a finding that may be meant, but would change groups if it is not."""
    return finding(catalog, code, message, place, value, remedy, severity="warning")


def note(
    catalog: DrgCatalog, code: str, message: str, place: Place, value: object = None, remedy: str = ""
) -> Finding:
    """Return a finding that changes nothing."""
    return finding(catalog, code, message, place, value, remedy, severity="note")


def parse_catalog(catalog: DrgCatalog) -> Parsed:
    """Parse every rule of the catalogue; nothing is raised."""
    chapters = catalog.tables["mdc"]["mdc"].drop_nulls()
    lists = frozenset(
        [*catalog.tables["code_list"]["list_id"].drop_nulls().unique(), *map(chapter_list, chapters)]
    )
    findings: list[Finding] = []

    def parse_all(table: str, field: str, parse: Callable[[_Row], _Found]) -> dict[int, _Found]:
        found = {}
        for number, row in enumerate(catalog.tables[table].iter_rows(named=True)):
            try:
                found[number] = parse(row)
            except CatalogError as error:
                place = Place(table, number, error.field or field)
                remedy = error.remedy or ""
                findings.append(finding(catalog, error.code, error.message, place, error.value, remedy))
        return found

    entries = parse_all(
        "mdc", "entry_rule", lambda row: parse_entry(row["entry_rule"], row["mdc"] or "", lists, {})
    )
    conditions = parse_all("adrg_condition", "kind", lambda row: parse_condition(row, {}))
    drgs = parse_all("drg", "rule", lambda row: parse_drg_rule(row["rule"], lists, {}))
    return Parsed(entries, conditions, drgs, tuple(findings))
