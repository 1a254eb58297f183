"""What differs between the TCM-advantage groups of two catalogues of either scheme."""

from __future__ import annotations

import polars as pl

from fenzhi.catalogs.diff import compare, compare_order, joined
from fenzhi.catalogs.tcm import TCM_GROUPS, TcmTables

# Conditions of an alternative, in words.
_SIGNS = {
    "main_diag": "main_diag ",
    "tcm_diag": "tcm_diag ",
    "los_min_days": "los>=",
    "classes": "classes ",
    "min_classes": "classes>=",
    "min_operations": "operations>=",
}


def _named(tcm: TcmTables) -> pl.DataFrame:
    return tcm.groups.select(pl.col("group_id").alias("item"), pl.col("name").alias("value"))


def _conditions(tcm: TcmTables) -> pl.DataFrame:
    """Return the conditions of each group: its alternatives in their order."""
    cells = [pl.lit(sign) + pl.col(name).cast(pl.String) for name, sign in _SIGNS.items()]
    rows = tcm.conditions.select(
        pl.col("group_id").alias("item"),
        pl.concat_str(cells, separator="; ", ignore_nulls=True).alias("value"),
    )
    return rows.group_by("item", maintain_order=True).agg(pl.col("value").str.join(" / "))


def _weights(tcm: TcmTables) -> pl.DataFrame:
    """Return how each group's weight is stated: null if its history measures it."""
    share = pl.format("{} x {}", "reference_group", pl.col("share").fill_null("1"))
    return tcm.groups.select(pl.col("group_id").alias("item"), pl.coalesce("weight", share).alias("value"))


def _order(tcm: TcmTables) -> pl.DataFrame:
    return tcm.groups.select(pl.col("group_id").alias("item"), pl.lit("").alias("within"))


def _lists(tcm: TcmTables) -> pl.DataFrame:
    rows = [(code, f"@{name}") for name, codes in tcm.lists.items() for code in codes]
    return joined(
        pl.DataFrame(rows, schema={"code": pl.String, "list": pl.String}, orient="row"), "code", "list"
    )


def tcm_names(tcm: TcmTables) -> pl.DataFrame:
    """Return item and name of groups and operations."""
    return pl.concat(
        frame.select(pl.col(key).alias("item"), "name")
        for frame, key in ((tcm.groups, "group_id"), (tcm.operations, "code"))
    )


def tcm_changes(before: TcmTables, after: TcmTables) -> list[pl.DataFrame]:
    """Return the differences as rows of :data:`fenzhi.catalogs.diff.CHANGES`, one frame a kind.

    tcm_group (added, removed, renamed); tcm_condition, tcm_weight, tcm_order of groups that both have; tcm_list (the
    lists a diagnosis stands in), tcm_operation (the classes of an operation). A note is no difference.
    """
    assert set(TCM_GROUPS) - {"group_id", "name", "reference_group", "share", "weight", "note"} == set(_SIGNS)
    return [
        compare("tcm_group", _named(before), _named(after), changed="renamed"),
        compare("tcm_condition", _conditions(before), _conditions(after), both=True),
        compare("tcm_weight", _weights(before), _weights(after), both=True),
        compare_order("tcm_order", _order(before), _order(after)),
        compare("tcm_list", _lists(before), _lists(after)),
        compare(
            "tcm_operation",
            joined(before.operations, "code", "class"),
            joined(after.operations, "code", "class"),
        ),
    ]
