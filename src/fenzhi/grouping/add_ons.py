"""Which add-ons the operations of a stay earn. docs/rules.md, section 4."""

from __future__ import annotations

import polars as pl

from fenzhi.codes import normalise_operation, split_extension
from fenzhi.policy.add_ons import AddOn, AddOns


def _earned(flat: pl.DataFrame, item: AddOn, height: int) -> pl.Series:
    """Return per stay whether it earns an add-on; ``flat``: _at, code, base of every operation."""
    listed = pl.DataFrame({"listed": normalise_operation(pl.Series(item.operations)).unique()})
    found = [flat.join(listed, left_on=name, right_on="listed", coalesce=False) for name in ("code", "base")]
    counts = (
        pl.concat([one.select("_at", "listed") for one in found]).group_by("_at").agg(pl.n_unique("listed"))
    )
    needed = 1 if item.match == "any" else listed.height
    none = pl.select(pl.repeat(False, height, dtype=pl.Boolean)).to_series()
    return none.scatter(counts.filter(pl.col("listed") >= needed)["_at"], True)


def mark_add_ons(stays: pl.DataFrame, rules: AddOns) -> pl.Series:
    """Return ``_add_ons`` (List of numbers of items, in their order) per stay.

    ``stays``: oprn_codes. The result is in the order of the stays and depends on nothing else.
    """
    flat = (
        stays.select("oprn_codes")
        .with_row_index("_at")
        .explode("oprn_codes", empty_as_null=False, keep_nulls=False)
        .drop_nulls()
    )
    codes = flat["oprn_codes"].unique()
    tidy = normalise_operation(codes)
    table = pl.DataFrame({"oprn_codes": codes, "code": tidy, "base": split_extension(tidy)[0]})
    flat = flat.join(table, on="oprn_codes", how="left")
    words = [
        pl.when(pl.lit(_earned(flat, item, stays.height))).then(pl.lit(number, pl.Int32))
        for number, item in enumerate(rules.items)
    ]
    return stays.select(pl.concat_list(words).list.drop_nulls().alias("_add_ons")).to_series()
