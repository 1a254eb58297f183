"""Which add-ons the operations of a stay earn. docs/rules.md, section 4."""

from __future__ import annotations

import polars as pl

from fenzhi.codes import normalise_operation, split_extension
from fenzhi.policy.add_ons import AddOns


def _listed(rules: AddOns) -> pl.DataFrame:
    """Return _item, listed (distinct codes, normalised) of all items and how many an item needs."""
    rows = []
    for number, item in enumerate(rules.items):
        codes = normalise_operation(pl.Series(item.operations)).unique().to_list()
        rows += [(number, code, 1 if item.match == "any" else len(codes)) for code in codes]
    schema = {"_item": pl.Int32, "listed": pl.String, "_needs": pl.UInt32}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _accepted(codes: pl.Series, listed: pl.DataFrame) -> pl.DataFrame:
    """Return oprn_codes, _item, listed, _needs: which listed codes the written ones stand for."""
    tidy = normalise_operation(codes)
    table = pl.DataFrame({"oprn_codes": codes, "code": tidy, "base": split_extension(tidy)[0]})
    both = [table.join(listed, left_on=name, right_on="listed", coalesce=False) for name in ("code", "base")]
    found = pl.concat([one.select("oprn_codes", "_item", "listed", "_needs") for one in both]).unique()
    return found.with_columns(pl.col("listed").rank("dense").cast(pl.UInt32))


def mark_add_ons(stays: pl.DataFrame, rules: AddOns) -> pl.Series:
    """Return ``_add_ons`` (List of numbers of items, in their order; null without any) per stay.

    ``stays``: oprn_codes. The result is in the order of the stays and depends on nothing else.
    """
    flat = stays.select("oprn_codes").with_row_index("_at").filter(pl.col("oprn_codes").list.len() > 0)
    flat = flat.explode("oprn_codes", empty_as_null=False, keep_nulls=False).drop_nulls()
    accepted = _accepted(flat["oprn_codes"].unique(), _listed(rules))
    earned = (
        flat.filter(pl.col("oprn_codes").is_in(accepted["oprn_codes"].unique().implode()))
        .join(accepted, on="oprn_codes")
        .drop("oprn_codes")
        .unique()
        .group_by("_at", "_item", "_needs")
        .len()
        .filter(pl.col("len") >= pl.col("_needs"))
        .group_by("_at")
        .agg(pl.col("_item").sort().alias("_add_ons"))
    )
    rows = pl.DataFrame({"_at": pl.int_range(stays.height, dtype=pl.UInt32, eager=True)})
    return rows.join(earned, on="_at", how="left", maintain_order="left")["_add_ons"]
