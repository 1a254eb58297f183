"""Find what is wrong or doubtful in a DRG catalogue: every finding names file, row, field, value and remedy.

Errors are what no stay could be grouped by safely; loading, importing and saving raise the first of them.
Warnings and notes (:mod:`fenzhi.catalogs.drg.doubts`) are left to the reader.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

import polars as pl

from fenzhi.catalogs.drg.doubts import doubts
from fenzhi.catalogs.drg.models import ADRG_TYPES, QY_RULES, DrgCatalog
from fenzhi.catalogs.drg.rules import UNITS, chapter_list
from fenzhi.catalogs.drg.terms import Parsed, Place, finding, parse_catalog, row_of
from fenzhi.catalogs.rules import Finding

CC_LEVELS = ("CC", "MCC")
QY_SIDES = ("before_qy", "after_qy")
# Cells that must be filled, but those that say so in other words when they are not.
_FILLED = {
    "mdc": ("mdc", "eval_order"),
    "mdc_dx": ("mdc", "code"),
    "adrg": ("adrg", "mdc", "eval_order", "type"),
    "adrg_condition": ("adrg",),
    "code_list": ("list_id", "code"),
    "drg": ("drg", "adrg", "test_order"),
    "cc": ("code", "level"),
    "cc_exclusion": ("main_dx", "excl_table"),
    "valid_procedure": ("code",),
    "icd10": ("code",),
    "icd9cm3": ("code",),
    "weights": ("drg", "weight"),
}
# A code begins with a digit, or with a letter and a digit; the name of an ADRG has two letters.
_CODE = re.compile(r"[A-Za-z]?[0-9]")
_NO_GROUP = r"^000.*$|^[A-Za-z]QY$"


def _check_filled(catalog: DrgCatalog) -> Iterator[Finding]:
    for table in ("mdc", "adrg", "drg"):
        if catalog.tables[table].is_empty():
            message, remedy = f"the catalogue has no rows in {table}", "give at least one row"
            yield finding(catalog, "CATALOG_EMPTY", message, Place(table), remedy=remedy)
    for table, columns in _FILLED.items():
        for column in columns:
            for row in catalog.tables[table][column].is_null().arg_true():
                yield finding(
                    catalog,
                    "CATALOG_BLANK",
                    f"the row has no {column}",
                    Place(table, row, column),
                    remedy="fill the cell or remove the row",
                )


def _check_words(catalog: DrgCatalog) -> Iterator[Finding]:
    """Cells that take one of a few words."""
    for table, column, known in (
        ("mdc", "qy_rule", QY_RULES),
        ("adrg", "type", ADRG_TYPES),
        ("adrg", "qy_side", QY_SIDES),
        ("cc", "level", CC_LEVELS),
    ):
        values = catalog.tables[table][column]
        for row in (values.is_not_null() & ~values.is_in(known)).arg_true():
            yield finding(
                catalog,
                "CATALOG_UNKNOWN_KIND",
                f"this {column} is unknown",
                Place(table, row, column),
                values[row],
                f"use one of: {', '.join(known)}",
            )


def _repeated(frame: pl.DataFrame, *keys: str) -> pl.DataFrame:
    """Return the rows whose keys an earlier row has: their number ``row`` and that of the ``first``, from 0."""
    numbered = frame.select(*keys).with_row_index("row")
    first = pl.col("row").min().over(keys)
    return numbered.with_columns(first.alias("first")).filter(
        pl.col("row") > pl.col("first"), pl.all_horizontal(pl.col(*keys).is_not_null())
    )


def _check_orders(catalog: DrgCatalog) -> Iterator[Finding]:
    """Chapters and ADRGs stand once, and their order is certain."""
    mdc, adrg = catalog.tables["mdc"], catalog.tables["adrg"]
    for table, frame, keys, code, text, remedy in (
        ("mdc", mdc, ("mdc",), "CATALOG_DUPLICATE_ID", "the chapter {0} stands twice", "keep one row"),
        (
            "adrg",
            adrg,
            ("adrg", "alt"),
            "CATALOG_DUPLICATE_ID",
            "alternative {1} of ADRG {0} stands twice",
            "give each alternative of an ADRG a number of its own",
        ),
        (
            "mdc",
            mdc,
            ("eval_order",),
            "CATALOG_ORDER",
            "two chapters have the place {0} in the order",
            "give each chapter its own place",
        ),
        (
            "adrg",
            adrg,
            ("mdc", "eval_order"),
            "CATALOG_ORDER",
            "two entries of {0} have the place {1} in the order",
            "give each ADRG, and each alternative, its own place within the chapter",
        ),
    ):
        for found in _repeated(frame, *keys).iter_rows(named=True):
            if keys == ("mdc", "eval_order") and frame["adrg"][found["row"]] == frame["adrg"][found["first"]]:
                continue  # alternatives of one ADRG in one place are tried in the order of the rows
            values = [found[key] for key in keys]
            column = "eval_order" if "eval_order" in keys else keys[0]
            place = Place(table, found["row"], column)
            yield finding(catalog, code, text.format(*values), place, found[column], remedy)
    for column, what in (("mdc", "chapters"), ("type", "types")):
        first = pl.col(column).first().over("adrg")
        for row in adrg.select((pl.col(column) != first).fill_null(False)).to_series().arg_true():
            yield finding(
                catalog,
                "CATALOG_ALTERNATIVES",
                f"the alternatives of ADRG {adrg['adrg'][row]} have different {what}",
                Place("adrg", row, column),
                adrg[column][row],
                "alternatives are one ADRG: write the same into all, or give another code",
                severity="warning",
            )


def _check_references(catalog: DrgCatalog) -> Iterator[Finding]:
    """Rows that belong to a chapter or ADRG that is not there."""
    adrg = catalog.tables["adrg"]
    chapters = catalog.tables["mdc"]["mdc"]
    strange = adrg["mdc"].is_not_null() & ~adrg["mdc"].is_in(chapters.implode())
    for row in strange.arg_true():
        yield finding(
            catalog,
            "CATALOG_CHAPTER",
            f"ADRG {adrg['adrg'][row]} belongs to a chapter that does not exist",
            Place("adrg", row, "mdc"),
            adrg["mdc"][row],
            "add the chapter to the table of chapters or correct its name",
        )
    for table in ("adrg_condition", "drg"):
        frame = catalog.tables[table].with_row_index("row").drop_nulls("adrg")
        lost = frame.join(adrg, on=["adrg", "alt"], how="anti", maintain_order="left", nulls_equal=True)
        for found in lost.iter_rows(named=True):
            known = found["adrg"] in adrg["adrg"]
            yield finding(
                catalog,
                "CATALOG_ADRG",
                f"ADRG {found['adrg']} has no alternative {found['alt']}"
                if known
                else f"there is no ADRG {found['adrg']}",
                Place(table, found["row"], "alt" if known else "adrg"),
                found["alt" if known else "adrg"],
                "add it to the table of ADRGs or correct the cell",
            )


def _check_returns(catalog: DrgCatalog) -> Iterator[Finding]:
    """``return_if_no_drg`` ends the search with the ADRG's own code; it leads to no other ADRG."""
    adrg = catalog.tables["adrg"]
    leads = adrg.with_row_index("row").filter(
        pl.col("return_if_no_drg") != pl.col("adrg"), pl.col("return_if_no_drg").is_in(adrg["adrg"].implode())
    )
    to = dict(leads.select("adrg", "return_if_no_drg").iter_rows())
    for found in leads.iter_rows(named=True):
        way = [found["adrg"]]
        while way[-1] in to and to[way[-1]] not in way:
            way.append(to[way[-1]])
        back = to.get(way[-1]) == way[0]
        yield finding(
            catalog,
            "CATALOG_CYCLE" if back else "CATALOG_RETURN",
            f"the ADRGs lead to each other in a circle: {' -> '.join([*way, way[0]])}"
            if back
            else f"ADRG {found['adrg']} leads to another ADRG where no DRG fits",
            Place("adrg", found["row"], "return_if_no_drg"),
            found["return_if_no_drg"],
            "write the ADRG's own code (the stay gets it) or leave the cell empty (the search goes on)",
        )


def _check_drg_codes(catalog: DrgCatalog, parsed: Parsed) -> Iterator[Finding]:
    """A DRG code is one DRG. It may stand in several alternatives of its ADRG, and in rows that are ORed."""
    drg = catalog.tables["drg"]
    seen: dict[str, tuple[int, str]] = {}  # code -> first row, ADRG
    names: dict[tuple[str, int, str], str] = {}
    rules: dict[tuple[str, int, str], set[object]] = {}
    for number, row in enumerate(drg.iter_rows(named=True)):
        code, adrg, alt = row["drg"], row["adrg"], row["alt"]
        if code is None or adrg is None:
            continue
        first, owner = seen.setdefault(code, (number, adrg))
        key = (adrg, alt, code)
        rule = tuple(term.source for term in parsed.drgs[number]) if number in parsed.drgs else number
        name = names.setdefault(key, row["name"] or "")
        if owner != adrg:
            text = f"the DRG {code} stands under two ADRGs, {owner} and {adrg}"
        elif name != (row["name"] or name):
            text = f"the DRG {code} has two names, {name} and {row['name']}"
        elif rule in rules.get(key, ()):
            text = f"the DRG {code} stands twice with the same rule"
        else:
            rules.setdefault(key, set()).add(rule)
            continue
        yield finding(
            catalog,
            "CATALOG_DUPLICATE_ID",
            f"{text} (first in row {row_of(catalog, 'drg', first)})",
            Place("drg", number, "drg"),
            code,
            "give each DRG its own code, or keep one of the rows",
        )


# Lists of operations (手术, ss) and diagnoses (诊断, zd), numbered or not.
_SUFFIX = re.compile(r"[a-z_]*(ss|zd)[0-9]*")


def _owner_is_known(list_id: str, owners: frozenset[str], suffixes: frozenset[str]) -> bool:
    owner, _, suffix = list_id.partition(".")
    named = suffix.rstrip("0123456789") in suffixes or _SUFFIX.fullmatch(suffix) is not None
    return re.sub(r"_[0-9]+$", "", owner) in owners and named


def _check_lists(catalog: DrgCatalog, parsed: Parsed) -> Iterator[Finding]:
    """Lists that are named and have no code.

    Published tables write an empty list as a list without rows, so its name alone tells it from a mistake:
    it is made as the others are, ``<owner>.<suffix>`` with a chapter, ADRG or DRG of the catalogue and a suffix
    that lists with codes have as well (digits at its end do not count), or one of operations or diagnoses.
    """
    lists = frozenset(catalog.tables["code_list"]["list_id"].drop_nulls())
    owners = frozenset[str]().union(
        *(catalog.tables[name][name].drop_nulls() for name in ("mdc", "adrg", "drg"))
    )
    suffixes = frozenset(name.partition(".")[2].rstrip("0123456789") for name in lists if "." in name)
    chapters = {chapter_list(name) for name in catalog.tables["mdc"]["mdc"].drop_nulls()}
    for place, term in parsed.terms():
        odd = [code for code in term.codes if code in lists or not _CODE.match(code)]
        for name in [term.list_id, *odd] if term.list_id else odd:
            if term.list_id and (name in lists or name in chapters):
                continue
            if name in lists:
                yield finding(
                    catalog,
                    "CATALOG_LIST",
                    f"the list {name} stands among codes, or where one code is compared",
                    place,
                    name,
                    "write the list alone into its term, as sec_dx_in:LIST",
                )
                continue
            if _owner_is_known(name, owners, suffixes):
                yield finding(
                    catalog,
                    "CATALOG_LIST_EMPTY",
                    f"the list {name} has no codes, so this condition can never hold"
                    if term.kind != "MAIN_DX_NOT_IN"
                    else f"the list {name} has no codes, so this condition always holds",
                    place,
                    name,
                    "nothing to do if the list is empty on purpose",
                    severity="warning",
                )
            else:
                yield finding(
                    catalog,
                    "CATALOG_LIST",
                    f"there is no list {name}",
                    place,
                    name,
                    "add the list to the code lists or correct its name",
                )


def _check_numbers(catalog: DrgCatalog, parsed: Parsed) -> Iterator[Finding]:
    """Limits that no figure of a stay can meet exactly: those are recorded in whole units."""
    for place, term in parsed.terms():
        if term.fact == "dept":
            continue
        numbers = [Decimal(text) for text in term.texts] if term.number is None else [term.number]
        if any(number * UNITS.get(term.fact, 1) % 1 for number in numbers):
            yield finding(
                catalog,
                "CATALOG_VALUE",
                "this limit is finer than the figure is recorded",
                place,
                term.source,
                "write a whole number",
            )


def _check_weights(catalog: DrgCatalog) -> Iterator[Finding]:
    weights = catalog.tables["weights"].with_row_index("row").drop_nulls(["drg", "weight"])
    groups = catalog.groups["group_id"].implode()
    none = weights["drg"].str.contains(_NO_GROUP)
    known = weights["drg"].is_in(groups)
    for row, code in weights.filter(~known & ~none).select("row", "drg").iter_rows():
        yield finding(
            catalog,
            "CATALOG_WEIGHT_GROUP",
            "this weight is for a DRG that does not exist",
            Place("weights", row, "drg"),
            code,
            "correct the code or remove the row",
        )
    figure = weights["weight"]
    good = figure.str.contains(r"^[0-9]+(\.[0-9]+)?$") & (figure.str.contains("[1-9]") | none)
    for row, value in weights.filter(~good).select("row", "weight").iter_rows():
        yield finding(
            catalog,
            "CATALOG_VALUE",
            "a weight is a positive decimal",
            Place("weights", row, "weight"),
            value,
            "write it as 1.0523",
        )
    for row, code in _repeated(catalog.tables["weights"], "drg").select("row", "drg").iter_rows():
        yield finding(
            catalog,
            "CATALOG_DUPLICATE_ID",
            f"the DRG {code} has two weights",
            Place("weights", row, "drg"),
            code,
            "keep one row",
        )


def _check_switches(catalog: DrgCatalog) -> Iterator[Finding]:
    if catalog.meta.translate_codes:
        for table in ("icd10", "icd9cm3"):
            if catalog.tables[table]["map_to"].drop_nulls().is_empty():
                yield finding(
                    catalog,
                    "CATALOG_CONTRADICTION",
                    "translate_codes is on, but no code of this table is mapped",
                    Place(table, None, "map_to"),
                    remedy="fill map_to (= for a code that stays) or switch translate_codes off",
                )


def _errors(catalog: DrgCatalog) -> tuple[list[Finding], Parsed]:
    """Return the findings of every check that can find an error, and the parsed rules."""
    parsed = parse_catalog(catalog)
    checks = (_check_filled, _check_words, _check_orders, _check_references, _check_returns, _check_switches)
    findings = [one for check in checks for one in check(catalog)]
    findings += parsed.findings
    for check_rules in (_check_lists, _check_numbers, _check_drg_codes):
        findings += check_rules(catalog, parsed)
    findings += _check_weights(catalog)
    return findings, parsed


def check_drg_catalog(catalog: DrgCatalog) -> list[Finding]:
    """Return everything found: errors, then warnings, then notes; warnings and notes count what they name.

    The catalogue is not changed; nothing is raised.
    """
    findings, parsed = _errors(catalog)
    findings += doubts(catalog, parsed)
    return sorted(findings, key=lambda one: ("error", "warning", "note").index(one.severity))


def require_sound(catalog: DrgCatalog) -> None:
    """Raise the first error of :func:`check_drg_catalog` as :class:`CatalogError`; the rest passes."""
    for one in _errors(catalog)[0]:
        if one.severity == "error":
            raise one.as_error()
