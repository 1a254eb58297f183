"""The rows of a catalogue, parsed one by one, and the findings that a bad row gives instead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

from fenzhi.catalogs.dialect import (
    expand_sets,
    parse_tidy_cell,
    parse_tidy_diagnoses,
    range_limits,
    token_kind,
)
from fenzhi.catalogs.models import COMPREHENSIVE, KINDS, DipCatalog
from fenzhi.errors import CatalogError

Row: TypeAlias = dict[str, Any]
AndSets: TypeAlias = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Finding:
    """One thing found: ``row`` counts data rows of ``file`` from 1."""

    severity: Literal["error", "warning", "note"]
    code: str
    message: str
    row: int | None = None
    group_id: str | None = None
    file: str = "groups.csv"
    field: str | None = None
    value: str | None = None
    remedy: str = ""

    def as_error(self, folder: Path | None = None) -> CatalogError:
        """Return the finding as an exception that names the file in ``folder``."""
        return CatalogError(
            self.message,
            code=self.code,
            file=self.file if folder is None else folder / self.file,
            row=self.row,
            field=self.field,
            value=self.value,
            remedy=self.remedy or None,
        )


@dataclass(frozen=True)
class Rule:
    """One row of the groups, parsed: diagnosis tokens with sets expanded, operations as OR of AND-sets."""

    row: int
    group_id: str
    layer: str
    treatment: str
    main_diag: tuple[str, ...]
    main_oprn: AndSets
    related_oprn: AndSets
    other_diag: tuple[str, ...]
    any_diag: tuple[str, ...]
    age_days_max: int | None
    birth_weight_min_g: int | None
    birth_weight_max_g: int | None

    def key(self) -> tuple[object, ...]:
        """Return what makes two rows the same rule."""
        return (*self.key_without_limits(), _atom_set(self.main_diag), *self.limits())

    def key_without_limits(self) -> tuple[object, ...]:
        """Return the conditions other than the principal diagnosis, age and weight."""
        operations = (_operation_set(self.main_oprn), _operation_set(self.related_oprn))
        lists = (_atom_set(self.other_diag), _atom_set(self.any_diag))
        return (self.layer, self.treatment, *operations, *lists)

    def limits(self) -> tuple[int | None, int | None, int | None]:
        """Return the limits of age and birth weight."""
        return (self.age_days_max, self.birth_weight_min_g, self.birth_weight_max_g)


def atoms(tokens: Iterable[str]) -> Iterator[str]:
    """Yield the tokens, ranges as their categories: ``C00-C02`` as C00, C01, C02."""
    for token in tokens:
        if token_kind(token) != "range":
            yield token
            continue
        first, last = range_limits(token)
        for number in range(_place(first), _place(last) + 1):
            yield f"{chr(ord('A') + number // 100)}{number % 100:02d}"


@lru_cache(100_000)
def _atom_set(tokens: tuple[str, ...]) -> frozenset[str]:
    return frozenset(atoms(tokens))


@lru_cache(100_000)
def _operation_set(cell: AndSets) -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(sorted(one)) for one in cell)


def _place(category: str) -> int:
    return (ord(category[0]) - ord("A")) * 100 + int(category[1:])


def _treatment_problem(row: Row) -> tuple[str, str] | None:
    """Return field and sentence if treatment, layer and operations contradict each other."""
    treatment, layer = row["treatment"], row["layer"]
    if treatment in KINDS and layer != COMPREHENSIVE:
        return "treatment", f"{treatment} is a kind of comprehensive rows, not of layer {layer}"
    if layer == COMPREHENSIVE and treatment not in (*KINDS, "any"):
        return "treatment", f"comprehensive rows are keyed by the kind of treatment, not by {treatment}"
    needs = treatment in ("operation", "any_operation")
    if needs and row["main_oprn"] is None:
        return "main_oprn", f"treatment {treatment} needs operations"
    for field in ("main_oprn", "related_oprn"):
        if not needs and row[field] is not None:
            return field, f"treatment {treatment} takes no operations"
    return None


def parse_rules(catalog: DipCatalog) -> tuple[list[Rule], list[Finding]]:
    """Parse every row of the groups; a row with a bad cell or a contradiction gives findings, no rule."""
    rules: list[Rule] = []
    findings: list[Finding] = []
    dialect = catalog.meta.dialect
    for number, row in enumerate(catalog.groups.iter_rows(named=True), start=1):
        group = row["group_id"]
        problem = _treatment_problem(row)
        if problem:
            findings.append(
                Finding(
                    "error",
                    "CATALOG_CONTRADICTION",
                    f"group {group}: {problem[1]}",
                    number,
                    group,
                    field=problem[0],
                    value=row[problem[0]],
                    remedy="see docs/reference/dip-catalog.md for what each treatment needs",
                )
            )
        lists: dict[str, tuple[str, ...]] = {}
        cells: dict[str, AndSets] = {}
        for field in ("main_diag", "other_diag", "any_diag", "main_oprn", "related_oprn"):
            text = row[field] or ""
            try:
                if field.endswith("oprn"):
                    cells[field] = parse_tidy_cell(text, dialect) if text else ()
                else:
                    tokens = parse_tidy_diagnoses(text, dialect) if text else ()
                    lists[field] = expand_sets(tokens, catalog.code_sets)
            except CatalogError as error:
                findings.append(
                    Finding(
                        "error",
                        error.code,
                        f"group {group}: {error.message}",
                        number,
                        group,
                        field=field,
                        value=str(error.value),
                        remedy=error.remedy or "",
                    )
                )
        if not problem and len(lists) + len(cells) == 5:
            limits = (row["age_days_max"], row["birth_weight_min_g"], row["birth_weight_max_g"])
            rules.append(
                Rule(
                    number,
                    group,
                    row["layer"],
                    row["treatment"],
                    lists["main_diag"],
                    cells["main_oprn"],
                    cells["related_oprn"],
                    lists["other_diag"],
                    lists["any_diag"],
                    *limits,
                )
            )
    return rules, findings
