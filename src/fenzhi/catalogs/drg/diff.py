"""What differs between two DRG catalogues: chapters, ADRGs, DRGs, and where every code went.

Lists are compared by what their codes are for, not by their names: a list that is called otherwise or that another
ADRG owns now is no difference. A code's place in an ADRG is written ``BR1`` where it is looked up as principal
diagnosis or main operation, else ``BR1:ANY_PROC_IN``; ``BR1/2`` is the second alternative.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from fenzhi.catalogs.diff import Diff, compare, compare_order, joined, with_names
from fenzhi.catalogs.drg.models import DrgCatalog
from fenzhi.catalogs.drg.rules import CONDITION_KINDS, Term, parse_drg_rule
from fenzhi.catalogs.tcm_diff import tcm_changes, tcm_names

SETTINGS = ("code_match", "translate_codes", "retry_other_operations", "ambiguous")
_PLAIN_KINDS = ("MAIN_DX_IN", "MAIN_PROC_IN")
_LABEL = (
    pl.when(pl.col("alt") == 1)
    .then(pl.col("adrg"))
    .otherwise(pl.format("{}/{}", "adrg", "alt"))
    .alias("item")
)


def _settings(catalog: DrgCatalog) -> pl.DataFrame:
    return pl.DataFrame(
        {"item": SETTINGS, "value": [str(getattr(catalog.meta, name)).lower() for name in SETTINGS]}
    )


def _named(frame: pl.DataFrame, item: str) -> pl.DataFrame:
    return frame.unique(item, keep="first", maintain_order=True).select(
        pl.col(item).alias("item"), pl.col("name").alias("value")
    )


def _chapter_rules(catalog: DrgCatalog) -> pl.DataFrame:
    parts = ("entry_rule", "qy_rule", "qy_after_n_adrg")
    text = pl.format(
        "entry: {}; QY: {}, after {}", *(pl.col(n).cast(pl.String).fill_null("-") for n in parts)
    )
    return catalog.tables["mdc"].select(pl.col("mdc").alias("item"), text.alias("value"))


def _adrg_rules(catalog: DrgCatalog) -> pl.DataFrame:
    """Return of each alternative its chapter, its conditions without the names of lists, and its return code."""
    term = pl.concat_str("kind", pl.col("arg").fill_null(""), separator=" ").str.strip_chars()
    conditions = (
        catalog.tables["adrg_condition"]
        .group_by("adrg", "alt", maintain_order=True)
        .agg(term.sort().str.join("; "))
    )
    rows = catalog.tables["adrg"].join(conditions, on=["adrg", "alt"], how="left", maintain_order="left")
    ended = pl.col("return_if_no_drg").fill_null("-")
    text = pl.format("{}, {}: {}; no DRG: {}", "mdc", "type", pl.col("kind").fill_null("always"), ended)
    return rows.select(_LABEL, text.alias("value")).unique("item", keep="first", maintain_order=True)


def _drg_rules(catalog: DrgCatalog) -> pl.DataFrame:
    rows = catalog.tables["drg"].select("drg", _LABEL, "rule", "grassroots")
    text = pl.format(
        "{}: {}{}", "item", "rule", pl.when("grassroots").then(pl.lit(", grassroots")).otherwise(pl.lit(""))
    )
    return (
        rows.group_by(pl.col("drg"), maintain_order=True)
        .agg(text.str.join(" | ").alias("value"))
        .rename({"drg": "item"})
    )


def _chapter_order(catalog: DrgCatalog) -> pl.DataFrame:
    return catalog.tables["mdc"].select(pl.col("mdc").alias("item"), pl.lit("").alias("within"))


def _adrg_order(catalog: DrgCatalog) -> pl.DataFrame:
    return catalog.tables["adrg"].select(_LABEL, pl.col("mdc").alias("within"))


def _drg_order(catalog: DrgCatalog) -> pl.DataFrame:
    rows = catalog.tables["drg"].select(_LABEL.alias("within"), pl.col("drg").alias("item"))
    return rows.unique(maintain_order=True)


def _users(catalog: DrgCatalog) -> pl.DataFrame:
    """Return who looks codes up in which list: list_id, place, side (dx or op)."""
    rows: list[dict[str, Any]] = []
    seen: dict[tuple[str, str], int] = {}

    def add(owner: str, kind: str, list_id: str) -> None:
        seen[owner, kind] = number = seen.get((owner, kind), 0) + 1
        place = owner if kind in _PLAIN_KINDS else f"{owner}:{kind}"
        rows.append(
            {
                "list_id": list_id,
                "place": place if number == 1 else f"{place}#{number}",
                "side": "dx" if "_DX_" in kind else "op",
            }
        )

    labelled = catalog.tables["adrg_condition"].with_columns(_LABEL)
    for owner, kind, list_id in labelled.select("item", "kind", "list_id").drop_nulls("list_id").iter_rows():
        if kind in CONDITION_KINDS:
            add(owner, kind, list_id)
    lists = set(catalog.tables["code_list"]["list_id"])
    for drg, rule in catalog.tables["drg"].select("drg", "rule").unique(maintain_order=True).iter_rows():
        for term in parse_drg_rule(rule, lists, {"file": catalog.path, "field": "rule"}):
            if isinstance(term, Term) and term.list_id is not None:
                add(drg, term.kind, term.list_id)
    return pl.DataFrame(rows, schema={"list_id": pl.String, "place": pl.String, "side": pl.String})


def code_places(catalog: DrgCatalog, side: str) -> pl.DataFrame:
    """Return where each diagnosis (``side`` dx) or operation (op) is looked up: code, place, tag, list_id."""
    users = _users(catalog).filter(pl.col("side") == side)
    found = catalog.tables["code_list"].join(users, on="list_id", how="inner")
    return found.select("code", "place", "tag", "list_id")


def _adrgs_of(catalog: DrgCatalog, side: str) -> pl.DataFrame:
    tagged = pl.format("{}{}", "place", pl.format("={}", "tag").fill_null("")).alias("place")
    return joined(code_places(catalog, side).with_columns(tagged), "code", "place")


def _chapters_of(catalog: DrgCatalog) -> pl.DataFrame:
    site = pl.format("{}{}", "mdc", pl.format(" ({})", "trauma_site").fill_null("")).alias("mdc")
    return joined(catalog.tables["mdc_dx"].with_columns(site), "code", "mdc")


def _valid(catalog: DrgCatalog) -> pl.DataFrame:
    return joined(
        catalog.tables["valid_procedure"].with_columns(pl.lit("valid").alias("value")), "code", "value"
    )


def _names(catalog: DrgCatalog) -> pl.DataFrame:
    keys = {"mdc": "mdc", "adrg": "adrg", "drg": "drg", "icd10": "code", "icd9cm3": "code"}
    return pl.concat(
        catalog.tables[table].select(pl.col(key).alias("item"), "name") for table, key in keys.items()
    )


def diff_drg(before: DrgCatalog, after: DrgCatalog) -> Diff:
    """Compare two DRG catalogues.

    Kinds of ``changes``: setting; chapter, adrg, drg (added, removed, renamed); chapter_rule, adrg_rule, drg_rule,
    chapter_order, adrg_order, drg_order (of what both have); diagnosis_chapter, diagnosis_adrg, operation_adrg
    (where a code stands), cc_level, cc_exclusion (the table that excludes it), main_exclusion (the table it
    belongs to as principal diagnosis), valid_operation, diagnosis_map, operation_map, weight, and
    those of :func:`fenzhi.catalogs.tcm_diff.tcm_changes`. Codes are compared as they are written. Exclusion tables are
    compared by their numbers.
    """
    a, b = before.tables, after.tables

    def pairs(table: str, item: str, value: str) -> tuple[pl.DataFrame, pl.DataFrame]:
        return joined(a[table], item, value), joined(b[table], item, value)

    changes = [
        compare("setting", _settings(before), _settings(after)),
        *(
            compare(what, _named(a[table], table), _named(b[table], table), changed="renamed")
            for what, table in (("chapter", "mdc"), ("adrg", "adrg"), ("drg", "drg"))
        ),
        *(
            compare(what, rules(before), rules(after), both=True)
            for what, rules in (
                ("chapter_rule", _chapter_rules),
                ("adrg_rule", _adrg_rules),
                ("drg_rule", _drg_rules),
            )
        ),
        *(
            compare_order(what, order(before), order(after))
            for what, order in (
                ("chapter_order", _chapter_order),
                ("adrg_order", _adrg_order),
                ("drg_order", _drg_order),
            )
        ),
        compare("diagnosis_chapter", _chapters_of(before), _chapters_of(after)),
        compare("diagnosis_adrg", _adrgs_of(before, "dx"), _adrgs_of(after, "dx")),
        compare("operation_adrg", _adrgs_of(before, "op"), _adrgs_of(after, "op")),
        compare("cc_level", *pairs("cc", "code", "level")),
        compare("cc_exclusion", *pairs("cc", "code", "excl_table"), both=True),
        compare("main_exclusion", *pairs("cc_exclusion", "main_dx", "excl_table")),
        compare("valid_operation", _valid(before), _valid(after)),
        compare("diagnosis_map", *pairs("icd10", "code", "map_to")),
        compare("operation_map", *pairs("icd9cm3", "code", "map_to")),
        compare("weight", *pairs("weights", "drg", "weight")),
        *tcm_changes(before.tcm, after.tcm),
    ]
    names = pl.concat([_names(after), _names(before), tcm_names(after.tcm), tcm_names(before.tcm)])
    return Diff("drg", with_names(pl.concat(changes), names))
