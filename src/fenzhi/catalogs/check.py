"""Find what is wrong or doubtful in a catalogue: every finding names file, row, field, value and remedy.

Errors are what no stay could be grouped by safely; ``load_catalog`` raises the first of them. Warnings are
left to the reader: rows between which only the group code decides, categories without a comprehensive group.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, product

import polars as pl

from fenzhi.catalogs.dialect import expand_sets, is_usual, parse_tidy_diagnoses
from fenzhi.catalogs.models import COMPREHENSIVE, EXCLUSION_KINDS, TREATMENTS, DipCatalog
from fenzhi.catalogs.rules import Finding, Rule, atoms, parse_rules
from fenzhi.codes import OPERATION_TYPES
from fenzhi.errors import CatalogError

__all__ = ["Finding", "check_catalog", "require_sound"]


def _check_frame(catalog: DipCatalog) -> Iterator[Finding]:
    groups = catalog.groups.with_row_index("row", offset=1)
    if not groups.height:
        yield Finding(
            "error", "CATALOG_EMPTY", "the catalogue has no groups", remedy="give at least one row of groups"
        )
        return
    for name in ("group_id", "name", "layer", "treatment"):
        for row, group in groups.filter(pl.col(name).is_null()).select("row", "group_id").iter_rows():
            yield Finding(
                "error",
                "CATALOG_BLANK",
                f"the row{f' of group {group}' if group else ''} has no {name}",
                row,
                group,
                field=name,
                remedy="fill the cell or remove the row",
            )
    first = groups.group_by("group_id").agg(pl.col("row").min().alias("first"))
    again = groups.join(first, on="group_id").filter(pl.col("row") > pl.col("first")).sort("row")
    for row, group, other in again.select("row", "group_id", "first").iter_rows():
        yield Finding(
            "error",
            "CATALOG_DUPLICATE_ID",
            f"group {group} stands in rows {other} and {row}",
            row,
            group,
            field="group_id",
            value=group,
            remedy="write alternatives into one row, or give the second row its own code",
        )
    for name, known in (("layer", catalog.meta.layers), ("treatment", TREATMENTS)):
        odd = groups.filter(~pl.col(name).is_in(known))
        for row, group, value in odd.select("row", "group_id", name).iter_rows():
            yield Finding(
                "error",
                f"CATALOG_{name.upper()}",
                f"group {group} has an unknown {name}",
                row,
                group,
                field=name,
                value=value,
                remedy=f"use one of: {', '.join(known)}",
            )
    low, high = pl.col("birth_weight_min_g"), pl.col("birth_weight_max_g")
    bad = groups.filter((low > high) | (low < 0) | (high < 0))
    for row, group, least, most in bad.select("row", "group_id", low, high).iter_rows():
        yield Finding(
            "error",
            "CATALOG_WEIGHT_BAND",
            f"the birth weights of group {group} run from {least} to {most} g",
            row,
            group,
            field="birth_weight_min_g",
            value=str(least),
            remedy="both ends are included, in grams, the smaller one first",
        )
    for row, group, age in (
        groups.filter(pl.col("age_days_max") < 0).select("row", "group_id", "age_days_max").iter_rows()
    ):
        yield Finding(
            "error",
            "CATALOG_AGE",
            f"the highest age of group {group} is negative",
            row,
            group,
            field="age_days_max",
            value=str(age),
            remedy="give completed days, the last one included",
        )


def _meet(one: Rule, two: Rule) -> bool:
    """Tell whether some birth weight fits both rules (ages always share the first day)."""
    low = max(one.birth_weight_min_g or 0, two.birth_weight_min_g or 0)
    highs = [rule.birth_weight_max_g for rule in (one, two) if rule.birth_weight_max_g is not None]
    return not highs or low <= min(highs)


def _check_same(rules: list[Rule]) -> Iterator[Finding]:
    """Find rows that are the same rule: one of them could never be told from the other."""
    seen: dict[tuple[object, ...], Rule] = {}
    for rule in rules:
        first = seen.setdefault(rule.key(), rule)
        if first is not rule:
            yield Finding(
                "error",
                "CATALOG_SAME_RULE",
                f"groups {first.group_id} (row {first.row}) and {rule.group_id} (row {rule.row}) "
                "are the same rule",
                rule.row,
                rule.group_id,
                field="group_id",
                value=rule.group_id,
                remedy="remove one of the rows or give it another condition",
            )


def _check_overlap(rules: list[Rule]) -> Iterator[Finding]:
    """Find rows that accept the same stays on the same terms, so that only the group code decides."""
    seen: dict[tuple[object, ...], Rule] = {}
    cells: dict[tuple[object, ...], list[Rule]] = defaultdict(list)
    for rule in rules:
        if seen.setdefault(rule.key(), rule) is not rule:
            continue
        layer, treatment, _, _, *lists = rule.key_without_limits()
        sets = product(rule.main_oprn or ((),), rule.related_oprn or ((),))
        for (main, related), diagnosis in product(sets, tuple(atoms(rule.main_diag)) or ("",)):
            cell = (layer, treatment, tuple(sorted(main)), tuple(sorted(related)), diagnosis, *lists)
            cells[cell].append(rule)
    told: set[tuple[int, int]] = set()
    for cell, together in cells.items():
        for one, two in combinations(together, 2):
            pair = (one.row, two.row)
            if one is two or pair in told or not _meet(one, two):
                continue
            told.add(pair)
            what = str(cell[4] or "any diagnosis")
            yield Finding(
                "warning",
                "CATALOG_OVERLAP",
                f"groups {one.group_id} (row {one.row}) and {two.group_id} (row {two.row}) "
                f"both accept {what} on the same terms: the group code decides",
                two.row,
                two.group_id,
                field="main_diag",
                value=what,
                remedy="leave the diagnosis or operation to one of them",
            )


def _check_fallback(catalog: DipCatalog, rules: list[Rule]) -> Iterator[Finding]:
    if COMPREHENSIVE not in catalog.meta.layers:
        return
    covered: set[str] = set()
    for rule in rules:
        if rule.layer == COMPREHENSIVE:
            if not rule.main_diag:
                return
            covered.update(atoms(rule.main_diag))
    told: set[str] = set()
    for rule in rules:
        for atom in atoms(rule.main_diag):
            category = atom[:3]
            if rule.layer != COMPREHENSIVE and category not in covered and category not in told:
                told.add(category)
                yield Finding(
                    "warning",
                    "CATALOG_FORGOTTEN_CATEGORY",
                    f"category {category} has core groups such as {rule.group_id}, "
                    "but no comprehensive group",
                    rule.row,
                    rule.group_id,
                    field="main_diag",
                    value=category,
                    remedy="add comprehensive rows, or stays beside the core groups remain ungrouped",
                )


def _check_exclusions(catalog: DipCatalog) -> Iterator[Finding]:
    seen: dict[str, tuple[int, str]] = {}
    for number, row in enumerate(catalog.exclusions.iter_rows(named=True), start=1):
        kind, code, within = row["kind"], row["code"], row["within"]
        found: tuple[str, str, str | None, str] | None = None
        if kind not in EXCLUSION_KINDS:
            found = ("CATALOG_EXCLUSION_KIND", "kind", kind, "the exclusion has an unknown kind")
        elif code is None:
            found = ("CATALOG_BLANK", "code", None, "the exclusion has no code")
        elif (kind == "main_within") != (within is not None):
            text = "needs" if within is None else "takes no"
            found = (
                "CATALOG_EXCLUSION_RANGE",
                "within",
                within,
                f"{kind} of {code} {text} diagnoses in within",
            )
        else:
            book = "diagnosis" if kind == "diagnosis" else "operation"
            first = seen.setdefault(f"{book} {code}", (number, kind))
            if first[0] != number:
                text = f"the {book} {code} stands twice: {first[1]} in row {first[0]}, {kind} in row {number}"
                found = ("CATALOG_EXCLUSION_TWICE", "code", code, text)
        if found is None and within is not None:
            try:
                expand_sets(parse_tidy_diagnoses(within, catalog.meta.dialect), catalog.code_sets)
            except CatalogError as error:
                found = (error.code, "within", within, f"{kind} of {code}: {error.message}")
        if found:
            remedy = (
                f"kinds are {', '.join(EXCLUSION_KINDS)}; only main_within has a within; a code stands once"
            )
            yield Finding(
                "error", found[0], found[3], number, None, "exclusions.csv", found[1], found[2], remedy
            )


def _check_lists(catalog: DipCatalog, rules: list[Rule]) -> Iterator[Finding]:
    """Code sets and the operation table: what is malformed, unused or missing."""
    for name, tokens in catalog.code_sets.items():
        base = Finding("error", "CATALOG_CELL", "", file="code_sets.csv", field="code")
        for token in tokens:
            try:
                (parsed,) = parse_tidy_diagnoses(token, catalog.meta.dialect)
            except (CatalogError, ValueError):
                parsed = "@"
            if parsed.startswith("@"):
                yield replace(
                    base,
                    message=f"{token!r} in set {name} is neither a diagnosis nor a range of categories",
                    value=token,
                    remedy="write one code, subcategory, category or range a row; sets do not contain sets",
                )
    used = "|".join(
        cell or "" for name in ("main_diag", "other_diag", "any_diag") for cell in catalog.groups[name]
    ) + "|".join(cell or "" for cell in catalog.exclusions["within"])
    for name in catalog.code_sets:
        if f"@{name}" not in used:
            text = f"the named set @{name} is not used"
            yield Finding(
                "warning", "CATALOG_SET_UNUSED", text, file="code_sets.csv", field="set", value=name
            )
    for rule in rules:
        for token in (*rule.main_diag, *rule.other_diag, *rule.any_diag):
            if not is_usual(token):
                yield Finding(
                    "warning",
                    "CATALOG_ODD_CODE",
                    f"group {rule.group_id}: {token} looks like no diagnosis; only this very code matches it",
                    rule.row,
                    rule.group_id,
                    field="main_diag" if token in rule.main_diag else "other_diag",
                    value=token,
                    remedy="write K35, K35.8, K35.800 or K35.800x001",
                )
    known = set(catalog.operations["code"])
    for number, kind in enumerate(catalog.operations["type"], start=1):
        if kind not in OPERATION_TYPES.values():
            text = f"operation {catalog.operations['code'][number - 1]} has an unknown type"
            yield Finding("error", "OPERATION_TYPE", text, number, None, "operations.csv", "type", kind)
    codes = {code for rule in rules for one in (*rule.main_oprn, *rule.related_oprn) for code in one}
    missing = sorted(codes - known)
    if known and missing:
        yield Finding(
            "warning",
            "CATALOG_OPERATION_UNLISTED",
            f"{len(missing)} operations of the groups have no type, for example {', '.join(missing[:5])}",
            file="operations.csv",
            field="code",
            value=missing[0],
            remedy="add them to operations.csv, or to the operation table of the region",
        )


def _basic_findings(catalog: DipCatalog) -> tuple[list[Finding], list[Rule]]:
    """Return the findings of all checks that can find an error, and the parsed rules."""
    findings = list(_check_frame(catalog))
    rules, more = parse_rules(catalog)
    findings += [*more, *_check_exclusions(catalog), *_check_lists(catalog, rules), *_check_same(rules)]
    return findings, rules


def error_findings(catalog: DipCatalog) -> list[Finding]:
    """Return the errors of :func:`check_catalog`, in the order of files and rows, without looking for warnings."""
    return [one for one in _basic_findings(catalog)[0] if one.severity == "error"]


def check_catalog(catalog: DipCatalog, *, strict: bool = False) -> list[Finding]:
    """Return everything found, errors first, then warnings, each in the order of files and rows.

    ``strict`` counts a category without comprehensive fallback (``CATALOG_FORGOTTEN_CATEGORY``) as an error.
    The catalogue is not changed; nothing is raised.
    """
    findings, rules = _basic_findings(catalog)
    findings += _check_overlap(rules)
    forgotten = _check_fallback(catalog, rules)
    findings += [replace(one, severity="error") if strict else one for one in forgotten]
    return sorted(findings, key=lambda one: one.severity != "error")


def require_sound(catalog: DipCatalog, *, strict: bool = False) -> None:
    """Raise the first error of :func:`check_catalog` as :class:`CatalogError`; warnings pass."""
    # Overlaps and forgotten categories are warnings, and looking for them takes most of the time.
    for finding in check_catalog(catalog, strict=True) if strict else _basic_findings(catalog)[0]:
        if finding.severity == "error":
            raise finding.as_error(catalog.path)
