"""What differs between two DIP catalogues."""

from __future__ import annotations

import polars as pl

from fenzhi.catalogs.diff import Diff, compare, joined, with_names
from fenzhi.catalogs.models import GROUPS_SCHEMA, DipCatalog
from fenzhi.catalogs.tcm_diff import tcm_changes, tcm_names


def diff_dip(before: DipCatalog, after: DipCatalog) -> Diff:
    """Compare two DIP catalogues: groups by group_id and column, code sets, exclusions, types of operations,
    TCM-advantage groups."""

    def groups(catalog: DipCatalog, column: str) -> pl.DataFrame:
        first = catalog.groups.unique("group_id", keep="first", maintain_order=True)
        return first.select(pl.col("group_id").alias("item"), pl.col(column).alias("value"))

    def sets(catalog: DipCatalog) -> pl.DataFrame:
        rows = [(f"@{name}", code) for name, codes in catalog.code_sets.items() for code in codes]
        return joined(
            pl.DataFrame(rows, schema={"set": pl.String, "code": pl.String}, orient="row"), "set", "code"
        )

    def exclusions(catalog: DipCatalog) -> pl.DataFrame:
        kind = pl.format("{}{}", "kind", pl.format(" {}", "within").fill_null("")).alias("value")
        return joined(catalog.exclusions.with_columns(kind), "code", "value")

    def operations(catalog: DipCatalog) -> pl.DataFrame:
        return joined(catalog.operations, "code", "type")

    rules = [name for name in GROUPS_SCHEMA if name not in ("group_id", "name", "note")]
    changes = [
        compare("group", groups(before, "name"), groups(after, "name"), changed="renamed"),
        *(compare(name, groups(before, name), groups(after, name), both=True) for name in rules),
        compare("code_set", sets(before), sets(after)),
        compare("exclusion", exclusions(before), exclusions(after)),
        compare("operation_type", operations(before), operations(after)),
        *tcm_changes(before.tcm, after.tcm),
    ]
    names = [
        frame.select(pl.col(code).alias("item"), "name")
        for catalog in (after, before)
        for frame, code in ((catalog.groups, "group_id"), (catalog.operations, "code"))
    ]
    names += [tcm_names(catalog.tcm) for catalog in (after, before)]
    return Diff("dip", with_names(pl.concat(changes), pl.concat(names)))
